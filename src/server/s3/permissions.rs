//! Which permission level may do which operation: an allow-list by the operation's name. What is not in it is refused
//! for all.

use crate::wire::Permission;
use Permission::{Full, Read, ReadWrite, Write};

/// What the list says of a key and an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Allowed,
    /// Its level may not (403).
    Denied,
    /// No level may: it is not implemented (501).
    Unknown,
}

/// The operations of a class, and the levels that may do them.
type Class = (&'static [Permission], &'static [&'static str]);

/// Looking: what is there, and its data.
const LOOK: Class = (
    &[Full, ReadWrite, Read],
    &[
        "ListBuckets",
        "HeadBucket",
        "GetBucketLocation",
        "ListObjects",
        "ListObjectsV2",
        "ListObjectVersions",
        "GetObject",
        "HeadObject",
        "GetObjectAttributes",
        "GetObjectTagging",
        "GetBucketVersioning",
        "GetObjectLockConfiguration",
        "GetObjectRetention",
        "GetObjectLegalHold",
    ],
);

/// Uploading. With Write, the uploads of other keys are as if they were not there.
const UPLOAD: Class = (
    &[Full, ReadWrite, Write],
    &[
        "PutObject",
        "PostObject",
        "CreateMultipartUpload",
        "UploadPart",
        "CompleteMultipartUpload",
        "AbortMultipartUpload",
        "ListParts",
    ],
);

/// What needs both reading and writing, or removes.
const CHANGE: Class = (
    &[Full, ReadWrite],
    &[
        "CopyObject",
        "UploadPartCopy",
        "DeleteObject",
        "DeleteObjects",
        "PutObjectTagging",
        "DeleteObjectTagging",
        "ListMultipartUploads",
    ],
);

/// Managing buckets, and what protects their data.
const MANAGE: Class = (
    &[Full],
    &[
        "CreateBucket",
        "DeleteBucket",
        "PutBucketVersioning",
        "PutObjectLockConfiguration",
        "PutObjectRetention",
        "PutObjectLegalHold",
    ],
);

const CLASSES: [Class; 4] = [LOOK, UPLOAD, CHANGE, MANAGE];

/// Whether a key of that level may do the operation.
pub fn decide(permission: Permission, operation: &str) -> Decision {
    match CLASSES.iter().find(|(_, operations)| operations.contains(&operation)) {
        Some((levels, _)) if levels.contains(&permission) => Decision::Allowed,
        Some(_) => Decision::Denied,
        None => Decision::Unknown,
    }
}

/// Whether a key of that level may lift a governance retention early.
pub fn may_bypass_governance(permission: Permission) -> bool {
    match permission {
        Full => true,
        ReadWrite | Read | Write => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{CLASSES, Decision, decide, may_bypass_governance};
    use crate::wire::Permission;

    /// Every operation that is implemented, with what Full, `ReadWrite`, Read and Write may.
    const TABLE: [(&str, [bool; 4]); 34] = [
        ("ListBuckets", [true, true, true, false]),
        ("HeadBucket", [true, true, true, false]),
        ("GetBucketLocation", [true, true, true, false]),
        ("ListObjects", [true, true, true, false]),
        ("ListObjectsV2", [true, true, true, false]),
        ("ListObjectVersions", [true, true, true, false]),
        ("GetObject", [true, true, true, false]),
        ("HeadObject", [true, true, true, false]),
        ("GetObjectAttributes", [true, true, true, false]),
        ("GetObjectTagging", [true, true, true, false]),
        ("GetBucketVersioning", [true, true, true, false]),
        ("GetObjectLockConfiguration", [true, true, true, false]),
        ("GetObjectRetention", [true, true, true, false]),
        ("GetObjectLegalHold", [true, true, true, false]),
        ("PutObject", [true, true, false, true]),
        ("PostObject", [true, true, false, true]),
        ("CreateMultipartUpload", [true, true, false, true]),
        ("UploadPart", [true, true, false, true]),
        ("CompleteMultipartUpload", [true, true, false, true]),
        ("AbortMultipartUpload", [true, true, false, true]),
        ("ListParts", [true, true, false, true]),
        ("CopyObject", [true, true, false, false]),
        ("UploadPartCopy", [true, true, false, false]),
        ("DeleteObject", [true, true, false, false]),
        ("DeleteObjects", [true, true, false, false]),
        ("PutObjectTagging", [true, true, false, false]),
        ("DeleteObjectTagging", [true, true, false, false]),
        ("ListMultipartUploads", [true, true, false, false]),
        ("CreateBucket", [true, false, false, false]),
        ("DeleteBucket", [true, false, false, false]),
        ("PutBucketVersioning", [true, false, false, false]),
        ("PutObjectLockConfiguration", [true, false, false, false]),
        ("PutObjectRetention", [true, false, false, false]),
        ("PutObjectLegalHold", [true, false, false, false]),
    ];

    #[test]
    fn each_level_may_do_exactly_what_the_table_says() {
        for (operation, row) in TABLE {
            for (permission, allowed) in Permission::ALL.into_iter().zip(row) {
                let expected = if allowed { Decision::Allowed } else { Decision::Denied };
                assert_eq!(decide(permission, operation), expected, "{operation} with {permission:?}");
            }
        }
    }

    #[test]
    fn the_table_names_every_operation_of_the_list() {
        let listed: usize = CLASSES.iter().map(|(_, operations)| operations.len()).sum();
        assert_eq!(listed, TABLE.len());
    }

    #[test]
    fn an_unknown_operation_is_refused_for_all() {
        for operation in ["PutBucketPolicy", "PutObjectAcl", "SelectObjectContent", "getobject", ""] {
            for permission in Permission::ALL {
                assert_eq!(decide(permission, operation), Decision::Unknown, "{operation}");
            }
        }
    }

    #[test]
    fn only_full_lifts_a_governance_retention() {
        assert_eq!(Permission::ALL.map(may_bypass_governance), [true, false, false, false]);
    }
}
