//! Writing, replacing, removing; quotas; what an aborted request leaves behind.

use super::{BUCKET, World, read_all, refused};
use crate::server::s3::auth::Caller;
use crate::wire::Permission;
use futures::StreamExt as _;
use s3s::S3;
use s3s::dto::{
    BucketVersioningStatus, CopyObjectInput, CopySource, DeleteBucketInput, ETag, ETagCondition,
    GetObjectInput, HeadObjectInput, ListBucketsInput, Range, StreamingBlob,
};
use std::sync::Arc;

const ENABLED: &str = BucketVersioningStatus::ENABLED;
const SUSPENDED: &str = BucketVersioningStatus::SUSPENDED;

#[tokio::test]
async fn without_versioning_a_write_replaces_and_unlinks_what_was_there() {
    let world = World::with_bucket().await;
    assert_eq!(world.put("a", "one").await.unwrap().version_id, None);
    world.put("a", "three").await.unwrap();
    assert_eq!(world.get("a", None).await.unwrap(), "three");
    assert_eq!(world.blobs(), 1);
    world.assert_counted().await;
    world.delete("a", None).await.unwrap();
    refused(world.get("a", None).await, "NoSuchKey");
    assert_eq!(world.blobs(), 0);
    world.assert_counted().await;
}

#[tokio::test]
async fn with_versioning_every_version_stays_until_it_is_named() {
    let world = World::with_bucket().await;
    world.put("a", "null").await.unwrap();
    world.set_versioning(ENABLED).await;
    let one = world.put("a", "one").await.unwrap().version_id.unwrap();
    let two = world.put("a", "two").await.unwrap().version_id.unwrap();
    let marker = world.delete("a", None).await.unwrap();
    assert_eq!(marker.delete_marker, Some(true));
    refused(world.get("a", None).await, "NoSuchKey");
    refused(world.get("a", marker.version_id.as_deref()).await, "MethodNotAllowed");
    for (version, data) in [("null", "null"), (&one, "one"), (&two, "two")] {
        assert_eq!(world.get("a", Some(version)).await.unwrap(), data);
    }
    // Removing the marker brings the newest version back; removing that one, the one before.
    world.delete("a", marker.version_id.as_deref()).await.unwrap();
    assert_eq!(world.get("a", None).await.unwrap(), "two");
    world.delete("a", Some(&two)).await.unwrap();
    assert_eq!(world.get("a", None).await.unwrap(), "one");
    refused(world.get("a", Some(&two)).await, "NoSuchVersion");
    assert_eq!(world.blobs(), 2);
    world.assert_counted().await;
}

#[tokio::test]
async fn with_versioning_suspended_only_the_null_version_is_replaced() {
    let world = World::with_bucket().await;
    world.set_versioning(ENABLED).await;
    let kept = world.put("a", "kept").await.unwrap().version_id.unwrap();
    world.set_versioning(SUSPENDED).await;
    for data in ["first", "second"] {
        assert_eq!(world.put("a", data).await.unwrap().version_id.as_deref(), Some("null"));
    }
    assert_eq!(world.blobs(), 2);
    assert_eq!(world.get("a", None).await.unwrap(), "second");
    let marker = world.delete("a", None).await.unwrap();
    assert_eq!(marker.version_id.as_deref(), Some("null"));
    assert_eq!(world.get("a", Some(&kept)).await.unwrap(), "kept");
    assert_eq!(world.blobs(), 1);
    world.assert_counted().await;
}

#[tokio::test]
async fn a_write_takes_place_only_on_its_conditions() {
    let world = World::with_bucket().await;
    let put = async |if_match: Option<ETagCondition>, if_none_match: Option<ETagCondition>| {
        let mut input = World::put_input("a", "data");
        (input.if_match, input.if_none_match) = (if_match, if_none_match);
        world.plane.put_object(World::full(input)).await
    };
    let tag = |text: &str| Some(ETagCondition::ETag(ETag::Strong(text.to_owned())));
    refused(put(Some(ETagCondition::Any), None).await, "PreconditionFailed");
    let made = put(None, Some(ETagCondition::Any)).await.unwrap().output.e_tag.unwrap();
    refused(put(None, Some(ETagCondition::Any)).await, "PreconditionFailed");
    refused(put(tag("0"), None).await, "PreconditionFailed");
    put(tag(made.value()), None).await.unwrap();
    assert_eq!(world.blobs(), 1);
}

#[tokio::test]
async fn quotas_of_the_bucket_and_of_its_user_hold() {
    let world = World::with_bucket().await;
    world.create("more", false).await.unwrap();
    world.sql("UPDATE bucket SET quota = '{\"size\":10,\"objects\":2}' WHERE name = 'data'").await;
    refused(world.put("a", "eleven bytes").await, "QuotaExceeded");
    world.put("a", "0123456789").await.unwrap();
    refused(world.put("b", "x").await, "QuotaExceeded");
    // What is replaced makes room.
    world.put("a", "012345678").await.unwrap();
    world.put("b", "").await.unwrap();
    refused(world.put("c", "").await, "QuotaExceeded");
    world.sql("UPDATE bucket SET quota = '{}'; UPDATE user SET quota = '{\"size\":9,\"buckets\":2}' WHERE id = 'us_1'").await;
    refused(world.put("b", "x").await, "QuotaExceeded");
    refused(world.create("third", false).await, "TooManyBuckets");
    assert_eq!(world.blobs(), 2);
    world.assert_counted().await;
}

#[tokio::test]
async fn an_upload_of_unknown_length_ends_where_the_quota_does() {
    let world = World::with_bucket().await;
    world.sql("UPDATE bucket SET quota = '{\"size\":1000}'").await;
    let endless = futures::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![0_u8; 400].into()));
    let mut input = World::put_input("a", "");
    input.body = Some(StreamingBlob::wrap(endless));
    refused(world.plane.put_object(World::full(input)).await, "QuotaExceeded");
    assert_eq!(world.blobs(), 0);
}

#[tokio::test]
async fn a_broken_or_abandoned_upload_leaves_nothing_behind() {
    let world = World::with_bucket().await;
    let broken = futures::stream::iter([
        // Enough to be on the disk already.
        Ok(bytes::Bytes::from(vec![7; 600_000])),
        Err(std::io::Error::other("the client went away")),
    ]);
    let mut input = World::put_input("a", "");
    input.body = Some(StreamingBlob::wrap(broken));
    refused(world.plane.put_object(World::full(input)).await, "IncompleteBody");
    assert_eq!(world.blobs(), 0);

    let (arrived, begun) = tokio::sync::oneshot::channel::<()>();
    let first = futures::stream::once(async move {
        drop(arrived);
        Ok::<_, std::io::Error>(bytes::Bytes::from_static(b"half"))
    });
    let mut input = World::put_input("a", "");
    input.body = Some(StreamingBlob::wrap(first.chain(futures::stream::pending()).boxed_sync()));
    tokio::select! {
        _ = world.plane.put_object(World::full(input)) => panic!("the body never ends"),
        _ = begun => {}
    }
    assert_eq!(world.blobs(), 0);
    refused(world.get("a", None).await, "NoSuchKey");
}

/// `StreamExt::boxed` is not `Sync`, which bodies must be.
trait BoxedSync: futures::Stream + Sized + Send + Sync + 'static {
    fn boxed_sync(self) -> std::pin::Pin<Box<dyn futures::Stream<Item = Self::Item> + Send + Sync>> {
        Box::pin(self)
    }
}

impl<S: futures::Stream + Sized + Send + Sync + 'static> BoxedSync for S {}

#[tokio::test]
async fn what_does_not_match_its_checksum_is_refused() {
    let world = World::with_bucket().await;
    let mut input = World::put_input("a", "data");
    input.checksum_crc32 = Some("AAAAAA==".to_owned());
    refused(world.plane.put_object(World::full(input)).await, "BadDigest");
    let mut input = World::put_input("a", "data");
    input.content_md5 = Some("AAAAAAAAAAAAAAAAAAAAAA==".to_owned());
    refused(world.plane.put_object(World::full(input)).await, "BadDigest");
    let mut input = World::put_input("a", "data");
    input.content_md5 = Some("AAAA".to_owned());
    refused(world.plane.put_object(World::full(input)).await, "InvalidDigest");
    assert_eq!(world.blobs(), 0);
}

#[tokio::test]
async fn a_copy_keeps_its_data_when_the_source_goes() {
    let world = World::with_bucket().await;
    world.put("a", "data").await.unwrap();
    let from = |key: &str| CopySource::Bucket { bucket: BUCKET.into(), key: key.into(), version_id: None };
    let input = CopyObjectInput::builder()
        .bucket(BUCKET.to_owned())
        .key("b".to_owned())
        .copy_source(from("a"))
        .build()
        .unwrap();
    world.plane.copy_object(World::full(input.clone())).await.unwrap();
    world.delete("a", None).await.unwrap();
    assert_eq!(world.get("b", None).await.unwrap(), "data");
    assert_eq!(world.blobs(), 1);
    refused(world.plane.copy_object(World::full(input)).await, "NoSuchKey");
    world.assert_counted().await;
}

#[tokio::test]
async fn a_range_is_a_piece_of_the_object() {
    let world = World::with_bucket().await;
    world.put("a", "0123456789").await.unwrap();
    for (range, expected, shown) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-2", "89", "bytes 8-9/10"),
        ("bytes=8-100", "89", "bytes 8-9/10"),
    ] {
        let range = Some(Range::parse(range).unwrap());
        let input =
            GetObjectInput { bucket: BUCKET.to_owned(), key: "a".to_owned(), range, ..Default::default() };
        let output = world.plane.get_object(World::full(input)).await.unwrap().output;
        assert_eq!(output.content_range.as_deref(), Some(shown));
        assert_eq!(read_all(output.body).await, expected.as_bytes());
    }
    let range = Some(Range::parse("bytes=10-").unwrap());
    let input =
        GetObjectInput { bucket: BUCKET.to_owned(), key: "a".to_owned(), range, ..Default::default() };
    refused(world.plane.get_object(World::full(input)).await, "InvalidRange");
}

#[tokio::test]
async fn users_do_not_see_each_others_buckets_even_of_the_same_name() {
    let world = World::with_bucket().await;
    world.put("a", "data").await.unwrap();
    let other =
        Caller { user: "us_2".into(), key: "SKTWO".into(), permission: Permission::Full, buckets: None };
    let head = HeadObjectInput { bucket: BUCKET.to_owned(), key: "a".to_owned(), ..Default::default() };
    refused(world.plane.head_object(World::as_caller(other.clone(), head.clone())).await, "NoSuchBucket");
    world.sql("INSERT INTO bucket (user, name, versioning, object_lock, quota, labels, created) VALUES ('us_2', 'data', 'Disabled', 0, '{}', '{}', 0)").await;
    refused(world.plane.head_object(World::as_caller(other, head)).await, "NoSuchKey");
    assert_eq!(world.get("a", None).await.unwrap(), "data");
}

#[tokio::test]
async fn a_restricted_key_lists_only_its_buckets() {
    let world = World::with_bucket().await;
    world.create("more", false).await.unwrap();
    let buckets: Option<Arc<[String]>> = Some(Arc::new(["more".to_owned()]));
    let caller = Caller { user: "us_1".into(), key: "SK".into(), permission: Permission::Full, buckets };
    let listed =
        world.plane.list_buckets(World::as_caller(caller.clone(), ListBucketsInput::default())).await;
    let names: Vec<_> =
        listed.unwrap().output.buckets.unwrap().into_iter().map(|b| b.name.unwrap()).collect();
    assert_eq!(names, ["more"]);
    // It may copy from these only, too.
    world.put("a", "data").await.unwrap();
    let input = CopyObjectInput::builder()
        .bucket("more".to_owned())
        .key("b".to_owned())
        .copy_source(CopySource::Bucket { bucket: BUCKET.into(), key: "a".into(), version_id: None })
        .build()
        .unwrap();
    refused(world.plane.copy_object(World::as_caller(caller, input)).await, "AccessDenied");
}

#[tokio::test]
async fn only_an_empty_bucket_is_deleted() {
    let world = World::with_bucket().await;
    world.set_versioning(ENABLED).await;
    let marker = world.delete("a", None).await.unwrap().version_id;
    let delete = || World::full(DeleteBucketInput { bucket: BUCKET.to_owned(), ..Default::default() });
    refused(world.plane.delete_bucket(delete()).await, "BucketNotEmpty");
    world.delete("a", marker.as_deref()).await.unwrap();
    world.plane.delete_bucket(delete()).await.unwrap();
    refused(world.plane.delete_bucket(delete()).await, "NoSuchBucket");
}

#[tokio::test]
async fn nobody_enters_unsigned_or_signed_for_another_region() {
    let world = World::with_bucket().await;
    let head = HeadObjectInput { bucket: BUCKET.to_owned(), key: "a".to_owned(), ..Default::default() };
    let mut request = World::full(head.clone());
    request.extensions.clear();
    refused(world.plane.head_object(request).await, "AccessDenied");
    let mut request = World::full(head.clone());
    request.region = Some("us-east-1".parse().unwrap());
    refused(world.plane.head_object(request).await, "AuthorizationHeaderMalformed");
    let mut request = World::full(head);
    request.region = None;
    refused(world.plane.head_object(request).await, "InvalidRequest");
}
