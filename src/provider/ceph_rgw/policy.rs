//! What RGW users of ours are allowed, as IAM user policies in their own RGW tenant.
//!
//! The resource names every bucket, which in RGW means every bucket of the tenant, those yet to come included. Each login
//! has a tenant of its own, so these are its buckets and nobody else's.
//!
//! Who uploads an object owns it, and may do anything to it but for what is denied: so what a permission leaves out must be
//! denied too. And the owner of the bucket may not even read it, unless it is allowed to.

use crate::wire::Permission;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

/// The name of the one policy that an RGW user of ours has.
pub const NAME: &str = "storekeeper";
/// The attribute of an RGW user that holds its policies.
pub const ATTRIBUTE: &str = "user.rgw.user-policy";

const READ: &[&str] = &[
    "s3:GetObject*",
    "s3:ListBucket*",
    "s3:GetBucketLocation",
    "s3:GetBucketVersioning",
    "s3:GetBucketObjectLockConfiguration",
];
const WRITE: &[&str] = &["s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"];
const DELETE: &[&str] = &["s3:DeleteObject*"];
const TAG: &[&str] = &["s3:PutObjectTagging", "s3:PutObjectVersionTagging"];
const GET: &[&str] = &["s3:GetObject*"];
/// What only Full may do to an object.
const MANAGE: &[&str] = &[
    "s3:PutObjectAcl",
    "s3:PutObjectVersionAcl",
    "s3:PutObjectRetention",
    "s3:PutObjectLegalHold",
    "s3:BypassGovernanceRetention",
];
const CONFIGURE: &[&str] = &["s3:PutBucketVersioning", "s3:PutBucketObjectLockConfiguration"];

/// What a key with that permission is allowed. A Full key is one of the owner's, so this is the owner's policy.
pub fn document(permission: Permission) -> String {
    let (allowed, denied) = match permission {
        Permission::Full => (vec!["s3:*"], Vec::new()),
        Permission::ReadWrite => ([READ, WRITE, DELETE, TAG].concat(), MANAGE.to_vec()),
        Permission::Read => (READ.to_vec(), [WRITE, DELETE, TAG, MANAGE].concat()),
        Permission::Write => (WRITE.to_vec(), [GET, DELETE, TAG, MANAGE].concat()),
    };
    statements(&allowed, &denied)
}

/// What whoever configures buckets is allowed.
pub fn configuring() -> String {
    statements(CONFIGURE, &[])
}

fn statements(allowed: &[&str], denied: &[&str]) -> String {
    let statements: Vec<_> = [("Allow", allowed), ("Deny", denied)]
        .into_iter()
        .filter(|(_, actions)| !actions.is_empty())
        .map(|(effect, actions)| json!({ "Effect": effect, "Action": actions, "Resource": "arn:aws:s3:::*" }))
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements }).to_string()
}

/// The attribute's value where that is the user's only policy: a map of texts as Ceph encodes it, in base64.
pub fn attribute(document: &str) -> String {
    let length = |length: usize| u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    let mut bytes = length(1).to_vec();
    for text in [NAME, document] {
        bytes.extend(length(text.len()));
        bytes.extend(text.as_bytes());
    }
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::{attribute, document};
    use crate::wire::Permission;
    use serde_json::Value;
    use std::collections::BTreeSet;

    /// The actions of one effect.
    fn actions(permission: Permission, effect: &str) -> BTreeSet<String> {
        let policy: Value = serde_json::from_str(&document(permission)).unwrap();
        let statements = policy["Statement"].as_array().unwrap().clone();
        let of_effect = statements.iter().filter(|statement| statement["Effect"] == effect);
        of_effect
            .flat_map(|statement| statement["Action"].as_array().unwrap())
            .map(|a| a.as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn permissions_allow_what_they_say() {
        for (permission, reads, writes, deletes) in [
            (Permission::ReadWrite, true, true, true),
            (Permission::Read, true, false, false),
            (Permission::Write, false, true, false),
        ] {
            let allowed = actions(permission, "Allow");
            for (action, expected) in
                [("s3:GetObject*", reads), ("s3:PutObject", writes), ("s3:DeleteObject*", deletes)]
            {
                assert_eq!(allowed.contains(action), expected, "{permission:?} {action}");
                let denied = actions(permission, "Deny");
                assert_eq!(denied.contains(action), !expected, "{permission:?} {action}");
            }
        }
    }

    #[test]
    fn what_only_full_may_do_to_an_object_is_denied_to_the_others() {
        assert!(actions(Permission::Full, "Deny").is_empty());
        for permission in [Permission::ReadWrite, Permission::Read, Permission::Write] {
            let denied = actions(permission, "Deny");
            assert!(super::MANAGE.iter().all(|action| denied.contains(*action)), "{permission:?}");
            let allowed = actions(permission, "Allow");
            assert!(allowed.is_disjoint(&denied), "{permission:?}");
            let beyond = |action: &String| {
                action == "s3:*" || action.contains("PutBucket") || action.contains("teBucket")
            };
            assert!(!allowed.iter().any(beyond), "{permission:?}");
        }
    }

    #[test]
    fn the_attribute_is_a_map_of_one_policy_as_ceph_encodes_it() {
        assert_eq!(attribute("{}"), "AQAAAAsAAABzdG9yZWtlZXBlcgIAAAB7fQ==");
    }
}
