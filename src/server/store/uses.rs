//! When keys were last used, gathered in memory, so that a request to the data plane costs no write.

use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The newest use of each key since the last [`KeyUses::take`].
#[derive(Default)]
pub struct KeyUses {
    newest: Mutex<HashMap<String, Timestamp>>,
}

impl KeyUses {
    /// Remembers a use, to the minute.
    pub fn note(&self, access_key_id: &str, time: Timestamp) {
        let seconds = time.as_second() - time.as_second().rem_euclid(60);
        let Ok(minute) = Timestamp::from_second(seconds) else { return };
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match newest.get_mut(access_key_id) {
            Some(known) => *known = minute.max(*known),
            None => {
                newest.insert(access_key_id.to_owned(), minute);
            }
        }
    }

    /// Takes what has gathered.
    pub fn take(&self) -> Vec<(String, Timestamp)> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *newest).into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::KeyUses;
    use jiff::Timestamp;

    #[test]
    fn the_newest_use_of_a_key_is_kept_to_the_minute() {
        let uses = KeyUses::default();
        for second in [125, 61, 200, 130] {
            uses.note("SK1", Timestamp::from_second(second).unwrap());
        }
        assert_eq!(uses.take(), [("SK1".to_owned(), Timestamp::from_second(180).unwrap())]);
        assert_eq!(uses.take(), []);
    }
}
