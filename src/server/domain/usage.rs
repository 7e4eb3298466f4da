//! Usage and bills (rule 9): hours become days, keys become users, users become accounts.

use super::Refusal;
use crate::wire::{ProblemType, StoredUsage, UsageGroup, UsageItem, UsageStep};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Most periods that are asked for at once.
const MOST_PERIODS: i64 = 1000;

/// For how many hours what was used is remembered: 400 days, which is a year's bills with time to dispute them.
pub const KEPT_HOURS: i64 = 400 * 24;

/// Requests signed with one key in one hour since 1970.
#[derive(Clone, Debug)]
pub struct Requests {
    /// The hour.
    pub hour: i64,
    /// The account.
    pub account: String,
    /// The user.
    pub user: String,
    /// The key.
    pub access_key: String,
    /// How many.
    pub requests: i64,
    /// Bytes of their answers.
    pub egress: i64,
}

/// What came to the storage of a user in one hour since 1970; less than nothing where more went.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The hour.
    pub hour: i64,
    /// The account.
    pub account: String,
    /// The user.
    pub user: String,
    /// Bytes.
    pub bytes: i64,
    /// Objects.
    pub objects: i64,
}

/// Hours since 1970, from `from` to before `to`, in periods of `step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first hour.
    pub from: i64,
    /// The first hour that is not meant.
    pub to: i64,
    step: UsageStep,
}

fn hours(step: UsageStep) -> i64 {
    match step {
        UsageStep::Hour => 1,
        UsageStep::Day => 24,
    }
}

impl Span {
    /// The periods that touch the time from `from` to `to`. Absent: a day of hours, or 31 days, up to now. The future
    /// is left out.
    pub fn new(
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        step: UsageStep,
        now: Timestamp,
    ) -> Result<Self, Refusal> {
        let length = hours(step);
        let begin = |hour: i64| hour - hour.rem_euclid(length);
        let hour = |time: Timestamp| time.as_second().div_euclid(3600);
        let end = begin(hour(now)) + length;
        // A period that begins where the time ends is not touched by it.
        let last = |time: Timestamp| begin((time.as_second() - 1).div_euclid(3600)) + length;
        let to = to.map_or(end, |time| last(time).min(end));
        let usual = match step {
            UsageStep::Hour => 24,
            UsageStep::Day => 31,
        };
        let from = from.map_or(to - usual * length, |time| begin(hour(time)));
        if from >= to {
            return Err(Refusal::new(
                ProblemType::Malformed,
                "`from` must be before `to`, and not in the future",
            ));
        }
        if (to - from) / length > MOST_PERIODS {
            let detail = format!("at most {MOST_PERIODS} hours or days can be asked for at once");
            return Err(Refusal::new(ProblemType::Malformed, detail));
        }
        Ok(Self { from, to, step })
    }

    fn period(self, hour: i64) -> i64 {
        hour - (hour - self.from).rem_euclid(hours(self.step))
    }
}

/// Account, user and key of an item, as far as it is about one.
type Who = (String, Option<String>, Option<String>);

/// One item a period and account, user or key that used anything, in this order. What is stored before the span is told
/// as of the hour before it.
pub fn roll_up(
    span: Span,
    group: UsageGroup,
    requests: Vec<Requests>,
    stored: Vec<Stored>,
) -> Vec<UsageItem> {
    let mut items: BTreeMap<(i64, Who), UsageItem> = BTreeMap::new();
    for row in requests {
        let who = match group {
            UsageGroup::Account => (row.account, None, None),
            UsageGroup::User => (row.account, Some(row.user), None),
            UsageGroup::AccessKey => (row.account, Some(row.user), Some(row.access_key)),
        };
        let item = entry(&mut items, span, span.period(row.hour), who);
        item.requests = item.requests.saturating_add(positive(row.requests));
        item.egress = item.egress.saturating_add(positive(row.egress));
    }
    for (who, changes) in changes(group, stored) {
        add_stored(&mut items, span, &who, &changes);
    }
    items.into_values().collect()
}

fn entry(items: &mut BTreeMap<(i64, Who), UsageItem>, span: Span, period: i64, who: Who) -> &mut UsageItem {
    let stored = who.2.is_none().then(StoredUsage::default);
    let time = |hour: i64| Timestamp::from_second(hour.saturating_mul(3600)).unwrap_or_default();
    items.entry((period, who.clone())).or_insert_with(|| UsageItem {
        from: time(period),
        to: time(period + hours(span.step)),
        account_id: who.0,
        user_id: who.1,
        access_key_id: who.2,
        requests: 0,
        egress: 0,
        stored,
    })
}

/// Bytes and objects by hour.
type Changes = BTreeMap<i64, (i64, i64)>;

fn changes(group: UsageGroup, stored: Vec<Stored>) -> BTreeMap<Who, Changes> {
    let mut all: BTreeMap<Who, Changes> = BTreeMap::new();
    for row in stored {
        let who = match group {
            UsageGroup::Account => (row.account, None, None),
            UsageGroup::User => (row.account, Some(row.user), None),
            UsageGroup::AccessKey => continue,
        };
        let change = all.entry(who).or_default().entry(row.hour).or_default();
        *change = (change.0 + row.bytes, change.1 + row.objects);
    }
    all
}

fn add_stored(items: &mut BTreeMap<(i64, Who), UsageItem>, span: Span, who: &Who, changes: &Changes) {
    let (mut bytes, mut objects) = (0, 0);
    let before: Vec<_> = changes.range(..span.from).map(|(_, change)| *change).collect();
    for change in before {
        (bytes, objects) = (bytes + change.0, objects + change.1);
    }
    for hour in span.from..span.to {
        let change = changes.get(&hour).copied();
        let (more_bytes, more_objects) = change.unwrap_or_default();
        (bytes, objects) = (bytes + more_bytes, objects + more_objects);
        if change.is_none() && bytes == 0 && objects == 0 {
            continue;
        }
        let item = entry(items, span, span.period(hour), who.clone());
        let byte_hours = item.stored.map_or(0, |stored| stored.byte_hours).saturating_add(positive(bytes));
        item.stored = Some(StoredUsage { size: positive(bytes), objects: positive(objects), byte_hours });
    }
}

fn positive(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Requests, Span, Stored, roll_up};
    use crate::wire::{StoredUsage, UsageGroup, UsageStep};
    use jiff::Timestamp;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn span(step: UsageStep, from: Option<&str>, to: Option<&str>) -> Option<(i64, i64)> {
        let now = time("1970-01-11T05:30:00Z");
        let span = Span::new(from.map(time), to.map(time), step, now).ok()?;
        Some((span.from, span.to))
    }

    #[test]
    fn a_span_is_whole_periods_up_to_now() {
        let (hour, day) = (UsageStep::Hour, UsageStep::Day);
        let now = 10 * 24 + 5;
        for (step, from, to, expected) in [
            (hour, None, None, Some((now + 1 - 24, now + 1))),
            (day, None, None, Some(((11 - 31) * 24, 11 * 24))),
            (hour, Some("1970-01-01T01:59:59Z"), Some("1970-01-01T03:00:00Z"), Some((1, 3))),
            (hour, Some("1970-01-01T01:00:00Z"), Some("1970-01-01T03:00:01Z"), Some((1, 4))),
            (day, Some("1970-01-02T13:00:00Z"), Some("1970-01-03T00:00:00Z"), Some((24, 48))),
            (day, Some("1970-01-02T13:00:00Z"), Some("2970-01-03T00:00:00Z"), Some((24, 11 * 24))),
            (hour, Some("1970-01-02T00:00:00Z"), Some("1970-01-02T00:00:00Z"), None),
            (hour, Some("1970-01-12T00:00:00Z"), None, None),
            (day, Some("1960-01-01T00:00:00Z"), None, None),
        ] {
            assert_eq!(span(step, from, to), expected, "{step:?} {from:?} {to:?}");
        }
    }

    fn asked(key: &str, user: &str, hour: i64, requests: i64) -> Requests {
        let of = |text: &str| text.to_owned();
        let (account, user, access_key) = (of("1"), of(user), of(key));
        Requests { hour, account, user, access_key, requests, egress: 10 * requests }
    }

    fn came(user: &str, hour: i64, bytes: i64) -> Stored {
        Stored { hour, account: "1".to_owned(), user: user.to_owned(), bytes, objects: bytes.signum() }
    }

    fn two_days() -> Span {
        Span { from: 24, to: 72, step: UsageStep::Day }
    }

    #[test]
    fn rule_9_usage_rolls_up_to_the_user_and_the_account() {
        let requests =
            || vec![asked("SK1", "us_1", 24, 1), asked("SK2", "us_1", 47, 2), asked("SK3", "us_2", 30, 4)];
        let found = |group| {
            let items = roll_up(two_days(), group, requests(), Vec::new());
            items
                .into_iter()
                .map(|item| (item.user_id, item.access_key_id, item.requests, item.egress))
                .collect()
        };
        let some = |text: &str| Some(text.to_owned());
        let by_account: Vec<_> = found(UsageGroup::Account);
        assert_eq!(by_account, [(None, None, 7, 70)]);
        let by_user: Vec<_> = found(UsageGroup::User);
        assert_eq!(by_user, [(some("us_1"), None, 3, 30), (some("us_2"), None, 4, 40)]);
        let by_key: Vec<_> = found(UsageGroup::AccessKey);
        assert_eq!(by_key.len(), 3);
        assert_eq!(by_key[1], (some("us_1"), some("SK2"), 2, 20));
    }

    #[test]
    fn what_is_stored_is_carried_on_from_hour_to_hour() {
        let stored =
            vec![came("us_1", 23, 100), came("us_1", 25, 50), came("us_2", 70, 7), came("us_1", 60, -150)];
        let items = roll_up(two_days(), UsageGroup::Account, Vec::new(), stored);
        let found: Vec<_> = items.iter().map(|item| item.stored.unwrap()).collect();
        let first = StoredUsage { size: 150, objects: 2, byte_hours: 100 + 23 * 150 };
        // Twelve hours of the second day, and two of the other user's.
        let second = StoredUsage { size: 7, objects: 2, byte_hours: 12 * 150 + 2 * 7 };
        assert_eq!(found, [first, second]);
        assert_eq!(items[1].from, time("1970-01-03T00:00:00Z"));
        assert_eq!(items[1].to, time("1970-01-04T00:00:00Z"));
    }

    #[test]
    fn periods_without_anything_are_left_out() {
        let stored = vec![came("us_1", 24, 5), came("us_1", 25, -5)];
        let items = roll_up(two_days(), UsageGroup::User, Vec::new(), stored);
        assert_eq!(items.len(), 1);
        assert_eq!(items[0].stored.unwrap().byte_hours, 5);
        let key = roll_up(two_days(), UsageGroup::AccessKey, vec![asked("SK1", "us_1", 24, 1)], Vec::new());
        assert_eq!(key[0].stored, None);
    }
}
