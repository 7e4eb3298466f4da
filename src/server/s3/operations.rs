//! The table of the operations that are implemented. Each is a function `(&Call, Input) -> Output` in the file of its
//! theme; whatever is not here answers 501.

use super::auth::Caller;
use super::errors::Fault;
use super::quota::Ledger;
use super::{buckets, copy, delete, get, list, list_versions, lock, multipart, put, tagging};
use crate::server::store::Store;
use http::HeaderMap;
use jiff::Timestamp;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
    CompleteMultipartUploadOutput, CopyObjectInput, CopyObjectOutput, CreateBucketInput, CreateBucketOutput,
    CreateMultipartUploadInput, CreateMultipartUploadOutput, DeleteBucketInput, DeleteBucketOutput,
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectTaggingInput, DeleteObjectTaggingOutput,
    DeleteObjectsInput, DeleteObjectsOutput, GetBucketLocationInput, GetBucketLocationOutput,
    GetBucketVersioningInput, GetBucketVersioningOutput, GetObjectAttributesInput, GetObjectAttributesOutput,
    GetObjectInput, GetObjectLegalHoldInput, GetObjectLegalHoldOutput, GetObjectLockConfigurationInput,
    GetObjectLockConfigurationOutput, GetObjectOutput, GetObjectRetentionInput, GetObjectRetentionOutput,
    GetObjectTaggingInput, GetObjectTaggingOutput, HeadBucketInput, HeadBucketOutput, HeadObjectInput,
    HeadObjectOutput, ListBucketsInput, ListBucketsOutput, ListMultipartUploadsInput,
    ListMultipartUploadsOutput, ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsInput,
    ListObjectsOutput, ListObjectsV2Input, ListObjectsV2Output, ListPartsInput, ListPartsOutput,
    PutBucketVersioningInput, PutBucketVersioningOutput, PutObjectInput, PutObjectLegalHoldInput,
    PutObjectLegalHoldOutput, PutObjectLockConfigurationInput, PutObjectLockConfigurationOutput,
    PutObjectOutput, PutObjectRetentionInput, PutObjectRetentionOutput, PutObjectTaggingInput,
    PutObjectTaggingOutput, UploadPartCopyInput, UploadPartCopyOutput, UploadPartInput, UploadPartOutput,
};
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, TrailingHeaders, s3_error};
use std::sync::Arc;

/// One request, past the gate.
pub struct Call {
    /// Rows and blobs.
    pub store: Store,
    /// Who asks.
    pub caller: Caller,
    /// The region of this endpoint.
    pub region: Arc<str>,
    /// What uploads have reserved.
    pub ledger: Ledger,
    /// When it came.
    pub time: Timestamp,
    /// The same in milliseconds since 1970.
    pub now: i64,
    headers: HeaderMap,
    trailers: Option<TrailingHeaders>,
}

impl Call {
    /// The trailers that the body is announced to end with.
    pub fn announced_trailers(&self) -> Option<&str> {
        self.headers.get("x-amz-trailer").and_then(|value| value.to_str().ok())
    }

    /// The length of what a body in chunks (`aws-chunked`) carries, as it was announced.
    pub fn decoded_length(&self) -> Option<i64> {
        self.trailers.as_ref()?;
        self.headers.get("x-amz-decoded-content-length")?.to_str().ok()?.parse().ok()
    }

    /// The trailers, once the body was read.
    pub fn trailers(&self) -> Option<HeaderMap> {
        self.trailers.as_ref().and_then(TrailingHeaders::take)
    }
}

/// The operations, over a store.
pub struct DataPlane {
    store: Store,
    region: Arc<str>,
    ledger: Ledger,
}

impl DataPlane {
    /// For clients that sign for `region`.
    pub fn new(store: Store, region: &str) -> Self {
        Self { store, region: region.into(), ledger: Ledger::default() }
    }

    /// Lets in who passed the gate and signed, with version 4, for this region: every operation begins here.
    pub fn enter<I>(&self, request: S3Request<I>) -> S3Result<(Call, I)> {
        let S3Request { input, headers, mut extensions, region, service, trailing_headers, .. } = request;
        let Some(caller) = extensions.remove::<Caller>() else {
            return Err(s3_error!(AccessDenied, "anonymous requests are refused: sign with an access key"));
        };
        let Some(region) = region else {
            return Err(s3_error!(InvalidRequest, "sign with AWS4-HMAC-SHA256 (signature version 4)"));
        };
        if region.as_str() != &*self.region || service.as_deref() != Some("s3") {
            let expected = &self.region;
            return Err(s3_error!(
                AuthorizationHeaderMalformed,
                "the region '{region}' is wrong; expecting '{expected}', and service 's3'"
            ));
        }
        let time = crate::clock::now();
        let call = Call {
            store: self.store.clone(),
            caller,
            region: Arc::clone(&self.region),
            ledger: self.ledger.clone(),
            time,
            now: time.as_millisecond(),
            headers,
            trailers: trailing_headers,
        };
        Ok((call, input))
    }
}

macro_rules! operations {
    ($($method:ident($input:ty) -> $output:ty = $function:path;)*) => {
        #[async_trait::async_trait]
        impl S3 for DataPlane {
            $(
                async fn $method(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                    let (call, input) = self.enter(request)?;
                    let output: Result<$output, Fault> = $function(&call, input).await;
                    output.map(S3Response::new).map_err(S3Error::from)
                }
            )*
        }
    };
}

operations! {
    list_buckets(ListBucketsInput) -> ListBucketsOutput = buckets::list;
    create_bucket(CreateBucketInput) -> CreateBucketOutput = buckets::create;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = buckets::head;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = buckets::location;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = buckets::delete;
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = buckets::versioning;
    put_bucket_versioning(PutBucketVersioningInput) -> PutBucketVersioningOutput = buckets::set_versioning;

    list_objects(ListObjectsInput) -> ListObjectsOutput = list::v1;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = list::v2;
    list_object_versions(ListObjectVersionsInput) -> ListObjectVersionsOutput = list_versions::versions;

    put_object(PutObjectInput) -> PutObjectOutput = put::object;
    get_object(GetObjectInput) -> GetObjectOutput = get::object;
    head_object(HeadObjectInput) -> HeadObjectOutput = get::head;
    get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput = get::attributes;
    copy_object(CopyObjectInput) -> CopyObjectOutput = copy::object;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = delete::object;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = delete::objects;

    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = tagging::get;
    put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = tagging::put;
    delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = tagging::delete;

    get_object_lock_configuration(GetObjectLockConfigurationInput) -> GetObjectLockConfigurationOutput
        = lock::configuration;
    put_object_lock_configuration(PutObjectLockConfigurationInput) -> PutObjectLockConfigurationOutput
        = lock::set_configuration;
    get_object_retention(GetObjectRetentionInput) -> GetObjectRetentionOutput = lock::retention;
    put_object_retention(PutObjectRetentionInput) -> PutObjectRetentionOutput = lock::set_retention;
    get_object_legal_hold(GetObjectLegalHoldInput) -> GetObjectLegalHoldOutput = lock::legal_hold;
    put_object_legal_hold(PutObjectLegalHoldInput) -> PutObjectLegalHoldOutput = lock::set_legal_hold;

    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = multipart::create;
    upload_part(UploadPartInput) -> UploadPartOutput = multipart::parts::upload;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = multipart::parts::copy;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput
        = multipart::complete::complete;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = multipart::abort;
    list_parts(ListPartsInput) -> ListPartsOutput = multipart::list::parts;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = multipart::list::uploads;
}
