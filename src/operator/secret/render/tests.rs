use super::{Endpoint, RenderError, Rendered, render, render_dummy};
use crate::api::Reason;
use crate::api::account::{AddressingStyle, S3Spec};
use crate::api::key::SecretFormat;
use crate::operator::runtime::Blocked;
use crate::provider::KeyPair;
use crate::wire::ShownSecret;
use std::collections::BTreeSet;

const SECRET: &str = "notASecret+notASecret/notASecret+notASec";

fn pair() -> KeyPair {
    KeyPair {
        access_key_id: "SKEXAMPLEEXAMPLE2345".to_owned(),
        secret_access_key: ShownSecret::new(SECRET.to_owned()),
    }
}

fn s3(endpoint: &str, addressing_style: AddressingStyle) -> S3Spec {
    S3Spec { endpoint: endpoint.to_owned(), region: "storekeeper".to_owned(), addressing_style }
}

fn usual() -> S3Spec {
    s3("https://s3.example.com:9000/", AddressingStyle::Path)
}

fn rendered(format: SecretFormat, s3: &S3Spec, bucket: Option<&str>) -> Rendered {
    render(format, &pair(), s3, bucket).map_err(|error| error.to_string()).unwrap()
}

fn entry(rendered: &Rendered, name: &str) -> String {
    String::from_utf8(rendered.entries[name].to_vec()).unwrap()
}

/// The Secret as a person would look at it.
fn shown(rendered: &Rendered) -> String {
    let entries = rendered.entries.keys().map(|name| {
        let value = entry(rendered, name);
        if value.contains('\n') { format!("{name}: |\n{value}") } else { format!("{name}: {value}\n") }
    });
    format!("type: {}\n---\n{}", rendered.type_, entries.collect::<String>())
}

#[test]
fn each_format_names_its_entries_as_its_consumer_reads_them() {
    for format in SecretFormat::ALL {
        insta::assert_snapshot!(format!("{format:?}"), shown(&rendered(format, &usual(), Some("data"))));
    }
}

#[test]
fn endpoints_without_tls_and_virtual_addressing_are_told_where_the_consumer_asks() {
    let plain = s3("http://s3.example.com", AddressingStyle::Virtual);
    let get = |format, name| entry(&rendered(format, &plain, Some("data")), name);
    assert_eq!(get(SecretFormat::ServiceBinding, "uri"), "http://data.s3.example.com");
    assert_eq!(get(SecretFormat::ServiceBinding, "port"), "80");
    assert_eq!(get(SecretFormat::Cosi, "COSI_S3_ADDRESSING_STYLE"), "virtual");
    assert_eq!(get(SecretFormat::Loki, "forcepathstyle"), "false");
    assert_eq!(get(SecretFormat::Longhorn, "VIRTUAL_HOSTED_STYLE"), "true");
    assert!(get(SecretFormat::Rclone, "rclone.conf").contains("force_path_style = false\n"));
    let thanos = get(SecretFormat::Thanos, "objstore.yml");
    assert!(
        thanos.contains("insecure: true\n") && thanos.contains("lookup_type: virtual-hosted\n"),
        "{thanos}"
    );
}

#[test]
fn only_formats_that_name_a_bucket_need_one() {
    for format in SecretFormat::ALL {
        let needs = matches!(
            format,
            SecretFormat::ObjectBucketClaim
                | SecretFormat::Cosi
                | SecretFormat::ServiceBinding
                | SecretFormat::Loki
                | SecretFormat::Tempo
                | SecretFormat::Thanos
        );
        let outcome = render(format, &pair(), &usual(), None).map(|_| ());
        let expected = if needs { Err(RenderError::BucketRequired(format_name(format))) } else { Ok(()) };
        assert_eq!(outcome, expected);
    }
    assert!(!rendered(SecretFormat::Env, &usual(), None).entries.contains_key("BUCKET_NAME"));
}

fn format_name(format: SecretFormat) -> &'static str {
    format!("{format:?}").leak()
}

#[test]
fn a_missing_bucket_blocks_with_what_to_do() {
    let Blocked(reason, message) = RenderError::BucketRequired("Loki").into();
    assert_eq!(reason, Reason::BucketRequired);
    assert_eq!(
        message,
        "Format 'Loki' names one bucket. Name exactly one in `spec.bucketRefs`, or give the StorageUser exactly one Bucket."
    );
}

#[test]
fn a_dummy_has_the_same_names_and_lengths_and_nothing_of_the_secret() {
    for format in SecretFormat::ALL {
        let real = rendered(format, &usual(), Some("data"));
        let dummy = render_dummy(format, &usual(), Some("data")).map_err(|error| error.to_string()).unwrap();
        let lengths = |rendered: &Rendered| {
            rendered.entries.iter().map(|(name, value)| (*name, value.len())).collect::<BTreeSet<_>>()
        };
        assert_eq!(lengths(&real), lengths(&dummy), "{format:?}");
        assert_eq!(real.type_, dummy.type_);
        assert!(shown(&real).contains(SECRET) && !shown(&dummy).contains(SECRET), "{format:?}");
    }
}

#[test]
fn files_are_read_back_by_their_own_formats() {
    let strange = KeyPair {
        access_key_id: "id".to_owned(),
        secret_access_key: ShownSecret::new("a\"b\\c: #d".to_owned()),
    };
    let thanos = render(SecretFormat::Thanos, &strange, &usual(), Some("data")).ok().unwrap();
    let parsed: serde_json::Value = serde_yaml::from_str(&entry(&thanos, "objstore.yml")).unwrap();
    assert_eq!(parsed["config"]["secret_key"], "a\"b\\c: #d");
    assert_eq!(parsed["config"]["endpoint"], "s3.example.com:9000");
    assert_eq!(parsed["config"]["insecure"], false);
}

#[test]
fn endpoints_are_taken_apart() {
    for (url, expected) in [
        ("https://s3.example.com", Some((true, "s3.example.com", 443))),
        ("http://s3.example.com/", Some((false, "s3.example.com", 80))),
        ("https://127.0.0.1:18444", Some((true, "127.0.0.1", 18444))),
        ("http://[::1]", Some((false, "[::1]", 80))),
        ("http://[::1]:9000", Some((false, "[::1]", 9000))),
        ("https://s3.example.com:x", None),
        ("https://user@s3.example.com", None),
        ("https://s3.example.com/path", None),
        ("ftp://s3.example.com", None),
        ("https://", None),
        ("s3.example.com", None),
    ] {
        let parsed = Endpoint::parse(url);
        let parts = parsed.as_ref().map(|parsed| (parsed.secure, parsed.host.as_str(), parsed.port));
        assert_eq!(parts, expected, "{url}");
    }
}
