//! Changes of one RGW user take turns: the gateway answers half of those that race with an error of its own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;

/// Who is being changed. Others go on meanwhile.
#[derive(Default)]
pub struct Turns {
    waiting: Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>,
}

impl Turns {
    /// Waits until nobody else changes that RGW user. The turn ends when the answer is dropped.
    pub async fn of(&self, uid: &str) -> OwnedMutexGuard<()> {
        let turn = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that only this map knows are nobody's turn.
            if waiting.len() >= 1024 {
                waiting.retain(|_, turn| Arc::strong_count(turn) > 1);
            }
            Arc::clone(waiting.entry(uid.to_owned()).or_default())
        };
        turn.lock_owned().await
    }
}

#[cfg(test)]
mod tests {
    use super::Turns;
    use futures::FutureExt as _;

    #[tokio::test]
    async fn one_user_is_changed_by_one_and_others_meanwhile() {
        let turns = Turns::default();
        let first = turns.of("a").await;
        assert!(turns.of("a").now_or_never().is_none());
        assert!(turns.of("b").now_or_never().is_some());
        drop(first);
        assert!(turns.of("a").now_or_never().is_some());
    }

    #[tokio::test]
    async fn turns_that_are_over_are_forgotten_and_those_that_are_not_are_kept() {
        let turns = Turns::default();
        let held = turns.of("held").await;
        for number in 0..3000 {
            drop(turns.of(&number.to_string()).await);
        }
        assert!(turns.waiting.lock().unwrap().len() < 1100);
        assert!(turns.of("held").now_or_never().is_none());
        drop(held);
    }
}
