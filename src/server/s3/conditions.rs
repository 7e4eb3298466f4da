//! Conditional requests: `If-Match` and its relatives (RFC 9110, section 13.2.2, in its order of evaluation).

use super::convert::{etag, millis, timestamp};
use crate::server::store::objects::versions::VersionRow;
use http::{HeaderMap, HeaderValue, header};
use s3s::dto::{ETagCondition, Timestamp, TimestampFormat};
use s3s::{S3Error, S3Result, s3_error};

/// The conditions of a request; times in milliseconds since 1970.
// Named as the headers are.
#[allow(clippy::struct_field_names)]
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    /// Only if it is this one; `*`: only if there is one.
    pub if_match: Option<ETagCondition>,
    /// Only if it is not this one; `*`: only if there is none.
    pub if_none_match: Option<ETagCondition>,
    /// Only if it changed since.
    pub if_modified_since: Option<i64>,
    /// Only if it did not change since.
    pub if_unmodified_since: Option<i64>,
}

impl Conditions {
    /// With the two that compare times.
    pub fn since(mut self, modified: Option<&Timestamp>, unmodified: Option<&Timestamp>) -> Self {
        self.if_modified_since = modified.map(millis);
        self.if_unmodified_since = unmodified.map(millis);
        self
    }

    /// Before writing over `current`.
    pub fn check_write(&self, current: Option<&VersionRow>) -> S3Result<()> {
        if self.fails_if_match(current) || self.fails_if_none_match(current) {
            return Err(s3_error!(PreconditionFailed));
        }
        Ok(())
    }

    /// Before copying `source`.
    pub fn check_source(&self, source: &VersionRow) -> S3Result<()> {
        match self.check_read(source) {
            Err(error) if *error.code() == s3s::S3ErrorCode::NotModified => {
                Err(s3_error!(PreconditionFailed))
            }
            other => other,
        }
    }

    /// Before reading `found`.
    pub fn check_read(&self, found: &VersionRow) -> S3Result<()> {
        // HTTP dates have no fraction of a second.
        let seconds = |millis: i64| millis.div_euclid(1000);
        let changed_since = |since: i64| seconds(found.modified) > seconds(since);
        let unmodified = self.if_unmodified_since.filter(|_| self.if_match.is_none());
        if self.fails_if_match(Some(found)) || unmodified.is_some_and(changed_since) {
            return Err(s3_error!(PreconditionFailed));
        }
        let modified = self.if_modified_since.filter(|_| self.if_none_match.is_none());
        if self.fails_if_none_match(Some(found)) || modified.is_some_and(|since| !changed_since(since)) {
            return Err(not_modified(found));
        }
        Ok(())
    }

    fn fails_if_match(&self, current: Option<&VersionRow>) -> bool {
        self.if_match.as_ref().is_some_and(|condition| !hits(condition, current))
    }

    fn fails_if_none_match(&self, current: Option<&VersionRow>) -> bool {
        self.if_none_match.as_ref().is_some_and(|condition| hits(condition, current))
    }
}

fn hits(condition: &ETagCondition, current: Option<&VersionRow>) -> bool {
    match (condition, current) {
        (_, None) => false,
        (ETagCondition::Any, Some(_)) => true,
        (ETagCondition::ETag(tag), Some(found)) => tag.value() == found.etag,
    }
}

/// A 304 with the validators that a cache needs.
fn not_modified(found: &VersionRow) -> S3Error {
    let mut headers = HeaderMap::new();
    if let Ok(tag) = etag(&found.etag).to_http_header() {
        headers.insert(header::ETAG, tag);
    }
    let mut date = Vec::new();
    if timestamp(found.modified).format(TimestampFormat::HttpDate, &mut date).is_ok()
        && let Ok(date) = HeaderValue::from_bytes(&date)
    {
        headers.insert(header::LAST_MODIFIED, date);
    }
    let mut error = s3_error!(NotModified);
    error.set_headers(headers);
    error
}
