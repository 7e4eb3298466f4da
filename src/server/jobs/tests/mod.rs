//! The runner over a real store: jobs on buckets of the first administrator.

mod copying;
mod emptying;
mod running;

use super::{Counters, Runner};
use crate::server::domain::jobs::{life, rules};
use crate::server::domain::{buckets as bucket_rules, buckets::Room};
use crate::server::first_start;
use crate::server::store::objects::buckets as bucket_rows;
use crate::server::store::objects::versions::{self, VersionInsert, VersionRow, Walk};
use crate::server::store::{Store, StoreError, buckets, jobs, users};
use crate::wire::{
    BucketRef, JobCreate, JobItem, JobKind, JobState, LockMode, ShownSecret, UserItem, Versioning,
};
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::json;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

struct World {
    folder: TempDir,
    store: Store,
    owner: UserItem,
}

/// A time at which nothing of the tests has happened yet.
const NOW: i64 = 1_000_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap()
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let password = ShownSecret::new("correct horse".to_owned());
        first_start::fill(&store, Some(password), at(0), |_| {}).await.unwrap();
        let read = |connection: &Connection| {
            let (id, _, _) = users::for_sign_in(connection, first_start::LOGIN)?.unwrap();
            users::get(connection, &id)
        };
        let owner = store.read(read).await.unwrap().unwrap();
        Self { folder, store, owner }
    }

    /// As after a crash: nothing but what is on the disk.
    fn restart(self) -> Self {
        let Self { folder, store, owner } = self;
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        Self { folder, store, owner }
    }

    async fn write<T: Send + 'static>(
        &self,
        write: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.store.write(write).await.unwrap()
    }

    async fn bucket(&self, name: &str, settings: serde_json::Value) {
        let mut wish = settings;
        wish["userId"] = json!(self.owner.id);
        wish["name"] = json!(name);
        let wish = serde_json::from_value(wish).unwrap();
        let bucket = bucket_rules::create(&self.owner, wish, Room::default(), at(0)).unwrap();
        self.write(move |connection| buckets::insert(connection, &bucket)).await;
    }

    async fn row_of(&self, bucket: &str) -> bucket_rows::BucketRow {
        let (user, name) = (self.owner.id.clone(), bucket.to_owned());
        self.store.read(move |c| bucket_rows::find(c, &user, &name)).await.unwrap().unwrap()
    }

    /// Writes a version as the data plane does; no text makes a delete marker.
    async fn put(
        &self,
        bucket: &str,
        key: &str,
        text: Option<&str>,
        retained_until: Option<i64>,
        hold: bool,
    ) {
        let bucket = self.row_of(bucket).await;
        let blob = match text {
            None => None,
            Some(text) => {
                let mut writer = self.store.blobs().create();
                writer.write(text.as_bytes()).await.unwrap();
                Some(writer.finish().await.unwrap().release())
            }
        };
        let (key, size) = (key.to_owned(), i64::try_from(text.unwrap_or_default().len()).unwrap());
        self.write(move |connection| {
            let version = match bucket.versioning {
                Versioning::Enabled => format!("{:032x}", rand::random::<u128>()),
                Versioning::Disabled | Versioning::Suspended => {
                    if let Some(old) = versions::find(connection, bucket.id, &key, versions::NULL_VERSION)? {
                        versions::delete(connection, bucket.id, &old)?;
                    }
                    versions::NULL_VERSION.to_owned()
                }
            };
            let insert = VersionInsert {
                key: &key,
                version: &version,
                size,
                etag: "e",
                blob: blob.as_ref(),
                modified: NOW,
                attributes: "{}",
                tags: "[]",
                retention: retained_until.map(|until| (LockMode::Governance, until)),
                legal_hold: hold,
            };
            versions::insert(connection, bucket.id, &insert)
        })
        .await;
    }

    async fn text(&self, bucket: &str, key: &str, text: &str) {
        self.put(bucket, key, Some(text), None, false).await;
    }

    async fn rows(&self, bucket: &str) -> Vec<VersionRow> {
        let bucket = self.row_of(bucket).await.id;
        let walk = move |connection: &Connection| {
            let mut rows = Vec::new();
            versions::walk_all(connection, bucket, String::new(), |row| {
                rows.push(row);
                Walk::On
            })?;
            Ok::<_, StoreError>(rows)
        };
        self.store.read(walk).await.unwrap()
    }

    /// `key=text`, the newest first, `*` before what a key stands for, `-` for a delete marker.
    async fn contents(&self, bucket: &str) -> Vec<String> {
        let show = |row: VersionRow| {
            let mut text = String::from("-");
            if let Some(blob) = &row.blob {
                text.clear();
                self.store.blobs().read(blob).unwrap().unwrap().read_to_string(&mut text).unwrap();
            }
            format!("{}{}={text}", if row.latest { "*" } else { "" }, row.key)
        };
        self.rows(bucket).await.into_iter().map(show).collect()
    }

    fn named(&self, name: &str) -> BucketRef {
        BucketRef { user_id: self.owner.id.clone(), name: name.to_owned() }
    }

    /// A job that is due.
    async fn job(&self, id: &str, kind: JobKind, source: &str, target: Option<&str>) -> JobItem {
        let wish = json!({"kind": kind});
        let wish: JobCreate = serde_json::from_value(wish).unwrap();
        let side = |name: &str| rules::Side {
            bucket: self.named(name),
            tenant_id: self.owner.tenant_id.clone(),
            root: false,
            versioning: Versioning::Enabled,
        };
        let target = target.map(side);
        let job =
            rules::create(id.to_owned(), &self.owner, wish, &side(source), target.as_ref(), at(0)).unwrap();
        let row = job.clone();
        self.write(move |connection| jobs::insert(connection, &row)).await;
        job
    }

    async fn state(&self, id: &str) -> JobItem {
        let id = id.to_owned();
        self.store.read(move |connection| jobs::get(connection, &id)).await.unwrap().unwrap()
    }

    async fn save(&self, job: JobItem) {
        self.write(move |connection| jobs::update(connection, &job)).await;
    }

    async fn begin(&self, job: &JobItem) {
        self.save(life::begin(job.clone(), at(NOW))).await;
    }

    /// Runs the runner until the job has ended, or waits for a later time.
    async fn run(&self, id: &str) -> JobItem {
        let stop = CancellationToken::new();
        let bell = Arc::new(Notify::new());
        let runner = Runner::new(self.store.clone(), bell, Counters::default());
        let running = tokio::spawn(runner.run(stop.clone()));
        let waiting = async {
            loop {
                let job = self.state(id).await;
                let now = crate::clock::now();
                let waits = job.state == JobState::Queued && !life::due(&job, now);
                if waits || !matches!(job.state, JobState::Queued | JobState::Running) {
                    return job;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let job = tokio::time::timeout(Duration::from_mins(1), waiting).await.unwrap();
        stop.cancel();
        running.await.unwrap();
        job
    }
}

fn versioned() -> serde_json::Value {
    json!({"versioning": "Enabled"})
}
