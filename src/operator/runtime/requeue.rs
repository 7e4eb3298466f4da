//! When an object is looked at again. Pure: the streak and the random number are arguments.

use super::error::Class;
use super::verdict::{Ended, Outcome};
use std::time::Duration;

/// How the last pass over an object came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// It did.
    Ended(Outcome),
    /// It failed.
    Failed(Class),
}

const BLOCKED: Duration = Duration::from_mins(5);
const WAITING_FIRST: Duration = Duration::from_secs(5);
const WAITING_LONGEST: Duration = Duration::from_mins(1);
const FAILED_FIRST: Duration = Duration::from_secs(1);
const FAILED_LONGEST: Duration = Duration::from_mins(5);
const CONFLICT_FIRST: Duration = Duration::from_millis(100);
const CONFLICT_LONGEST: Duration = Duration::from_secs(10);

/// The pause before the next pass; `None`: there is none.
///
/// `streak` counts passes of the same sort in a row, this one included. `resync` is how often a Ready object is looked
/// at. `unit` is a random number from 0 to 1: pauses vary by ± 20 %, those that somebody asked for by up to 20 % more.
pub fn pause(last: Last, streak: u32, resync: Duration, unit: f64) -> Option<Duration> {
    let (rule, asked) = match last {
        Last::Ended(Outcome { ended, again }) => {
            let rule = match ended {
                Ended::Gone => return None,
                Ended::Ready => resync,
                Ended::Waiting => doubled(WAITING_FIRST, WAITING_LONGEST, streak),
                Ended::Blocked => BLOCKED.min(resync),
            };
            (rule, again)
        }
        Last::Failed(class) => match class {
            Class::Transient | Class::Bug | Class::Throttled(None) => {
                (doubled(FAILED_FIRST, FAILED_LONGEST, streak), None)
            }
            Class::Throttled(Some(after)) => (FAILED_LONGEST, Some(after)),
            Class::Denied | Class::Refused => (BLOCKED.min(resync), None),
            Class::Conflict => (doubled(CONFLICT_FIRST, CONFLICT_LONGEST, streak), None),
        },
    };
    match asked {
        Some(after) if after < rule => Some(after.mul_f64(1.0 + 0.2 * unit)),
        Some(_) | None => Some(rule.mul_f64(0.8 + 0.4 * unit)),
    }
}

fn doubled(first: Duration, longest: Duration, streak: u32) -> Duration {
    let factor = 2_u32.saturating_pow(streak.saturating_sub(1).min(16));
    first.saturating_mul(factor).min(longest)
}

/// Whether two passes are of the same sort: then the streak goes on.
pub fn same_sort(one: Last, other: Last) -> bool {
    match (one, other) {
        (Last::Ended(one), Last::Ended(other)) => one.ended == other.ended,
        (Last::Failed(one), Last::Failed(other)) => {
            std::mem::discriminant(&one) == std::mem::discriminant(&other)
        }
        (Last::Ended(_), Last::Failed(_)) | (Last::Failed(_), Last::Ended(_)) => false,
    }
}

/// Whether a failure is worth a word in the object's conditions: at once where it will not pass by itself, else when it
/// has happened again. A hiccup changes no status.
pub fn is_worth_telling(class: Class, streak: u32) -> bool {
    match class {
        Class::Denied | Class::Refused | Class::Bug => true,
        Class::Transient => streak >= 2,
        Class::Throttled(_) => streak >= 3,
        Class::Conflict => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Last, is_worth_telling, pause, same_sort};
    use crate::operator::runtime::{Class, Ended, Outcome};
    use std::time::Duration;

    const RESYNC: Duration = Duration::from_mins(10);

    fn ended(ended: Ended) -> Last {
        Last::Ended(Outcome { ended, again: None })
    }

    fn asked(outcome: Ended, seconds: u64) -> Last {
        Last::Ended(Outcome { ended: outcome, again: None }.again_after(Duration::from_secs(seconds)))
    }

    #[test]
    fn pauses_follow_the_table() {
        let throttled = |seconds| Last::Failed(Class::Throttled(Some(Duration::from_secs(seconds))));
        for (last, streak, milliseconds) in [
            (ended(Ended::Ready), 1, 600_000),
            (ended(Ended::Waiting), 1, 5_000),
            (ended(Ended::Waiting), 3, 20_000),
            (ended(Ended::Waiting), 30, 60_000),
            (ended(Ended::Blocked), 7, 300_000),
            (asked(Ended::Waiting, 90), 1, 5_000),
            (Last::Failed(Class::Transient), 1, 1_000),
            (Last::Failed(Class::Transient), 4, 8_000),
            (Last::Failed(Class::Transient), 1_000, 300_000),
            (Last::Failed(Class::Bug), 2, 2_000),
            (Last::Failed(Class::Denied), 9, 300_000),
            (Last::Failed(Class::Refused), 9, 300_000),
            (Last::Failed(Class::Throttled(None)), 2, 2_000),
            (throttled(900), 1, 300_000),
            (Last::Failed(Class::Conflict), 1, 100),
            (Last::Failed(Class::Conflict), 99, 10_000),
        ] {
            let middle = pause(last, streak, RESYNC, 0.5);
            assert_eq!(middle, Some(Duration::from_millis(milliseconds)), "{last:?} {streak}");
        }
        assert_eq!(pause(ended(Ended::Gone), 1, RESYNC, 0.5), None);
    }

    #[test]
    fn pauses_vary_by_a_fifth_and_those_asked_for_are_never_shorter() {
        let seconds = |last, unit| pause(last, 1, RESYNC, unit).unwrap().as_secs_f64();
        assert!((seconds(ended(Ended::Ready), 0.0) - 480.0).abs() < 1e-6);
        assert!((seconds(ended(Ended::Ready), 1.0) - 720.0).abs() < 1e-6);
        assert!((seconds(asked(Ended::Ready, 10), 0.0) - 10.0).abs() < 1e-6);
        assert!((seconds(asked(Ended::Ready, 10), 1.0) - 12.0).abs() < 1e-6);
    }

    #[test]
    fn a_short_resync_shortens_what_waits_for_a_person() {
        let resync = Duration::from_secs(5);
        assert_eq!(pause(ended(Ended::Blocked), 1, resync, 0.5), Some(resync));
        assert_eq!(pause(Last::Failed(Class::Denied), 1, resync, 0.5), Some(resync));
    }

    #[test]
    fn a_streak_goes_on_with_the_same_sort_only() {
        let throttled = |seconds| Last::Failed(Class::Throttled(Some(Duration::from_secs(seconds))));
        assert!(same_sort(throttled(1), throttled(2)));
        assert!(same_sort(ended(Ended::Waiting), asked(Ended::Waiting, 3)));
        assert!(!same_sort(ended(Ended::Waiting), ended(Ended::Ready)));
        assert!(!same_sort(Last::Failed(Class::Transient), Last::Failed(Class::Conflict)));
        assert!(!same_sort(Last::Failed(Class::Transient), ended(Ended::Ready)));
    }

    #[test]
    fn hiccups_change_no_status() {
        for (class, first_told) in [
            (Class::Denied, Some(1)),
            (Class::Refused, Some(1)),
            (Class::Bug, Some(1)),
            (Class::Transient, Some(2)),
            (Class::Throttled(None), Some(3)),
            (Class::Conflict, None),
        ] {
            assert_eq!((1..9).find(|streak| is_worth_telling(class, *streak)), first_told, "{class:?}");
        }
    }
}
