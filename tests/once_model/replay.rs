//! A1: a request that is repeated is answered with the pair that was made first, as long as the provider remembers it.
//!
//! Operators ask again only for a key that is young: half as old, at most, as the provider promises to remember. What was
//! asked in time may be executed much later, when the provider has forgotten: then it makes another key for the same
//! nonce. A provider that breaks its promise does so even for a key that is young.

use crate::action::Action;
use crate::compact::Key;
use crate::config::{Config, Forgets};
use crate::world::World;

impl World {
    pub fn of_the_replay_window(&self, config: &Config, actions: &mut Vec<Action>) {
        if config.forgets == Forgets::Never {
            return;
        }
        if self.old.is_empty() && !self.live.is_empty() {
            actions.push(Action::PairsAge);
        }
        let remembered = match config.forgets {
            Forgets::Never => true,
            Forgets::AsPromised => self.old.is_empty(),
            Forgets::Early => self.live.is_empty(),
        };
        if self.forgotten.is_empty() && !remembered {
            actions.push(Action::ProviderForgets);
        }
    }

    /// All the keys that there are become too old to be asked for again.
    pub fn pairs_age(&mut self) {
        self.old = self.live.and(self.tombs);
    }

    pub fn provider_forgets(&mut self) {
        self.forgotten = if self.old.is_empty() { self.live.and(self.tombs) } else { self.old };
    }

    /// Whether one of the keys of that request is young.
    pub fn may_be_asked_again(&self, asked: Key) -> bool {
        [asked.lower(), asked.upper()].into_iter().any(|key| self.live.has(key) && !self.old.has(key))
    }
}
