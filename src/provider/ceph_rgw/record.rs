//! What the gateway has no field for, written into a placement tag of the RGW user: whose it is, what it was made for, and
//! what of the wish RGW does not know.
//!
//! Of the fields that the gateway keeps as they are given this one does no harm: a tag matters only where a placement
//! target asks for that very tag. The display name would be copied into every entry of a bucket's index.

use crate::provider::{ObjectName, OwnerMark, Retention, RetentionPeriod};
use crate::wire::{LockMode, Permission, Role, Visibility};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// The tag begins with this; the digit is the version of what follows.
const PREFIX: &str = "storekeeper1.";

/// What is written down of something that was made for an object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The mark of its owner, `<cluster>/<uid>`.
    owner: String,
    /// Where the object is; absent: it is cluster-scoped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    namespace: Option<String>,
    name: String,
    /// What it is.
    pub of: Of,
}

/// What of it RGW does not know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Of {
    /// A user.
    User(User),
    /// A key that is not Full.
    Key {
        /// What it may do.
        permission: Permission,
        /// The name of its Secret.
        secret: String,
    },
    /// A bucket.
    Bucket {
        /// RGW's id of it: another bucket of that name is not the one that was made.
        id: String,
        /// How long it keeps new objects.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retention: Option<Keep>,
        /// Bytes that it may hold: RGW counts in KiB.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        size: Option<u64>,
    },
    /// A tenant.
    Tenant {
        /// Whether global administrators see its data.
        visibility: Visibility,
        /// What it is for.
        description: String,
        /// Limits: buckets, bytes, objects.
        quota: [Option<u64>; 3],
    },
}

/// A user, but for what RGW has fields for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct User {
    /// The tenant that it belongs to.
    pub tenant: String,
    /// Name for people.
    pub display_name: String,
    /// Where the user is written to; two users may have the same, which RGW's own field refuses.
    pub email: String,
    /// IANA time zone.
    pub time_zone: String,
    /// What the user may do.
    pub role: Role,
    /// What the user is for.
    pub description: String,
    /// Bytes that it may store: RGW counts in KiB.
    pub size: Option<u64>,
    /// Whether the user and its keys should work.
    pub enabled: bool,
    /// Whether all of its RGW users have been made so.
    pub settled: bool,
}

/// A default retention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    mode: LockMode,
    days: Option<u32>,
    years: Option<u32>,
}

impl From<Retention> for Keep {
    fn from(retention: Retention) -> Self {
        let (days, years) = match retention.period {
            RetentionPeriod::Days(days) => (Some(days), None),
            RetentionPeriod::Years(years) => (None, Some(years)),
        };
        Self { mode: retention.mode, days, years }
    }
}

impl Keep {
    /// As the provider has it; `None` where it makes no sense.
    pub fn retention(self) -> Option<Retention> {
        let period = match (self.days, self.years) {
            (Some(days), None) => RetentionPeriod::Days(days),
            (None, Some(years)) => RetentionPeriod::Years(years),
            (None, None) | (Some(_), Some(_)) => return None,
        };
        Some(Retention { mode: self.mode, period })
    }
}

impl Record {
    /// Of something that is made for that object.
    pub fn new(owner: &OwnerMark, object: &ObjectName, of: Of) -> Self {
        let ObjectName { namespace, name } = object.clone();
        Self { owner: owner.to_string(), namespace, name, of }
    }

    /// Whose it is; `None` where the mark cannot be read.
    pub fn owner(&self) -> Option<OwnerMark> {
        OwnerMark::parse(&self.owner)
    }

    /// How people name the object that it was made for.
    pub fn object(&self) -> ObjectName {
        ObjectName { namespace: self.namespace.clone(), name: self.name.clone() }
    }

    /// The record in the tags of an RGW user; `None` where there is none that can be read.
    pub fn of_tags(tags: &[String]) -> Option<Self> {
        let text = tags.iter().find_map(|tag| tag.strip_prefix(PREFIX))?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }

    /// The tags of an RGW user with this record in place of any other. Tags of others stay.
    pub fn among(&self, tags: &[String]) -> Vec<String> {
        // Texts and numbers always have a JSON form.
        let json = serde_json::to_vec(self).unwrap_or_default();
        let mut tags: Vec<String> = tags.iter().filter(|tag| !tag.starts_with(PREFIX)).cloned().collect();
        tags.push(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(json)));
        tags
    }
}

#[cfg(test)]
mod tests {
    use super::{Keep, Of, Record, User};
    use crate::provider::{ClusterId, ObjectName, OwnerMark, Retention, RetentionPeriod};
    use crate::wire::{LockMode, Permission, Role};
    use proptest::prelude::*;

    fn owner() -> OwnerMark {
        OwnerMark { cluster: ClusterId("c".to_owned()), uid: "u".to_owned() }
    }

    fn user(text: &str) -> Record {
        let object = ObjectName { namespace: Some("team-a".to_owned()), name: "app".to_owned() };
        let user = User {
            tenant: "acme".to_owned(),
            display_name: text.to_owned(),
            email: text.to_owned(),
            time_zone: "Europe/Berlin".to_owned(),
            role: Role::Backup,
            description: text.to_owned(),
            size: Some(u64::MAX),
            enabled: true,
            settled: false,
        };
        Record::new(&owner(), &object, Of::User(user))
    }

    proptest! {
        #[test]
        fn a_record_is_read_back_from_one_tag_whatever_it_says(text in any::<String>()) {
            let tags = user(&text).among(&[]);
            prop_assert_eq!(tags.len(), 1);
            prop_assert!(tags[0].bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.')));
            prop_assert_eq!(Record::of_tags(&tags), Some(user(&text)));
        }
    }

    #[test]
    fn tags_of_others_stay_and_a_record_replaces_the_one_before() {
        let gold = vec!["gold".to_owned()];
        let tags = user("new").among(&user("old").among(&gold));
        assert_eq!((tags.len(), tags[0].as_str()), (2, "gold"));
        assert_eq!(Record::of_tags(&tags), Some(user("new")));
        assert_eq!(Record::of_tags(&gold), None);
        for broken in ["storekeeper1.", "storekeeper1.!", "storekeeper1.e30", "storekeeper2.e30"] {
            assert_eq!(Record::of_tags(&[broken.to_owned()]), None, "{broken}");
        }
    }

    #[test]
    fn the_longest_record_fits_the_longest_request_that_the_gateway_takes() {
        let tags = user(&"\u{10ffff}".repeat(255)).among(&[]);
        assert!(tags[0].len() < 12_000, "{}", tags[0].len());
    }

    #[test]
    fn a_retention_is_read_back() {
        for period in [RetentionPeriod::Days(7), RetentionPeriod::Years(2)] {
            let retention = Retention { mode: LockMode::Compliance, period };
            let of = Of::Bucket { id: "x.1".to_owned(), retention: Some(Keep::from(retention)), size: None };
            let record =
                Record::new(&owner(), &ObjectName { namespace: None, name: "b".to_owned() }, of.clone());
            assert_eq!(Record::of_tags(&record.among(&[])).map(|record| record.of), Some(of));
            assert_eq!(Keep::from(retention).retention(), Some(retention));
        }
        let key = Of::Key { permission: Permission::Read, secret: "s".to_owned() };
        assert!(serde_json::to_string(&key).is_ok_and(|text| text.contains("Read")));
    }
}
