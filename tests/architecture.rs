//! The invariants of ARCHITECTURE.md that the imports of a file can break.

// All of this file is a test, helpers included.
#![cfg(test)]

#[path = "common/sources.rs"]
mod sources;

/// Files below `src` that `select` picks, with their text, tests and comments left out.
fn sources(select: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let files = sources::production(select);
    files.into_iter().map(|(name, text)| (name, code(&text))).collect()
}

/// Without comments.
fn code(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// Every use of a forbidden word, as `file: word`.
fn breaches(files: &[(String, String)], forbidden: &[&str]) -> Vec<String> {
    let mut breaches = Vec::new();
    for (name, text) in files {
        breaches.extend(
            forbidden.iter().filter(|word| text.contains(*word)).map(|word| format!("src/{name}: `{word}`")),
        );
    }
    breaches
}

fn is_test(name: &str) -> bool {
    name.ends_with("tests.rs") || name.contains("/tests/")
}

fn is_decision(name: &str) -> bool {
    let decides = name.ends_with("/plan.rs")
        || name.contains("/plan/")
        || name.starts_with("operator/key/once/")
        || name.starts_with("server/domain/");
    decides && !is_test(name)
}

const EFFECTS: [&str; 9] = [
    "kube::Client",
    "kube::Api",
    "reqwest",
    "tokio",
    "rusqlite",
    "std::fs",
    "clock::now",
    "Instant::now",
    "rand::",
];

#[test]
fn decisions_import_no_client_no_runtime_no_clock_and_no_randomness() {
    let files = sources(is_decision);
    assert!(files.len() > 10, "the decisions have moved: {files:?}");
    assert_eq!(breaches(&files, &EFFECTS), Vec::<String>::new());
}

#[test]
fn a_decision_that_reads_the_clock_would_be_found() {
    let text = code("fn plan() {\n    let now = clock::now();\n}\n");
    let file = [("operator/user/plan.rs".to_owned(), text)];
    assert_eq!(breaches(&file, &EFFECTS), ["src/operator/user/plan.rs: `clock::now`"]);
}

#[test]
fn rooms_import_in_one_direction() {
    let rooms = [
        ("operator/", vec!["crate::server", "crate::cli", "crate::plugin"]),
        ("plugin/", vec!["crate::server", "crate::cli", "crate::provider", "core::v1::Secret"]),
        (
            "server/",
            vec!["crate::operator", "crate::api", "crate::provider", "crate::cli", "kube::", "k8s_openapi"],
        ),
        (
            "provider/",
            vec!["crate::operator", "crate::server", "crate::api", "crate::cli", "kube::", "k8s_openapi"],
        ),
        ("wire/", vec!["crate::operator", "crate::server", "crate::api", "crate::provider", "kube::"]),
        (
            "api/",
            vec!["crate::operator", "crate::server", "crate::provider", "crate::cli", "reqwest", "tokio"],
        ),
    ];
    for (room, forbidden) in rooms {
        let files = sources(|name| name.starts_with(room) && !is_test(name));
        assert!(!files.is_empty(), "{room} has moved");
        assert_eq!(breaches(&files, &forbidden), Vec::<String>::new());
    }
}

#[test]
fn tasks_of_the_operator_are_started_by_the_supervisor_alone() {
    const SUPERVISOR: &str = "operator/runtime/supervisor.rs";
    let starts = ["tokio::spawn", "task::spawn", "thread::spawn", "JoinSet"];
    let supervisor = sources(|name| name == SUPERVISOR);
    assert!(!breaches(&supervisor, &starts).is_empty(), "{SUPERVISOR} has moved");
    let elsewhere = sources(|name| name.starts_with("operator/") && name != SUPERVISOR && !is_test(name));
    assert_eq!(breaches(&elsewhere, &starts), Vec::<String>::new());
}

/// Reads the Secrets that StorageAccounts name.
const READS_CREDENTIALS: &str = "operator/runtime/clients.rs";

#[test]
fn one_place_posts_secrets() {
    let elsewhere = sources(|name| {
        let may = name.starts_with("operator/secret/") || name == READS_CREDENTIALS;
        name.starts_with("operator/") && !may && !is_test(name)
    });
    assert_eq!(breaches(&elsewhere, &["Api<Secret>", "Api::<Secret>"]), Vec::<String>::new());
    let reader = sources(|name| name == READS_CREDENTIALS);
    assert_eq!(reader.len(), 1, "{READS_CREDENTIALS} has moved");
    assert_eq!(breaches(&reader, &[".create(", ".delete(", ".patch(", ".replace("]), Vec::<String>::new());
}
