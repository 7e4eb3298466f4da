//! What several kinds have in common: references, sizes, policies, conditions.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A reference to an object by name: of the same namespace, or cluster-scoped. It never names a namespace.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct NameRef {
    /// Name of the object.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,
}

/// What happens at the provider when the object is deleted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// What was made for this object is removed with it.
    #[default]
    Delete,
    /// What was made for this object stays at the provider.
    Retain,
}

/// The conditions of a status, keyed by type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Conditions(pub Vec<Condition>);

impl Conditions {
    /// The condition of that type, if the object has it.
    pub fn get(&self, kind: &str) -> Option<&Condition> {
        self.0.iter().find(|condition| condition.type_ == kind)
    }

    /// Whether the condition of that type is there and `True`.
    pub fn is_true(&self, kind: &str) -> bool {
        self.get(kind).is_some_and(|condition| condition.status == "True")
    }
}

impl JsonSchema for Conditions {
    fn schema_name() -> Cow<'static, str> {
        "Conditions".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = Vec::<Condition>::json_schema(generator);
        schema.insert("x-kubernetes-list-type".into(), "map".into());
        schema.insert("x-kubernetes-list-map-keys".into(), serde_json::json!(["type"]));
        schema.insert("maxItems".into(), 16.into());
        schema
    }
}

/// A number of bytes as people write it: `500Mi`, `10Gi`, `2T`, `1048576`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ByteSize(
    #[schemars(length(min = 1, max = 20), regex(pattern = r"^[0-9]{1,15}(Ki|Mi|Gi|Ti|Pi|k|M|G|T|P)?$"))]
    pub  String,
);

impl ByteSize {
    /// The size in bytes; `None` where the text is not a size or exceeds what 63 bits hold.
    pub fn bytes(&self) -> Option<u64> {
        let digits = self.0.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = self.0.split_at(digits);
        let factor: u64 = match unit {
            "" => 1,
            "k" => 1_000,
            "M" => 1_000_000,
            "G" => 1_000_000_000,
            "T" => 1_000_000_000_000,
            "P" => 1_000_000_000_000_000,
            "Ki" => 1 << 10,
            "Mi" => 1 << 20,
            "Gi" => 1 << 30,
            "Ti" => 1 << 40,
            "Pi" => 1 << 50,
            _ => return None,
        };
        let bytes = number.parse::<u64>().ok()?.checked_mul(factor)?;
        i64::try_from(bytes).is_ok().then_some(bytes)
    }
}

/// The generation that a status speaks of before anything was observed: never that of an object.
pub const NEVER_OBSERVED: i64 = -1;

/// The default of `status.observedGeneration`.
pub fn never_observed() -> i64 {
    NEVER_OBSERVED
}

#[cfg(test)]
mod tests {
    use super::ByteSize;

    #[test]
    fn byte_sizes_are_read_as_kubernetes_writes_them() {
        for (text, bytes) in [
            ("0", Some(0)),
            ("1048576", Some(1_048_576)),
            ("5k", Some(5_000)),
            ("500Mi", Some(524_288_000)),
            ("10Gi", Some(10_737_418_240)),
            ("2T", Some(2_000_000_000_000)),
            ("9000P", Some(9_000_000_000_000_000_000)),
            ("9000Pi", None),
            ("1KiB", None),
            ("Mi", None),
            ("", None),
            ("-1", None),
        ] {
            assert_eq!(ByteSize(text.to_owned()).bytes(), bytes, "{text}");
        }
    }
}
