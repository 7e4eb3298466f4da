//! What happened, in one number always, and in lines where somebody wants to read it. No secret is ever told.

use std::fmt::Write as _;

/// The history of one schedule.
pub struct Trace {
    hash: u64,
    lines: Option<String>,
}

impl Trace {
    pub fn new(readable: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, lines: readable.then(String::new) }
    }

    /// Takes a fact into the number.
    pub fn mix(&mut self, fact: u64) {
        for byte in fact.to_le_bytes() {
            self.hash = (self.hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Writes a line, if anybody reads.
    pub fn say(&mut self, milliseconds: u64, who: &str, what: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            let _ =
                writeln!(lines, "{:>8}.{:03} {who:<12} {}", milliseconds / 1000, milliseconds % 1000, what());
        }
    }

    pub fn hash(&self) -> u64 {
        self.hash
    }

    pub fn lines(&mut self) -> String {
        self.lines.take().unwrap_or_default()
    }
}
