//! How a connection is made: from the spec, and from the Secrets in the operator's own namespace that it names.

use super::guard::Guard;
use super::plan::{Desired, Kind, Link};
use crate::api::Reason;
use crate::operator::runtime::clients::OwnSecret;
use crate::operator::runtime::{self, Context, Error, ObjectKey, Verdict};
use crate::provider::http::BuildError;
use crate::provider::{Provider, ceph_rgw, garage, management};
use std::sync::Arc;

/// The entries of the Secrets.
const TOKEN: &str = "token";
const ACCESS_KEY: &str = "accessKey";
const SECRET_KEY: &str = "secretKey";
const CA: &str = "ca.crt";

/// The connection with these settings, made anew only where anything about them has changed; or what is wrong with them.
pub async fn link(ctx: &Context, name: &str, desired: &Desired) -> Result<(Link, Option<Arc<Guard>>), Error> {
    let refused = |reason, message: String| Ok((Link::Unusable(Verdict::blocked(reason, message)), None));
    let namespace = &ctx.settings.operator_namespace;
    let secret = &desired.credentials;
    let wanted = desired.kind.credentials();
    let Some(credentials) = ctx.own_secret(secret).await? else {
        return refused(
            Reason::CredentialsNotFound,
            format!(
                "Secret '{secret}' does not exist in namespace '{namespace}'. Make it, with {}.",
                wanted.in_words()
            ),
        );
    };
    if let Some(entry) = wanted.entries.iter().find(|entry| credentials.text(entry).is_none()) {
        return refused(
            Reason::CredentialsNotFound,
            format!(
                "Secret '{secret}' in namespace '{namespace}' has no entry `{entry}`. Put {} into it.",
                wanted.what
            ),
        );
    }
    let mut made_from = format!("{} {}", settings_of(desired), credentials.version);
    let mut ca_pem = None;
    if let Some(bundle) = &desired.ca_bundle {
        let found = ctx.own_secret(bundle).await?;
        let Some((found, pem)) = found.as_ref().and_then(|found| Some((found, found.bytes(CA)?))) else {
            return refused(
                Reason::InvalidCaBundle,
                format!(
                    "Secret '{bundle}' in namespace '{namespace}' does not exist or has no entry `{CA}`. Put the authority's certificate into it, PEM."
                ),
            );
        };
        made_from = format!("{made_from} {}", found.version);
        ca_pem = Some(pem.to_vec());
    }
    if let Some(guard) = ctx.accounts.guard(name, &made_from) {
        return Ok((Link::Made(made_from), Some(guard)));
    }
    match client(desired, &credentials, ca_pem) {
        Ok(client) => {
            let guard = guarded(ctx, name, desired, client);
            ctx.accounts.replace(name, made_from.clone(), Arc::clone(&guard));
            Ok((Link::Made(made_from), Some(guard)))
        }
        Err(error) => Ok((Link::Unusable(unusable(desired, &error)), None)),
    }
}

/// The client of the object store. The credentials have all entries that it takes.
fn client(
    desired: &Desired,
    credentials: &OwnSecret,
    ca_pem: Option<Vec<u8>>,
) -> Result<Box<dyn Provider>, BuildError> {
    let entry = |name: &str| credentials.text(name).ok_or(BuildError::Credentials);
    let (endpoint, timeout) = (desired.endpoint.clone(), desired.request_timeout);
    Ok(match &desired.kind {
        Kind::Management { account_id } => Box::new(management::Client::new(management::Settings {
            endpoint,
            token: entry(TOKEN)?,
            ca_pem,
            account_id: account_id.clone(),
            timeout,
        })?),
        Kind::CephRgw { region } => Box::new(ceph_rgw::Client::new(ceph_rgw::Settings {
            endpoint,
            access_key: entry(ACCESS_KEY)?.reveal().to_owned(),
            secret_key: entry(SECRET_KEY)?,
            region: region.clone(),
            ca_pem,
            timeout,
        })?),
        Kind::Garage => Box::new(garage::Client::new(garage::Settings {
            endpoint,
            token: entry(TOKEN)?,
            ca_pem,
            timeout,
        })?),
    })
}

/// The part of the spec that a connection is made from, in one text.
fn settings_of(desired: &Desired) -> String {
    let Desired {
        kind,
        endpoint,
        credentials,
        ca_bundle,
        turns,
        request_timeout,
        tenant: _,
        orphan_policy: _,
    } = desired;
    format!("{kind:?} {endpoint} {credentials} {ca_bundle:?} {turns} {request_timeout:?}")
}

fn guarded(ctx: &Context, name: &str, desired: &Desired, client: Box<dyn Provider>) -> Arc<Guard> {
    let (wakes, key) = (ctx.wakes.clone(), ObjectKey::cluster(name));
    let alarm = Arc::new(move || wakes.now(runtime::Kind::StorageAccount, key.clone()));
    let (turns, timeout) = (desired.turns, desired.request_timeout);
    Arc::new(Guard::new(name, client, turns, timeout, ctx.metrics.clone(), alarm))
}

fn unusable(desired: &Desired, error: &BuildError) -> Verdict {
    let credentials = &desired.credentials;
    match error {
        BuildError::Endpoint(endpoint) => Verdict::blocked(
            Reason::InvalidSpec,
            format!(
                "`spec.provider.{}.endpoint` must be an http or https URL, and is '{endpoint}'.",
                desired.kind.field()
            ),
        ),
        BuildError::Credentials => {
            let wanted = desired.kind.credentials();
            let names: Vec<String> = wanted.entries.iter().map(|entry| format!("`{entry}`")).collect();
            Verdict::blocked(
                Reason::CredentialsRefused,
                format!(
                    "What is in {} of Secret '{credentials}' is not {}: it must be printable text without spaces.",
                    names.join(" and "),
                    wanted.what
                ),
            )
        }
        BuildError::CaBundle => {
            let bundle = desired.ca_bundle.as_deref().unwrap_or_default();
            Verdict::blocked(
                Reason::InvalidCaBundle,
                format!("The entry `{CA}` of Secret '{bundle}' must be one or more certificates, PEM."),
            )
        }
        BuildError::SystemRoots => Verdict::blocked(
            Reason::InvalidCaBundle,
            "The operator's system trusts no certificates. Name a Secret with the authority's certificate in `caBundleSecretRef`.",
        ),
        BuildError::Http(_) => Verdict::blocked(
            Reason::InvalidSpec,
            "No client can be made of the account's settings; the operator's log says why.",
        ),
    }
}

/// Whether the Secrets are others than those that the connection was made from.
pub async fn has_changed(ctx: &Context, name: &str, desired: &Desired) -> Result<bool, Error> {
    let credentials = ctx.own_secret(&desired.credentials).await?;
    let bundle = match &desired.ca_bundle {
        Some(bundle) => ctx.own_secret(bundle).await?,
        None => None,
    };
    let versions = [credentials, bundle].into_iter().flatten().map(|secret| secret.version);
    let now = versions.fold(settings_of(desired), |text, version| format!("{text} {version}"));
    match ctx.accounts.made_from(name) {
        Some(then) => Ok(then != now),
        None => Ok(now != settings_of(desired)),
    }
}
