//! Chance, all of it from the seed.

use std::sync::Mutex;
use storekeeper::operator::runtime::random::Random;

/// A small generator (splitmix64): the same numbers for the same seed, on every machine and for good.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        let mut chance = Self(seed ^ 0x5bd1_e995_9d1b_54a5);
        chance.next();
        chance
    }

    /// Another generator, whose numbers have nothing to do with this one's.
    pub fn fork(&mut self) -> Self {
        Self::new(self.next())
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// True in so many cases of a thousand.
    pub fn permille(&mut self, cases: u64) -> bool {
        self.next() % 1000 < cases
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.next() % from.len() as u64).unwrap()]
    }
}

/// The randomness of one operator.
pub struct Seeded {
    chance: Mutex<Chance>,
    /// A control: the same nonce again and again.
    stuck: bool,
}

impl Seeded {
    pub fn new(chance: Chance, stuck: bool) -> Self {
        Self { chance: Mutex::new(chance), stuck }
    }
}

impl Random for Seeded {
    fn fill(&self, buffer: &mut [u8]) {
        if self.stuck && buffer.len() == 16 {
            return buffer.fill(7);
        }
        let mut chance = self.chance.lock().unwrap();
        for part in buffer.chunks_mut(8) {
            part.copy_from_slice(&chance.next().to_le_bytes()[..part.len()]);
        }
    }
}
