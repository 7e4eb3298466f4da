//! The query of a list: `limit`, `after`, and the filters that the collection has.

use crate::server::domain::Refusal;
use crate::server::store::labels::Kind;
use crate::server::store::lists::{Page, Where};
use crate::wire::{self, ProblemType};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

/// Items of a page where the query does not say.
const DEFAULT_LIMIT: usize = 100;
/// Most items of a page.
const LARGEST_LIMIT: usize = 1000;

/// A query that has been read.
#[derive(Debug)]
pub struct Query {
    /// Which part of the list.
    pub page: Page,
    filters: Vec<(String, String)>,
}

fn malformed(detail: impl Into<String>) -> Refusal {
    Refusal::new(ProblemType::Malformed, detail)
}

impl Query {
    /// Reads a query; parameters other than `limit`, `after` and those allowed are refused.
    pub fn parse(query: Option<&str>, allowed: &[&str]) -> Result<Self, Refusal> {
        let mut page = Page { limit: DEFAULT_LIMIT, after: None };
        let mut filters = Vec::new();
        for (name, value) in form_pairs(query.unwrap_or_default())? {
            match name.as_str() {
                "limit" => page.limit = limit(&value)?,
                "after" => page.after = Some(open_cursor(&value)?),
                name if allowed.contains(&name) => filters.push((name.to_owned(), value)),
                _ => {
                    let known = allowed.join("`, `");
                    return Err(malformed(format!(
                        "the list takes `limit`, `after`, `{known}`, and nothing else"
                    )));
                }
            }
        }
        Ok(Self { page, filters })
    }

    /// The value of a filter.
    pub fn filter(&self, name: &str) -> Option<String> {
        self.filters.iter().rev().find(|(n, _)| n == name).map(|(_, value)| value.clone())
    }

    /// Adds the conditions of all `label=key:value`.
    pub fn labels(&self, kind: Kind, mut conditions: Where) -> Result<Where, Refusal> {
        for (_, value) in self.filters.iter().filter(|(name, _)| name == "label") {
            let (key, value) =
                value.split_once(':').ok_or_else(|| malformed("`label` must be `<key>:<value>`"))?;
            conditions = conditions.and(kind.condition(), [key.to_owned(), value.to_owned()]);
        }
        Ok(conditions)
    }

    /// Makes a page of what the store found: one item more than fits tells that there is a next page.
    pub fn page<T>(&self, mut items: Vec<T>, key: impl Fn(&T) -> String) -> wire::Page<T> {
        let more = items.len() > self.page.limit;
        items.truncate(self.page.limit);
        let next = items.last().filter(|_| more).map(|last| cursor(&key(last)));
        wire::Page { items, next }
    }
}

fn limit(value: &str) -> Result<usize, Refusal> {
    let number = value.parse().ok().filter(|n| (1..=LARGEST_LIMIT).contains(n));
    number.ok_or_else(|| malformed(format!("`limit` must be 1 to {LARGEST_LIMIT}")))
}

/// The cursor after the item with this key.
fn cursor(key: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(key)
}

fn open_cursor(text: &str) -> Result<String, Refusal> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() <= 256);
    let key = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    key.ok_or_else(|| malformed("`after` must be the `next` of the page before"))
}

/// The name-value pairs of a query, decoded.
fn form_pairs(query: &str) -> Result<Vec<(String, String)>, Refusal> {
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Some((decode(name)?, decode(value)?))
        })
        .collect::<Option<_>>()
        .ok_or_else(|| malformed("the query cannot be read"))
}

/// Undoes `%41` and `+`.
fn decode(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let (high, low) = (digit(bytes.next())?, digit(bytes.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).ok()
}

#[cfg(test)]
mod tests {
    use super::{Query, cursor, decode, open_cursor};
    use crate::server::store::labels::Kind;
    use crate::server::store::lists::Where;
    use proptest::prelude::*;

    #[test]
    fn a_query_has_its_bounds_and_no_unknown_parameters() {
        for (query, good) in [
            ("", true),
            ("limit=1", true),
            ("limit=1000", true),
            ("limit=0", false),
            ("limit=1001", false),
            ("limit=x", false),
            ("user=us_1&label=a:b&label=c:d", true),
            ("colour=red", false),
            ("after=%%", false),
            ("after=!!", false),
        ] {
            assert_eq!(Query::parse(Some(query), &["user", "label"]).is_ok(), good, "{query}");
        }
    }

    #[test]
    fn a_full_page_has_a_cursor_and_the_last_one_has_none() {
        let query = Query::parse(Some("limit=2"), &[]).unwrap();
        let of = |items: &[&str]| {
            let items = items.iter().map(|item| (*item).to_owned()).collect();
            let page = query.page(items, |item: &String| item.clone());
            (page.items.len(), page.next.map(|next| open_cursor(&next).unwrap()))
        };
        assert_eq!(of(&["a", "b", "c"]), (2, Some("b".to_owned())));
        assert_eq!(of(&["a", "b"]), (2, None));
        assert_eq!(of(&[]), (0, None));
    }

    proptest! {
        #[test]
        fn a_cursor_is_opened_as_it_was_made(key in "\\PC{0,60}") {
            prop_assert_eq!(open_cursor(&cursor(&key)).unwrap(), key);
        }

        #[test]
        fn a_label_is_split_at_its_first_colon(key in "[^:]{0,20}", value in "\\PC{0,20}") {
            let label = format!("{key}:{value}");
            let encoded: Vec<String> = label.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let query = Query::parse(Some(&format!("label={}", encoded.concat())), &["label"]).unwrap();
            let filter = query.labels(Kind::User, Where::default()).unwrap();
            prop_assert_eq!(filter.texts(), [key.as_str(), value.as_str()]);
        }

        #[test]
        fn any_text_is_a_label_or_refused(text in "\\PC*") {
            let encoded: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let query = Query::parse(Some(&format!("label={}", encoded.concat())), &["label"]).unwrap();
            prop_assert_eq!(query.labels(Kind::User, Where::default()).is_ok(), text.contains(':'));
        }

        #[test]
        fn any_text_is_decoded_or_refused(text in ".*") {
            let _ = (decode(&text), open_cursor(&text));
        }

        #[test]
        fn what_is_percent_encoded_comes_back(text in "\\PC*") {
            let encoded: Vec<String> = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
            prop_assert_eq!(decode(&encoded.concat()), Some(text));
        }
    }
}
