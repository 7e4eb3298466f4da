//! An RGW user as the metadata API writes it, on its way to be written back: with all its keys and their secrets, which
//! nobody here looks at. No `Debug`; nothing is kept of it.

use super::policy;
use super::record::Record;
use super::wire::kib;
use crate::provider::{KeyPair, Quota};
use jiff::Timestamp;
use serde_json::{Value, json};
use zeroize::Zeroizing;

/// An RGW user that is being changed.
pub struct Draft {
    before: Value,
    now: Value,
}

impl Draft {
    /// Reads an RGW user; `None` where the text is none.
    pub fn read(text: &[u8]) -> Option<Self> {
        let before: Value = serde_json::from_slice(text).ok()?;
        let whole = before.get("data").is_some_and(Value::is_object) && before.pointer("/ver/ver").is_some();
        whole.then(|| Self { now: before.clone(), before })
    }

    /// An RGW user that has one key, no policy, and may have that many buckets (0: any number, below: none).
    pub fn new(uid: &str, display_name: &str, key: &KeyPair, max_buckets: i64) -> Self {
        let no_quota = json!({ "enabled": false, "check_on_raw": false, "max_size": -1, "max_size_kb": 0, "max_objects": -1 });
        let data = json!({
            "user_id": uid,
            "display_name": display_name,
            "email": "",
            "suspended": 0,
            "max_buckets": max_buckets,
            "subusers": [],
            "keys": [],
            "swift_keys": [],
            "caps": [],
            "op_mask": "read, write, delete",
            "default_placement": "",
            "default_storage_class": "",
            "placement_tags": [],
            "bucket_quota": no_quota,
            "user_quota": no_quota,
            "temp_url_keys": [],
            "type": "rgw",
            "mfa_ids": [],
            "attrs": [],
        });
        let entry =
            json!({ "key": format!("user:{uid}"), "ver": { "tag": "storekeeper", "ver": 0 }, "data": data });
        let mut draft = Self { before: Value::Null, now: entry };
        draft.put_key(uid, key);
        draft
    }

    /// Whether anything is not as it was read.
    pub fn is_changed(&self) -> bool {
        self.before != self.now
    }

    /// What is sent: the next version, changed at that time, which the answer of a read then shows.
    pub fn finish(mut self, now: Timestamp) -> (Zeroizing<Vec<u8>>, Timestamp) {
        // The gateway keeps microseconds.
        let mtime = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
        let version = self.now.pointer("/ver/ver").and_then(Value::as_u64).unwrap_or(0) + 1;
        if let Some(number) = self.now.pointer_mut("/ver/ver") {
            *number = version.into();
        }
        if let Some(entry) = self.now.as_object_mut() {
            entry.insert("mtime".to_owned(), mtime.to_string().into());
        }
        // Texts and numbers always have a JSON form.
        (Zeroizing::new(serde_json::to_vec(&self.now).unwrap_or_default()), mtime)
    }

    fn set(&mut self, name: &str, value: impl Into<Value>) {
        if let Some(data) = self.now.get_mut("data").and_then(Value::as_object_mut) {
            data.insert(name.to_owned(), value.into());
        }
    }

    fn list(&mut self, name: &str) -> Option<&mut Vec<Value>> {
        self.now.get_mut("data")?.get_mut(name)?.as_array_mut()
    }

    /// What is remembered of it.
    pub fn record(&self) -> Option<Record> {
        let tags = self.now.pointer("/data/placement_tags")?.as_array()?;
        let tags: Vec<String> = tags.iter().filter_map(|tag| tag.as_str().map(str::to_owned)).collect();
        Record::of_tags(&tags)
    }

    /// What people see.
    pub fn set_display_name(&mut self, name: &str) {
        self.set("display_name", name);
    }

    /// Whether it and its keys are refused.
    pub fn set_suspended(&mut self, suspended: bool) {
        self.set("suspended", i32::from(suspended));
    }

    /// How many buckets it may have; 0: any number, below: none.
    pub fn set_max_buckets(&mut self, most: i64) {
        self.set("max_buckets", most);
    }

    /// What is remembered. Tags of others stay.
    pub fn set_record(&mut self, record: &Record) {
        let tags = self.list("placement_tags").map(std::mem::take).unwrap_or_default();
        let tags: Vec<String> = tags.iter().filter_map(|tag| tag.as_str().map(str::to_owned)).collect();
        self.set("placement_tags", record.among(&tags));
    }

    /// The limits of all its buckets together.
    pub fn set_quota(&mut self, quota: Quota) {
        let Quota { buckets: _, size, objects } = quota;
        let limit = |limit: Option<u64>| limit.and_then(|limit| i64::try_from(limit).ok());
        let kib = size.map(kib);
        let value = json!({
            "enabled": size.is_some() || objects.is_some(),
            "check_on_raw": false,
            "max_size": limit(kib.map(|kib| kib.saturating_mul(1024))).unwrap_or(-1),
            "max_size_kb": limit(kib).unwrap_or(0),
            "max_objects": limit(objects).unwrap_or(-1),
        });
        self.set("user_quota", value);
    }

    /// Its only policy.
    pub fn set_policy(&mut self, document: &str) {
        let ours = json!({ "key": policy::ATTRIBUTE, "val": policy::attribute(document) });
        if let Some(attributes) = self.list("attrs") {
            attributes.retain(|attribute| attribute.get("key").is_none_or(|key| key != policy::ATTRIBUTE));
            attributes.push(ours);
        }
    }

    /// Gives it a key, or its key of that id another secret.
    pub fn put_key(&mut self, uid: &str, key: &KeyPair) {
        self.remove_key(&key.access_key_id);
        let (id, secret) = (&key.access_key_id, key.secret_access_key.reveal());
        if let Some(keys) = self.list("keys") {
            keys.push(json!({ "user": uid, "access_key": id, "secret_key": secret }));
            // As the gateway has them.
            keys.sort_by(|one, other| id_of(one).cmp(&id_of(other)));
        }
    }

    /// Takes a key from it.
    pub fn remove_key(&mut self, id: &str) {
        if let Some(keys) = self.list("keys") {
            keys.retain(|key| id_of(key) != Some(id));
        }
    }
}

fn id_of(key: &Value) -> Option<&str> {
    key.get("access_key").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::Draft;
    use crate::provider::{KeyPair, Quota};
    use crate::wire::ShownSecret;
    use serde_json::{Value, json};

    fn pair(id: &str) -> KeyPair {
        KeyPair {
            access_key_id: id.to_owned(),
            secret_access_key: ShownSecret::new(format!("secret of {id}")),
        }
    }

    /// A user as the gateway would write it after `change`.
    fn after(change: impl Fn(&mut Draft)) -> Value {
        let first =
            Draft::new("sk_a$user", "a", &pair("B"), 0).finish("2026-01-01T00:00:00Z".parse().unwrap()).0;
        let mut draft = Draft::read(&first).unwrap();
        change(&mut draft);
        let (text, mtime) = draft.finish("2026-01-02T00:00:00.123456789Z".parse().unwrap());
        assert_eq!(mtime.to_string(), "2026-01-02T00:00:00.123456Z");
        serde_json::from_slice(&text).unwrap()
    }

    #[test]
    fn a_change_is_the_next_version_and_leaves_the_rest_alone() {
        let entry = after(|draft| draft.set_suspended(true));
        assert_eq!(
            (&entry["ver"], &entry["data"]["suspended"]),
            (&json!({"tag": "storekeeper", "ver": 2}), &json!(1))
        );
        assert_eq!(
            entry["data"]["keys"],
            json!([{"user": "sk_a$user", "access_key": "B", "secret_key": "secret of B"}])
        );
    }

    #[test]
    fn keys_come_and_go_one_by_one() {
        let ids = |entry: Value| -> Vec<String> {
            let keys = entry["data"]["keys"].as_array().unwrap().clone();
            keys.iter().map(|key| key["access_key"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(ids(after(|draft| draft.put_key("sk_a$user", &pair("A")))), ["A", "B"]);
        assert_eq!(ids(after(|draft| draft.remove_key("B"))), Vec::<String>::new());
        assert_eq!(ids(after(|draft| draft.remove_key("C"))), ["B"]);
    }

    #[test]
    fn what_is_as_it_should_be_is_no_change() {
        let first =
            Draft::new("sk_a$user", "a", &pair("B"), 0).finish("2026-01-01T00:00:00Z".parse().unwrap()).0;
        let mut draft = Draft::read(&first).unwrap();
        draft.put_key("sk_a$user", &pair("B"));
        draft.set_quota(Quota::default());
        draft.set_suspended(false);
        assert!(!draft.is_changed());
        draft.set_policy("{}");
        assert!(draft.is_changed());
    }

    #[test]
    fn a_policy_is_the_only_one_and_limits_are_rounded_up() {
        let entry = after(|draft| {
            draft.set_policy("{}");
            draft.set_policy("{ }");
            draft.set_quota(Quota { buckets: None, size: Some(1025), objects: None });
        });
        assert_eq!(entry["data"]["attrs"].as_array().unwrap().len(), 1);
        let quota = &entry["data"]["user_quota"];
        assert_eq!(
            (&quota["enabled"], &quota["max_size"], &quota["max_objects"]),
            (&json!(true), &json!(2048), &json!(-1))
        );
    }

    #[test]
    fn what_is_no_user_is_no_draft() {
        for text in ["", "[]", "{}", r#"{"data":{}}"#, r#"{"ver":{"ver":1},"data":[]}"#] {
            assert!(Draft::read(text.as_bytes()).is_none(), "{text}");
        }
    }
}
