//! The OpenAPI 3.1 document: the schemas are those of the wire types, the operations a table.

use super::body::LARGEST;
use crate::wire::{
    AccessKeyCreate, AccessKeyCreated, AccessKeyItem, AccessKeyPatch, AccountCreate, AccountItem,
    AccountPatch, AuditEvent, BucketCreate, BucketItem, BucketPatch, Capabilities, JobCreate, JobItem,
    JobPatch, Page, Problem, SessionCreate, SessionCreated, SessionItem, SessionVerify, TenantCreate,
    TenantItem, TenantPatch, TokenCreate, TokenCreated, TokenItem, UsageItem, UserCreate, UserItem,
    UserPatch,
};
use utoipa::openapi::path::{
    HttpMethod, Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn, Paths,
};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::{Components, ComponentsBuilder, Object, Type};
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::{
    Content, HeaderBuilder, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, OpenApiVersion, Ref, RefOr,
    Required, Response, ResponseBuilder, Schema,
};
use utoipa::{PartialSchema, ToSchema};

/// One operation.
struct Entry {
    method: HttpMethod,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    /// Query parameters.
    query: &'static [&'static str],
    request: Option<&'static str>,
    status: u16,
    /// Schema of the good answer.
    answer: Option<&'static str>,
}

impl Entry {
    fn new(method: HttpMethod, path: &'static str, id: &'static str, summary: &'static str) -> Self {
        Self { method, path, id, summary, query: &[], request: None, status: 200, answer: None }
    }

    fn takes(self, request: &'static str) -> Self {
        Self { request: Some(request), ..self }
    }

    fn answers(self, status: u16, answer: &'static str) -> Self {
        Self { status, answer: Some(answer), ..self }
    }

    fn answers_nothing(self) -> Self {
        Self { status: 204, answer: None, ..self }
    }

    fn filtered(self, query: &'static [&'static str]) -> Self {
        Self { query, ..self }
    }
}

fn get(path: &'static str, id: &'static str, summary: &'static str) -> Entry {
    Entry::new(HttpMethod::Get, path, id, summary)
}

fn post(path: &'static str, id: &'static str, summary: &'static str) -> Entry {
    Entry::new(HttpMethod::Post, path, id, summary)
}

fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Entry {
    Entry::new(HttpMethod::Patch, path, id, summary)
}

fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Entry {
    Entry::new(HttpMethod::Delete, path, id, summary).answers_nothing()
}

#[rustfmt::skip] // a table
#[allow(clippy::too_many_lines)] // a table
fn entries() -> Vec<Entry> {
    use super::collection::Collection;
    use super::{access_keys::AccessKeys, accounts::Accounts, buckets::Buckets, jobs::Jobs, tenants::Tenants};
    use super::{operations::AUDIT_FILTERS, tokens::Tokens, users::Users};
    vec![
        get("/v1/capabilities", "getCapabilities", "What the server can do").answers(200, "Capabilities"),

        post("/v1/sessions", "createSession", "Sign in").takes("SessionCreate").answers(201, "SessionCreated"),
        get("/v1/sessions", "getSession", "One's own session").answers(200, "SessionItem"),
        post("/v1/sessions/verify", "verifySession", "Verify the password, which holds for 15 minutes")
            .takes("SessionVerify").answers_nothing(),
        delete("/v1/sessions", "deleteSession", "Sign out"),

        get("/v1/tokens", "listTokens", "API tokens, one's own and those of users that one manages").filtered(Tokens::FILTERS).answers(200, "TokenPage"),
        post("/v1/tokens", "createToken", "Make an API token; it is shown once").takes("TokenCreate").answers(201, "TokenCreated"),
        get("/v1/tokens/{id}", "getToken", "An API token, without its secret").answers(200, "TokenItem"),
        delete("/v1/tokens/{id}", "deleteToken", "Remove an API token; it stops at once"),

        get("/v1/tenants", "listTenants", "Tenants").filtered(Tenants::FILTERS).answers(200, "TenantPage"),
        post("/v1/tenants", "createTenant", "Make a tenant").takes("TenantCreate").answers(201, "TenantItem"),
        get("/v1/tenants/{id}", "getTenant", "A tenant").answers(200, "TenantItem"),
        patch("/v1/tenants/{id}", "updateTenant", "Change a tenant").takes("TenantPatch").answers(200, "TenantItem"),
        delete("/v1/tenants/{id}", "deleteTenant", "Remove a tenant that nothing hangs on"),

        get("/v1/accounts", "listAccounts", "Accounts with their usage").filtered(Accounts::FILTERS).answers(200, "AccountPage"),
        post("/v1/accounts", "createAccount", "Make an account with its Root user").takes("AccountCreate").answers(201, "AccountItem"),
        get("/v1/accounts/{id}", "getAccount", "An account").answers(200, "AccountItem"),
        patch("/v1/accounts/{id}", "updateAccount", "Change an account").takes("AccountPatch").answers(200, "AccountItem"),
        delete("/v1/accounts/{id}", "deleteAccount", "Remove an account that nothing hangs on"),
        post("/v1/accounts/{id}/rootKey/rotate", "rotateRootKey", "Replace the Root user's key; the old one stops, the new one is shown once")
            .answers(201, "AccessKeyCreated"),

        get("/v1/users", "listUsers", "Users, Root users included, with what they have").filtered(Users::FILTERS).answers(200, "UserPage"),
        post("/v1/users", "createUser", "Make a user").takes("UserCreate").answers(201, "UserItem"),
        get("/v1/users/{id}", "getUser", "A user").answers(200, "UserItem"),
        patch("/v1/users/{id}", "updateUser", "Change a user").takes("UserPatch").answers(200, "UserItem"),
        delete("/v1/users/{id}", "deleteUser", "Remove a user that nothing hangs on"),

        get("/v1/accessKeys", "listAccessKeys", "Access keys, without their secrets").filtered(AccessKeys::FILTERS).answers(200, "AccessKeyPage"),
        post("/v1/accessKeys", "createAccessKey", "Make an access key; its secret is shown once").takes("AccessKeyCreate").answers(201, "AccessKeyCreated"),
        get("/v1/accessKeys/{id}", "getAccessKey", "An access key, without its secret").answers(200, "AccessKeyItem"),
        patch("/v1/accessKeys/{id}", "updateAccessKey", "Change description or labels, suspend the key or let it work again").takes("AccessKeyPatch").answers(200, "AccessKeyItem"),
        delete("/v1/accessKeys/{id}", "deleteAccessKey", "Remove an access key; it stops at once"),

        get("/v1/buckets", "listBuckets", "Buckets with what is in them").filtered(Buckets::FILTERS).answers(200, "BucketPage"),
        post("/v1/buckets", "createBucket", "Make a bucket of a user").takes("BucketCreate").answers(201, "BucketItem"),
        get("/v1/buckets/{user}/{name}", "getBucket", "A bucket").answers(200, "BucketItem"),
        patch("/v1/buckets/{user}/{name}", "updateBucket", "Change a bucket's settings").takes("BucketPatch").answers(200, "BucketItem"),
        delete("/v1/buckets/{user}/{name}", "deleteBucket", "Remove an empty bucket"),

        get("/v1/jobs", "listJobs", "Jobs").filtered(Jobs::FILTERS).answers(200, "JobPage"),
        post("/v1/jobs", "createJob", "Make a job: Backup, Restore or EmptyBucket").takes("JobCreate").answers(201, "JobItem"),
        get("/v1/jobs/{id}", "getJob", "A job with its progress").answers(200, "JobItem"),
        patch("/v1/jobs/{id}", "updateJob", "Change description or schedule").takes("JobPatch").answers(200, "JobItem"),
        delete("/v1/jobs/{id}", "deleteJob", "Remove a job that is not at work; what it copied stays"),
        post("/v1/jobs/{id}/run", "runJob", "Run a job now").answers(200, "JobItem"),
        post("/v1/jobs/{id}/cancel", "cancelJob", "End a job; it runs again only when told to").answers(200, "JobItem"),

        get("/v1/usage", "listUsage", "Requests, egress and storage by account, user or key, by hour or day").filtered(super::usage::FILTERS).answers(200, "UsagePage"),
        get("/v1/auditEvents", "listAuditEvents", "The audit log, oldest first").filtered(AUDIT_FILTERS).answers(200, "AuditEventPage"),
    ]
}

/// The document.
pub fn document() -> OpenApi {
    let paths = entries().into_iter().fold(Paths::new(), |mut paths, entry| {
        let Entry { method, path, .. } = &entry;
        paths.add_path_operation(*path, vec![method.clone()], operation(&entry));
        paths
    });
    let info = InfoBuilder::new()
        .title("storekeeper management API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(include_str!("docs/introduction.md")))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build();
    let either = [
        SecurityRequirement::new::<_, [&str; 0], &str>("bearer", []),
        SecurityRequirement::new::<_, [&str; 0], &str>("cookie", []),
    ];
    OpenApiBuilder::new()
        .openapi(OpenApiVersion::Version31)
        .info(info)
        .paths(paths)
        .components(Some(components()))
        .security(Some(either))
        .build()
}

fn operation(entry: &Entry) -> Operation {
    let Entry { method, path, id, summary, query, request, status, answer } = entry;
    let tag = path.split('/').nth(2).unwrap_or_default();
    let mut operation = OperationBuilder::new()
        .tag(tag)
        .summary(Some(*summary))
        .operation_id(Some(*id))
        .response(status.to_string(), good(*answer, path, method))
        .response("default", RefOr::Ref(Ref::from_response_name("Problem")));
    for name in path.split('/').filter_map(|part| part.strip_prefix('{')) {
        operation = operation.parameter(parameter(name.trim_end_matches('}'), ParameterIn::Path));
    }
    if answer.is_some_and(|name| name.ends_with("Page")) {
        for name in ["limit", "after"].iter().chain(*query) {
            operation = operation.parameter(parameter(name, ParameterIn::Query));
        }
    }
    let headers: &[&str] = match method {
        HttpMethod::Get => &["If-None-Match"],
        HttpMethod::Patch | HttpMethod::Delete => &["If-Match", "X-CSRF-Token"],
        _ => &["Idempotency-Key", "X-CSRF-Token"],
    };
    for name in headers {
        operation = operation.parameter(parameter(name, ParameterIn::Header));
    }
    if *id == "createSession" {
        operation = operation.securities(Some([SecurityRequirement::default()]));
    }
    if matches!(method, HttpMethod::Get) {
        operation = operation.response("304", Response::new("As the caller has it already"));
    }
    operation.request_body(request.map(|name| body(name, method))).build()
}

fn good(answer: Option<&str>, path: &str, method: &HttpMethod) -> Response {
    let description = if answer.is_some() { "Done" } else { "Done; nothing to be said" };
    let mut response = ResponseBuilder::new().description(description);
    if let Some(name) = answer {
        response = response.content("application/json", Content::new(Some(Ref::from_schema_name(name))));
    }
    let created =
        matches!(method, HttpMethod::Post) && !path.starts_with("/v1/sessions") && !path.ends_with("/run");
    if created && !path.ends_with("/cancel") {
        response = response.header("Location", text_header("Where it is"));
    }
    response.build()
}

fn text_header(description: &str) -> utoipa::openapi::Header {
    HeaderBuilder::new().schema(Some(Object::with_type(Type::String))).description(Some(description)).build()
}

fn parameter(name: &str, place: ParameterIn) -> Parameter {
    let (kind, description) = match name {
        "limit" => (Type::Integer, "Most items of the page, 1 to 1000; 100 when absent"),
        "after" => (Type::String, "`next` of the page before"),
        "from" | "to" => (Type::String, "A time such as '2030-01-31T00:00:00Z'"),
        "step" => (Type::String, "How long the periods are: `Hour` or `Day`"),
        "group" => (Type::String, "What is added up: `Account`, `User` or `AccessKey`"),
        "label" => (Type::String, "`<key>:<value>`; more than once: all of them"),
        "If-None-Match" => (Type::String, "Answer 304 where the item still has this `ETag`"),
        "If-Match" => (Type::String, "Refuse with 412 where the item's settings no longer have this `ETag`"),
        "X-CSRF-Token" => (Type::String, "Of a cookie session; not needed with a bearer token"),
        "Idempotency-Key" => {
            (Type::String, "Repeats the first answer, where capabilities have `idempotency-keys`")
        }
        _ if matches!(place, ParameterIn::Path) => (Type::String, "Of the item"),
        _ => (Type::String, "Only items that have this"),
    };
    let required = if matches!(place, ParameterIn::Path) { Required::True } else { Required::False };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(required)
        .description(Some(description))
        .schema(Some(Object::with_type(kind)))
        .build()
}

fn body(name: &str, method: &HttpMethod) -> RequestBody {
    let kind = match method {
        HttpMethod::Patch => "application/merge-patch+json",
        _ => "application/json",
    };
    let content = || Content::new(Some(Ref::from_schema_name(name)));
    let mut body = RequestBodyBuilder::new().content(kind, content());
    if kind != "application/json" {
        body = body.content("application/json", content());
    }
    body.description(Some(format!("At most {LARGEST} bytes"))).required(Some(Required::True)).build()
}

fn components() -> Components {
    let mut schemas: Vec<(String, RefOr<Schema>)> = Vec::new();
    macro_rules! add {
        ($($type:ty),* $(,)?) => {$(
            schemas.push((<$type as ToSchema>::name().into_owned(), <$type as PartialSchema>::schema()));
            <$type as ToSchema>::schemas(&mut schemas);
        )*};
    }
    macro_rules! pages {
        ($($name:literal: $type:ty),* $(,)?) => {$(
            schemas.push(($name.to_owned(), <Page<$type> as PartialSchema>::schema()));
            <Page<$type> as ToSchema>::schemas(&mut schemas);
        )*};
    }
    add!(
        Capabilities,
        SessionCreate,
        SessionCreated,
        SessionItem,
        SessionVerify,
        TokenCreate,
        TokenCreated,
        TokenItem,
        TenantCreate,
        TenantItem,
        TenantPatch,
        AccountCreate,
        AccountItem,
        AccountPatch,
        UserCreate,
        UserItem,
        UserPatch,
        AccessKeyCreate,
        AccessKeyCreated,
        AccessKeyItem,
        AccessKeyPatch,
        BucketCreate,
        BucketItem,
        BucketPatch,
        JobCreate,
        JobItem,
        JobPatch,
        AuditEvent,
        UsageItem,
        Problem,
    );
    pages!(
        "TokenPage": TokenItem, "TenantPage": TenantItem, "AccountPage": AccountItem, "UserPage": UserItem,
        "AccessKeyPage": AccessKeyItem, "BucketPage": BucketItem, "JobPage": JobItem,
        "AuditEventPage": AuditEvent, "UsagePage": UsageItem,
    );
    let problem = ResponseBuilder::new()
        .description("What is wrong; the table of `ProblemType` says which status each type has")
        .content("application/problem+json", Content::new(Some(Ref::from_schema_name("Problem"))))
        .header("Retry-After", text_header("Seconds, with 429 and 503: the request was not executed"))
        .build();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The token of a session, or an API token"))
        .build();
    let cookie = ApiKeyValue::with_description(
        "storekeeper",
        "A session begun with `cookie: true`; `__Host-storekeeper` over TLS. Changes need `X-CSRF-Token`.",
    );
    ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .response("Problem", problem)
        .security_scheme("bearer", SecurityScheme::Http(bearer))
        .security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)))
        .build()
}

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;
