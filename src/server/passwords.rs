//! Passwords: argon2id, off the async threads, as many at a time as there are cores to spare.

use crate::wire::ShownSecret;
use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::password_hash::{
    CustomizedPasswordHasher, Error, PasswordVerifier as _, Result as HashResult, Version as VersionNumber,
    try_generate_salt,
};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use thiserror::Error;
use tokio::sync::Semaphore;

/// Hashing failed; no reason of it could be the caller's.
#[derive(Debug, Error)]
#[error("failed to hash a password")]
pub struct HashError;

/// At most so many hashes are computed at a time: each takes 19 MiB.
const AT_A_TIME: usize = 4;

/// From here on the C library takes memory from the system and gives it back once it is free. What is smaller it may keep
/// (`M_MMAP_THRESHOLD` in mallopt(3)): a server at rest would hold 19 MiB for each hash that was computed at a time. Pages
/// that are never touched cost nothing.
const GIVEN_BACK: usize = 33 << 20;

/// Argon2, in memory that is given back.
struct Frugal;

impl CustomizedPasswordHasher<PasswordHash> for Frugal {
    type Params = Params;

    fn hash_password_customized(
        &self,
        password: &[u8],
        salt: &[u8],
        algorithm: Option<&str>,
        version: Option<VersionNumber>,
        params: Params,
    ) -> HashResult<PasswordHash> {
        let algorithm = algorithm.map(Algorithm::try_from).transpose()?.unwrap_or_default();
        let version = version.map(Version::try_from).transpose()?.unwrap_or_default();
        let mut memory = Vec::with_capacity(params.block_count().max(GIVEN_BACK / Block::SIZE));
        memory.resize(params.block_count(), Block::new());
        let mut output = [0; Output::MAX_LENGTH];
        let length = params.output_len().unwrap_or(Params::DEFAULT_OUTPUT_LEN);
        let output = output.get_mut(..length).ok_or(Error::OutputSize)?;
        Argon2::new(algorithm, version, params.clone()).hash_password_into_with_memory(
            password,
            salt,
            output,
            &mut memory,
        )?;
        Ok(PasswordHash {
            algorithm: algorithm.ident(),
            version: Some(version.into()),
            params: ParamsString::try_from(&params)?,
            salt: Some(Salt::new(salt)?),
            hash: Some(Output::new(output)?),
        })
    }
}

/// The hash of a password, as it is stored.
pub fn hash(password: &ShownSecret) -> Result<String, HashError> {
    let salt = try_generate_salt().map_err(|_| HashError)?;
    let hash = Frugal.hash_password_with_params(password.reveal().as_bytes(), &salt, Params::default());
    hash.map(|hash| hash.to_string()).map_err(|_| HashError)
}

fn is_of(password: &ShownSecret, stored: &str) -> bool {
    let right = |hash: PasswordHash| Frugal.verify_password(password.reveal().as_bytes(), &hash).is_ok();
    PasswordHash::new(stored).is_ok_and(right)
}

/// Hashes and verifies without blocking the async threads.
pub struct Passwords {
    slots: Arc<Semaphore>,
    /// The hash of a password that nobody knows: what an unknown login's password is compared with.
    decoy: Arc<str>,
    verified: Counter,
}

impl Passwords {
    /// Prepares the decoy from a random password.
    pub fn new(nobodys: &ShownSecret) -> Result<Self, HashError> {
        let decoy = hash(nobodys)?.into();
        Ok(Self { slots: Arc::new(Semaphore::new(AT_A_TIME)), decoy, verified: Counter::default() })
    }

    /// Shows in a registry how many passwords were verified.
    pub fn register(&self, registry: &mut Registry) {
        let help = "Passwords that were verified, right or wrong, of logins that exist or not";
        registry.register("password_verifications", help, self.verified.clone());
    }

    /// The hash of a password.
    pub async fn hash(&self, password: ShownSecret) -> Result<String, HashError> {
        self.apart(move || hash(&password)).await.unwrap_or(Err(HashError))
    }

    /// Whether this is the password of that hash. Without a hash the answer is no, after the same work.
    pub async fn verify(&self, password: ShownSecret, hash: Option<String>) -> bool {
        self.verified.inc();
        let decoy = Arc::clone(&self.decoy);
        let work = move || {
            let known = hash.is_some();
            let against = hash.as_deref().unwrap_or(&decoy);
            is_of(&password, against) && known
        };
        self.apart(work).await.unwrap_or(false)
    }

    async fn apart<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok()?;
        let joined = tokio::task::spawn_blocking(move || {
            let result = work();
            drop(slot);
            result
        });
        joined.await.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{Passwords, hash};
    use crate::wire::ShownSecret;

    fn secret(text: &str) -> ShownSecret {
        ShownSecret::new(text.to_owned())
    }

    #[tokio::test]
    async fn a_password_is_verified_against_its_argon2id_hash_and_nothing_else() {
        let passwords = Passwords::new(&secret("nobody's")).unwrap();
        let stored = hash(&secret("correct horse")).unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(passwords.verify(secret("correct horse"), Some(stored.clone())).await);
        assert!(!passwords.verify(secret("wrong"), Some(stored)).await);
        assert!(!passwords.verify(secret("nobody's"), None).await);
    }
}
