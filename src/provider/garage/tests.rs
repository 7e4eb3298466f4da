use super::api::{BucketItem, Flags, KeyChange, KeyItem, LocalAlias};
use super::keys::chosen;
use super::marks::{KeyMark, Mark, TenantMark, UserMark, is_reserved, owner_alias, uid_in};
use super::view::{View, flags};
use crate::provider::{ClusterId, OwnerMark, RANDOM_BYTES};
use crate::wire::{Permission, Role, Visibility};
use jiff::Timestamp;
use proptest::prelude::*;

fn user_mark(login: &str) -> UserMark {
    let text = |text: &str| text.to_owned();
    UserMark {
        login: text(login),
        tenant: text("acme"),
        owner: text("c-1/u-1"),
        object: text("team/backup"),
        enabled: true,
        role: Role::FullAccess,
        display_name: text("Backup \"nightly\""),
        email: String::new(),
        time_zone: text("UTC"),
        description: String::new(),
    }
}

fn key_mark(user: &str, permission: Permission) -> KeyMark {
    let text = |text: &str| text.to_owned();
    KeyMark {
        user: text(user),
        permission,
        owner: text("c-1/k-1"),
        object: text("team/app"),
        secret: text("app"),
        epoch: 1,
        nonce: "0".repeat(32),
        buckets: None,
        complete: true,
    }
}

fn item(id: &str, mark: &Mark, second: i64) -> KeyItem {
    let created = Some(Timestamp::from_second(second).unwrap());
    KeyItem { id: id.to_owned(), name: mark.text(), created, expired: false }
}

fn bucket(id: &str, aliases: &[(&str, &str)]) -> BucketItem {
    let alias = |(key, alias): &(&str, &str)| LocalAlias {
        access_key_id: (*key).to_owned(),
        alias: (*alias).to_owned(),
    };
    BucketItem { id: id.to_owned(), local_aliases: aliases.iter().map(alias).collect() }
}

#[test]
fn marks_are_read_back_as_they_were_written_and_other_names_are_nobodys() {
    let tenant = TenantMark {
        name: "acme".to_owned(),
        owner: "c-1/t-1".to_owned(),
        object: "acme".to_owned(),
        visibility: Visibility::Isolated,
        description: "for \\ and \"".to_owned(),
    };
    for mark in
        [Mark::Tenant(tenant), Mark::User(user_mark("a")), Mark::Key(key_mark("a", Permission::Write))]
    {
        assert_eq!(Mark::parse(&mark.text()), Some(mark));
    }
    for name in ["", "backup", "storekeeper", "storekeeper {}", "storekeeper {\"is\":\"key\"}"] {
        assert_eq!(Mark::parse(name), None, "{name}");
    }
}

#[test]
fn a_chosen_pair_has_the_form_that_garage_takes_and_uses_no_byte_twice() {
    let mut random = [0; RANDOM_BYTES];
    for (number, byte) in random.iter_mut().enumerate() {
        *byte = u8::try_from(number).unwrap();
    }
    let pair = chosen(&random);
    assert_eq!(pair.access_key_id, "GK000102030405060708090a0b");
    let secret = pair.secret_access_key.reveal();
    assert_eq!((secret.len(), &secret[..4], &secret[60..]), (64, "0c0d", "2a2b"));
}

#[test]
fn a_key_stops_by_having_expired_and_works_again_by_never_expiring() {
    let json = |enabled| serde_json::to_value(KeyChange::default().enabled(enabled)).unwrap();
    assert_eq!(json(false), serde_json::json!({"expiration": "1970-01-01T00:00:00Z"}));
    assert_eq!(json(true), serde_json::json!({"neverExpires": true}));
}

#[test]
fn only_full_owns_and_only_read_does_not_write() {
    for (permission, expected) in [
        (Permission::Full, (true, true, true)),
        (Permission::ReadWrite, (true, true, false)),
        (Permission::Read, (true, false, false)),
        (Permission::Write, (false, true, false)),
    ] {
        let Flags { read, write, owner } = flags(permission);
        assert_eq!((read, write, owner), expected, "{permission:?}");
    }
}

#[test]
fn of_two_markers_of_one_user_the_first_counts() {
    let keys = vec![
        item("GK1", &Mark::User(user_mark("a")), 20),
        item("GK2", &Mark::User(user_mark("a")), 10),
        item("GK3", &Mark::User(user_mark("b")), 1),
    ];
    let view = View::new(keys, Vec::new());
    assert_eq!(view.user("a").unwrap().id, "GK2");
    assert_eq!(view.user("b").unwrap().id, "GK3");
    assert!(view.user("c").is_none());
}

#[test]
fn a_users_buckets_are_those_that_its_marker_has_names_for() {
    let keys = vec![
        item("GKa", &Mark::User(user_mark("a")), 1),
        item("GKb", &Mark::User(user_mark("b")), 1),
        item("GKk", &Mark::Key(key_mark("a", Permission::Full)), 2),
        KeyItem { id: "GKx".to_owned(), name: "somebody".to_owned(), created: None, expired: false },
    ];
    let buckets = vec![
        bucket("b1", &[("GKa", "data"), ("GKa", "storekeeper-0-u-7"), ("GKk", "data")]),
        bucket("b2", &[("GKb", "data"), ("GKb", "storekeeper-0-u-8")]),
        bucket("b3", &[("GKk", "scratch")]),
        bucket("b4", &[("GKx", "data")]),
        bucket("b5", &[("GKa", "storekeeper-1-u-9")]),
    ];
    let view = View::new(keys, buckets);
    let owned = view.buckets_of(view.user("a").unwrap());
    let told: Vec<_> = owned.iter().map(|b| (b.id.as_str(), b.name.as_deref(), b.uid.as_deref())).collect();
    assert_eq!(told, [("b1", Some("data"), Some("u-7")), ("b5", None, Some("u-9"))]);
    assert_eq!(view.made_by("GKk", "GKa"), [("b3".to_owned(), "scratch".to_owned())]);
    assert_eq!(view.keys_of("a").count(), 1);
}

proptest! {
    #[test]
    fn the_alias_of_an_owner_is_read_back_and_no_name_of_a_bucket_is_taken_for_one(
        uid in "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        number in 0..100_u32,
        name in "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]",
    ) {
        let owner = OwnerMark { cluster: ClusterId("c".to_owned()), uid: uid.clone() };
        let alias = owner_alias(&owner, number);
        prop_assert!(alias.len() <= 63);
        prop_assert_eq!(uid_in(&alias), Some(uid.as_str()));
        prop_assert!(uid_in(&name).is_none() || is_reserved(&name));
    }
}
