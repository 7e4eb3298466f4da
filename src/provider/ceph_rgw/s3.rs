//! The few requests of S3 that only the gateway's data plane answers: making a bucket, and setting what it keeps.

use super::failure::Failure;
use super::sign::Credentials;
use super::transport::{Ask, Transport};
use crate::provider::{Retention, RetentionPeriod};
use crate::wire::{LockMode, Versioning};
use http::Method;

const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";
const LOCK: &str = "x-amz-bucket-object-lock-enabled";

/// Makes a bucket. The gateway answers the same where one's own bucket of that name is there, whatever it is like.
pub async fn create_bucket(
    transport: &Transport,
    who: &Credentials,
    name: &str,
    lock: bool,
) -> Result<(), Failure> {
    let headers = if lock { vec![(LOCK, "true".to_owned())] } else { Vec::new() };
    let path = format!("/{name}");
    let ask = Ask { headers: &headers, ..Ask::new(Method::PUT, &path, &[]) };
    transport.send(who, &ask).await.map(drop)
}

/// Sets whether older versions are kept. There is no way back to never having kept any.
pub async fn set_versioning(
    transport: &Transport,
    who: &Credentials,
    name: &str,
    versioning: Versioning,
) -> Result<(), Failure> {
    let status = match versioning {
        Versioning::Enabled => "Enabled",
        Versioning::Suspended | Versioning::Disabled => "Suspended",
    };
    let body = format!(
        "<VersioningConfiguration xmlns=\"{NAMESPACE}\"><Status>{status}</Status></VersioningConfiguration>"
    );
    put(transport, who, name, "versioning", &body).await
}

/// Sets how long a bucket with object lock keeps new objects.
pub async fn set_retention(
    transport: &Transport,
    who: &Credentials,
    name: &str,
    retention: Retention,
) -> Result<(), Failure> {
    let mode = match retention.mode {
        LockMode::Governance => "GOVERNANCE",
        LockMode::Compliance => "COMPLIANCE",
    };
    let period = match retention.period {
        RetentionPeriod::Days(days) => format!("<Days>{days}</Days>"),
        RetentionPeriod::Years(years) => format!("<Years>{years}</Years>"),
    };
    let rule = format!("<Rule><DefaultRetention><Mode>{mode}</Mode>{period}</DefaultRetention></Rule>");
    let body = format!(
        "<ObjectLockConfiguration xmlns=\"{NAMESPACE}\"><ObjectLockEnabled>Enabled</ObjectLockEnabled>{rule}</ObjectLockConfiguration>"
    );
    put(transport, who, name, "object-lock", &body).await
}

async fn put(
    transport: &Transport,
    who: &Credentials,
    name: &str,
    what: &str,
    body: &str,
) -> Result<(), Failure> {
    let (path, query) = (format!("/{name}"), [(what, String::new())]);
    let ask = Ask { body: body.as_bytes(), ..Ask::new(Method::PUT, &path, &query) };
    transport.send(who, &ask).await.map(drop)
}
