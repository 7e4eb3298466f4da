//! Bytes as hexadecimal digits.

/// Bytes as lower-case hexadecimal digits. The memory is taken once: where the bytes are a secret, growing would leave
/// copies behind.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from(b"0123456789abcdef"[usize::from(half)]);
    let mut text = String::with_capacity(2 * bytes.len());
    text.extend(bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]));
    text
}

/// Hexadecimal digits as bytes; `None` where they are none.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    let pairs = text.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::{hex, unhex};

    #[test]
    fn hexadecimal_digits_survive_the_way_there_and_back() {
        assert_eq!(hex(&[0, 0xAB, 0xFF]), "00abff");
        assert_eq!(unhex("00abff"), Some(vec![0, 0xAB, 0xFF]));
        assert_eq!(unhex("xy"), None);
    }
}
