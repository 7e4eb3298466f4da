//! What was used, for bills. `GET /v1/usage`

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How long the periods are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum UsageStep {
    /// Hours.
    Hour,
    /// Days, UTC.
    Day,
}

/// What usage is added up by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum UsageGroup {
    /// Accounts.
    Account,
    /// Users.
    User,
    /// Access keys: requests only, because what is stored is a user's.
    AccessKey,
}

/// What was used in one period.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UsageItem {
    /// When the period begins.
    pub from: Timestamp,
    /// When it ends.
    pub to: Timestamp,
    /// The account.
    pub account_id: String,
    /// The user; absent of accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<String>,
    /// The access key; absent of accounts and users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// Requests to the S3 endpoint that were signed with a key that may be used, whatever the answer was.
    pub requests: u64,
    /// Bytes of the answers' bodies, as far as they were sent.
    pub egress: u64,
    /// What was stored; absent of access keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stored: Option<StoredUsage>,
}

/// What was stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StoredUsage {
    /// Bytes at the end of the period, all versions.
    pub size: u64,
    /// Objects at the end of the period, all versions.
    pub objects: u64,
    /// The bytes at the end of each hour of the period, added up.
    pub byte_hours: u64,
}
