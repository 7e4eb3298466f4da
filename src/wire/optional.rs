//! Fields of a merge patch that `null` clears.

use serde::{Deserialize, Deserializer};

/// A field that is there, even as `null`.
#[allow(clippy::option_option)] // absent, null and a value are three different wishes
pub fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}
