//! The custom resource definitions, as `storekeeper crds` prints them.

use super::{AccessKey, Bucket, StorageAccount, StorageUser, Tenant, shared::NEVER_OBSERVED};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps,
};
use kube::CustomResourceExt as _;

/// All five definitions, in the order in which a person meets them.
pub fn all() -> Vec<CustomResourceDefinition> {
    [StorageAccount::crd(), Tenant::crd(), StorageUser::crd(), AccessKey::crd(), Bucket::crd()]
        .into_iter()
        .map(with_default_status)
        .collect()
}

/// A brand-new object must not be taken for a current one (kstatus), so its status speaks of generation -1.
fn with_default_status(mut crd: CustomResourceDefinition) -> CustomResourceDefinition {
    for version in &mut crd.spec.versions {
        let status = version
            .schema
            .as_mut()
            .and_then(|schema| schema.open_api_v3_schema.as_mut())
            .and_then(|schema: &mut JSONSchemaProps| schema.properties.as_mut())
            .and_then(|properties| properties.get_mut("status"));
        if let Some(status) = status {
            status.default = Some(JSON(serde_json::json!({ "observedGeneration": NEVER_OBSERVED })));
        }
    }
    crd
}
