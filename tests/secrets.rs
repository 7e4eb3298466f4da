//! What holds a secret cannot be printed, and leaves nothing behind.

// All of this file is a test, helpers included.
#![cfg(test)]

#[path = "secrets/holders.rs"]
mod holders;
#[path = "common/sources.rs"]
mod sources;

use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use storekeeper::api::account::S3Spec;
use storekeeper::api::key::SecretFormat;
use storekeeper::operator::runtime::Context;
use storekeeper::operator::runtime::clients::OwnSecret;
use storekeeper::operator::secret::publish::Stored;
use storekeeper::operator::secret::render::{Rendered, render};
use storekeeper::provider::{KeyPair, ceph_rgw, garage, management};
use storekeeper::server::first_start::FirstStart;
use storekeeper::server::store::Store;
use storekeeper::server::store::keys::SigningKey;
use storekeeper::wire;
use storekeeper::wire::ShownSecret;
use zeroize::Zeroizing;

/// Whether a type has a trait, as the compiler sees it: where the bound holds, the inherent constant comes first.
macro_rules! has {
    ($type:ty, $bound:path) => {{
        #[allow(dead_code)]
        struct Probe<T>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        trait Otherwise {
            const HAS: bool = false;
        }
        impl<T> Otherwise for Probe<T> {}
        #[allow(dead_code)]
        impl<T: $bound> Probe<T> {
            const HAS: bool = true;
        }
        <Probe<$type>>::HAS
    }};
}

macro_rules! printable {
    ($($type:ty),+ $(,)?) => {
        BTreeMap::from([$((stringify!($type), has!($type, Debug) || has!($type, Display))),+])
    };
}

#[test]
fn what_holds_a_secret_has_neither_debug_nor_display() {
    let table = printable![
        ShownSecret,
        KeyPair,
        Rendered,
        OwnSecret,
        management::Settings,
        management::Client,
        ceph_rgw::Settings,
        ceph_rgw::Client,
        garage::Settings,
        garage::Client,
        Stored,
        Context,
        Store,
        SigningKey,
        FirstStart,
        wire::SessionCreate,
        wire::SessionCreated,
        wire::SessionItem,
        wire::SessionVerify,
        wire::TokenCreated,
        wire::AccessKeyCreated,
        wire::UserCreate,
        wire::UserPatch,
    ];
    let printable: Vec<_> = table.iter().filter(|(_, printable)| **printable).collect();
    assert!(printable.is_empty(), "{printable:?}");
    let named = holders::in_public();
    let missing: Vec<_> =
        named.iter().filter(|name| !table.keys().any(|t| t.ends_with(name.as_str()))).collect();
    assert!(missing.is_empty(), "these hold a secret and must be in the table too: {missing:?}");
}

#[test]
fn the_probe_tells_what_can_be_printed() {
    assert!(has!(String, Debug) && has!(String, Display) && has!(Zeroizing<String>, Debug));
    assert!(has!(Vec<u8>, Debug) && !has!(Vec<u8>, Display));
}

#[test]
fn nothing_in_the_source_that_holds_a_secret_derives_debug_display_or_hash() {
    let found = holders::of_source();
    assert!(found.len() > 20, "the search finds too little: {found:?}");
    let printable: Vec<_> = found.iter().filter(|holder| holder.printable).collect();
    assert!(printable.is_empty(), "{printable:#?}");
}

#[test]
fn a_holder_that_can_be_printed_would_be_found() {
    let file = "pub struct Fine {\n    n: u8,\n}\n#[derive(Clone, Debug)]\npub struct Bad {\n    pair: Inner,\n}\n\
                struct Inner(Option<ShownSecret>);\nimpl fmt::Display for Inner {\n}\n";
    let found = holders::among(&[("a.rs".to_owned(), file.to_owned())]);
    let names: Vec<_> =
        found.iter().filter(|holder| holder.printable).map(|holder| holder.name.as_str()).collect();
    assert_eq!(names, ["Bad", "Inner"]);
}

/// Longer than what an allocator writes into memory that was given back.
fn canary() -> String {
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".repeat(4)
}

/// Where a text is in the memory of this process.
struct Place {
    address: u64,
    length: usize,
}

impl Place {
    fn of(bytes: &[u8]) -> Self {
        Self { address: bytes.as_ptr().addr() as u64, length: bytes.len() }
    }

    /// What is there now, whoever it belongs to: read by the system, so that nothing here is unsafe.
    fn holds_the_canary(&self) -> bool {
        let mut now = vec![0; self.length];
        File::open("/proc/self/mem").unwrap().read_exact_at(&mut now, self.address).unwrap();
        now.windows(20).any(|piece| canary().as_bytes().windows(20).any(|wanted| wanted == piece))
    }
}

/// Whether the canary is still in memory after this was dropped.
fn stays<T>(holder: T, bytes: impl FnOnce(&T) -> &[u8]) -> bool {
    let place = Place::of(bytes(&holder));
    assert!(place.holds_the_canary());
    drop(holder);
    place.holds_the_canary()
}

fn pair() -> KeyPair {
    KeyPair { access_key_id: "SK".to_owned(), secret_access_key: ShownSecret::new(canary()) }
}

#[test]
fn what_holds_a_secret_is_zeroed_when_it_is_dropped() {
    assert!(!stays(ShownSecret::new(canary()), |secret| secret.reveal().as_bytes()));
    assert!(!stays(pair(), |pair| pair.secret_access_key.reveal().as_bytes()));
    let s3: S3Spec =
        serde_json::from_value(serde_json::json!({"endpoint": "https://s3.example.com"})).unwrap();
    for format in [
        SecretFormat::Env,
        SecretFormat::CredentialsFile,
        SecretFormat::Rclone,
        SecretFormat::Thanos,
        SecretFormat::ServiceBinding,
    ] {
        let rendered = || render(format, &pair(), &s3, Some("data")).unwrap();
        assert!(!stays(rendered(), |rendered| rendered.secret.reveal().as_bytes()), "{format:?}");
        let canary = canary();
        let holds = |value: &[u8]| value.windows(canary.len()).any(|part| part == canary.as_bytes());
        let name = rendered().entries.iter().find(|(_, value)| holds(value)).map(|(name, _)| *name).unwrap();
        assert!(!stays(rendered(), |rendered| &rendered.entries[name]), "{format:?} {name}");
    }
    let json = format!(r#"{{"login": "a", "password": "{}"}}"#, canary());
    let parsed: wire::SessionCreate = serde_json::from_str(&json).unwrap();
    assert!(!stays(parsed, |parsed| parsed.password.reveal().as_bytes()));
}

#[test]
fn a_plain_text_would_be_seen_to_stay() {
    assert!(stays(canary(), |text| text.as_bytes()));
}
