//! Multipart uploads.

use super::{BUCKET, World, body, read_all, refused};
use crate::server::s3::auth::Caller;
use crate::wire::Permission;
use s3s::dto::{
    AbortMultipartUploadInput, ChecksumAlgorithm, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CompletedMultipartUpload, CompletedPart, CopyObjectInput,
    CreateMultipartUploadInput, DeleteBucketInput, ETag, GetObjectInput, HeadObjectInput, ListPartsInput,
    Range, UploadPartInput,
};
use s3s::{S3, S3Result};

/// The least size of a part that is not the last.
const PART: usize = 5 << 20;

impl World {
    pub async fn begin(&self) -> String {
        let input = CreateMultipartUploadInput {
            bucket: BUCKET.to_owned(),
            key: "a".to_owned(),
            ..Default::default()
        };
        self.plane.create_multipart_upload(Self::full(input)).await.unwrap().output.upload_id.unwrap()
    }

    pub async fn part(&self, upload: &str, number: i32, data: &str) -> S3Result<ETag> {
        let input = UploadPartInput {
            bucket: BUCKET.to_owned(),
            key: "a".to_owned(),
            upload_id: upload.to_owned(),
            part_number: number,
            body: Some(body(data)),
            ..Default::default()
        };
        Ok(self.plane.upload_part(Self::full(input)).await?.output.e_tag.unwrap())
    }

    pub async fn complete(
        &self,
        upload: &str,
        parts: &[(i32, &ETag)],
    ) -> S3Result<CompleteMultipartUploadOutput> {
        let part = |(number, tag): &(i32, &ETag)| CompletedPart {
            part_number: Some(*number),
            e_tag: Some((*tag).clone()),
            ..Default::default()
        };
        let parts = Some(parts.iter().map(part).collect());
        let input = CompleteMultipartUploadInput {
            bucket: BUCKET.to_owned(),
            key: "a".to_owned(),
            upload_id: upload.to_owned(),
            multipart_upload: Some(CompletedMultipartUpload { parts }),
            ..Default::default()
        };
        Ok(self.plane.complete_multipart_upload(Self::full(input)).await?.output)
    }
}

#[tokio::test]
async fn the_parts_that_are_named_become_the_object() {
    let world = World::with_bucket().await;
    let upload = world.begin().await;
    let large = "x".repeat(PART);
    let old = world.part(&upload, 2, "replaced").await.unwrap();
    let two = world.part(&upload, 2, "the end").await.unwrap();
    let one = world.part(&upload, 1, &large).await.unwrap();
    world.part(&upload, 3, "not named").await.unwrap();
    assert_eq!(world.blobs(), 3);
    refused(world.complete(&upload, &[(1, &one), (2, &old)]).await, "InvalidPart");
    refused(world.complete(&upload, &[(2, &two), (1, &one)]).await, "InvalidPartOrder");
    refused(world.complete(&upload, &[(1, &one), (4, &two)]).await, "InvalidPart");
    let done = world.complete(&upload, &[(1, &one), (2, &two)]).await.unwrap();
    assert!(done.e_tag.unwrap().value().ends_with("-2"));
    assert_eq!(world.get("a", None).await.unwrap(), large + "the end");
    assert_eq!(world.blobs(), 1);
    world.assert_counted().await;
    refused(world.complete(&upload, &[(1, &one)]).await, "NoSuchUpload");
}

#[tokio::test]
async fn a_part_is_read_by_its_place_also_of_a_copy() {
    let world = World::with_bucket().await;
    let upload = world.begin().await;
    let large = "x".repeat(PART);
    let first = world.part(&upload, 3, &large).await.unwrap();
    let last = world.part(&upload, 9, "the end").await.unwrap();
    world.complete(&upload, &[(3, &first), (9, &last)]).await.unwrap();
    let copy = CopyObjectInput::builder()
        .bucket(BUCKET.to_owned())
        .key("copy".to_owned())
        .copy_source(s3s::dto::CopySource::Bucket {
            bucket: BUCKET.into(),
            key: "a".into(),
            version_id: None,
        })
        .build()
        .unwrap();
    world.plane.copy_object(World::full(copy)).await.unwrap();
    world.put("plain", "plain").await.unwrap();
    let get = async |key: &str, part: i32, range: Option<Range>| {
        let (bucket, key) = (BUCKET.to_owned(), key.to_owned());
        let input = GetObjectInput { bucket, key, part_number: Some(part), range, ..Default::default() };
        let output = world.plane.get_object(World::full(input)).await?.output;
        let (parts, range) = (output.parts_count, output.content_range);
        Ok::<_, s3s::S3Error>((parts, range, read_all(output.body).await.len()))
    };
    for key in ["a", "copy"] {
        let size = PART + 7;
        let (first, last) =
            (format!("bytes 0-{}/{size}", PART - 1), format!("bytes {PART}-{}/{size}", size - 1));
        assert_eq!(get(key, 1, None).await.unwrap(), (Some(2), Some(first), PART));
        assert_eq!(get(key, 2, None).await.unwrap(), (Some(2), Some(last), 7));
        refused(get(key, 3, None).await, "InvalidPartNumber");
        refused(get(key, 0, None).await, "InvalidArgument");
    }
    assert_eq!(get("plain", 1, None).await.unwrap(), (None, Some("bytes 0-4/5".to_owned()), 5));
    refused(get("plain", 2, None).await, "InvalidPartNumber");
    let range = Some(Range::Int { first: 0, last: Some(1) });
    refused(get("a", 1, range).await, "InvalidRequest");
}

#[tokio::test]
async fn every_part_but_the_last_has_five_mebibytes() {
    let world = World::with_bucket().await;
    let upload = world.begin().await;
    let one = world.part(&upload, 1, "small").await.unwrap();
    let two = world.part(&upload, 2, "small").await.unwrap();
    refused(world.complete(&upload, &[(1, &one), (2, &two)]).await, "EntityTooSmall");
    refused(world.part(&upload, 0, "x").await, "InvalidArgument");
    refused(world.part(&upload, 10_001, "x").await, "InvalidArgument");
    world.complete(&upload, &[(2, &two)]).await.unwrap();
    assert_eq!(world.get("a", None).await.unwrap(), "small");
}

#[tokio::test]
async fn an_aborted_upload_leaves_nothing_behind() {
    let world = World::with_bucket().await;
    let upload = world.begin().await;
    world.part(&upload, 1, "data").await.unwrap();
    let bucket = || World::full(DeleteBucketInput { bucket: BUCKET.to_owned(), ..Default::default() });
    refused(world.plane.delete_bucket(bucket()).await, "BucketNotEmpty");
    let input = AbortMultipartUploadInput {
        bucket: BUCKET.to_owned(),
        key: "a".to_owned(),
        upload_id: upload.clone(),
        ..Default::default()
    };
    world.plane.abort_multipart_upload(World::full(input.clone())).await.unwrap();
    refused(world.plane.abort_multipart_upload(World::full(input)).await, "NoSuchUpload");
    refused(world.part(&upload, 1, "data").await, "NoSuchUpload");
    assert_eq!(world.blobs(), 0);
    world.plane.delete_bucket(bucket()).await.unwrap();
}

#[tokio::test]
async fn parts_count_towards_the_quota() {
    let world = World::with_bucket().await;
    world.sql("UPDATE user SET quota = '{\"size\":10}'").await;
    let upload = world.begin().await;
    world.part(&upload, 1, "0123456").await.unwrap();
    refused(world.part(&upload, 2, "0123456").await, "QuotaExceeded");
    // The same part again takes the place of the first.
    let one = world.part(&upload, 1, "012").await.unwrap();
    world.complete(&upload, &[(1, &one)]).await.unwrap();
    assert_eq!(world.blobs(), 1);
}

#[tokio::test]
async fn a_key_with_write_sees_its_own_uploads_only() {
    let world = World::with_bucket().await;
    let upload = world.begin().await;
    let input = ListPartsInput {
        bucket: BUCKET.to_owned(),
        key: "a".to_owned(),
        upload_id: upload,
        ..Default::default()
    };
    let caller = |key: &str| Caller {
        user: "us_1".into(),
        key: key.into(),
        permission: Permission::Write,
        buckets: None,
    };
    let ask = async |key: &str| world.plane.list_parts(World::as_caller(caller(key), input.clone())).await;
    refused(ask("SKOTHER").await, "NoSuchUpload");
    ask("SKONE").await.unwrap();
}

#[tokio::test]
async fn the_checksum_of_an_object_is_made_of_those_of_its_parts() {
    let world = World::with_bucket().await;
    let input = CreateMultipartUploadInput {
        bucket: BUCKET.to_owned(),
        key: "a".to_owned(),
        checksum_algorithm: Some(ChecksumAlgorithm::from_static("CRC32")),
        ..Default::default()
    };
    let upload =
        world.plane.create_multipart_upload(World::full(input)).await.unwrap().output.upload_id.unwrap();
    let one = world.part(&upload, 1, "123456789").await.unwrap();
    let done = world.complete(&upload, &[(1, &one)]).await.unwrap();
    assert!(done.checksum_crc32.unwrap().ends_with("-1"));
    let mode = s3s::dto::ChecksumMode::from_static("ENABLED");
    let head = HeadObjectInput {
        bucket: BUCKET.to_owned(),
        key: "a".to_owned(),
        checksum_mode: Some(mode),
        ..Default::default()
    };
    let head = world.plane.head_object(World::full(head)).await.unwrap().output;
    assert_eq!(head.checksum_type.unwrap().as_str(), "COMPOSITE");
}
