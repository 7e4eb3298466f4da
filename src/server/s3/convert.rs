//! Between our values and s3s's.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use s3s::dto::{ETag, EncodingType, Timestamp};
use std::time::{Duration, SystemTime};

/// What `encoding-type=url` leaves as it is.
const URL: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/').remove(b'*');

/// Milliseconds since 1970 as s3s has times.
pub fn timestamp(millis: i64) -> Timestamp {
    let millis = Duration::from_millis(u64::try_from(millis).unwrap_or(0));
    Timestamp::from(SystemTime::UNIX_EPOCH + millis)
}

/// A time of s3s as milliseconds since 1970.
pub fn millis(timestamp: &Timestamp) -> i64 {
    let time = time::OffsetDateTime::from(timestamp.clone());
    i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

/// An entity tag.
pub fn etag(text: &str) -> ETag {
    ETag::Strong(text.to_owned())
}

/// A count or size for an answer.
pub fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// How names are written into a listing: as they are, or percent-encoded where the client asked for that.
#[derive(Clone, Copy, Debug)]
pub struct Names {
    encode: bool,
}

impl Names {
    /// As the request's `encoding-type` says.
    pub fn new(encoding: Option<&EncodingType>) -> Self {
        Self { encode: encoding.is_some_and(|e| e.as_str() == EncodingType::URL) }
    }

    /// A name as the listing shows it.
    pub fn show(self, name: &str) -> String {
        if self.encode { utf8_percent_encode(name, URL).to_string() } else { name.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, millis, timestamp};
    use s3s::dto::EncodingType;

    #[test]
    fn times_survive_the_way_there_and_back() {
        for time in [0, 1, 1_795_000_000_123] {
            assert_eq!(millis(&timestamp(time)), time);
        }
    }

    #[test]
    fn names_are_encoded_where_the_client_asks() {
        let url = EncodingType::from_static(EncodingType::URL);
        assert_eq!(Names::new(Some(&url)).show("a//+ %é"), "a//%2B%20%25%C3%A9");
        assert_eq!(Names::new(None).show("a//+ %é"), "a//+ %é");
    }
}
