//! Access keys: the Root user's single pair (rule 1), permissions and roles, the hint.

use super::{Refusal, fields};
use crate::wire::{AccessKeyCreate, AccessKeyItem, AccessKeyPatch, Permission, UserItem};
use jiff::Timestamp;

/// The first four and the last four characters of an access key id.
pub fn hint(id: &str) -> String {
    let characters: Vec<char> = id.chars().collect();
    match (characters.first_chunk::<4>(), characters.last_chunk::<4>()) {
        (Some(first), Some(last)) => first.iter().chain(&['…']).chain(last).collect(),
        _ => String::new(),
    }
}

/// A new key of a user. `has_bucket` tells whether the user has a bucket of that name.
pub fn create(
    id: String,
    owner: &UserItem,
    wish: AccessKeyCreate,
    has_bucket: impl Fn(&str) -> bool,
    now: Timestamp,
) -> Result<AccessKeyItem, Refusal> {
    let AccessKeyCreate { user_id, permission, description, buckets, labels } = wish;
    if owner.root {
        return Err(Refusal::rule(
            "the Root user has exactly one key pair: rotate it with `POST /v1/accounts/{id}/rootKey/rotate`",
        ));
    }
    if !owner.role.permissions().contains(&permission) {
        let detail = format!("must not be {} for a user with that role", permission.as_str());
        return Err(Refusal::field("permission", detail));
    }
    fields::text("description", &description)?;
    fields::labels(&labels)?;
    let buckets = buckets.map(|names| check_buckets(names, has_bucket)).transpose()?;
    Ok(AccessKeyItem {
        hint: hint(&id),
        access_key_id: id,
        user_id,
        permission,
        description,
        buckets,
        active: true,
        labels,
        created_at: now,
        last_used_at: None,
    })
}

fn check_buckets(mut names: Vec<String>, has_bucket: impl Fn(&str) -> bool) -> Result<Vec<String>, Refusal> {
    names.sort_unstable();
    names.dedup();
    if names.is_empty() || names.len() > 100 {
        return Err(Refusal::field("buckets", "must have 1 to 100 names, or be absent"));
    }
    match names.iter().find(|name| !has_bucket(name)) {
        Some(name) => Err(Refusal::field("buckets", format!("names '{name}', which the user does not have"))),
        None => Ok(names),
    }
}

/// The Root user's key: Full, all of its buckets.
pub fn root_key(id: String, root_user_id: String, now: Timestamp) -> AccessKeyItem {
    AccessKeyItem {
        hint: hint(&id),
        access_key_id: id,
        user_id: root_user_id,
        permission: Permission::Full,
        description: "Root key".to_owned(),
        buckets: None,
        active: true,
        labels: crate::wire::Labels::new(),
        created_at: now,
        last_used_at: None,
    }
}

/// A key after a patch. Rule 1: the Root user always has a pair that works.
pub fn patch(
    before: AccessKeyItem,
    owner: &UserItem,
    patch: AccessKeyPatch,
) -> Result<AccessKeyItem, Refusal> {
    let AccessKeyPatch { description, active, labels } = patch;
    if owner.root && active == Some(false) {
        return Err(Refusal::rule("the Root user always has its one key pair: it is rotated, not suspended"));
    }
    let after = AccessKeyItem {
        description: description.unwrap_or(before.description),
        active: active.unwrap_or(before.active),
        labels: labels.unwrap_or(before.labels),
        ..before
    };
    fields::text("description", &after.description)?;
    fields::labels(&after.labels)?;
    Ok(after)
}

/// Rule 1: the Root user's key is replaced, never removed.
pub fn delete(owner: &UserItem) -> Result<(), Refusal> {
    if owner.root {
        return Err(Refusal::rule("the Root user always has its one key pair: it is rotated, not deleted"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{create, delete, hint, patch, root_key};
    use crate::server::domain::users::tests::user;
    use crate::wire::{AccessKeyCreate, AccessKeyPatch, Labels, Permission, ProblemType, Role, UserItem};
    use jiff::Timestamp;

    fn wish(permission: Permission, buckets: Option<&[&str]>) -> AccessKeyCreate {
        AccessKeyCreate {
            user_id: "us_1".to_owned(),
            permission,
            description: String::new(),
            buckets: buckets.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
            labels: Labels::new(),
        }
    }

    #[test]
    fn rule_1_the_root_user_has_exactly_one_full_key_that_is_neither_added_to_nor_deleted() {
        let root = UserItem { root: true, ..user() };
        let made =
            create("SK".to_owned(), &root, wish(Permission::Full, None), |_| true, Timestamp::UNIX_EPOCH);
        assert_eq!(made.unwrap_err().kind, ProblemType::RuleViolated);
        assert_eq!(delete(&root).unwrap_err().kind, ProblemType::RuleViolated);
        assert_eq!(root_key("SK".to_owned(), root.id, Timestamp::UNIX_EPOCH).permission, Permission::Full);
        assert!(delete(&user()).is_ok());
    }

    #[test]
    fn a_key_is_suspended_and_works_again_but_never_the_root_users() {
        let root = UserItem { root: true, ..user() };
        let made = || root_key("SK".to_owned(), "us_1".to_owned(), Timestamp::UNIX_EPOCH);
        let wish = |active| AccessKeyPatch { active: Some(active), ..AccessKeyPatch::default() };
        let suspended = patch(made(), &user(), wish(false)).unwrap();
        assert!(!suspended.active);
        assert!(!patch(suspended.clone(), &user(), AccessKeyPatch::default()).unwrap().active, "it stays so");
        assert_eq!(patch(suspended, &user(), wish(true)).unwrap(), made());
        assert_eq!(patch(made(), &root, wish(false)).unwrap_err().kind, ProblemType::RuleViolated);
    }

    #[test]
    fn rule_2_a_role_caps_the_permission_of_keys() {
        let of = |role, permission| {
            let owner = UserItem { role, ..user() };
            create("SK".to_owned(), &owner, wish(permission, None), |_| true, Timestamp::UNIX_EPOCH).is_ok()
        };
        for permission in Permission::ALL {
            for role in [Role::Administrator, Role::TenantAdministrator, Role::FullAccess] {
                assert!(of(role, permission), "{role:?} {permission:?}");
            }
            assert_eq!(of(Role::Backup, permission), permission == Permission::Write);
            assert_eq!(of(Role::ReadOnly, permission), permission == Permission::Read);
        }
    }

    #[test]
    fn rule_3_a_key_is_restricted_to_buckets_of_its_own_user_only() {
        let of = |names: &[&str]| {
            let has = |name: &str| name == "data" || name == "logs";
            create("SK".to_owned(), &user(), wish(Permission::Read, Some(names)), has, Timestamp::UNIX_EPOCH)
                .map(|key| key.buckets.unwrap())
                .map_err(|refusal| refusal.kind)
        };
        assert_eq!(of(&["logs", "data", "logs"]), Ok(vec!["data".to_owned(), "logs".to_owned()]));
        assert_eq!(of(&["data", "theirs"]), Err(ProblemType::RuleViolated));
        assert_eq!(of(&[]), Err(ProblemType::RuleViolated));
    }

    #[test]
    fn the_hint_shows_the_first_and_the_last_four() {
        assert_eq!(hint("SKABCDEFGHIJKLMNWXYZ"), "SKAB…WXYZ");
        assert_eq!(hint("SK"), "");
    }
}
