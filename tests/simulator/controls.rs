//! Controls: one promise broken at a time. Each must be found out, or the checks prove nothing.

use crate::cluster::objects::Looseness;
use crate::vault::Faithlessness;
use crate::world::Sabotage;
use crate::{Search, search};
use std::time::Duration;

/// Schedules in which each must be found. The rarest of them takes about a hundred.
const WITHIN: u64 = 5_000;

fn controls() -> Vec<(&'static str, Sabotage)> {
    let none = Sabotage::default();
    let loose = Looseness::default();
    let faithful = Faithlessness::default();
    let cluster = |cluster: Looseness| Sabotage { cluster, ..none };
    let provider = |provider: Faithlessness| Sabotage { provider, ..none };
    vec![
        ("the same nonce twice", Sabotage { stuck_nonce: true, ..none }),
        ("writes whatever their resourceVersion", cluster(Looseness { no_versions: true, ..loose })),
        ("a POST that replaces", cluster(Looseness { upsert: true, ..loose })),
        ("a status that is acknowledged and not kept", cluster(Looseness { forgets_status: true, ..loose })),
        ("a Secret without one of its entries", cluster(Looseness { drops_entries: true, ..loose })),
        ("a list that is not linearizable", provider(Faithlessness { stale_list: 5_000, ..faithful })),
        ("a list that is cut short", provider(Faithlessness { short_list: true, ..faithful })),
    ]
}

#[test]
fn every_broken_promise_is_found_out() {
    let mut unnoticed = Vec::new();
    for (name, sabotage) in controls() {
        let time = Duration::from_mins(1);
        let found = search(&Search { first: 0, number: WITHIN, time, sabotage, failures: 1, tell: false });
        match found.failed.first() {
            Some((seed, failure)) => println!("{name}: seed {seed} of {}: {failure}", found.schedules),
            None => unnoticed.push(name),
        }
    }
    assert!(unnoticed.is_empty(), "not found out: {unnoticed:?}");
}
