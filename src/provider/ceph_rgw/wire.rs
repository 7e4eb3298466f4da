//! What the gateway answers, as far as it matters here. The gateway shows secrets in clear in most answers about users: what
//! is parsed here keeps a fingerprint of each, and the secret itself never.

use crate::provider::Quota;
use jiff::Timestamp;
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Bucket keeps older versions.
const VERSIONED: u32 = 0x2;
/// It did so once.
const SUSPENDED: u32 = 0x4;
/// It was made with object lock.
const LOCKED: u32 = 0x20;

/// A secret that cannot be had back: its SHA-256. Secrets of keys are random and long.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Of that secret.
    pub fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret.as_bytes()).into())
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Fingerprint;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a secret")
            }
            fn visit_str<E: de::Error>(self, secret: &str) -> Result<Fingerprint, E> {
                Ok(Fingerprint::of(secret))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

/// A key of an RGW user.
#[derive(Clone, Deserialize)]
pub struct Key {
    /// Its id.
    pub access_key: String,
    /// Of its secret.
    #[serde(rename = "secret_key")]
    pub secret: Fingerprint,
}

/// Limits as RGW has them; less than nothing is no limit.
#[derive(Clone, Copy, Deserialize)]
pub struct Limits {
    enabled: bool,
    max_size: i64,
    max_objects: i64,
}

impl Limits {
    /// As the provider has them; buckets are counted elsewhere. `size` is what was asked for, as RGW counts in KiB.
    pub fn quota(self, size: Option<u64>) -> Quota {
        let limit = |number: i64| u64::try_from(number).ok().filter(|_| self.enabled);
        let max_size = limit(self.max_size);
        let asked = size.filter(|size| Some(kib(*size)) == max_size.map(kib));
        Quota { buckets: None, size: asked.or(max_size), objects: limit(self.max_objects) }
    }
}

/// So many bytes in KiB, rounded up.
pub fn kib(bytes: u64) -> u64 {
    bytes.div_ceil(1024)
}

/// An RGW user.
#[derive(Clone, Deserialize)]
pub struct User {
    /// `tenant$name`.
    #[serde(rename = "user_id")]
    pub uid: String,
    /// Whether it and its keys are refused.
    suspended: u8,
    /// How many buckets it may have; 0: any number, below: none.
    max_buckets: i64,
    /// Its keys.
    pub keys: Vec<Key>,
    #[serde(default)]
    subusers: Vec<de::IgnoredAny>,
    #[serde(default)]
    swift_keys: Vec<de::IgnoredAny>,
    #[serde(default)]
    caps: Vec<de::IgnoredAny>,
    /// Placement tags; one of them is our record.
    #[serde(default)]
    pub placement_tags: Vec<String>,
    /// Limits of all its buckets together.
    #[serde(rename = "user_quota")]
    pub quota: Limits,
    #[serde(default)]
    attrs: Vec<Attribute>,
}

#[derive(Clone, Deserialize)]
struct Attribute {
    key: String,
    val: String,
}

impl User {
    /// Whether it and its keys are refused.
    pub fn is_suspended(&self) -> bool {
        self.suspended != 0
    }

    /// How many buckets it may have; `None`: any number.
    pub fn most_buckets(&self) -> Option<u64> {
        (self.max_buckets != 0).then(|| u64::try_from(self.max_buckets).unwrap_or(0))
    }

    /// The fingerprint of that key of its.
    pub fn key(&self, id: &str) -> Option<Fingerprint> {
        self.keys.iter().find(|key| key.access_key == id).map(|key| key.secret)
    }

    /// Whether it has that one key and nothing else that gives power.
    pub fn has_only(&self, id: &str) -> bool {
        let single = self.keys.len() == 1 && self.key(id).is_some();
        let more = [self.subusers.len(), self.swift_keys.len(), self.caps.len()];
        single && more == [0; 3] && self.most_buckets() == Some(0)
    }

    /// Whether that is the value of its attribute.
    pub fn has_attribute(&self, name: &str, value: &str) -> bool {
        self.attrs.iter().any(|attribute| attribute.key == name && attribute.val == value)
    }
}

/// What the metadata API says of an RGW user.
#[derive(Deserialize)]
pub struct UserEntry {
    /// When it was last changed; not before it was made.
    pub mtime: Timestamp,
    /// The user.
    pub data: User,
}

/// A page of uids.
#[derive(Deserialize)]
pub struct Uids {
    /// Some of them.
    pub keys: Vec<String>,
    /// Whether there are more.
    pub truncated: bool,
    /// Where to go on.
    #[serde(default)]
    pub marker: String,
}

/// A bucket.
#[derive(Deserialize)]
pub struct Bucket {
    /// RGW's id of it.
    pub id: String,
    /// The uid of its owner.
    pub owner: String,
    /// Its limits.
    #[serde(rename = "bucket_quota")]
    pub quota: Limits,
    usage: Categories,
}

#[derive(Default, Deserialize)]
struct Categories {
    #[serde(default, rename = "rgw.main")]
    main: Stored,
    #[serde(default, rename = "rgw.multimeta")]
    uploads: Stored,
}

/// What is stored.
#[derive(Clone, Copy, Default, Deserialize)]
pub struct Stored {
    /// Bytes.
    pub size: u64,
    /// Objects, older versions included; delete markers are not.
    pub num_objects: u64,
}

impl Bucket {
    /// What is in it.
    pub fn stored(&self) -> Stored {
        self.usage.main
    }

    /// Uploads that were begun and not ended, and their parts.
    pub fn uploads(&self) -> u64 {
        self.usage.uploads.num_objects
    }
}

/// What the metadata API says of a bucket.
#[derive(Deserialize)]
pub struct BucketEntry {
    data: BucketData,
}

#[derive(Deserialize)]
struct BucketData {
    bucket_info: BucketInfo,
}

#[derive(Deserialize)]
struct BucketInfo {
    flags: u32,
}

impl BucketEntry {
    /// Whether older versions are kept.
    pub fn versioning(&self) -> crate::wire::Versioning {
        let flags = self.data.bucket_info.flags;
        match (flags & VERSIONED != 0, flags & SUSPENDED != 0) {
            (true, false) => crate::wire::Versioning::Enabled,
            (_, true) => crate::wire::Versioning::Suspended,
            (false, false) => crate::wire::Versioning::Disabled,
        }
    }

    /// Whether it was made with object lock.
    pub fn has_lock(&self) -> bool {
        self.data.bucket_info.flags & LOCKED != 0
    }
}

/// What a user has stored, from an answer about that user.
#[derive(Deserialize)]
pub struct Statistics {
    /// In all its buckets.
    pub stats: Stored,
}

#[cfg(test)]
mod tests {
    use super::{Bucket, BucketEntry, Fingerprint, Limits, Uids, UserEntry};
    use crate::provider::Quota;
    use crate::wire::Versioning;

    const USER: &str = r#"{"key":"user:sk_a$user","ver":{"tag":"_x","ver":1},"mtime":"2026-11-22T08:51:05.592980Z",
        "data":{"user_id":"sk_a$user","display_name":"a","email":"","suspended":1,"max_buckets":-1,"subusers":[],
        "keys":[{"user":"sk_a$user","access_key":"SK1","secret_key":"s\/1"}],"swift_keys":[],"caps":[],
        "op_mask":"read, write, delete","placement_tags":["gold"],"user_quota":{"enabled":true,"max_size":102400,
        "max_size_kb":100,"max_objects":-1},"attrs":[{"key":"user.rgw.user-policy","val":"AQ=="}]}}"#;

    #[test]
    fn of_a_secret_only_the_fingerprint_is_kept() {
        let user = serde_json::from_str::<UserEntry>(USER).unwrap().data;
        assert!(user.key("SK1") == Some(Fingerprint::of("s/1")));
        assert!(user.key("SK1") != Some(Fingerprint::of("s/2")) && user.key("SK2").is_none());
    }

    #[test]
    fn a_user_with_one_key_and_no_other_power_has_only_that() {
        let with =
            |from: &str, to: &str| serde_json::from_str::<UserEntry>(&USER.replace(from, to)).unwrap().data;
        assert!(with("", "").has_only("SK1") && !with("", "").has_only("SK2"));
        for (from, to) in [
            (r#""subusers":[]"#, r#""subusers":[{"id":"x"}]"#),
            (r#""caps":[]"#, r#""caps":[{"type":"users"}]"#),
            (r#""swift_keys":[]"#, r#""swift_keys":[{"user":"x"}]"#),
            (r#""max_buckets":-1"#, r#""max_buckets":0"#),
            (r#""max_buckets":-1"#, r#""max_buckets":7"#),
        ] {
            assert!(!with(from, to).has_only("SK1"), "{to}");
        }
    }

    #[test]
    fn limits_are_those_asked_for_as_long_as_they_are_the_gateways() {
        let limits = |enabled| Limits { enabled, max_size: 2048, max_objects: 7 };
        let quota = |size, objects| Quota { buckets: None, size, objects };
        assert_eq!(limits(true).quota(Some(1025)), quota(Some(1025), Some(7)));
        assert_eq!(limits(true).quota(Some(3000)), quota(Some(2048), Some(7)), "changed by somebody");
        assert_eq!(limits(false).quota(Some(1025)), quota(None, None));
        assert_eq!(Limits { enabled: true, max_size: -1024, max_objects: -1 }.quota(None), quota(None, None));
    }

    #[test]
    fn an_empty_bucket_has_no_categories() {
        let text = r#"{"id":"x.1","owner":"sk_a$user","usage":{},"bucket_quota":{"enabled":false,"max_size":-1,"max_objects":-1}}"#;
        let bucket: Bucket = serde_json::from_str(text).unwrap();
        assert_eq!((bucket.stored().num_objects, bucket.uploads()), (0, 0));
    }

    #[test]
    fn versioning_and_lock_are_flags() {
        for (flags, versioning, lock) in [
            (0, Versioning::Disabled, false),
            (2, Versioning::Enabled, false),
            (6, Versioning::Suspended, false),
            (35, Versioning::Enabled, true),
        ] {
            let text = format!(r#"{{"data":{{"bucket_info":{{"flags":{flags}}}}}}}"#);
            let entry: BucketEntry = serde_json::from_str(&text).unwrap();
            assert_eq!((entry.versioning(), entry.has_lock()), (versioning, lock), "{flags}");
        }
    }

    #[test]
    fn the_last_page_has_no_marker() {
        let page: Uids = serde_json::from_str(r#"{"keys":["a$b"],"truncated":false,"count":1}"#).unwrap();
        assert!(!page.truncated && page.marker.is_empty());
    }
}
