use super::{Schedule, ScheduleError};
use crate::server::domain::fields::zone;
use jiff::Timestamp;
use proptest::prelude::*;

fn next(schedule: &str, after: &str, zone_name: &str) -> String {
    let after: Timestamp = after.parse().unwrap();
    Schedule::parse(schedule).unwrap().next(after, &zone(zone_name).unwrap()).unwrap().to_string()
}

#[test]
fn a_schedule_comes_next_in_the_time_zone_of_its_owner() {
    let after = "2026-03-10T10:07:30Z";
    for (schedule, zone, expected) in [
        ("* * * * *", "UTC", "2026-03-10T10:08:00Z"),
        ("*/15 * * * *", "UTC", "2026-03-10T10:15:00Z"),
        ("7 10 * * *", "UTC", "2026-03-11T10:07:00Z"),
        ("30 2 * * *", "UTC", "2026-03-11T02:30:00Z"),
        ("30 2 * * *", "Asia/Tokyo", "2026-03-10T17:30:00Z"),
        ("0 0 1 * *", "Europe/Berlin", "2026-03-31T22:00:00Z"),
        ("0 9 * * mon-fri", "UTC", "2026-03-11T09:00:00Z"),
        ("0 9 * * 7", "UTC", "2026-03-15T09:00:00Z"),
        ("0 9 * * 0", "UTC", "2026-03-15T09:00:00Z"),
        ("0 9 13 * 5", "UTC", "2026-03-13T09:00:00Z"),
        ("0 9 20 * SUN", "UTC", "2026-03-15T09:00:00Z"),
        ("0 9 20 * *", "UTC", "2026-03-20T09:00:00Z"),
        ("0 0 29 2 *", "UTC", "2028-02-29T00:00:00Z"),
        ("5,3 8-10/2 * jun,JAN *", "UTC", "2026-06-01T08:03:00Z"),
    ] {
        assert_eq!(next(schedule, after, zone), expected, "{schedule} in {zone}");
    }
}

#[test]
fn a_fixed_time_that_is_skipped_comes_after_the_gap_and_one_that_comes_twice_counts_once() {
    // Clocks in Berlin went from 02:00 to 03:00 on 2026-03-29, and from 03:00 to 02:00 on 2026-10-25.
    let berlin = "Europe/Berlin";
    assert_eq!(next("30 2 * * *", "2026-03-28T12:00:00Z", berlin), "2026-03-29T01:00:00Z");
    assert_eq!(next("30 2 * * *", "2026-03-29T01:00:00Z", berlin), "2026-03-30T00:30:00Z");
    assert_eq!(next("30 2 * * *", "2026-10-24T12:00:00Z", berlin), "2026-10-25T00:30:00Z");
    assert_eq!(next("30 2 * * *", "2026-10-25T00:30:00Z", berlin), "2026-10-26T01:30:00Z");
    assert_eq!(next("*/30 * * * *", "2026-10-25T00:30:00Z", berlin), "2026-10-25T01:00:00Z");
}

#[test]
fn what_is_no_schedule_is_refused() {
    let long = format!("{} * * * *", "1,".repeat(80));
    for text in [
        "",
        "* * * *",
        "* * * * * *",
        "60 * * * *",
        "*/0 * * * *",
        "5-3 * * * *",
        "-1 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * * 13 *",
        "* * * sun *",
        "* * * * 8",
        &long,
    ] {
        assert_eq!(Schedule::parse(text).err(), Some(ScheduleError::Unreadable), "{text}");
    }
    let never = Schedule::parse("0 0 30 2 *").unwrap().next(Timestamp::UNIX_EPOCH, &zone("UTC").unwrap());
    assert_eq!(never, Err(ScheduleError::Never));
}

proptest! {
    #[test]
    fn the_next_time_is_later_fits_the_fields_and_nothing_fits_between(
        minute in 0..60_i8, hour in 0..24_i8, after in 0..4_000_000_000_i64,
    ) {
        let zone = zone("America/New_York").unwrap();
        let schedule = Schedule::parse(&format!("{minute} {hour} * * *")).unwrap();
        let after = Timestamp::from_second(after).unwrap();
        let found = schedule.next(after, &zone).unwrap();
        prop_assert!(found > after);
        let gone = found.as_second() - after.as_second();
        prop_assert!(gone <= 26 * 3600, "a daily time comes within a day, give or take a change of the clocks");
        let local = zone.to_datetime(found);
        let after_the_gap = hour == 2 && (local.hour(), local.minute()) == (3, 0);
        prop_assert!((local.hour(), local.minute()) == (hour, minute) || after_the_gap);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "[-0-9*/,#LW a-z]{0,40}") {
        if let Ok(schedule) = Schedule::parse(&text) {
            let _ = schedule.next(Timestamp::UNIX_EPOCH, &zone("UTC").unwrap());
        }
    }
}
