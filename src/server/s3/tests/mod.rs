//! Tests of the data plane through the operations, on a store of its own each; signatures and XML are tested from
//! outside, with real clients.

mod listing;
mod locks;
mod parsers;
mod quotas;
mod races;
mod uploads;
mod writes;

use super::auth::Caller;
use super::operations::DataPlane;
use crate::server::store::{Store, StoreError};
use crate::wire::Permission;
use bytes::Bytes;
use futures::StreamExt as _;
use http::{Extensions, HeaderMap, Method, Uri};
use s3s::dto::{
    BucketVersioningStatus, CreateBucketInput, DeleteObjectInput, DeleteObjectOutput, GetObjectInput,
    PutBucketVersioningInput, PutObjectInput, PutObjectOutput, StreamingBlob, VersioningConfiguration,
};
use s3s::{S3, S3Error, S3Request, S3Result};

pub const BUCKET: &str = "data";

/// A store with one tenant and the users `us_1` and `us_2`, and the operations over it.
pub struct World {
    pub store: Store,
    pub plane: DataPlane,
    folder: tempfile::TempDir,
}

/// Asserts that a call was refused with this code.
pub fn refused<T>(outcome: S3Result<T>, code: &str) {
    let error = outcome.err().unwrap_or_else(|| panic!("not refused; expected {code}"));
    assert_eq!(error.code().as_str(), code, "{error}");
}

pub fn body(data: &str) -> StreamingBlob {
    let pieces: Vec<_> =
        data.as_bytes().chunks(7).map(|c| Ok::<_, std::io::Error>(c.to_vec().into())).collect();
    StreamingBlob::wrap::<_, std::io::Error>(futures::stream::iter(pieces))
}

pub async fn read_all(body: Option<StreamingBlob>) -> Vec<u8> {
    let mut data = Vec::new();
    let mut body = body.unwrap();
    while let Some(piece) = body.next().await {
        let piece: Bytes = piece.unwrap();
        data.extend_from_slice(&piece);
    }
    data
}

impl World {
    /// With an empty store.
    pub async fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let sql = "INSERT INTO tenant VALUES ('tn_1', 'acme', 'Public', '', '{}', '{}', 0, 0);
            INSERT INTO account VALUES ('1', 'main', 'tn_1', '', 1, 0);
            INSERT INTO user VALUES ('us_1', 'one', '', '', 'UTC', 'FullAccess', 'tn_1', '1', 1, 0, '', '{}', '{}', NULL, 'system', 0);
            INSERT INTO user VALUES ('us_2', 'two', '', '', 'UTC', 'FullAccess', 'tn_1', '1', 1, 0, '', '{}', '{}', NULL, 'system', 0);";
        let world = Self { plane: DataPlane::new(store.clone(), "storekeeper"), store, folder };
        world.sql(sql).await;
        world
    }

    /// With the bucket `data` of `us_1`.
    pub async fn with_bucket() -> Self {
        let world = Self::empty().await;
        world.create(BUCKET, false).await.unwrap();
        world
    }

    pub async fn sql(&self, sql: &'static str) {
        self.store.write(move |c| Ok::<_, StoreError>(c.execute_batch(sql)?)).await.unwrap();
    }

    /// A request of `us_1` with a key of that level.
    pub fn as_level<I>(permission: Permission, input: I) -> S3Request<I> {
        let caller = Caller { user: "us_1".into(), key: "SKONE".into(), permission, buckets: None };
        Self::as_caller(caller, input)
    }

    /// A request of `us_1` with a Full key.
    pub fn full<I>(input: I) -> S3Request<I> {
        Self::as_level(Permission::Full, input)
    }

    pub fn as_caller<I>(caller: Caller, input: I) -> S3Request<I> {
        let mut extensions = Extensions::new();
        extensions.insert(caller);
        S3Request {
            input,
            method: Method::GET,
            uri: Uri::from_static("/"),
            headers: HeaderMap::new(),
            extensions,
            credentials: None,
            region: Some("storekeeper".parse().unwrap()),
            service: Some("s3".to_owned()),
            trailing_headers: None,
        }
    }

    pub async fn create(&self, bucket: &str, lock: bool) -> S3Result<()> {
        let object_lock_enabled_for_bucket = Some(lock);
        let input = CreateBucketInput {
            bucket: bucket.to_owned(),
            object_lock_enabled_for_bucket,
            ..Default::default()
        };
        self.plane.create_bucket(Self::full(input)).await.map(drop)
    }

    pub async fn set_versioning(&self, status: &'static str) {
        let status = Some(BucketVersioningStatus::from_static(status));
        let versioning_configuration = VersioningConfiguration { status, ..Default::default() };
        let input = PutBucketVersioningInput::builder()
            .bucket(BUCKET.to_owned())
            .versioning_configuration(versioning_configuration)
            .build()
            .unwrap();
        self.plane.put_bucket_versioning(Self::full(input)).await.unwrap();
    }

    pub fn put_input(key: &str, data: &str) -> PutObjectInput {
        PutObjectInput {
            bucket: BUCKET.to_owned(),
            key: key.to_owned(),
            body: Some(body(data)),
            ..Default::default()
        }
    }

    pub async fn put(&self, key: &str, data: &str) -> S3Result<PutObjectOutput> {
        Ok(self.plane.put_object(Self::full(Self::put_input(key, data))).await?.output)
    }

    pub async fn get(&self, key: &str, version: Option<&str>) -> S3Result<String> {
        let version_id = version.map(str::to_owned);
        let input = GetObjectInput {
            bucket: BUCKET.to_owned(),
            key: key.to_owned(),
            version_id,
            ..Default::default()
        };
        let output = self.plane.get_object(Self::full(input)).await?.output;
        String::from_utf8(read_all(output.body).await)
            .map_err(|_| S3Error::new(s3s::S3ErrorCode::InternalError))
    }

    pub fn delete_input(key: &str, version: Option<&str>) -> DeleteObjectInput {
        let version_id = version.map(str::to_owned);
        DeleteObjectInput { bucket: BUCKET.to_owned(), key: key.to_owned(), version_id, ..Default::default() }
    }

    pub async fn delete(&self, key: &str, version: Option<&str>) -> S3Result<DeleteObjectOutput> {
        Ok(self.plane.delete_object(Self::full(Self::delete_input(key, version))).await?.output)
    }

    /// How many blob files there are.
    pub fn blobs(&self) -> usize {
        let folders = std::fs::read_dir(self.folder.path().join("blobs")).unwrap();
        folders.map(|folder| std::fs::read_dir(folder.unwrap().path()).unwrap().count()).sum()
    }

    /// Asserts that what is counted is what is there.
    pub async fn assert_counted(&self) {
        let read = |c: &rusqlite::Connection| {
            Ok::<_, StoreError>(c.query_row(
                "SELECT (SELECT coalesce(sum(used_bytes), 0) FROM bucket), (SELECT coalesce(sum(size), 0) FROM object), \
                 (SELECT coalesce(sum(used_objects), 0) FROM bucket), (SELECT count(*) FROM object WHERE marker = 0)",
                [],
                |row| Ok([row.get::<_, i64>(0)?, row.get(1)?, row.get(2)?, row.get(3)?]),
            )?)
        };
        let [bytes, real_bytes, objects, real_objects] = self.store.read(read).await.unwrap();
        assert_eq!((bytes, objects), (real_bytes, real_objects));
    }
}
