//! The pair in a Secret that was rendered: where the caller chooses pairs, the Secret is made first, and what it holds is
//! what the provider is asked to agree with.

use crate::api::key::SecretFormat;
use crate::provider::KeyPair;
use crate::wire::ShownSecret;
use std::collections::BTreeMap;
use zeroize::Zeroizing;

/// Where a format has the id and the secret.
enum Place {
    /// In two entries of their own.
    Entries(&'static str, &'static str),
    /// In one entry, after these beginnings of lines.
    Lines(&'static str, &'static str, &'static str),
}

fn place(format: SecretFormat) -> Place {
    use Place::{Entries, Lines};
    match format {
        SecretFormat::Env | SecretFormat::ObjectBucketClaim | SecretFormat::Longhorn => {
            Entries("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        }
        SecretFormat::Cosi => Entries("COSI_S3_ACCESS_KEY_ID", "COSI_S3_ACCESS_SECRET_KEY"),
        SecretFormat::ServiceBinding | SecretFormat::K8up => Entries("username", "password"),
        SecretFormat::Loki | SecretFormat::Tempo => Entries("access_key_id", "access_key_secret"),
        SecretFormat::Barman => Entries("ACCESS_KEY_ID", "ACCESS_SECRET_KEY"),
        SecretFormat::Harbor => Entries("REGISTRY_STORAGE_S3_ACCESSKEY", "REGISTRY_STORAGE_S3_SECRETKEY"),
        SecretFormat::FluxBucket => Entries("accesskey", "secretkey"),
        SecretFormat::CredentialsFile => Lines("cloud", "aws_access_key_id = ", "aws_secret_access_key = "),
        SecretFormat::Rclone => Lines("rclone.conf", "access_key_id = ", "secret_access_key = "),
        SecretFormat::Thanos => Lines("objstore.yml", "  access_key: ", "  secret_key: "),
    }
}

/// The pair in a Secret with these entries, if it holds the key of that id; `None` where no format has it there. Which
/// format it was made in is not written down: its entries tell.
pub fn pair_in(entries: &BTreeMap<String, Zeroizing<Vec<u8>>>, id: &str) -> Option<KeyPair> {
    let text = |entry: &str| std::str::from_utf8(entries.get(entry)?.as_slice()).ok();
    let found = SecretFormat::ALL.into_iter().find_map(|format| {
        let (found, secret) = match place(format) {
            Place::Entries(id, secret) => (text(id)?, text(secret)?),
            Place::Lines(entry, id, secret) => (value(text(entry)?, id)?, value(text(entry)?, secret)?),
        };
        (found == id && !secret.is_empty()).then_some(secret)
    })?;
    Some(KeyPair { access_key_id: id.to_owned(), secret_access_key: ShownSecret::new(found.to_owned()) })
}

/// What follows a line's beginning, without the quotes of YAML. What is escaped in them was not written by us.
fn value<'a>(text: &'a str, beginning: &str) -> Option<&'a str> {
    let rest = text.lines().find_map(|line| line.strip_prefix(beginning))?;
    let plain = rest.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(rest);
    (!plain.contains(['"', '\\'])).then_some(plain)
}

#[cfg(test)]
mod tests {
    use super::pair_in;
    use crate::api::account::S3Spec;
    use crate::api::key::SecretFormat;
    use crate::operator::secret::render::render;
    use crate::provider::KeyPair;
    use crate::wire::ShownSecret;
    use std::collections::BTreeMap;
    use zeroize::Zeroizing;

    const ID: &str = "GK0123456789abcdef01234567";
    const SECRET: &str = "Zm9vYmFyLysvKw==/secret+with=signs";

    fn entries(of: &BTreeMap<&'static str, Zeroizing<Vec<u8>>>) -> BTreeMap<String, Zeroizing<Vec<u8>>> {
        of.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[test]
    fn the_pair_of_every_format_is_found_again() {
        let s3: S3Spec = serde_json::from_value(serde_json::json!({"endpoint": "https://s3"})).unwrap();
        let pair =
            KeyPair { access_key_id: ID.to_owned(), secret_access_key: ShownSecret::new(SECRET.to_owned()) };
        for format in SecretFormat::ALL {
            let rendered = render(format, &pair, &s3, Some("data")).unwrap();
            let entries = entries(&rendered.entries);
            let found = pair_in(&entries, ID).unwrap_or_else(|| panic!("{format:?}"));
            assert!(found.access_key_id == ID && found.secret_access_key.reveal() == SECRET, "{format:?}");
            assert!(pair_in(&entries, "GKother").is_none(), "{format:?}: another key's");
        }
    }

    #[test]
    fn the_list_has_every_format_once() {
        let schema =
            serde_json::to_value(schemars::schema_for!(crate::api::key::SecretFormat)).unwrap().to_string();
        let names: std::collections::BTreeSet<String> =
            SecretFormat::ALL.iter().map(|format| format!("{format:?}")).collect();
        assert_eq!(names.len(), SecretFormat::ALL.len());
        assert_eq!(schema.matches("\"const\"").count(), SecretFormat::ALL.len(), "{schema}");
    }

    #[test]
    fn what_was_changed_by_hand_is_no_pair() {
        for (name, value) in [("cloud", "aws_access_key_id = GK1\n"), ("AWS_ACCESS_KEY_ID", "GK1")] {
            let one = BTreeMap::from([(name.to_owned(), Zeroizing::new(value.as_bytes().to_vec()))]);
            assert!(pair_in(&one, "GK1").is_none(), "{name}");
        }
    }
}
