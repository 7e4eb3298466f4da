//! Who signed a request, and whether that key may do it. Runs before the body is read, and reads the key afresh for each
//! request: a revoked key, or one of a disabled user, stops at once, presigned URLs included.

use super::metered::Bill;
use super::permissions::{Decision, decide};
use crate::server::store::keys::{SigningKey, find_for_signing};
use crate::server::store::{Payer, Store};
use crate::wire::Permission;
use http::{HeaderMap, Uri};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::dto::PostObjectInput;
use s3s::{S3Error, S3Request, S3Result, s3_error};
use std::cell::RefCell;
use std::sync::Arc;

tokio::task_local! {
    /// The key that the signature of the request under way is checked with: what it may do is asked of the same row.
    static KEY: RefCell<Option<SigningKey>>;
}

/// Runs one request.
pub async fn within_request<T>(request: impl Future<Output = T>) -> T {
    KEY.scope(RefCell::new(None), request).await
}

/// The longest life of a presigned URL: 7 days, in seconds.
const PRESIGN_SECONDS: u64 = 7 * 24 * 3600;

/// Whose key a request was signed with: all that an operation needs to know of its caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user, `us_…`: operations see nothing but this user's buckets.
    pub user: Arc<str>,
    /// The access key id.
    pub key: Arc<str>,
    /// What the key may do.
    pub permission: Permission,
    /// The buckets that the key is restricted to; `None`: all of the user's.
    pub buckets: Option<Arc<[String]>>,
}

impl Caller {
    fn new(key: &SigningKey) -> Self {
        Self {
            user: key.user_id.as_str().into(),
            key: key.id.as_str().into(),
            permission: key.permission,
            buckets: key.buckets.clone().map(Into::into),
        }
    }

    /// Whether the key may reach a bucket of that name.
    pub fn reaches(&self, bucket: &str) -> bool {
        self.buckets.as_deref().is_none_or(|names| names.iter().any(|name| name == bucket))
    }
}

/// Checks signatures and permissions. Cheap to clone.
#[derive(Clone)]
pub struct Gate {
    store: Store,
}

impl Gate {
    /// A gate to the store's keys.
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    async fn key(&self, id: &str) -> S3Result<SigningKey> {
        match find_for_signing(&self.store, id).await {
            Ok(Some(key)) => Ok(key),
            Ok(None) => {
                Err(s3_error!(InvalidAccessKeyId, "the access key does not exist, or may not be used"))
            }
            Err(error) => Err(S3Error::from(super::errors::Fault::Store(error))),
        }
    }
}

#[async_trait::async_trait]
impl S3Auth for Gate {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let key = self.key(access_key).await?;
        let secret = SecretKey::from(key.secret.reveal());
        // Outside of a request there is nobody to keep it for.
        drop(KEY.try_with(|kept| kept.replace(Some(key))));
        Ok(secret)
    }
}

#[async_trait::async_trait]
impl S3Access for Gate {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let Some(credentials) = context.credentials() else {
            return Err(s3_error!(AccessDenied, "anonymous requests are refused: sign with an access key"));
        };
        let kept = KEY.try_with(RefCell::take).ok().flatten();
        let key = match kept.filter(|key| key.id == credentials.access_key) {
            Some(key) => key,
            None => self.key(&credentials.access_key).await?,
        };
        self.store.key_used(&key.id, crate::clock::now());
        if let Some(bill) = context.extensions_mut().get::<Bill>() {
            bill.goes_to(payer(&key));
        }
        let operation = context.s3_op().name();
        match decide(key.permission, operation) {
            Decision::Allowed => {}
            Decision::Denied => {
                let level = key.permission.as_str();
                return Err(s3_error!(AccessDenied, "a key with permission {level} may not do {operation}"));
            }
            Decision::Unknown => return Err(s3_error!(NotImplemented, "{operation} is not implemented")),
        }
        let caller = Caller::new(&key);
        if context.s3_path().get_bucket_name().is_some_and(|bucket| !caller.reaches(bucket)) {
            return Err(s3_error!(AccessDenied, "the access key is restricted to other buckets"));
        }
        check_life(context.uri())?;
        check_headers(context.headers(), &key)?;
        context.extensions_mut().insert(caller);
        Ok(())
    }

    /// The name of the file that a form sends is not known here, so a key cannot be made of it.
    async fn post_object(&self, request: &mut S3Request<PostObjectInput>) -> S3Result<()> {
        if request.input.key.contains("${filename}") {
            return Err(s3_error!(NotImplemented, "'${{filename}}' in the key of a form is not implemented"));
        }
        Ok(())
    }
}

fn payer(key: &SigningKey) -> Payer {
    Payer {
        key: key.id.clone(),
        user: key.user_id.clone(),
        account: key.account_id.clone(),
        tenant: key.tenant_id.clone(),
    }
}

/// Refuses presigned URLs that live longer than seven days.
fn check_life(uri: &Uri) -> S3Result<()> {
    let parameters = uri.query().unwrap_or_default().split('&').filter_map(|pair| pair.split_once('='));
    let name = |raw: &str| percent_encoding::percent_decode_str(raw).decode_utf8_lossy().into_owned();
    for (_, value) in parameters.filter(|(raw, _)| name(raw).eq_ignore_ascii_case("x-amz-expires")) {
        if value.parse::<u64>().map_or(true, |seconds| seconds > PRESIGN_SECONDS) {
            return Err(s3_error!(
                AuthorizationQueryParametersError,
                "X-Amz-Expires must not be greater than {PRESIGN_SECONDS}"
            ));
        }
    }
    Ok(())
}

/// Refuses what would otherwise be ignored: encryption, access lists, storage classes and owners that are not there.
fn check_headers(headers: &HeaderMap, key: &SigningKey) -> S3Result<()> {
    for (name, value) in headers {
        let value = value.as_bytes();
        let name = name.as_str();
        if name.starts_with("x-amz-server-side-encryption") || name.starts_with("x-amz-grant-") {
            return Err(s3_error!(NotImplemented, "the header {name} is not implemented"));
        }
        match name {
            "x-amz-acl" if !matches!(value, b"private" | b"bucket-owner-full-control") => {
                return Err(s3_error!(
                    AccessControlListNotSupported,
                    "only the owner's keys reach a bucket: x-amz-acl must be 'private'"
                ));
            }
            "x-amz-storage-class" if value != b"STANDARD" => {
                return Err(s3_error!(InvalidStorageClass, "the storage class must be 'STANDARD'"));
            }
            "x-amz-website-redirect-location" | "x-amz-mfa" => {
                return Err(s3_error!(NotImplemented, "the header {name} is not implemented"));
            }
            "x-amz-expected-bucket-owner" | "x-amz-source-expected-bucket-owner"
                if value != key.user_id.as_bytes() && value != key.account_id.as_bytes() =>
            {
                return Err(s3_error!(AccessDenied, "the bucket has another owner"));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::check_life;

    #[test]
    fn a_presigned_url_lives_seven_days_at_most() {
        for (query, good) in [
            ("", true),
            ("X-Amz-Expires=604800", true),
            ("a=b&X-Amz-Expires=604801", false),
            ("X%2DAmz-Expires=604801", false),
            ("X-Amz-Expires=soon", false),
        ] {
            let uri = format!("/data/a?{query}").parse().unwrap();
            assert_eq!(check_life(&uri).is_ok(), good, "{query}");
        }
    }
}
