//! Whose a bucket is: a user at an account. Pure, over what is cached.

use crate::api::{Bucket, Reason, StorageUser};
use crate::operator::runtime::Verdict;
use crate::operator::runtime::kind::{is_deleting, name_of, namespace_of};
use crate::operator::runtime::status::READY;

/// Whose a bucket is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Name of the StorageAccount.
    pub account: String,
    /// The provider's id of the user.
    pub user_id: String,
}

/// Whose the bucket is, or why it cannot be made or kept now.
pub fn find(bucket: &Bucket, user: Option<&StorageUser>) -> Result<Place, Verdict> {
    let name = &bucket.spec.user_ref.name;
    let user = user.ok_or_else(|| {
        let namespace = namespace_of(bucket);
        Verdict::waiting(
            Reason::UserNotFound,
            format!("StorageUser '{name}' does not exist in namespace '{namespace}'. Waiting for it."),
        )
    })?;
    let made = bucket.status.as_ref().is_some_and(|status| status.bucket_name.is_some());
    if is_deleting(user) && !made {
        return Err(Verdict::waiting(
            Reason::UserNotReady,
            format!("StorageUser '{name}' is being deleted and gets no new buckets."),
        ));
    }
    let ready = user.status.as_ref().and_then(|status| status.conditions.get(READY));
    match (ready, last(user)) {
        (Some(ready), Some(place)) if ready.status == "True" => Ok(place),
        (ready, _) => {
            let why = ready.filter(|ready| ready.status != "True").map_or("it is new", |ready| &ready.reason);
            Err(Verdict::waiting(
                Reason::UserNotReady,
                format!("StorageUser '{}' is not Ready: {why}. Waiting for it.", name_of(user)),
            ))
        }
    }
}

/// Where the user was made, Ready or not; `None` if it was not.
pub fn last(user: &StorageUser) -> Option<Place> {
    let status = user.status.as_ref()?;
    Some(Place { account: status.account.clone()?, user_id: status.user_id.clone()? })
}
