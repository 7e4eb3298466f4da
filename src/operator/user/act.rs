//! Calls that change users at the provider. What a call showed goes into the account's inventory, where the next look
//! finds it; nothing is decided here.

use crate::operator::account::pool::{self, Account};
use crate::operator::runtime::{Context, Error};
use crate::provider::{self, ErrorKind, UserWish};

/// One call that changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Makes the user, or finds out who has its login.
    Create {
        /// Name of the StorageAccount.
        account: String,
        /// As what.
        wish: UserWish,
    },
    /// Makes the user as wished.
    Update {
        /// Name of the StorageAccount.
        account: String,
        /// The provider's id.
        id: String,
        /// As what.
        wish: UserWish,
    },
    /// Removes the user, or finds out what holds it.
    Delete {
        /// Name of the StorageAccount.
        account: String,
        /// The provider's id.
        id: String,
        /// Its login.
        login: String,
        /// The uid of its object.
        uid: String,
    },
}

/// Does one step.
pub async fn act(ctx: &Context, step: Step) -> Result<(), Error> {
    match step {
        Step::Create { account, wish } => {
            create(&*pool::connected(ctx, "create user", &account)?, &wish).await
        }
        Step::Update { account, id, wish } => {
            let account = pool::connected(ctx, "update user", &account)?;
            account.inventory().forget_user(&wish.login);
            let updated = account.provider().update_user(&id, &wish).await;
            account.inventory().note_user(updated.map_err(|error| account.failed(error))?);
            Ok(())
        }
        Step::Delete { account, id, login, uid } => {
            let account = pool::connected(ctx, "delete user", &account)?;
            account.inventory().forget_user(&login);
            match account.provider().delete_user(&id).await {
                Err(provider::Error { kind: ErrorKind::InUse(why), .. }) => {
                    account.inventory().note_refusal(&uid, why);
                    Ok(())
                }
                result => result.map_err(|error| account.failed(error)),
            }
        }
    }
}

/// Makes the user. A login that is taken may be our own user, made by a call whose answer was lost.
async fn create(account: &Account, wish: &UserWish) -> Result<(), Error> {
    let inventory = account.inventory();
    match account.provider().create_user(wish).await {
        Ok(user) => inventory.note_user(user),
        Err(taken @ provider::Error { kind: ErrorKind::NameTaken(_), .. }) => {
            let found = inventory.ask_user(account.provider(), &wish.login).await;
            // Taken, but not to be seen with these credentials: the refusal is all that is known.
            found.and_then(|found| found.ok_or(taken)).map_err(|error| account.failed(error))?;
        }
        Err(error) => return Err(account.failed(error)),
    }
    Ok(())
}
