//! Where a user may live.

use super::{made, user};
use crate::api::tenant::{AllowedNamespaces, OnWithdrawal, TenantAccount};
use crate::api::{NameRef, Reason, StorageAccount, StorageUser, Tenant, TenantSpec, TenantStatus};
use crate::operator::runtime::Verdict;
use crate::operator::user::place::{Place, Surroundings, find};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

struct World {
    user: StorageUser,
    tenant: Option<Tenant>,
    accounts: Vec<Arc<StorageAccount>>,
    siblings: Vec<Arc<StorageUser>>,
}

fn account(name: &str, default: bool) -> Arc<StorageAccount> {
    let spec = json!({ "provider": {}, "s3": { "endpoint": "https://s3" }, "default": default });
    Arc::new(StorageAccount::new(name, serde_json::from_value(spec).unwrap()))
}

fn world() -> World {
    let spec = TenantSpec {
        allowed_namespaces: AllowedNamespaces {
            names: vec!["team-a".to_owned()],
            ..AllowedNamespaces::default()
        },
        ..TenantSpec::default()
    };
    let mut tenant = Tenant::new("acme", spec);
    let there =
        |name: &str| TenantAccount { name: name.to_owned(), tenant_id: "tn_1".to_owned(), ready: true };
    tenant.status = Some(TenantStatus { accounts: vec![there("main")], ..TenantStatus::default() });
    let accounts = vec![account("main", true), account("second", false)];
    World { user: user(), tenant: Some(tenant), accounts, siblings: Vec::new() }
}

impl World {
    fn find(&self) -> Result<Place, Verdict> {
        let around = Surroundings {
            tenant: self.tenant.as_ref(),
            accounts: &self.accounts,
            labels: Some(&BTreeMap::new()),
            siblings: &self.siblings,
        };
        find(&self.user, &around)
    }

    fn tenant(&mut self) -> &mut Tenant {
        self.tenant.as_mut().unwrap()
    }
}

fn sibling(uid: &str, made: bool, created: &str) -> Arc<StorageUser> {
    let mut sibling = if made { self::made() } else { user() };
    sibling.metadata.uid = Some(uid.to_owned());
    sibling.metadata.creation_timestamp = Some(Time(created.parse::<Timestamp>().unwrap()));
    Arc::new(sibling)
}

fn long_ago() -> Time {
    Time(Timestamp::UNIX_EPOCH)
}

#[test]
fn a_user_lives_in_its_tenant_at_the_default_account() {
    let place = Place { account: "main".to_owned(), tenant_id: "tn_1".to_owned(), withdrawn: None };
    assert_eq!(world().find(), Ok(place));
}

#[test]
fn each_rule_that_says_no_is_the_answer() {
    type Change = fn(&mut World);
    let cases: [(Change, bool, Reason); 8] = [
        (|world| world.tenant = None, false, Reason::TenantNotFound),
        (|world| world.tenant().spec.allowed_namespaces.names.clear(), true, Reason::NamespaceNotAllowed),
        (
            |world| world.tenant().metadata.deletion_timestamp = Some(long_ago()),
            false,
            Reason::TenantNotReady,
        ),
        (|world| world.tenant().spec.quota.users = Some(0), true, Reason::QuotaExceeded),
        (|world| world.accounts.clear(), false, Reason::AccountNotFound),
        (
            |world| world.user.spec.account_ref = Some(NameRef { name: "third".to_owned() }),
            false,
            Reason::AccountNotFound,
        ),
        (
            |world| {
                let mut account = (*account("main", true)).clone();
                account.spec.tenant_ref = Some(NameRef { name: "other".to_owned() });
                world.accounts = vec![Arc::new(account)];
            },
            true,
            Reason::AccountNotAllowed,
        ),
        (|world| world.tenant().status = None, false, Reason::TenantNotReady),
    ];
    for (change, blocked, reason) in cases {
        let mut world = world();
        change(&mut world);
        match world.find() {
            Err(Verdict::Blocked(found, _)) => assert!(blocked && found == reason, "{found} for {reason}"),
            Err(Verdict::Waiting(found, _)) => assert!(!blocked && found == reason, "{found} for {reason}"),
            other => panic!("{other:?} for {reason}"),
        }
    }
}

#[test]
fn an_account_that_does_not_work_is_named_rather_than_the_tenant_that_is_not_in_it() {
    let mut world = world();
    world.tenant().status = None;
    let mut broken = (*account("main", true)).clone();
    let ready = json!({
        "type": "Ready", "status": "False", "reason": "AccountUnreachable", "message": "m",
        "observedGeneration": 1, "lastTransitionTime": "2026-01-01T00:00:00Z",
    });
    broken.status = Some(serde_json::from_value(json!({ "conditions": [ready] })).unwrap());
    world.accounts = vec![Arc::new(broken)];
    let Err(Verdict::Waiting(Reason::AccountNotReady, message)) = world.find() else { panic!("waiting") };
    assert_eq!(
        message,
        "StorageAccount 'main' is not Ready: AccountUnreachable. Waiting for it; `kubectl describe storageaccount main` says what to do."
    );
}

#[test]
fn a_user_that_is_made_stays_in_its_account_whatever_the_default_becomes() {
    let mut world = world();
    world.user = made();
    world.accounts = vec![account("main", false), account("second", true)];
    world.tenant().spec.account_ref = Some(NameRef { name: "second".to_owned() });
    assert_eq!(world.find().map(|place| place.account), Ok("main".to_owned()));
}

#[test]
fn a_quota_of_users_goes_to_those_that_are_made_and_then_to_the_older_ones() {
    let (older, newer) = ("2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z");
    for (what, limit, siblings, admitted) in [
        ("alone", 1, vec![], true),
        ("itself", 1, vec![sibling("u-1", false, older)], true),
        ("an older one", 1, vec![sibling("u-0", false, older)], false),
        ("a newer one", 1, vec![sibling("u-2", false, newer)], true),
        ("a newer one that is made", 1, vec![sibling("u-2", true, newer)], false),
        ("room for both", 2, vec![sibling("u-0", true, older)], true),
    ] {
        let mut world = world();
        world.tenant().spec.quota.users = Some(limit);
        world.siblings = siblings;
        assert_eq!(world.find().is_ok(), admitted, "{what}");
        world.user.status = made().status;
        assert!(world.find().is_ok(), "{what}: a user that is made stays");
    }
}

#[test]
fn a_user_that_was_made_stays_where_it_is_when_its_tenant_says_to_suspend_it() {
    for (on_withdrawal, made, expected) in [
        (OnWithdrawal::Suspend, true, Ok(Some(Reason::NamespaceNotAllowed))),
        (OnWithdrawal::Keep, true, Err(())),
        (OnWithdrawal::Suspend, false, Err(())),
    ] {
        let mut world = world();
        world.tenant().spec.on_withdrawal = on_withdrawal;
        world.tenant().spec.allowed_namespaces.names.clear();
        if made {
            world.user = super::made();
        }
        let withdrawn = world.find().map(|place| place.withdrawn.map(|blocked| blocked.0)).map_err(drop);
        assert_eq!(withdrawn, expected, "{on_withdrawal:?} {made}");
    }
}
