//! Randomness, injected so that tests can choose it.

use rand::Rng as _;

/// A source of random bytes.
pub trait Random: Send + Sync {
    /// Fills the buffer with random bytes.
    fn fill(&self, buffer: &mut [u8]);

    /// A number from 0 (included) to 1 (excluded).
    fn unit(&self) -> f64 {
        let mut bytes = [0; 4];
        self.fill(&mut bytes);
        f64::from(u32::from_le_bytes(bytes)) / (f64::from(u32::MAX) + 1.0)
    }

    /// 128 random bits as 32 hexadecimal digits.
    fn nonce(&self) -> String {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        format!("{:032x}", u128::from_be_bytes(bytes))
    }
}

/// Cryptographically secure, seeded by the operating system.
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) {
        rand::rng().fill_bytes(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::{Random, SystemRandom};

    struct Fixed(u8);

    impl Random for Fixed {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    #[test]
    fn numbers_lie_between_nought_and_one() {
        assert!(Fixed(0).unit() < f64::EPSILON);
        let top = Fixed(255).unit();
        assert!(top < 1.0 && top > 0.999);
    }

    #[test]
    fn nonces_have_32_hexadecimal_digits_and_differ() {
        assert_eq!(Fixed(0).nonce(), "0".repeat(32));
        let (one, other) = (SystemRandom.nonce(), SystemRandom.nonce());
        assert_eq!(one.len(), 32);
        assert_ne!(one, other);
    }
}
