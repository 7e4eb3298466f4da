//! What an empty database begins with: the tenant `administrator`, the default account with its Root user and its one
//! key, and the user `administrator`.
//!
//! The default account belongs to the built-in tenant, which makes it a shared one: users of any tenant may be in it.

use super::domain::{accounts, keys, tenants};
use super::store::{self, Store, StoreError};
use super::{passwords, random};
use crate::wire::{AccountItem, Labels, Quota, Role, ShownSecret, TenantItem, Usage, UserItem, Visibility};
use jiff::Timestamp;
use rusqlite::Connection;
use thiserror::Error;

/// The login of the first global administrator.
pub const LOGIN: &str = "administrator";

/// What to tell whoever started the server for the first time.
pub struct FirstStart {
    /// The global administrator's login.
    pub login: &'static str,
    /// Its password, where it was made up rather than given.
    pub generated_password: Option<ShownSecret>,
    /// The default account.
    pub account_id: String,
}

/// Why the first start fails. Nothing is left behind.
#[derive(Debug, Error)]
pub enum FirstStartError {
    /// The store.
    #[error("failed to write the first rows")]
    Store(#[from] StoreError),
    /// No randomness.
    #[error("failed to make ids")]
    Random(#[from] random::RandomError),
    /// The password.
    #[error("failed to store the administrator's password")]
    Hash(#[from] passwords::HashError),
    /// The password that was given.
    #[error("the administrator's password {0}")]
    Password(String),
}

/// Whether the database is empty.
pub async fn is_due(store: &Store) -> Result<bool, StoreError> {
    store
        .read(|connection| {
            let any = connection.prepare_cached("SELECT 1 FROM tenant")?.exists([])?;
            Ok(!any)
        })
        .await
}

/// Fills an empty database, with the password given or one made up. `announce` is called before the commit: a password
/// that was made up must not be lost between commit and print.
pub async fn fill(
    store: &Store,
    given: Option<ShownSecret>,
    now: Timestamp,
    announce: impl FnOnce(&FirstStart),
) -> Result<(), FirstStartError> {
    let generated_password = if given.is_some() { None } else { Some(random::password()?) };
    if let Some(password) = &given {
        super::domain::fields::password(password.reveal()).map_err(|refusal| {
            FirstStartError::Password(refusal.errors.into_iter().map(|error| error.detail).collect())
        })?;
    }
    let Some(password) = given.as_ref().or(generated_password.as_ref()) else {
        return Err(FirstStartError::Hash(passwords::HashError));
    };
    let hash = passwords::hash(password)?;
    let rows = rows(store::columns::to_millis(now))?;
    let key =
        keys::root_key(random::access_key_id()?, rows.account.root_user_id.clone(), rows.account.created_at);
    let sealed = store.cipher().seal(random::secret_access_key()?.reveal())?;
    announce(&FirstStart { login: LOGIN, generated_password, account_id: rows.account.id.clone() });
    store
        .write(move |connection: &Connection| {
            store::tenants::insert(connection, &rows.tenant)?;
            store::accounts::insert(connection, &rows.account)?;
            store::users::insert(connection, &accounts::root_user(&rows.account), None, "system")?;
            store::keys::insert(connection, &key, &sealed)?;
            store::users::insert(connection, &rows.administrator, Some(&hash), "system")?;
            let entry = store::audit::Entry {
                time: rows.account.created_at,
                principal: "system",
                tenant: "",
                action: "server.firstStart",
                target: &rows.account.id,
                outcome: "ok",
                request_id: "",
            };
            store::audit::append(connection, &entry)
        })
        .await
        .map_err(FirstStartError::Store)
}

struct Rows {
    tenant: TenantItem,
    account: AccountItem,
    administrator: UserItem,
}

fn rows(now: Timestamp) -> Result<Rows, random::RandomError> {
    let tenant = TenantItem {
        id: random::id("tn_")?,
        name: tenants::ADMINISTRATOR.to_owned(),
        visibility: Visibility::Public,
        description: "Global administrators; its accounts are shared by all tenants".to_owned(),
        quota: Quota::default(),
        labels: Labels::new(),
        built_in: true,
        created_at: now,
    };
    let account = AccountItem {
        id: random::account_id()?,
        name: "default".to_owned(),
        tenant_id: tenant.id.clone(),
        description: "Used where nothing names an account".to_owned(),
        default: true,
        root_user_id: random::id("us_")?,
        usage: Usage::default(),
        created_at: now,
    };
    let administrator = UserItem {
        id: random::id("us_")?,
        login: LOGIN.to_owned(),
        name: "Administrator".to_owned(),
        role: Role::Administrator,
        root: false,
        description: "The first global administrator".to_owned(),
        ..accounts::root_user(&account)
    };
    Ok(Rows { tenant, account, administrator })
}
