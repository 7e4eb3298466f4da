//! Our own parsers take or refuse any text, and take back what they made.

use crate::hex::{hex, unhex};
use crate::server::s3::attributes::Tags;
use crate::server::s3::checksums::{Algorithm, Sums};
use crate::server::s3::list::from_token;
use crate::server::s3::multipart::parts::parse_range;
use crate::server::store::BlobName;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

/// Texts that look like what is parsed, and any others.
fn like(alphabet: &'static str) -> impl Strategy<Value = String> {
    prop_oneof![3 => alphabet, 1 => ".*"]
}

proptest! {
    #[test]
    fn any_header_of_tags_is_read_or_refused(text in like("([a-z+%&=]|%[0-9A-F]{2}){0,40}")) {
        if let Ok(tags) = Tags::from_header(Some(&text)) {
            prop_assert!(tags.0.len() <= 10);
        }
    }

    #[test]
    fn tags_come_back_from_their_header(pairs in prop::collection::btree_map("\\PC{1,20}", "\\PC{0,20}", 0..10)) {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let header: Vec<_> = pairs.iter().map(|(k, v)| format!("{}={}", encode(k), encode(v))).collect();
        let tags = Tags::from_header(Some(&header.join("&"))).unwrap();
        prop_assert_eq!(tags.0, pairs.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn any_range_is_read_or_refused(text in like("bytes=-?[0-9]{0,22}-[0-9]{0,22}")) {
        drop(parse_range(&text));
    }

    #[test]
    fn a_token_is_read_as_it_was_made(key in "\\PC{0,80}") {
        prop_assert_eq!(from_token(&URL_SAFE_NO_PAD.encode(&key)).unwrap(), key);
    }

    #[test]
    fn any_token_algorithm_and_blob_name_is_read_or_refused(text in like("[A-Za-z0-9_=-]{0,40}")) {
        drop((from_token(&text), Algorithm::parse(&text), unhex(&text)));
        if let Some(name) = BlobName::parse(&text) {
            prop_assert!(name.as_str().len() == 32 && !name.as_str().contains(['/', '.']));
        }
    }

    #[test]
    fn any_checksum_is_compared(sum in ".{0,60}") {
        let sent = Sums { crc32: Some(sum.clone()), ..Sums::default() };
        let computed = Sums { crc32: Some("y/Q5Jg==".to_owned()), ..Sums::default() };
        prop_assert_eq!(sent.check(&computed).is_ok(), sum == "y/Q5Jg==");
    }

    #[test]
    fn digits_come_back(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        prop_assert_eq!(unhex(&hex(&bytes)), Some(bytes));
    }
}
