//! Objects that do not decode: a condition says what is wrong with them; they stop no other object.

use super::context::Context;
use super::error::Error;
use super::kind::ObjectKey;
use super::managed::Managed;
use super::status::{self, Conditioned, Judgement};
use super::verdict::{Outcome, Verdict};
use crate::api::{Conditions, Reason};
use kube::Api;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::error_boundary::InvalidObject;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What every status has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct AnyStatus {
    observed_generation: i64,
    conditions: Conditions,
}

impl Conditioned for AnyStatus {
    fn conditions(&self) -> &Conditions {
        &self.conditions
    }
    fn conditions_mut(&mut self) -> &mut Conditions {
        &mut self.conditions
    }
    fn observed_generation(&self) -> i64 {
        self.observed_generation
    }
    fn set_observed_generation(&mut self, generation: i64) {
        self.observed_generation = generation;
    }
}

/// Says in the object's conditions why it does not decode. Nothing else is done about it.
#[allow(
    clippy::disallowed_methods,
    reason = "an object that cannot be read has no typed writer; the version is carried here"
)]
pub async fn tell<K: Managed>(
    ctx: &Context,
    key: &ObjectKey,
    invalid: &InvalidObject,
) -> Result<Outcome, Error> {
    let verdict = Verdict::blocked(
        Reason::InvalidSpec,
        format!(
            "The object cannot be read: {}. Correct it; until then nothing is done about it.",
            invalid.error
        ),
    );
    let outcome = Outcome::from(&verdict);
    let Some(object) = dynamic::<K>(&ctx.reader, key)
        .get_opt(&key.name)
        .await
        .map_err(|error| Error::kube("read", key.to_string(), error))?
    else {
        return Ok(Outcome::GONE);
    };
    let before = object.data.get("status").cloned().unwrap_or_default();
    let before: AnyStatus = serde_json::from_value(before).unwrap_or_default();
    let judgement =
        Judgement { verdict, deleting: object.metadata.deletion_timestamp.is_some(), extra: Vec::new() };
    let generation = object.metadata.generation.unwrap_or_default();
    if let Some(next) = status::next(&before, before.clone(), &judgement, generation, (ctx.now)()) {
        let version = object.metadata.resource_version;
        let body = json!({ "metadata": { "resourceVersion": version }, "status": next });
        dynamic::<K>(&ctx.writer, key)
            .patch_status(&key.name, &PatchParams::default(), &Patch::Merge(&body))
            .await
            .map_err(|error| Error::kube("write the status of", key.to_string(), error))?;
        ctx.metrics.status_written(K::KIND);
    }
    Ok(outcome)
}

fn dynamic<K: Managed>(client: &kube::Client, key: &ObjectKey) -> Api<DynamicObject> {
    let resource = ApiResource::erase::<K>(&());
    match &key.namespace {
        Some(namespace) => Api::namespaced_with(client.clone(), namespace, &resource),
        None => Api::all_with(client.clone(), &resource),
    }
}
