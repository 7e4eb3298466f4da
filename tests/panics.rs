//! What a panic says is in the log only if it is a literal of the source, whatever secrets were in scope.
//!
//! A test binary of its own: the hook and the subscriber belong to the whole process.

// All of this file is a test, helpers included.
#![cfg(test)]

use std::io::Write;
use std::sync::{Arc, Mutex};
use storekeeper::operator::runtime::error::chain;
use storekeeper::operator::runtime::supervisor::Group;
use storekeeper::provider::KeyPair;
use storekeeper::telemetry;
use storekeeper::wire::ShownSecret;

/// Its first character has two bytes, so that cutting it after the first one panics.
const SECRET: &str = "äJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";

fn pair() -> KeyPair {
    KeyPair {
        access_key_id: "SKAAAAAAAAAAAAAAAAAA".to_owned(),
        secret_access_key: ShownSecret::new(SECRET.to_owned()),
    }
}

fn refused(pair: &KeyPair) -> Result<(), String> {
    Err(pair.secret_access_key.reveal().to_owned())
}

type Panics = fn(&KeyPair);

/// Ways to panic with a pair in scope, by what would give it away.
const QUOTING: [(&str, Panics); 6] = [
    ("slicing", |pair| drop(pair.secret_access_key.reveal()[..1].to_owned())),
    ("a message", |pair| panic!("the pair is {}", pair.secret_access_key.reveal())),
    ("unwrap", |pair| refused(pair).unwrap()),
    ("expect", |pair| refused(pair).expect("must be fine")),
    ("assert_eq", |pair| assert_eq!(pair.secret_access_key.reveal(), "something else")),
    ("a parser", |pair| {
        let json = serde_json::Value::from(pair.secret_access_key.reveal());
        assert!(serde_json::from_value::<bool>(json).unwrap());
    }),
];

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

#[test]
fn a_panic_is_logged_with_its_place_and_without_anything_that_was_in_scope() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .with_ansi(false)
        .init();
    telemetry::log_panics();

    let secret = ShownSecret::new(SECRET.to_owned());
    for (way, panics) in QUOTING {
        let quoted = std::panic::catch_unwind(|| panics(&pair())).unwrap_err();
        let quoted = quoted.downcast_ref::<String>().cloned().unwrap_or_default();
        assert!(secret.is_in(&quoted), "{way} must quote the secret, or it proves nothing: {quoted}");
        let logged = log.take();
        assert!(logged.contains("tests/panics.rs") && logged.contains("withheld"), "{way}: {logged}");
        assert!(!secret.is_in(&logged), "{way} is in the log");
    }
    assert!(std::panic::catch_unwind(|| panic!("a literal of the source")).is_err());
    assert!(log.take().contains("a literal of the source"));
    a_task_that_panicked_is_told_of_without_its_words(&log, &secret);
}

fn a_task_that_panicked_is_told_of_without_its_words(log: &Log, secret: &ShownSecret) {
    let executor = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let crashed = executor.block_on(async {
        let mut group: Group<()> = Group::default();
        group.spawn(async { (QUOTING[1].1)(&pair()) });
        group.next().await.unwrap_err()
    });
    assert_eq!(chain(&crashed), "a task panicked or was aborted");
    assert!(!secret.is_in(&format!("{crashed:?}")) && !secret.is_in(&log.take()));
}
