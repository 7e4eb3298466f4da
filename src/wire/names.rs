//! Names that are parsed once: after that nothing about them can fail.

use std::fmt;
use thiserror::Error;

/// Why a text is not such a name.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum NameError {
    /// Too short or too long.
    #[error("must have {min} to {max} characters")]
    Length {
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
    },
    /// A character that is not allowed, or not there.
    #[error("must consist of {allowed}")]
    Characters {
        /// What is allowed, in words.
        allowed: &'static str,
    },
    /// It looks like something else.
    #[error("must not look like {what}")]
    Confusable {
        /// What it looks like.
        what: &'static str,
    },
}

/// The name of a bucket, by S3's rules: 3 to 63 of `a-z0-9.-`, ends alphanumeric, no `..`, no IPv4 address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BucketName(String);

impl BucketName {
    /// Parses a bucket name.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if !(3..=63).contains(&text.len()) {
            return Err(NameError::Length { min: 3, max: 63 });
        }
        let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '.' || c == '-';
        if !text.chars().all(allowed) || !edge(text.chars().next()) || !edge(text.chars().last()) {
            return Err(NameError::Characters {
                allowed: "lower-case letters, digits, '.' and '-', beginning and ending with a letter or digit",
            });
        }
        if text.contains("..") || text.contains(".-") || text.contains("-.") {
            return Err(NameError::Characters {
                allowed: "labels that begin and end with a letter or digit",
            });
        }
        if text.parse::<std::net::Ipv4Addr>().is_ok() {
            return Err(NameError::Confusable { what: "an IP address" });
        }
        Ok(Self(text.to_owned()))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The login of a user at the provider: 1 to 128 of `A-Za-z0-9._@-`, beginning with a letter or digit.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Login(String);

impl Login {
    /// Parses a login.
    pub fn parse(text: &str) -> Result<Self, NameError> {
        if !(1..=128).contains(&text.len()) {
            return Err(NameError::Length { min: 1, max: 128 });
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '-');
        if !text.chars().all(allowed) || !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(NameError::Characters {
                allowed: "letters, digits, '.', '_', '@' and '-', beginning with a letter or digit",
            });
        }
        Ok(Self(text.to_owned()))
    }

    /// The login as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for BucketName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{BucketName, Login};
    use proptest::prelude::*;

    #[test]
    fn bucket_names_follow_the_rules_of_s3() {
        let long = "a".repeat(63);
        let too_long = "a".repeat(64);
        for (text, good) in [
            ("data", true),
            ("a.b-c", true),
            ("123", true),
            (long.as_str(), true),
            (too_long.as_str(), false),
            ("ab", false),
            ("Data", false),
            ("-data", false),
            ("data.", false),
            ("a..b", false),
            ("a.-b", false),
            ("192.168.0.1", false),
            ("da_ta", false),
            ("dàta", false),
        ] {
            assert_eq!(BucketName::parse(text).is_ok(), good, "{text}");
        }
    }

    #[test]
    fn logins_are_plain_and_begin_with_a_letter_or_digit() {
        for (text, good) in
            [("team-a_backup", true), ("a@b.c", true), ("", false), ("_x", false), ("a b", false)]
        {
            assert_eq!(Login::parse(text).is_ok(), good, "{text}");
        }
    }

    /// The rules of S3, label by label: another way to say what the parser says.
    fn is_bucket_name(text: &str) -> bool {
        let label = |label: &str| {
            let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
            let ends = label.bytes().next().is_some_and(plain) && label.bytes().last().is_some_and(plain);
            ends && label.bytes().all(|b| plain(b) || b == b'-')
        };
        let numbers = text
            .split('.')
            .filter(|part| part.parse::<u8>().is_ok_and(|number| number.to_string() == **part));
        let address = text.split('.').count() == 4 && numbers.count() == 4;
        (3..=63).contains(&text.len()) && text.split('.').all(label) && !address
    }

    proptest! {
        #[test]
        fn any_text_is_a_bucket_name_or_refused_by_the_rules(
            text in prop_oneof!["[a-z0-9.-]{0,66}", "([0-9]{1,3}[.]){3}[0-9]{1,3}", "[ab.-]{3,5}", ".*"],
        ) {
            prop_assert_eq!(BucketName::parse(&text).is_ok(), is_bucket_name(&text), "{}", text);
            if let Ok(name) = BucketName::parse(&text) {
                prop_assert_eq!(name.as_str(), &text);
            }
        }

        #[test]
        fn any_text_is_a_login_or_refused_by_the_rules(
            text in prop_oneof!["[A-Za-z0-9._@-]{0,130}", "[a_@ ]{1,3}", ".*"],
        ) {
            let plain = |c: char| c.is_ascii_alphanumeric();
            let good = text.starts_with(plain)
                && text.len() <= 128
                && text.chars().all(|c| plain(c) || "._@-".contains(c));
            prop_assert_eq!(Login::parse(&text).is_ok(), good, "{}", text);
        }
    }
}
