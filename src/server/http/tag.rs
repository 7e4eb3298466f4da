//! Entity tags: `"<settings>.<everything>"`, two hashes of the JSON.
//!
//! `If-None-Match` compares the whole tag. `If-Match` compares the settings only: what a bucket holds or when a key was
//! last used changes all the time, and is no reason to refuse a change of its settings.

use crate::wire::{
    AccessKeyItem, AccountItem, AuditEvent, BucketContents, BucketItem, JobItem, JobProgress, JobState,
    TenantItem, TokenItem, Usage, UserItem,
};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// A resource with settings and, maybe, figures that change by themselves.
pub trait Tagged: Serialize + Clone {
    /// The resource without those figures.
    fn settings(&self) -> Self {
        self.clone()
    }
}

impl Tagged for TenantItem {}
impl Tagged for TokenItem {}
impl Tagged for AuditEvent {}

impl Tagged for AccountItem {
    fn settings(&self) -> Self {
        Self { usage: Usage::default(), ..self.clone() }
    }
}

impl Tagged for UserItem {
    fn settings(&self) -> Self {
        Self { usage: Usage::default(), ..self.clone() }
    }
}

impl Tagged for AccessKeyItem {
    fn settings(&self) -> Self {
        Self { last_used_at: None, ..self.clone() }
    }
}

impl Tagged for BucketItem {
    fn settings(&self) -> Self {
        Self { usage: Usage::default(), contents: BucketContents::default(), ..self.clone() }
    }
}

impl Tagged for JobItem {
    fn settings(&self) -> Self {
        Self {
            state: JobState::Queued,
            next_run_at: None,
            started_at: None,
            finished_at: None,
            retries: 0,
            message: None,
            progress: JobProgress::default(),
            hold_up: None,
            ..self.clone()
        }
    }
}

/// 16 hexadecimal digits of SHA-256.
pub fn digest(bytes: &[u8]) -> String {
    let half = Sha256::digest(bytes).first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
    format!("{half:016x}")
}

/// The tag of a resource, with its quotes.
pub fn of<T: Tagged>(item: &T) -> Result<String, serde_json::Error> {
    let settings = serde_json::to_vec(&item.settings())?;
    let everything = serde_json::to_vec(item)?;
    Ok(format!("\"{}.{}\"", digest(&settings), digest(&everything)))
}

/// Whether an `If-None-Match` names this tag.
pub fn matches(header: &str, tag: &str) -> bool {
    header.split(',').map(str::trim).any(|one| one == "*" || one.trim_start_matches("W/") == tag)
}

/// Whether an `If-Match` names a tag with the same settings.
pub fn settings_match(header: &str, tag: &str) -> bool {
    let settings = |tag: &str| tag.trim_matches('"').split('.').next().map(str::to_owned);
    header.split(',').map(str::trim).any(|one| one == "*" || settings(one) == settings(tag))
}

#[cfg(test)]
mod tests {
    use super::{matches, of, settings_match};
    use crate::server::domain::users::tests::user;
    use crate::wire::{Usage, UserItem};
    use proptest::prelude::*;

    #[test]
    fn what_a_user_holds_changes_the_tag_but_not_its_settings() {
        let before = of(&user()).unwrap();
        let fuller = of(&UserItem { usage: Usage { size: 1, ..Usage::default() }, ..user() }).unwrap();
        let renamed = of(&UserItem { name: "other".to_owned(), ..user() }).unwrap();
        assert!(matches(&before, &before) && !matches(&before, &fuller));
        assert!(settings_match(&before, &fuller));
        assert!(!settings_match(&before, &renamed));
        assert!(settings_match("*", &before) && settings_match(&format!("\"x\", {before}"), &before));
    }

    proptest! {
        #[test]
        fn settings_match_where_they_are_named_and_nowhere_else(
            name in "[a-z]{1,8}",
            before in "[^*]{0,40}",
            after in "[^*]{0,40}",
            figures in "[0-9a-f]{16}",
        ) {
            let tag = of(&UserItem { name, ..user() }).unwrap();
            let settings = tag.trim_matches('"').split('.').next().unwrap();
            for text in [&before, &after] {
                prop_assert_eq!(settings_match(text, &tag), text.contains(settings));
            }
            let named = format!("{before}, \"{settings}.{figures}\" , {after}");
            prop_assert!(settings_match(&named, &tag));
            prop_assert!(!matches(&named, &tag) || figures == tag[18..34]);
        }
    }
}
