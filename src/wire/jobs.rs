//! Jobs: long-running work on buckets. The conventions are those of [`super::resources`].

use super::optional::present;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum JobKind {
    /// Copies the versions of a bucket that are not yet in another one.
    Backup,
    /// Brings back what a Backup job copied.
    Restore,
    /// Removes everything from a bucket that may be removed.
    EmptyBucket,
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
pub enum JobState {
    /// Waits for its time, which `nextRunAt` says.
    Queued,
    /// At work.
    Running,
    /// The last run did all that there was to do.
    Succeeded,
    /// The last run gave up; `message` says why.
    Failed,
    /// Someone ended it.
    Cancelled,
}

/// A bucket and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct BucketRef {
    /// Whose it is, `us_…`.
    pub user_id: String,
    /// Its name.
    pub name: String,
}

/// A job. `GET /v1/jobs/{id}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobItem {
    /// `jb_…`
    pub id: String,
    /// What it does.
    pub kind: JobKind,
    /// Who made it, `us_…`: the job runs by this user's role, and its schedule is in this user's time zone.
    pub user_id: String,
    /// The bucket that is read (Backup, Restore) or emptied (EmptyBucket).
    pub source: BucketRef,
    /// The bucket that is written; absent for EmptyBucket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<BucketRef>,
    /// Of a Restore: the Backup job whose copies are brought back, `jb_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_id: Option<String>,
    /// Of a Restore: only versions that were written until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Timestamp>,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Five cron fields; absent: it runs on demand only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// Where it stands.
    pub state: JobState,
    /// When it runs next; absent: not by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_run_at: Option<Timestamp>,
    /// When the present or last run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Timestamp>,
    /// When the last run ended; absent while one is at work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Timestamp>,
    /// How often the present run has been tried again after a failure.
    #[serde(default)]
    pub retries: u32,
    /// Why the last run or try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What the present or last run has done.
    #[serde(default)]
    pub progress: JobProgress,
    /// What keeps a bucket from being empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_up: Option<HoldUp>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// What a run has done so far.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct JobProgress {
    /// Versions and markers copied or removed.
    #[serde(default)]
    pub versions: u64,
    /// Bytes of those.
    #[serde(default)]
    pub bytes: u64,
    /// Keys looked at.
    #[serde(default)]
    pub keys: u64,
    /// The last key that is done with; a run that was interrupted goes on after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_key: Option<String>,
}

/// What keeps a bucket from being empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HoldUp {
    /// Versions whose retention has not ended.
    #[serde(default)]
    pub retained: u64,
    /// When the last of those retentions ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retained_until: Option<Timestamp>,
    /// Versions under legal hold.
    #[serde(default)]
    pub legal_holds: u64,
    /// Open multipart uploads.
    #[serde(default)]
    pub uploads: u64,
    /// The earliest time at which the bucket can be empty; absent where nobody can say, because legal holds and uploads
    /// end when someone ends them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earliest: Option<Timestamp>,
}

/// `POST /v1/jobs`
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobCreate {
    /// What it does.
    pub kind: JobKind,
    /// The bucket to back up or to empty; absent for Restore, which reads where its Backup job writes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<BucketRef>,
    /// The bucket to write; a Restore without it writes where its Backup job reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<BucketRef>,
    /// Of a Restore: the Backup job, `jb_…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backup_id: Option<String>,
    /// Of a Restore: only versions that were written until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to: Option<Timestamp>,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Five cron fields (minute, hour, day of the month, month, day of the week) in the time zone of the job's owner.
    /// Absent: the job runs at once, and again when it is told to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
}

/// `PATCH /v1/jobs/{id}`
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JobPatch {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Another schedule; `null` clears it.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub schedule: Option<Option<String>>,
}
