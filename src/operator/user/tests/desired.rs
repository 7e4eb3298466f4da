//! What a spec asks for, and what it may not ask for.

use super::{made, user};
use crate::api::{ByteSize, NameRef, Reason, StorageUser};
use crate::operator::runtime::Blocked;
use crate::operator::user::Desired;
use crate::provider::Quota;
use crate::wire::Role;

fn refused(user: &StorageUser) -> (Reason, String) {
    let Blocked(reason, message) = Desired::of(user).unwrap_err();
    (reason, message)
}

fn named(name: &str) -> NameRef {
    NameRef { name: name.to_owned() }
}

#[test]
fn defaults_are_filled_in() {
    let mut user = user();
    user.spec.display_name = None;
    user.spec.description = Some("one\ntwo\n".to_owned());
    user.spec.quota.size = Some(ByteSize("5Gi".to_owned()));
    user.spec.quota.buckets = Some(3);
    let desired = Desired::of(&user).unwrap();
    assert_eq!(desired.login.as_str(), "team-a_app");
    assert_eq!(desired.display_name, "app");
    assert_eq!(desired.description, "one two");
    assert_eq!(desired.time_zone, "UTC");
    assert_eq!(desired.quota, Quota { buckets: Some(3), size: Some(5 << 30), objects: None });
}

#[test]
fn a_spec_that_cannot_be_is_refused_with_its_field_and_value() {
    type Change = fn(&mut StorageUser);
    let cases: [(Change, Reason, &str); 6] = [
        (
            |user| user.spec.login = Some("_app".to_owned()),
            Reason::InvalidSpec,
            "`spec.login`, '_app', must consist of letters, digits, '.', '_', '@' and '-', beginning with a letter or digit.",
        ),
        (
            |user| user.spec.time_zone = "Mars/Olympus".to_owned(),
            Reason::InvalidSpec,
            "`spec.timeZone`, 'Mars/Olympus', must be an IANA time zone, such as 'Europe/Berlin'.",
        ),
        (
            |user| user.spec.time_zone = "europe/berlin".to_owned(),
            Reason::InvalidSpec,
            "`spec.timeZone`, 'europe/berlin', must be spelled 'Europe/Berlin'.",
        ),
        (
            |user| user.spec.quota.size = Some(ByteSize("9000Pi".to_owned())),
            Reason::InvalidSpec,
            "`spec.quota.size`, '9000Pi', must be a size below 8Ei, such as '50Gi'.",
        ),
        (
            |user| user.spec.role = Role::Administrator,
            Reason::RoleNotAllowed,
            "Role Administrator is only for users of Tenant 'administrator', and this one is of Tenant 'acme'. Choose another `spec.role`.",
        ),
        (
            |user| user.metadata.name = Some("n".repeat(200)),
            Reason::InvalidSpec,
            "must have 1 to 128 characters.",
        ),
    ];
    for (change, reason, message) in cases {
        let mut user = user();
        change(&mut user);
        let refusal = refused(&user);
        assert_eq!(refusal.0, reason);
        assert!(refusal.1.ends_with(message), "{}", refusal.1);
    }
}

#[test]
fn administrators_live_in_their_own_tenant() {
    let mut user = user();
    user.spec.role = Role::Administrator;
    user.spec.tenant_ref = named("administrator");
    assert_eq!(Desired::of(&user).unwrap().role, Role::Administrator);
}

#[test]
fn identity_is_what_the_user_was_made_as() {
    type Change = fn(&mut StorageUser);
    let cases: [(Change, &str); 3] = [
        (
            |user| user.spec.tenant_ref = named("other"),
            "`spec.tenantRef` was 'acme' and must not change to 'other'.",
        ),
        (
            |user| user.spec.account_ref = Some(named("second")),
            "`spec.accountRef` was 'main' and must not change to 'second'.",
        ),
        (
            |user| user.spec.login = Some("app".to_owned()),
            "`spec.login` was 'team-a_app' and must not change to 'app'.",
        ),
    ];
    for (change, message) in cases {
        let mut made = made();
        change(&mut made);
        let expected = format!("{message} Change it back, or make a new StorageUser.");
        assert_eq!(refused(&made), (Reason::IdentityChanged, expected));
        let mut new = user();
        change(&mut new);
        assert!(Desired::of(&new).is_ok(), "a user that is not made yet has no identity: {message}");
    }
    let mut same = made();
    same.spec.account_ref = Some(named("main"));
    same.spec.login = Some("team-a_app".to_owned());
    assert!(Desired::of(&same).is_ok());
}
