//! The S3 data plane: s3s speaks the protocol (signatures, XML, routes); the operations are ours, over the store's
//! rows and blobs.
//!
//! * [`auth`]: who signed, and whether the key may do that: before the body of a request is read.
//! * [`permissions`]: which of the four levels may do which operation; pure.
//! * [`operations`]: the table of what is implemented; everything else answers 501.
//! * [`commit`]: the one way in which a version comes to be; [`lock`]: what keeps one from being removed;
//!   [`quota`]: how much there may be.
//! * [`endpoint`]: what is around it: bodies that must end, requests that are counted. [`housekeeping`]: what is tidied
//!   up without being asked.
//! * The other files: one theme of operations each.
//!
//! Users, keys and their rules do not live here (see `domain` and `http`), nor does SQL (see `store::objects`).

mod attributes;
mod auth;
mod body;
mod buckets;
mod checksums;
mod commit;
mod conditions;
mod convert;
mod copy;
mod delete;
mod endpoint;
mod errors;
mod get;
mod housekeeping;
mod list;
mod list_versions;
mod lock;
mod metered;
mod multipart;
mod operations;
mod parts;
mod permissions;
mod put;
mod quota;
mod tagging;

#[cfg(test)]
mod tests;

pub use endpoint::Endpoint;
pub use housekeeping::{keep_house, tidy};

use super::store::Store;
use crate::wire::BucketName;
use s3s::config::{S3Config, StaticConfigProvider};
use s3s::service::S3ServiceBuilder;
use s3s::validation::NameValidation;
use std::sync::Arc;
use std::time::Duration;

/// Most bytes of a form upload: s3s holds its file in memory, before the signature is known to be good.
const FORM_UPLOAD_BYTES: u64 = 16 << 20;
/// Most bytes of a request's XML: 10 000 parts, or 1 000 keys to delete, are far below.
const XML_BYTES: usize = 4 << 20;

/// The S3 endpoint as a hyper service, path-style addresses only. `region` is what clients must sign for, `silence` how
/// long one may send nothing of a body that it has begun.
pub fn service(store: Store, region: &str, silence: Duration) -> Endpoint {
    let mut config = S3Config::default();
    config.post_object_max_file_size = FORM_UPLOAD_BYTES;
    config.form_max_field_size = 64 << 10;
    config.form_max_fields_size = 256 << 10;
    config.form_max_parts = 100;
    config.xml_max_body_size = XML_BYTES;
    let gate = auth::Gate::new(store.clone());
    let metered = store.clone();
    let mut builder = S3ServiceBuilder::new(operations::DataPlane::new(store, region));
    builder.set_config(Arc::new(StaticConfigProvider::new(Arc::new(config))));
    builder.set_auth(gate.clone());
    builder.set_access(gate);
    builder.set_validation(OurNames);
    Endpoint::new(builder.build(), metered, silence)
}

/// Bucket names are what the management API says they are.
struct OurNames;

impl NameValidation for OurNames {
    fn validate_bucket_name(&self, name: &str) -> bool {
        BucketName::parse(name).is_ok()
    }
}
