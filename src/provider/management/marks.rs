//! The labels by which things at the server say whose they are.

use crate::provider::{ClusterId, ObjectName, OwnerMark};
use crate::wire::Labels;

/// `<cluster>/<uid>` of the object that it was made for.
pub const OWNER: &str = "storekeeper.dev/owner";
/// The cluster alone, so that a whole cluster's things can be listed.
pub const CLUSTER: &str = "storekeeper.dev/cluster";
/// The name of the Secret that a key was made for.
pub const SECRET: &str = "storekeeper.dev/secret";
const EPOCH: &str = "storekeeper.dev/epoch";
const NONCE: &str = "storekeeper.dev/nonce";
const NAMESPACE: &str = "storekeeper.dev/namespace";
const NAME: &str = "storekeeper.dev/name";

/// The labels of something that is made for an object.
pub fn labels(owner: &OwnerMark, object: &ObjectName) -> Labels {
    let mut labels = Labels::from([
        (OWNER.to_owned(), owner.to_string()),
        (CLUSTER.to_owned(), owner.cluster.0.clone()),
        (NAME.to_owned(), object.name.clone()),
    ]);
    if let Some(namespace) = &object.namespace {
        labels.insert(NAMESPACE.to_owned(), namespace.clone());
    }
    labels
}

/// The labels of a key, which is judged by its epoch and nonce too.
pub fn key_labels(owner: &OwnerMark, object: &ObjectName, epoch: u32, nonce: &str) -> Labels {
    let mut labels = labels(owner, object);
    labels.insert(EPOCH.to_owned(), epoch.to_string());
    labels.insert(NONCE.to_owned(), nonce.to_owned());
    labels
}

/// Whose something is; `None` where it carries no mark that can be read.
pub fn owner(labels: &Labels) -> Option<OwnerMark> {
    labels.get(OWNER).and_then(|text| OwnerMark::parse(text))
}

/// How people name the object that it was made for.
pub fn object(labels: &Labels) -> Option<ObjectName> {
    let name = labels.get(NAME)?.clone();
    Some(ObjectName { namespace: labels.get(NAMESPACE).cloned(), name })
}

/// Epoch and nonce of a key.
pub fn attempt(labels: &Labels) -> Option<(u32, String)> {
    let epoch = labels.get(EPOCH)?.parse().ok()?;
    let nonce = labels.get(NONCE).filter(|nonce| !nonce.is_empty())?.clone();
    Some((epoch, nonce))
}

/// The filter that finds what one object has.
pub fn of_owner(owner: &OwnerMark) -> String {
    format!("{OWNER}:{owner}")
}

/// The filter that finds what one cluster has.
pub fn of_cluster(cluster: &ClusterId) -> String {
    format!("{CLUSTER}:{}", cluster.0)
}

#[cfg(test)]
mod tests {
    use super::{attempt, key_labels, labels, object, owner};
    use crate::provider::{ClusterId, ObjectName, OwnerMark};

    #[test]
    fn marks_are_read_back_as_they_were_written() {
        let mark = OwnerMark { cluster: ClusterId("c".to_owned()), uid: "u".to_owned() };
        for namespace in [None, Some("team-a".to_owned())] {
            let name = ObjectName { namespace, name: "app".to_owned() };
            let labels = key_labels(&mark, &name, 3, "00ff");
            assert_eq!(owner(&labels), Some(mark.clone()));
            assert_eq!(object(&labels), Some(name));
            assert_eq!(attempt(&labels), Some((3, "00ff".to_owned())));
        }
    }

    #[test]
    fn labels_fit_the_limits_of_the_api_with_the_longest_names() {
        let uid = "x".repeat(36);
        let mark = OwnerMark { cluster: ClusterId(uid.clone()), uid };
        let name = ObjectName { namespace: Some("n".repeat(63)), name: "n".repeat(253) };
        let labels = key_labels(&mark, &name, u32::MAX, &"f".repeat(32));
        assert!(labels.len() <= 16);
        assert!(labels.iter().all(|(key, value)| key.len() <= 63 && value.len() <= 255));
    }

    #[test]
    fn a_key_without_epoch_or_nonce_has_no_attempt() {
        let mark = OwnerMark { cluster: ClusterId("c".to_owned()), uid: "u".to_owned() };
        let name = ObjectName { namespace: None, name: "app".to_owned() };
        assert_eq!(attempt(&labels(&mark, &name)), None);
        let mut broken = key_labels(&mark, &name, 1, "00ff");
        broken.insert("storekeeper.dev/epoch".to_owned(), "-1".to_owned());
        assert_eq!(attempt(&broken), None);
    }
}
