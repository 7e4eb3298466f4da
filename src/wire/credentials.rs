//! Sessions, API tokens and the audit log. The conventions are those of [`super::resources`].

use super::ShownSecret;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /v1/sessions`
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionCreate {
    /// Who.
    pub login: String,
    /// The account password.
    pub password: ShownSecret,
    /// For browsers: the session is a cookie that no script can read, and changes need `X-CSRF-Token`.
    #[serde(default)]
    pub cookie: bool,
}

/// The answer to `POST /v1/sessions`.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionCreated {
    /// Bearer token of the session; absent where the session is a cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<ShownSecret>,
    /// What goes into `X-CSRF-Token`, where the session is a cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf_token: Option<ShownSecret>,
    /// Who signed in, `us_…`.
    pub user_id: String,
    /// When the session ends.
    pub expires_at: Timestamp,
}

/// The caller's own session. `GET /v1/sessions`
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SessionItem {
    /// Whose it is, `us_…`.
    pub user_id: String,
    /// When the password was last verified (rule 5).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_at: Option<Timestamp>,
    /// What goes into `X-CSRF-Token`, where the session is a cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csrf_token: Option<ShownSecret>,
}

/// `POST /v1/sessions/verify` (rule 5)
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SessionVerify {
    /// The account password.
    pub password: ShownSecret,
}

/// What a token may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub enum Scope {
    /// Read everything that the user may read.
    #[serde(rename = "read")]
    Read,
    /// Change everything that the user may change, but keys.
    #[serde(rename = "write")]
    Write,
    /// Make, rotate and revoke keys.
    #[serde(rename = "keys:write")]
    KeysWrite,
}

/// An API token, without its secret. `GET /v1/tokens/{id}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenItem {
    /// `tk_…`
    pub id: String,
    /// Whose it is, `us_…`.
    pub user_id: String,
    /// What it is for.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it ends; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// `POST /v1/tokens`
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TokenCreate {
    /// What it is for.
    pub name: String,
    /// What it may be used for.
    pub scopes: Vec<Scope>,
    /// When it ends; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// The answer to `POST /v1/tokens`: the only one that ever shows the token.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenCreated {
    /// The token's record.
    #[serde(flatten)]
    pub item: TokenItem,
    /// The bearer token, shown here and never again.
    pub token: ShownSecret,
}

/// One line of the audit log. `GET /v1/auditEvents`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditEvent {
    /// Grows by one.
    pub sequence: i64,
    /// When.
    pub time: Timestamp,
    /// Who: a user's id, or `system`.
    pub principal: String,
    /// What: `accessKey.create`, …
    pub action: String,
    /// On what: an id.
    pub target: String,
    /// `ok`, or a problem type.
    pub outcome: String,
    /// The request.
    pub request_id: String,
}
