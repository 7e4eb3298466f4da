//! Tables for the rules of users.

use super::{Hanging, Place, create, delete, patch};
use crate::server::domain::access::{Principal, TenantFacts};
use crate::wire::{
    Labels, ProblemType, Quota, Role, ShownSecret, Usage, UserCreate, UserItem, UserPatch, Visibility,
};
use jiff::Timestamp;

/// A user of tenant `tn_1` without anything.
pub fn user() -> UserItem {
    UserItem {
        id: "us_1".to_owned(),
        login: "team-a_backup".to_owned(),
        name: String::new(),
        email: String::new(),
        time_zone: "UTC".to_owned(),
        role: Role::FullAccess,
        tenant_id: "tn_1".to_owned(),
        account_id: "000000000001".to_owned(),
        enabled: true,
        root: false,
        description: String::new(),
        quota: Quota::default(),
        labels: Labels::new(),
        usage: Usage::default(),
        created_at: Timestamp::UNIX_EPOCH,
    }
}

fn tenant(id: &str) -> TenantFacts {
    TenantFacts { id: id.to_owned(), visibility: Visibility::Public, built_in: id == "tn_0" }
}

fn place(user_tenant: &str, account_tenant: &str) -> Place {
    Place {
        tenant: tenant(user_tenant),
        account: "000000000001".to_owned(),
        account_tenant: tenant(account_tenant),
        jobs: 0,
    }
}

fn principal(role: Role, tenant: &str) -> Principal {
    Principal { user_id: "us_admin".to_owned(), role, tenant_id: tenant.to_owned() }
}

fn wish(role: Role) -> UserCreate {
    let text = serde_json::json!({"login": "new", "role": role, "tenantId": "tn_1"});
    serde_json::from_value(text).unwrap()
}

fn kind<T>(result: Result<T, crate::server::domain::Refusal>) -> Result<(), ProblemType> {
    result.map(|_| ()).map_err(|refusal| refusal.kind)
}

const ADMIN: Role = Role::Administrator;
const TENANT_ADMIN: Role = Role::TenantAdministrator;

#[test]
fn rule_7_a_new_user_has_no_bucket_and_no_key() {
    let made = create(
        &principal(ADMIN, "tn_0"),
        "us_2".to_owned(),
        &wish(Role::FullAccess),
        &place("tn_1", "tn_0"),
        Timestamp::UNIX_EPOCH,
    );
    assert_eq!(made.unwrap().usage, Usage::default());
}

#[test]
fn rule_11_the_role_administrator_is_given_by_administrators_and_in_the_administrator_tenant_only() {
    for (who, role, in_tenant, outcome) in [
        (ADMIN, ADMIN, "tn_0", Ok(())),
        (ADMIN, ADMIN, "tn_1", Err(ProblemType::RuleViolated)),
        (TENANT_ADMIN, ADMIN, "tn_1", Err(ProblemType::Forbidden)),
        (TENANT_ADMIN, TENANT_ADMIN, "tn_1", Ok(())),
        (TENANT_ADMIN, Role::ReadOnly, "tn_1", Ok(())),
    ] {
        let made = create(
            &principal(who, in_tenant),
            "us_2".to_owned(),
            &wish(role),
            &place(in_tenant, "tn_0"),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(kind(made), outcome, "{who:?} makes {role:?} in {in_tenant}");
        let given = UserPatch { role: Some(role), ..UserPatch::default() };
        let before = UserItem { tenant_id: in_tenant.to_owned(), ..user() };
        let result = patch(&principal(who, in_tenant), before, given, &place(in_tenant, "tn_0"));
        assert_eq!(kind(result), outcome, "{who:?} gives {role:?} in {in_tenant}");
    }
}

#[test]
fn an_account_must_take_users_of_the_tenant() {
    for (account_tenant, outcome) in
        [("tn_0", Ok(())), ("tn_1", Ok(())), ("tn_2", Err(ProblemType::RuleViolated))]
    {
        let made = create(
            &principal(ADMIN, "tn_0"),
            "us_2".to_owned(),
            &wish(Role::Backup),
            &place("tn_1", account_tenant),
            Timestamp::UNIX_EPOCH,
        );
        assert_eq!(kind(made), outcome, "{account_tenant}");
    }
}

#[test]
fn rule_11_only_a_global_administrator_changes_a_users_tenant() {
    for (who, outcome) in [(ADMIN, Ok(())), (TENANT_ADMIN, Err(ProblemType::Forbidden))] {
        let moved = UserPatch { tenant_id: Some("tn_2".to_owned()), ..UserPatch::default() };
        let result = patch(&principal(who, "tn_1"), user(), moved, &place("tn_2", "tn_0"));
        assert_eq!(kind(result), outcome, "{who:?}");
    }
}

#[test]
fn rule_11_nobody_removes_their_own_administrator_role_nor_disables_or_deletes_themselves() {
    for role in [ADMIN, TENANT_ADMIN] {
        let oneself = UserItem { id: "us_admin".to_owned(), role, tenant_id: "tn_0".to_owned(), ..user() };
        let me = principal(role, "tn_0");
        let demoted = UserPatch { role: Some(Role::FullAccess), ..UserPatch::default() };
        let result = patch(&me, oneself.clone(), demoted, &place("tn_0", "tn_0"));
        assert_eq!(kind(result), Err(ProblemType::RuleViolated));
        let disabled = UserPatch { enabled: Some(false), ..UserPatch::default() };
        let result = patch(&me, oneself.clone(), disabled, &place("tn_0", "tn_0"));
        assert_eq!(kind(result), Err(ProblemType::RuleViolated));
        let same = UserPatch { role: Some(role), name: Some("n".to_owned()), ..UserPatch::default() };
        assert_eq!(kind(patch(&me, oneself.clone(), same, &place("tn_0", "tn_0"))), Ok(()));
        assert_eq!(kind(delete(&me, &oneself, Hanging::default())), Err(ProblemType::RuleViolated));
    }
}

#[test]
fn rule_1_the_root_user_keeps_its_role_tenant_and_account() {
    let root = UserItem { root: true, ..user() };
    let admin = principal(ADMIN, "tn_0");
    let here = place("tn_1", "tn_1");
    let patches = [
        UserPatch { role: Some(Role::ReadOnly), ..UserPatch::default() },
        UserPatch { tenant_id: Some("tn_2".to_owned()), ..UserPatch::default() },
        UserPatch { password: Some(ShownSecret::new("longenough".to_owned())), ..UserPatch::default() },
    ];
    for change in patches {
        assert_eq!(kind(patch(&admin, root.clone(), change, &here)), Err(ProblemType::BuiltIn));
    }
    assert_eq!(kind(delete(&admin, &root, Hanging::default())), Err(ProblemType::BuiltIn));
}

#[test]
fn rule_11_a_user_with_jobs_does_not_change_tenant() {
    let to_2 = || UserPatch { tenant_id: Some("tn_2".to_owned()), ..UserPatch::default() };
    for (jobs, outcome) in [(0, Ok(())), (1, Err(ProblemType::InUse))] {
        let result =
            patch(&principal(ADMIN, "tn_0"), user(), to_2(), &Place { jobs, ..place("tn_2", "tn_0") });
        assert_eq!(kind(result), outcome);
    }
    let renamed = UserPatch { name: Some("n".to_owned()), ..UserPatch::default() };
    let result =
        patch(&principal(ADMIN, "tn_0"), user(), renamed, &Place { jobs: 1, ..place("tn_1", "tn_0") });
    assert_eq!(kind(result), Ok(()));
}

#[test]
fn rules_11_and_12_a_user_with_buckets_keys_or_jobs_is_not_deleted() {
    for (buckets, access_keys, jobs, outcome) in [
        (0, 0, 0, Ok(())),
        (1, 0, 0, Err(ProblemType::InUse)),
        (0, 1, 0, Err(ProblemType::InUse)),
        (0, 0, 1, Err(ProblemType::InUse)),
    ] {
        let hanging = Hanging { buckets, access_keys, jobs };
        let result = delete(&principal(ADMIN, "tn_0"), &user(), hanging);
        assert_eq!(kind(result), outcome);
    }
}

#[test]
fn a_patch_changes_what_it_names_and_nothing_else() {
    let admin = principal(ADMIN, "tn_0");
    let same = patch(&admin, user(), UserPatch::default(), &place("tn_1", "tn_0")).unwrap();
    assert_eq!(same, user());
    let change = UserPatch {
        time_zone: Some("Europe/Berlin".to_owned()),
        enabled: Some(false),
        ..UserPatch::default()
    };
    let after = patch(&admin, user(), change, &place("tn_1", "tn_0")).unwrap();
    assert_eq!(after, UserItem { time_zone: "Europe/Berlin".to_owned(), enabled: false, ..user() });
    let bad = UserPatch { time_zone: Some("Mars".to_owned()), ..UserPatch::default() };
    assert_eq!(kind(patch(&admin, user(), bad, &place("tn_1", "tn_0"))), Err(ProblemType::RuleViolated));
}
