//! Calls that change buckets at the provider. What a call showed goes into the account's inventory, where the next look
//! finds it; nothing is decided here.

use crate::operator::account::pool::{self, Account};
use crate::operator::runtime::{Context, Error};
use crate::provider::{self, BucketWish, ErrorKind};

/// One call that changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Makes the bucket, or finds out what has its name.
    Create {
        /// Name of the StorageAccount.
        account: String,
        /// As what.
        wish: BucketWish,
    },
    /// Makes the bucket as wished.
    Update {
        /// Name of the StorageAccount.
        account: String,
        /// As what.
        wish: BucketWish,
    },
    /// Removes the empty bucket, or finds out what holds it.
    Delete {
        /// Name of the StorageAccount.
        account: String,
        /// The provider's id of its user.
        user_id: String,
        /// Its name.
        name: String,
        /// The uid of its object.
        uid: String,
    },
}

/// Does one step.
pub async fn act(ctx: &Context, step: Step) -> Result<(), Error> {
    match step {
        Step::Create { account, wish } => {
            create(&*pool::connected(ctx, "create bucket", &account)?, &wish).await
        }
        Step::Update { account, wish } => {
            let account = pool::connected(ctx, "update bucket", &account)?;
            account.inventory().forget_bucket(&wish.user_id, &wish.name);
            let updated = account.provider().update_bucket(&wish).await;
            account.inventory().note_bucket(updated.map_err(|error| account.failed(error))?);
            Ok(())
        }
        Step::Delete { account, user_id, name, uid } => {
            let account = pool::connected(ctx, "delete bucket", &account)?;
            account.inventory().forget_bucket(&user_id, &name);
            match account.provider().delete_bucket(&user_id, &name).await {
                Err(provider::Error { kind: ErrorKind::InUse(why), .. }) => {
                    account.inventory().note_refusal(&uid, why);
                    Ok(())
                }
                result => result.map_err(|error| account.failed(error)),
            }
        }
    }
}

/// Makes the bucket. A name that is taken may be our own bucket, made by a call whose answer was lost.
async fn create(account: &Account, wish: &BucketWish) -> Result<(), Error> {
    let inventory = account.inventory();
    match account.provider().create_bucket(wish).await {
        Ok(bucket) => inventory.note_bucket(bucket),
        Err(taken @ provider::Error { kind: ErrorKind::NameTaken(_), .. }) => {
            let found = inventory.ask_bucket(account.provider(), &wish.user_id, &wish.name).await;
            // Taken, but not to be seen with these credentials: the refusal is all that is known.
            found.and_then(|found| found.ok_or(taken)).map_err(|error| account.failed(error))?;
        }
        Err(error) => return Err(account.failed(error)),
    }
    Ok(())
}
