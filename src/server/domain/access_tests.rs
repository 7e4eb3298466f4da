//! The matrix of rule 11, row by row.

use super::{
    Action, Collection, Credential, OwnerFacts, Principal, Target, TenantFacts, Visible, may, may_make_keys,
    scope, visible,
};
use crate::wire::{ProblemType, Role, Scope, Visibility};
use jiff::{SignedDuration, Timestamp};

const ROLES: [Role; 5] =
    [Role::Administrator, Role::TenantAdministrator, Role::FullAccess, Role::Backup, Role::ReadOnly];
const OWN: &str = "tn_own";

fn principal(role: Role) -> Principal {
    Principal { user_id: "us_me".to_owned(), role, tenant_id: OWN.to_owned() }
}

fn tenant(id: &str, visibility: Visibility) -> TenantFacts {
    TenantFacts { id: id.to_owned(), visibility, built_in: false }
}

fn owner(user: &str, tenant: TenantFacts, made_by: &str) -> OwnerFacts {
    OwnerFacts { user_id: user.to_owned(), tenant, made_by: made_by.to_owned() }
}

/// `+` may, `f` forbidden, `-` not found, `b` built in.
fn letter(role: Role, action: Action, target: Target<'_>) -> char {
    match may(&principal(role), action, target).map_err(|refusal| refusal.kind) {
        Ok(()) => '+',
        Err(ProblemType::Forbidden) => 'f',
        Err(ProblemType::NotFound) => '-',
        Err(ProblemType::BuiltIn) => 'b',
        Err(other) => panic!("{other:?}"),
    }
}

/// Read, create, edit, delete for each of the five roles in turn.
fn row(target: Target<'_>) -> String {
    let actions = [Action::Read, Action::Create, Action::Edit, Action::Delete];
    let of_role = |role| actions.map(|action| letter(role, action, target)).iter().collect::<String>();
    ROLES.map(of_role).join(" ")
}

#[test]
fn rule_11_tenants_are_for_global_administrators_and_the_built_in_one_for_nobody() {
    for visibility in [Visibility::Public, Visibility::Isolated] {
        for id in [OWN, "tn_other"] {
            assert_eq!(row(Target::Tenant(&tenant(id, visibility))), "++++ -f-- -f-- -f-- -f--");
        }
    }
    let built_in = TenantFacts { built_in: true, ..tenant("tn_0", Visibility::Public) };
    assert_eq!(row(Target::Tenant(&built_in)), "++bb -f-- -f-- -f-- -f--");
}

#[test]
fn rule_11_accounts_are_for_administrators_of_public_tenants_and_of_the_own_one() {
    let table = [
        (OWN, Visibility::Public, "++++ ++++ -f-- -f-- -f--"),
        (OWN, Visibility::Isolated, "++++ ++++ -f-- -f-- -f--"),
        ("tn_other", Visibility::Public, "++++ ---- -f-- -f-- -f--"),
        ("tn_other", Visibility::Isolated, "-f-- ---- -f-- -f-- -f--"),
    ];
    for (id, visibility, expected) in table {
        assert_eq!(row(Target::Account(&tenant(id, visibility))), expected, "{id} {visibility:?}");
    }
}

#[test]
fn rule_11_users_are_for_global_administrators_and_for_those_of_their_tenant() {
    let table = [
        (OWN, Visibility::Isolated, Role::FullAccess, "++++ ++++ -f-- -f-- -f--"),
        ("tn_other", Visibility::Public, Role::FullAccess, "++++ ---- -f-- -f-- -f--"),
        ("tn_other", Visibility::Isolated, Role::FullAccess, "++++ ---- -f-- -f-- -f--"),
        (OWN, Visibility::Public, Role::Administrator, "++++ +fff -f-- -f-- -f--"),
    ];
    for (id, visibility, role, expected) in table {
        let place = tenant(id, visibility);
        assert_eq!(row(Target::User(&place, role)), expected, "{id} {visibility:?} {role:?}");
    }
}

#[test]
fn rule_10_keys_are_changed_by_administrators_and_ones_own_by_full_access() {
    let table = [
        ("us_me", OWN, "++++ ++++ ++++ +fff +fff"),
        ("us_2", OWN, "++++ ++++ +fff +fff +fff"),
        ("us_2", "tn_other", "++++ ---- ---- ---- ----"),
    ];
    for (user, id, expected) in table {
        let owner = owner(user, tenant(id, Visibility::Public), "system");
        assert_eq!(row(Target::AccessKey(&owner)), expected, "{user} {id}");
    }
}

#[test]
fn rule_10_buckets_are_changed_by_administrators_and_full_access_of_the_tenant() {
    for (id, expected) in [(OWN, "++++ ++++ ++++ +fff +fff"), ("tn_other", "++++ ---- ---- ---- ----")] {
        let owner = owner("us_2", tenant(id, Visibility::Public), "system");
        assert_eq!(row(Target::Bucket(&owner)), expected, "{id}");
    }
}

#[test]
fn isolation_hides_data_from_administrators_but_not_what_they_made_the_owner_of() {
    let isolated = || tenant("tn_other", Visibility::Isolated);
    let theirs = owner("us_2", isolated(), "us_somebody");
    let mine = owner("us_2", isolated(), "us_me");
    assert_eq!(row(Target::AccessKey(&theirs)), "-f-- ---- ---- ---- ----");
    assert_eq!(row(Target::Bucket(&theirs)), "-f-- ---- ---- ---- ----");
    assert_eq!(row(Target::AccessKey(&mine)), "++++ ---- ---- ---- ----");
    assert_eq!(row(Target::Bucket(&mine)), "++++ ---- ---- ---- ----");
}

#[test]
fn rule_11_a_list_shows_what_an_item_would() {
    let all = [
        Collection::Tenants,
        Collection::Accounts,
        Collection::Users,
        Collection::Data,
        Collection::AuditEvents,
    ];
    let of = |role| {
        let letter = |collection| match visible(&principal(role), collection) {
            Ok(Visible::All) => 'a',
            Ok(Visible::PublicOr { own }) if own == OWN => 'p',
            Ok(Visible::Tenant(own)) if own == OWN => 't',
            Ok(_) => '?',
            Err(_) => '-',
        };
        all.map(letter).iter().collect::<String>()
    };
    assert_eq!(ROLES.map(of), ["apapa", "-tttt", "---t-", "---t-", "---t-"]);
}

#[test]
fn rule_5_keys_are_made_within_15_minutes_of_verifying_or_with_the_scope() {
    let now = Timestamp::from_second(1_000_000).unwrap();
    let session = |ago: Option<i64>| Credential::Session {
        verified: ago.map(|seconds| now - SignedDuration::from_secs(seconds)),
    };
    let token = |scopes: &[Scope]| Credential::Token { scopes: scopes.to_vec() };
    let needed = Err(ProblemType::PasswordVerificationRequired);
    for (credential, outcome) in [
        (session(None), needed),
        (session(Some(0)), Ok(())),
        (session(Some(899)), Ok(())),
        (session(Some(900)), needed),
        (session(Some(-1)), needed),
        (token(&[Scope::KeysWrite]), Ok(())),
        (token(&[Scope::Read, Scope::Write]), Err(ProblemType::ScopeMissing)),
    ] {
        let result = may_make_keys(&credential, now).map_err(|refusal| refusal.kind);
        assert_eq!(result, outcome, "{credential:?}");
    }
}

#[test]
fn a_token_does_only_what_its_scopes_say_and_a_session_all() {
    for granted in [Scope::Read, Scope::Write, Scope::KeysWrite] {
        for needed in [Scope::Read, Scope::Write, Scope::KeysWrite] {
            let token = Credential::Token { scopes: vec![granted] };
            assert_eq!(scope(&token, needed).is_ok(), granted == needed, "{granted:?} {needed:?}");
            assert!(scope(&Credential::Session { verified: None }, needed).is_ok());
        }
    }
}
