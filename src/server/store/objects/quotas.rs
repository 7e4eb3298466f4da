//! How much there is of what quotas limit: in a bucket, of its user, of the user's tenant.

use super::buckets::BucketRow;
use crate::server::store::StoreError;
use crate::server::store::columns::Doc;
use crate::wire::Quota;
use rusqlite::Connection;

/// What a quota is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A bucket, by the number of its row.
    Bucket(i64),
    /// A user, all buckets together.
    User(String),
    /// A tenant, all users together.
    Tenant(String),
}

/// A quota, and what there is of it. Parts of uploads that are not complete count, as bytes.
#[derive(Clone, Debug)]
pub struct Level {
    /// Whose.
    pub holder: Holder,
    /// The limits.
    pub quota: Quota,
    /// Bytes of all versions and parts.
    pub bytes: i64,
    /// Versions with data.
    pub objects: i64,
}

impl Level {
    /// Whether there is more than the limits allow.
    pub fn is_exceeded(&self) -> bool {
        let over = |limit: Option<u64>, used: i64| {
            limit.is_some_and(|limit| u64::try_from(used).is_ok_and(|used| used > limit))
        };
        over(self.quota.size, self.bytes) || over(self.quota.objects, self.objects)
    }
}

/// The quotas that a write to that bucket of that user must keep to; those without limits are left out.
pub fn levels(connection: &Connection, user: &str, bucket: &BucketRow) -> Result<Vec<Level>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT u.quota, t.quota, t.id FROM user u JOIN tenant t ON t.id = u.tenant WHERE u.id = ?1",
    )?;
    let (of_user, of_tenant, tenant) = statement.query_row([user], |row| {
        Ok((row.get::<_, Doc<Quota>>(0)?.0, row.get::<_, Doc<Quota>>(1)?.0, row.get::<_, String>(2)?))
    })?;
    let mut levels = Vec::new();
    if limits(bucket.quota) {
        let bytes = bucket.used_bytes + pending(connection, BUCKET_PARTS, &bucket.id.to_string())?;
        let holder = Holder::Bucket(bucket.id);
        levels.push(Level { holder, quota: bucket.quota, bytes, objects: bucket.used_objects });
    }
    if limits(of_user) {
        let (bytes, objects) = used(connection, USER_USED, user)?;
        let bytes = bytes + pending(connection, USER_PARTS, user)?;
        levels.push(Level { holder: Holder::User(user.to_owned()), quota: of_user, bytes, objects });
    }
    if limits(of_tenant) {
        let (bytes, objects) = used(connection, TENANT_USED, &tenant)?;
        let bytes = bytes + pending(connection, TENANT_PARTS, &tenant)?;
        levels.push(Level { holder: Holder::Tenant(tenant), quota: of_tenant, bytes, objects });
    }
    Ok(levels)
}

const USER_USED: &str =
    "SELECT coalesce(sum(used_bytes), 0), coalesce(sum(used_objects), 0) FROM bucket WHERE user = ?1";
const TENANT_USED: &str = "SELECT coalesce(sum(b.used_bytes), 0), coalesce(sum(b.used_objects), 0) \
     FROM user u JOIN bucket b ON b.user = u.id WHERE u.tenant = ?1";
const BUCKET_PARTS: &str = "SELECT coalesce(sum(p.size), 0) FROM upload l JOIN part p ON p.upload = l.id \
     WHERE l.bucket = CAST(?1 AS INTEGER)";
const USER_PARTS: &str = "SELECT coalesce(sum(p.size), 0) FROM bucket b JOIN upload l ON l.bucket = b.id \
     JOIN part p ON p.upload = l.id WHERE b.user = ?1";
const TENANT_PARTS: &str = "SELECT coalesce(sum(p.size), 0) FROM user u JOIN bucket b ON b.user = u.id \
     JOIN upload l ON l.bucket = b.id JOIN part p ON p.upload = l.id WHERE u.tenant = ?1";

fn limits(quota: Quota) -> bool {
    let Quota { buckets: _, size, objects } = quota;
    size.is_some() || objects.is_some()
}

fn used(connection: &Connection, sql: &str, of: &str) -> Result<(i64, i64), StoreError> {
    Ok(connection.prepare_cached(sql)?.query_row([of], |row| Ok((row.get(0)?, row.get(1)?)))?)
}

fn pending(connection: &Connection, sql: &str, of: &str) -> Result<i64, StoreError> {
    Ok(connection.prepare_cached(sql)?.query_row([of], |row| row.get(0))?)
}
