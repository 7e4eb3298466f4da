//! The planner of Backup and Restore, key by key.
//!
//! A version is known by its origin: the number of the row that was written first, which a copy and the copy of a copy
//! keep. Copies are appended, and the last one written is what the key stands for; so the versions that the target does
//! not have are copied oldest first, and the newest one once more on top where it would not be the current one.
//! Whatever prefix of that has been done, planning again leads to the same end.

use std::collections::BTreeSet;

/// A version or delete marker of a key in the source, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// What it was copied from in the beginning, or itself.
    pub origin: i64,
    /// Whether it is a delete marker.
    pub marker: bool,
}

/// What the target has of the key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The origins of all its versions.
    pub origins: BTreeSet<i64>,
    /// The origin of the current one.
    pub current: Option<i64>,
}

/// Which versions of a key (by their place in `source`) are to be copied, in that order. A target that keeps no older
/// versions gets the newest one only, and no delete marker.
pub fn to_copy(source: &[Version], held: &Held, keeps_versions: bool) -> Vec<usize> {
    let Some(newest) = source.last() else { return Vec::new() };
    let last = source.len() - 1;
    if !keeps_versions {
        let there = held.current == Some(newest.origin);
        return if there || newest.marker { Vec::new() } else { vec![last] };
    }
    let mut places: Vec<usize> =
        (0..source.len()).filter(|place| !held.origins.contains(&source[*place].origin)).collect();
    let on_top = match places.last() {
        Some(place) => *place == last,
        None => held.current == Some(newest.origin),
    };
    if !on_top {
        places.push(last);
    }
    places
}

#[cfg(test)]
mod tests {
    use super::{Held, Version, to_copy};
    use proptest::prelude::*;

    fn versions(origins: &[i64]) -> Vec<Version> {
        origins.iter().map(|origin| Version { origin: *origin, marker: false }).collect()
    }

    fn held(origins: &[i64]) -> Held {
        Held { origins: origins.iter().copied().collect(), current: origins.last().copied() }
    }

    #[test]
    fn what_is_not_there_is_copied_oldest_first_and_the_newest_ends_on_top() {
        let source = versions(&[1, 2, 3]);
        for (there, expected) in [
            (&[][..], &[0, 1, 2][..]),
            (&[1], &[1, 2]),
            (&[1, 2, 3], &[]),
            (&[2, 3], &[0, 2]),
            (&[1, 3, 2], &[2]),
            (&[1, 2, 3, 9], &[2]),
        ] {
            assert_eq!(to_copy(&source, &held(there), true), expected, "{there:?}");
        }
        assert_eq!(to_copy(&[], &held(&[1]), true), [0_usize; 0]);
    }

    #[test]
    fn a_target_without_versions_gets_the_newest_one_only_and_no_marker() {
        let source = versions(&[1, 2]);
        assert_eq!(to_copy(&source, &held(&[]), false), [1]);
        assert_eq!(to_copy(&source, &held(&[2]), false), [0_usize; 0]);
        let deleted = [source[0], Version { origin: 2, marker: true }];
        assert_eq!(to_copy(&deleted, &held(&[1]), false), [0_usize; 0]);
        assert_eq!(to_copy(&deleted, &held(&[1]), true), [1]);
    }

    fn write(held: &mut Held, origin: i64) {
        held.origins.insert(origin);
        held.current = Some(origin);
    }

    proptest! {
        #[test]
        fn after_any_interruption_planning_again_leads_to_all_versions_with_the_newest_on_top(
            origins in proptest::collection::btree_set(0..20_i64, 1..8),
            there in proptest::collection::vec(0..25_i64, 0..8),
            crash in 0..10_usize,
        ) {
            let source = versions(&origins.iter().copied().collect::<Vec<_>>());
            let mut target = held(&there);
            for place in to_copy(&source, &target, true).into_iter().take(crash) {
                write(&mut target, source[place].origin);
            }
            for place in to_copy(&source, &target, true) {
                write(&mut target, source[place].origin);
            }
            prop_assert!(origins.is_subset(&target.origins));
            prop_assert_eq!(target.current, source.last().map(|version| version.origin));
            prop_assert_eq!(to_copy(&source, &target, true), Vec::<usize>::new());
        }
    }
}
