//! Sizes in specs, parsed for the provider. Pure.

use crate::api::{ByteSize, Reason};
use crate::operator::runtime::Blocked;

/// A size in bytes; `None` is no limit.
pub fn size(field: &str, size: Option<&ByteSize>) -> Result<Option<u64>, Blocked> {
    let Some(size) = size else { return Ok(None) };
    size.bytes().map(Some).ok_or_else(|| {
        let message = format!("`{field}`, '{}', must be a size below 8Ei, such as '50Gi'.", size.0);
        Blocked::new(Reason::InvalidSpec, message)
    })
}
