//! Words that the messages of several kinds share: lists of names, counts, sizes. Pure.

use crate::provider::{ClusterId, ObjectName, OwnerMark};

/// Names shown in one list.
const SHOWN: usize = 5;

/// `AccessKey 'a'`, `AccessKeys 'a', 'b'`, `AccessKeys 'a', … and 7 more`; `None` without names.
pub fn named(kind: &str, names: &[String]) -> Option<String> {
    let shown = names.iter().take(SHOWN).map(|name| format!("'{name}'")).collect::<Vec<_>>().join(", ");
    match names.len() {
        0 => None,
        1 => Some(format!("{kind} {shown}")),
        more if more <= SHOWN => Some(format!("{kind}s {shown}")),
        more => Some(format!("{kind}s {shown} and {} more", grouped((more - SHOWN) as u64))),
    }
}

/// `1 bucket`, `1 204 buckets`; `None` where there are none.
pub fn counted(count: u64, what: &str) -> Option<String> {
    match count {
        0 => None,
        1 => Some(format!("1 {what}")),
        more => Some(format!("{} {what}s", grouped(more))),
    }
}

/// A number with its thousands apart: `1 204`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes as people read it, rounded down: `512 B`, `3.1 GiB`.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let power = bytes.max(1).ilog2() / 10;
    let Some(unit) = (power as usize).checked_sub(1).and_then(|index| UNITS.get(index)) else {
        return format!("{bytes} B");
    };
    let factor = 1_u64 << (10 * power);
    let tenths = (bytes % factor) / (factor / 10).max(1);
    format!("{}.{} {unit}", bytes / factor, tenths.min(9))
}

/// Who made something that is not ours, for a message: `was made for …`.
pub fn maker(
    kind: &str,
    owner: Option<&OwnerMark>,
    object: Option<&ObjectName>,
    our_cluster: &ClusterId,
) -> String {
    let named = object.map_or_else(|| format!("another {kind}"), |name| format!("another {kind}, '{name}',"));
    match owner {
        None => "was not made by storekeeper".to_owned(),
        Some(owner) if owner.cluster == *our_cluster => {
            format!("was made for {named} with uid {}", owner.uid)
        }
        Some(_) => format!("was made for {named} of another cluster"),
    }
}

#[cfg(test)]
mod tests {
    use super::{counted, grouped, maker, named, size};
    use crate::provider::{ClusterId, ObjectName, OwnerMark};

    #[test]
    fn lists_of_names_are_bounded() {
        let names = |count: usize| (0..count).map(|n| format!("k{n}")).collect::<Vec<_>>();
        assert_eq!(named("AccessKey", &names(0)), None);
        assert_eq!(named("AccessKey", &names(1)).unwrap(), "AccessKey 'k0'");
        assert_eq!(named("AccessKey", &names(2)).unwrap(), "AccessKeys 'k0', 'k1'");
        assert_eq!(
            named("AccessKey", &names(1205)).unwrap(),
            "AccessKeys 'k0', 'k1', 'k2', 'k3', 'k4' and 1 200 more"
        );
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1_204, "1 204"), (1_234_567, "1 234 567")] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(counted(0, "bucket"), None);
        assert_eq!(counted(1, "bucket").unwrap(), "1 bucket");
        assert_eq!(counted(2, "bucket").unwrap(), "2 buckets");
    }

    #[test]
    fn sizes_are_read_in_binary_units() {
        for (bytes, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (3_328_599_654, "3.1 GiB"),
            ((1 << 30) - 1, "1023.9 MiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn a_message_says_who_made_what_is_in_the_way() {
        let ours = ClusterId("c-1".to_owned());
        let mark = |cluster: &str| OwnerMark { cluster: ClusterId(cluster.to_owned()), uid: "u".to_owned() };
        let name = ObjectName { namespace: Some("team-a".to_owned()), name: "app".to_owned() };
        for (owner, object, text) in [
            (None, None, "was not made by storekeeper"),
            (Some(mark("c-1")), Some(&name), "was made for another Bucket, 'team-a/app', with uid u"),
            (Some(mark("c-2")), None, "was made for another Bucket of another cluster"),
        ] {
            assert_eq!(maker("Bucket", owner.as_ref(), object, &ours), text);
        }
    }
}
