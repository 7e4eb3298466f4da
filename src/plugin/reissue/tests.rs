//! When a new key is to be had, and when not.

use super::judge;
use crate::plugin::item::{Item, Kind};
use serde_json::{Value, json};

fn key(change: impl FnOnce(&mut Value)) -> Item {
    let mut object = json!({
        "apiVersion": "storekeeper.dev/v1alpha1", "kind": "AccessKey",
        "metadata": {"name": "app-rw", "namespace": "team-a", "generation": 1, "resourceVersion": "7"},
        "spec": {"userRef": {"name": "backup"}, "permission": "Read"},
        "status": {"observedGeneration": 1, "identity": {"user": "backup", "permission": "Read", "secret": "creds"}},
    });
    change(&mut object);
    Item::of(Kind::AccessKey, serde_json::from_value(object).unwrap())
}

fn says(object: &mut Value, reason: &str, message: &str) {
    let status = if reason == "Ready" { "True" } else { "False" };
    object["status"]["conditions"] = json!([
        {"type": "Ready", "status": status, "reason": reason, "message": message},
        {"type": "Stalled", "status": if reason == "Ready" { "False" } else { "True" }, "reason": reason, "message": message},
    ]);
}

const LOST: &str = "The Secret of this key was deleted. Restore it, or annotate with storekeeper.dev/reissue=\"3\" for a new key.";

#[test]
fn a_new_key_is_offered_with_exactly_the_number_that_the_status_says() {
    let offer = judge(&key(|object| says(object, "SecretLost", LOST))).unwrap();
    assert_eq!((offer.epoch, offer.asked, offer.then), (3, false, None));
    assert!(offer.consequence.contains("'creds'"), "{}", offer.consequence);

    let asked = judge(&key(|object| {
        says(object, "SecretLost", LOST);
        object["metadata"]["annotations"] = json!({"storekeeper.dev/reissue": "3"});
    }));
    assert!(asked.unwrap().asked);
    let outdated = judge(&key(|object| {
        says(object, "SecretLost", LOST);
        object["metadata"]["annotations"] = json!({"storekeeper.dev/reissue": "2"});
    }));
    assert!(!outdated.unwrap().asked);

    let gone = "The key is gone. Delete the Secret and annotate with storekeeper.dev/reissue=\"2\".";
    let offer = judge(&key(|object| says(object, "KeyRevokedExternally", gone))).unwrap();
    assert_eq!(offer.epoch, 2);
    let then = "Now delete the old Secret: kubectl delete secret creds --namespace team-a";
    assert_eq!(offer.then.as_deref(), Some(then));
}

#[test]
fn where_a_new_key_makes_no_sense_the_reason_is_given() {
    type Change = fn(&mut Value);
    let cases: [(&str, Change, &str); 6] = [
        ("ready", |object| says(object, "Ready", "Everything is as the spec asks."), "never replaced"),
        ("new", |_| (), "has not looked at"),
        (
            "changed since",
            |object| {
                says(object, "SecretLost", LOST);
                object["metadata"]["generation"] = json!(2);
            },
            "has not looked at",
        ),
        (
            "being deleted",
            |object| {
                says(object, "SecretLost", LOST);
                object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
            },
            "being deleted",
        ),
        (
            "not allowed",
            |object| says(object, "PermissionNotAllowed", "Tenant 'acme' allows Read."),
            "PermissionNotAllowed: Tenant 'acme' allows Read.",
        ),
        ("no number", |object| says(object, "SecretLost", "storekeeper.dev/reissue=\"x\""), "SecretLost"),
    ];
    for (what, change, expected) in cases {
        let why = judge(&key(change)).unwrap_err();
        assert!(why.contains(expected), "{what}: {why}");
    }
}
