//! The built-in Tenant `administrator`: made by the operator, never edited by it.

use crate::api::tenant::Visibility;
use crate::api::{ADMINISTRATOR_TENANT, Tenant, TenantSpec};
use crate::operator::runtime::error::chain;
use crate::operator::runtime::{Class, Context, Error};
use kube::Api;
use kube::api::PostParams;
use std::time::Duration;

const RETRY: Duration = Duration::from_secs(1);

/// Makes the built-in tenant at the start, however long the API server takes to let us.
pub async fn at_start(ctx: &Context) -> Result<(), Error> {
    loop {
        match ensure(ctx).await {
            Err(error) if matches!(error.class(), Class::Transient | Class::Throttled(_)) => {
                tracing::warn!(
                    error = chain(&error),
                    "failed to make the built-in tenant; it is tried again"
                );
                tokio::select! {
                    () = ctx.stopping.cancelled() => return Ok(()),
                    () = tokio::time::sleep(RETRY) => {}
                }
            }
            done => return done,
        }
    }
}

/// Makes the built-in tenant where it is absent. One that is there is left as it is.
#[allow(clippy::disallowed_methods, reason = "the built-in Tenant is the one object that the operator makes")]
pub async fn ensure(ctx: &Context) -> Result<(), Error> {
    if ctx.stores.tenants.get(None, ADMINISTRATOR_TENANT).is_some() {
        return Ok(());
    }
    let api: Api<Tenant> = Api::all(ctx.writer.clone());
    let tenant = Tenant::new(ADMINISTRATOR_TENANT, definition());
    let created = api.create(&PostParams::default(), &tenant).await;
    match created.map_err(|error| Error::kube("create Tenant", ADMINISTRATOR_TENANT, error)) {
        Ok(_) => Ok(()),
        // Another operator was faster.
        Err(error) if error.class() == Class::Conflict => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whether somebody has changed more than who may use the tenant, and where.
pub fn is_edited(spec: &TenantSpec) -> bool {
    let allowed = TenantSpec {
        account_ref: spec.account_ref.clone(),
        allowed_namespaces: spec.allowed_namespaces.clone(),
        ..definition()
    };
    *spec != allowed
}

fn definition() -> TenantSpec {
    TenantSpec {
        display_name: Some("Administrators".to_owned()),
        description: Some("Global administrators. Built in: it is not edited and not deleted.".to_owned()),
        visibility: Visibility::Public,
        ..TenantSpec::default()
    }
}

#[cfg(test)]
mod tests {
    use super::{definition, is_edited};
    use crate::api::NameRef;

    #[test]
    fn only_who_may_use_the_built_in_tenant_may_be_changed() {
        let mut spec = definition();
        spec.allowed_namespaces.names = vec!["admin".to_owned()];
        spec.account_ref = Some(NameRef { name: "main".to_owned() });
        assert!(!is_edited(&spec));
        spec.quota.users = Some(1);
        assert!(is_edited(&spec));
    }
}
