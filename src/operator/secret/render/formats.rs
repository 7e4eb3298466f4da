//! One function per format that is more than a list of names.

use super::{Endpoint, RenderError, Rendered};
use crate::api::account::AddressingStyle;
use crate::api::key::SecretFormat;
use crate::wire::ShownSecret;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// The type of Secrets that no convention gives a type of their own.
const OPAQUE: &str = "Opaque";
/// The type that the Service Binding specification asks for.
const SERVICE_BINDING: &str = "servicebinding.io/s3";

/// What a Secret is about.
pub struct Subject<'a> {
    pub id: &'a str,
    pub secret: &'a str,
    pub endpoint: &'a Endpoint,
    pub region: &'a str,
    pub style: AddressingStyle,
    pub bucket: Option<&'a str>,
}

/// Name and value of an entry.
type Entry = (&'static str, Zeroizing<String>);

/// The entries of a format.
pub fn entries(format: SecretFormat, of: &Subject<'_>) -> Result<Rendered, RenderError> {
    let entries = match format {
        SecretFormat::Env => env(of),
        SecretFormat::ObjectBucketClaim => object_bucket_claim(of, bucket(of, "ObjectBucketClaim")?),
        SecretFormat::Cosi => cosi(of, bucket(of, "Cosi")?),
        SecretFormat::ServiceBinding => service_binding(of, bucket(of, "ServiceBinding")?),
        SecretFormat::CredentialsFile => vec![("cloud", credentials_file(of))],
        SecretFormat::Loki => loki(of, bucket(of, "Loki")?),
        SecretFormat::Tempo => tempo(of, bucket(of, "Tempo")?),
        SecretFormat::Thanos => vec![("objstore.yml", thanos(of, bucket(of, "Thanos")?))],
        SecretFormat::Barman => vec![
            ("ACCESS_KEY_ID", text(of.id)),
            ("ACCESS_SECRET_KEY", text(of.secret)),
            ("REGION", text(of.region)),
        ],
        SecretFormat::K8up => vec![("username", text(of.id)), ("password", text(of.secret))],
        SecretFormat::Rclone => vec![("rclone.conf", rclone(of))],
        SecretFormat::Longhorn => longhorn(of),
        SecretFormat::Harbor => vec![
            ("REGISTRY_STORAGE_S3_ACCESSKEY", text(of.id)),
            ("REGISTRY_STORAGE_S3_SECRETKEY", text(of.secret)),
        ],
        SecretFormat::FluxBucket => vec![("accesskey", text(of.id)), ("secretkey", text(of.secret))],
    };
    let type_ = if format == SecretFormat::ServiceBinding { SERVICE_BINDING } else { OPAQUE };
    let bytes = |value: Zeroizing<String>| Zeroizing::new(value.as_bytes().to_vec());
    let entries: BTreeMap<_, _> = entries.into_iter().map(|(name, value)| (name, bytes(value))).collect();
    Ok(Rendered { type_, entries, secret: ShownSecret::new(of.secret.to_owned()) })
}

fn bucket<'a>(of: &Subject<'a>, format: &'static str) -> Result<&'a str, RenderError> {
    of.bucket.ok_or(RenderError::BucketRequired(format))
}

fn text(value: &str) -> Zeroizing<String> {
    Zeroizing::new(value.to_owned())
}

fn flag(value: bool) -> Zeroizing<String> {
    text(if value { "true" } else { "false" })
}

/// Lines of one file. Its memory is taken once, so that growing leaves no copy behind.
fn file(lines: &[&[&str]]) -> Zeroizing<String> {
    let length =
        lines.iter().flat_map(|line| line.iter()).map(|part| part.len()).sum::<usize>() + lines.len();
    let mut file = Zeroizing::new(String::with_capacity(length));
    for line in lines {
        for part in *line {
            file.push_str(part);
        }
        file.push('\n');
    }
    file
}

/// A YAML double-quoted scalar: keys and names have no character that would need more.
fn quoted(value: &str) -> Zeroizing<String> {
    let escaped = value.chars().filter(|c| matches!(c, '"' | '\\')).count();
    let mut quoted = Zeroizing::new(String::with_capacity(value.len() + escaped + 2));
    quoted.push('"');
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

fn env(of: &Subject<'_>) -> Vec<Entry> {
    let mut entries = vec![
        ("AWS_ACCESS_KEY_ID", text(of.id)),
        ("AWS_SECRET_ACCESS_KEY", text(of.secret)),
        ("AWS_ENDPOINT_URL_S3", text(&of.endpoint.url())),
        ("AWS_REGION", text(of.region)),
    ];
    entries.extend(of.bucket.map(|bucket| ("BUCKET_NAME", text(bucket))));
    entries
}

fn object_bucket_claim(of: &Subject<'_>, bucket: &str) -> Vec<Entry> {
    vec![
        ("AWS_ACCESS_KEY_ID", text(of.id)),
        ("AWS_SECRET_ACCESS_KEY", text(of.secret)),
        ("BUCKET_HOST", text(&of.endpoint.host)),
        ("BUCKET_PORT", text(&of.endpoint.port.to_string())),
        ("BUCKET_NAME", text(bucket)),
        ("BUCKET_REGION", text(of.region)),
    ]
}

fn cosi(of: &Subject<'_>, bucket: &str) -> Vec<Entry> {
    let style = match of.style {
        AddressingStyle::Path => "path",
        AddressingStyle::Virtual => "virtual",
    };
    vec![
        ("COSI_PROTOCOL", text("S3")),
        ("COSI_S3_BUCKET_ID", text(bucket)),
        ("COSI_S3_ENDPOINT", text(&of.endpoint.url())),
        ("COSI_S3_REGION", text(of.region)),
        ("COSI_S3_ADDRESSING_STYLE", text(style)),
        ("COSI_S3_ACCESS_KEY_ID", text(of.id)),
        ("COSI_S3_ACCESS_SECRET_KEY", text(of.secret)),
    ]
}

fn service_binding(of: &Subject<'_>, bucket: &str) -> Vec<Entry> {
    let uri = match of.style {
        AddressingStyle::Path => format!("{}/{bucket}", of.endpoint.url()),
        AddressingStyle::Virtual => {
            format!("{}://{bucket}.{}", of.endpoint.scheme(), of.endpoint.authority)
        }
    };
    vec![
        ("type", text("s3")),
        ("provider", text("storekeeper")),
        ("host", text(&of.endpoint.host)),
        ("port", text(&of.endpoint.port.to_string())),
        ("uri", text(&uri)),
        ("username", text(of.id)),
        ("password", text(of.secret)),
        ("bucket", text(bucket)),
        ("region", text(of.region)),
        ("endpoint", text(&of.endpoint.url())),
        ("access-key", text(of.id)),
        ("secret-key", text(of.secret)),
    ]
}

fn credentials_file(of: &Subject<'_>) -> Zeroizing<String> {
    file(&[&["[default]"], &["aws_access_key_id = ", of.id], &["aws_secret_access_key = ", of.secret]])
}

fn loki(of: &Subject<'_>, bucket: &str) -> Vec<Entry> {
    vec![
        ("bucketnames", text(bucket)),
        ("endpoint", text(&of.endpoint.url())),
        ("region", text(of.region)),
        ("access_key_id", text(of.id)),
        ("access_key_secret", text(of.secret)),
        ("forcepathstyle", flag(of.style == AddressingStyle::Path)),
    ]
}

fn tempo(of: &Subject<'_>, bucket: &str) -> Vec<Entry> {
    vec![
        ("bucket", text(bucket)),
        ("endpoint", text(&of.endpoint.url())),
        ("access_key_id", text(of.id)),
        ("access_key_secret", text(of.secret)),
    ]
}

fn thanos(of: &Subject<'_>, bucket: &str) -> Zeroizing<String> {
    let endpoint = format!("{}:{}", of.endpoint.host, of.endpoint.port);
    let lookup = match of.style {
        AddressingStyle::Path => "path",
        AddressingStyle::Virtual => "virtual-hosted",
    };
    file(&[
        &["type: S3"],
        &["config:"],
        &["  bucket: ", &quoted(bucket)],
        &["  endpoint: ", &quoted(&endpoint)],
        &["  region: ", &quoted(of.region)],
        &["  access_key: ", &quoted(of.id)],
        &["  secret_key: ", &quoted(of.secret)],
        &["  insecure: ", &flag(!of.endpoint.secure)],
        &["  bucket_lookup_type: ", lookup],
    ])
}

fn rclone(of: &Subject<'_>) -> Zeroizing<String> {
    file(&[
        &["[storekeeper]"],
        &["type = s3"],
        &["provider = Other"],
        &["env_auth = false"],
        &["access_key_id = ", of.id],
        &["secret_access_key = ", of.secret],
        &["region = ", of.region],
        &["endpoint = ", &of.endpoint.url()],
        &["force_path_style = ", &flag(of.style == AddressingStyle::Path)],
    ])
}

fn longhorn(of: &Subject<'_>) -> Vec<Entry> {
    vec![
        ("AWS_ACCESS_KEY_ID", text(of.id)),
        ("AWS_SECRET_ACCESS_KEY", text(of.secret)),
        ("AWS_ENDPOINTS", text(&of.endpoint.url())),
        ("VIRTUAL_HOSTED_STYLE", flag(of.style == AddressingStyle::Virtual)),
    ]
}
