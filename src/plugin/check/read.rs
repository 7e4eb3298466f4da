//! Gathers the facts. What the caller may not look at is a fact too, and no failure.

use super::facts::{Binding, Facts, Lease, Policy};
use super::roles::{self, Right};
use crate::plugin::cluster::{Cluster, ClusterError, Read};
use crate::plugin::item::Kind;
use futures::StreamExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};

/// Questions that are under way at a time.
const AT_ONCE: usize = 8;
const REVIEWS: &str = "/apis/authorization.k8s.io/v1";
const ADMISSION: &str = "/apis/admissionregistration.k8s.io/v1";

/// Which operator.
pub struct Operator {
    /// Its namespace.
    pub namespace: String,
    /// Its ServiceAccount there.
    pub service_account: String,
}

/// Asks for everything.
pub async fn facts(
    cluster: &Cluster,
    operator: &Operator,
    now: Timestamp,
) -> Result<Facts, crate::plugin::Failure> {
    let namespace = cluster.namespace().to_owned();
    let label = cluster.raw(&format!("/api/v1/namespaces/{namespace}")).await?.map(|found| {
        let labels = &found["metadata"]["labels"];
        labels["storekeeper.dev/tenant"].as_str().map(str::to_owned)
    });
    let tenant = match &label {
        Read::Found(Some(name)) => Some((name.clone(), cluster.get(Kind::Tenant, None, name).await?)),
        Read::Found(None) | Read::Absent | Read::Forbidden => None,
    };
    let name = tenant.as_ref().map(|(name, _)| name.as_str());
    let mut needed = Vec::new();
    for role in roles::names() {
        needed.extend(roles::needs(role, &namespace, name)?.map(|(_, rights)| rights).unwrap_or_default());
    }
    needed.sort();
    needed.dedup();
    let account = format!("system:serviceaccount:{}:{}", operator.namespace, operator.service_account);
    let mut of_operator = roles::of_operator(&namespace, &operator.namespace)?;
    of_operator.extend(roles::not_of_operator(&namespace));
    Ok(Facts {
        now,
        version: cluster.raw("/version").await?.map(|found| text(&found, "/gitVersion")),
        schemas: cluster.raw("/openapi/v3/apis/storekeeper.dev/v1alpha1").await?,
        me: whoami(cluster).await?,
        rights: mine(cluster, needed).await?,
        operator: account.clone(),
        operator_namespace: operator.namespace.clone(),
        operator_rights: of(cluster, &account, of_operator).await?,
        lease: lease(cluster, &operator.namespace).await?,
        policies: policies(cluster).await?,
        bindings: bindings(cluster).await?,
        accounts: cluster.list(Kind::StorageAccount, None).await?,
        namespace,
        label,
        tenant,
    })
}

fn text(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

async fn whoami(cluster: &Cluster) -> Result<Option<String>, ClusterError> {
    let question = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let answer: Read<Value> =
        cluster.ask("/apis/authentication.k8s.io/v1/selfsubjectreviews", &question).await?;
    Ok(answer.found().map(|answer| text(&answer, "/status/userInfo/username")))
}

fn attributes(right: &Right) -> Value {
    let (resource, subresource) = right.resource.split_once('/').unwrap_or((&right.resource, ""));
    json!({
        "group": right.group, "resource": resource, "subresource": subresource, "verb": right.verb,
        "name": right.name.as_deref().unwrap_or_default(),
        "namespace": right.namespace.as_deref().unwrap_or_default(),
    })
}

/// Which of these the caller has. Everybody may ask that.
async fn mine(cluster: &Cluster, rights: Vec<Right>) -> Result<Vec<(Right, bool)>, ClusterError> {
    let answers = futures::stream::iter(rights).map(|right| async move {
        let question = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes(&right)},
        });
        let path = format!("{REVIEWS}/selfsubjectaccessreviews");
        let answer: Read<Value> = cluster.ask(&path, &question).await?;
        let allowed = answer.found().is_some_and(|answer| answer["status"]["allowed"] == true);
        Ok::<_, ClusterError>((right, allowed))
    });
    let answers: Vec<_> = answers.buffered(AT_ONCE).collect().await;
    answers.into_iter().collect()
}

/// Which of these somebody else has: not everybody may ask that.
async fn of(
    cluster: &Cluster,
    user: &str,
    rights: Vec<Right>,
) -> Result<Read<Vec<(Right, bool)>>, ClusterError> {
    let groups = json!(["system:serviceaccounts", "system:authenticated"]);
    let answers = futures::stream::iter(rights).map(|right| {
        let question = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {"user": user, "groups": groups, "resourceAttributes": attributes(&right)},
        });
        async move {
            let path = format!("{REVIEWS}/subjectaccessreviews");
            let answer: Read<Value> = cluster.ask(&path, &question).await?;
            Ok::<_, ClusterError>(answer.map(|answer| (right, answer["status"]["allowed"] == true)))
        }
    });
    let answers: Vec<_> = answers.buffered(AT_ONCE).collect().await;
    let mut known = Vec::new();
    for answer in answers {
        match answer? {
            Read::Found(one) => known.push(one),
            Read::Absent | Read::Forbidden => return Ok(Read::Forbidden),
        }
    }
    Ok(Read::Found(known))
}

async fn lease(cluster: &Cluster, namespace: &str) -> Result<Read<Lease>, ClusterError> {
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/storekeeper");
    Ok(cluster.raw(&path).await?.map(|found| Lease {
        holder: text(&found, "/spec/holderIdentity"),
        renewed: text(&found, "/spec/renewTime").parse().ok(),
        seconds: found["spec"]["leaseDurationSeconds"].as_i64().unwrap_or_default(),
    }))
}

async fn policies(cluster: &Cluster) -> Result<Read<Vec<Policy>>, ClusterError> {
    let list = cluster.raw(&format!("{ADMISSION}/validatingadmissionpolicies")).await?;
    Ok(list.map(|list| {
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let policy = |item: &Value| Policy {
            name: text(item, "/metadata/name"),
            is_wrong: item["status"]["typeChecking"]["expressionWarnings"]
                .as_array()
                .is_some_and(|warnings| !warnings.is_empty()),
        };
        items.iter().map(policy).collect()
    }))
}

async fn bindings(cluster: &Cluster) -> Result<Read<Vec<Binding>>, ClusterError> {
    let list = cluster.raw(&format!("{ADMISSION}/validatingadmissionpolicybindings")).await?;
    Ok(list.map(|list| {
        let items = list["items"].as_array().cloned().unwrap_or_default();
        let binding = |item: &Value| Binding {
            policy: text(item, "/spec/policyName"),
            denies: item["spec"]["validationActions"]
                .as_array()
                .is_some_and(|actions| actions.iter().any(|action| action == "Deny")),
        };
        items.iter().map(binding).collect()
    }))
}
