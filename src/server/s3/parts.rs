//! Where the parts lie of an object that was uploaded in parts: for reading one of them by its number.
//!
//! Parts are numbered from 1 in the order in which they follow each other, whatever their numbers in the upload were: a
//! client that reads one part after the other finds no gaps.

use super::attributes::{from_json, to_json};
use super::checksums::{Sums, put_sums};
use super::errors::{Fault, custom};
use crate::server::store::StoreError;
use crate::server::store::objects::uploads::PartRow;
use crate::server::store::objects::versions;
use http::StatusCode;
use rusqlite::Connection;
use s3s::dto::{GetObjectAttributesInput, GetObjectAttributesParts, ObjectPart};
use s3s::{S3Result, s3_error};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Most parts of one page.
const PAGE: i32 = 1000;

/// The parts of an object, in order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    /// Bytes.
    size: u64,
    #[serde(default, skip_serializing_if = "Sums::is_empty")]
    sums: Sums,
}

impl Parts {
    /// Of an upload, as the database keeps them.
    pub fn json_of(rows: &[PartRow]) -> Result<String, StoreError> {
        let part = |row: &PartRow| {
            let size = u64::try_from(row.size).unwrap_or(0);
            Ok::<_, StoreError>(Part { size, sums: from_json(&row.checksums)? })
        };
        to_json(&Self(rows.iter().map(part).collect::<Result<_, _>>()?))
    }

    /// Of a version; `None` where it was not uploaded in parts.
    pub fn of(connection: &Connection, sequence: i64) -> Result<Option<Self>, StoreError> {
        versions::parts(connection, sequence)?.map(|text| from_json(&text)).transpose()
    }

    /// How many there are.
    pub fn count(&self) -> i32 {
        super::convert::count(self.0.len())
    }

    fn range(&self, number: usize) -> Option<Range<u64>> {
        let part = self.0.get(number.checked_sub(1)?)?;
        let start = self.0[..number - 1].iter().map(|part| part.size).sum();
        Some(start..start + part.size)
    }

    /// A page of them for `GetObjectAttributes`.
    pub fn page(&self, input: &GetObjectAttributesInput) -> GetObjectAttributesParts {
        let most = input.max_parts.unwrap_or(PAGE).clamp(0, PAGE);
        let after = input.part_number_marker.unwrap_or(0).max(0);
        let numbered = (1_i32..).zip(&self.0).skip_while(|(number, _)| *number <= after);
        let parts: Vec<_> = numbered.take(usize::try_from(most).unwrap_or(0)).map(shown).collect();
        let last = parts.last().and_then(|part| part.part_number).unwrap_or(after);
        let more = last < self.count();
        GetObjectAttributesParts {
            total_parts_count: Some(self.count()),
            part_number_marker: Some(after),
            max_parts: Some(most),
            is_truncated: Some(more),
            next_part_number_marker: more.then_some(last),
            parts: Some(parts),
        }
    }
}

fn shown((number, part): (i32, &Part)) -> ObjectPart {
    let mut object_part =
        ObjectPart { part_number: Some(number), size: i64::try_from(part.size).ok(), ..Default::default() };
    put_sums!(object_part, part.sums.clone());
    object_part
}

/// Where the part of that number lies in an object of `size` bytes. One that was not uploaded in parts is its own first.
pub fn range_of(parts: Option<&Parts>, size: u64, number: i32) -> S3Result<Range<u64>> {
    let number = usize::try_from(number).ok().filter(|number| (1..=10_000).contains(number));
    let number = number.ok_or_else(|| s3_error!(InvalidArgument, "the part number must be 1 to 10000"))?;
    let found = match parts {
        Some(parts) => parts.range(number),
        None => (number == 1).then_some(0..size),
    };
    found.ok_or_else(|| {
        custom(
            "InvalidPartNumber",
            StatusCode::RANGE_NOT_SATISFIABLE,
            "the object has no part of that number",
        )
    })
}

/// The parts of a version, where somebody asks for one.
pub fn if_asked(connection: &Connection, sequence: i64, asked: bool) -> Result<Option<Parts>, Fault> {
    if asked { Ok(Parts::of(connection, sequence)?) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::{Part, Parts, Sums, range_of};
    use proptest::prelude::*;
    use s3s::dto::GetObjectAttributesInput;

    fn parts(sizes: &[u64]) -> Parts {
        Parts(sizes.iter().map(|size| Part { size: *size, sums: Sums::default() }).collect())
    }

    #[test]
    fn parts_are_found_by_their_place() {
        let three = parts(&[5, 5, 2]);
        for (parts, number, expected) in [
            (Some(&three), 1, Some(0..5)),
            (Some(&three), 3, Some(10..12)),
            (Some(&three), 4, None),
            (Some(&three), 0, None),
            (Some(&three), 10_001, None),
            (Some(&three), -1, None),
            (None, 1, Some(0..12)),
            (None, 2, None),
        ] {
            assert_eq!(range_of(parts, 12, number).ok(), expected, "{number}");
        }
    }

    proptest! {
        #[test]
        fn the_parts_together_are_the_object(sizes in prop::collection::vec(0_u64..100, 1..20)) {
            let parts = parts(&sizes);
            let mut end = 0;
            for number in 1..=parts.count() {
                let range = range_of(Some(&parts), sizes.iter().sum(), number).unwrap();
                prop_assert_eq!(range.start, end);
                end = range.end;
            }
            prop_assert_eq!(end, sizes.iter().sum::<u64>());
        }

        #[test]
        fn pages_have_each_part_once(count in 1_usize..30, most in 1_i32..8) {
            let parts = parts(&vec![1; count]);
            let mut seen = Vec::new();
            let mut marker = None;
            loop {
                let input = GetObjectAttributesInput {
                    max_parts: Some(most),
                    part_number_marker: marker,
                    ..Default::default()
                };
                let page = parts.page(&input);
                seen.extend(page.parts.unwrap().into_iter().filter_map(|part| part.part_number));
                marker = page.next_part_number_marker;
                if page.is_truncated == Some(false) {
                    break;
                }
            }
            prop_assert_eq!(seen, (1..=i32::try_from(count).unwrap()).collect::<Vec<_>>());
        }
    }
}
