//! Seeds that once failed, each with what it found.

use crate::schedule;
use crate::world::Sabotage;

const SEEDS: [(u64, &str); 10] = [
    (1, "two watches that wake in an order of their own: the same seed was not the same schedule"),
    (6, "the same, when faults are drawn"),
    (42, "a Secret that came after the keys were listed was judged by that list: recorded, and deleted"),
    (322, "the same, before it was recorded"),
    (656, "a judge that was too strict: the recorded Secret of a key that a person had revoked is deleted"),
    (3387, "a POST that was cut off when the process ended was forgotten: the key in its Secret was revoked"),
    (6307, "the world was wrong: a second execution after the answer, where nothing comes that late"),
    (
        25156,
        "a judge that was too strict: a look at the Secret was under way when 25 minutes of rest were over",
    ),
    (
        89_359,
        "a POST that was carried out twice was answered that the Secret is there: the key in it was revoked",
    ),
    (
        208_633,
        "a judge that was too strict: a foreign Secret that comes after the rehearsal costs an attempt",
    ),
];

#[test]
fn what_was_found_once_stays_mended() {
    for (seed, found) in SEEDS {
        let outcome = schedule::run(seed, false, Sabotage::default());
        assert!(outcome.failure.is_none(), "seed {seed} ({found}): {:?}", outcome.failure);
        for _ in 0..8 {
            assert_eq!(
                schedule::run(seed, false, Sabotage::default()).hash,
                outcome.hash,
                "seed {seed} ({found})"
            );
        }
    }
}
