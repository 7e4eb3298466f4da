-- Times are milliseconds since 1970, UTC. Labels, scopes, quotas and attributes are JSON.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE tenant (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    visibility TEXT NOT NULL,
    description TEXT NOT NULL,
    quota TEXT NOT NULL,
    labels TEXT NOT NULL,
    built_in INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE account (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL REFERENCES tenant (id),
    description TEXT NOT NULL,
    is_default INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX account_default ON account (is_default) WHERE is_default = 1;
CREATE INDEX account_tenant ON account (tenant);

CREATE TABLE user (
    id TEXT PRIMARY KEY,
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    email TEXT NOT NULL,
    time_zone TEXT NOT NULL,
    role TEXT NOT NULL,
    tenant TEXT NOT NULL REFERENCES tenant (id),
    account TEXT NOT NULL REFERENCES account (id),
    enabled INTEGER NOT NULL,
    root INTEGER NOT NULL,
    description TEXT NOT NULL,
    quota TEXT NOT NULL,
    labels TEXT NOT NULL,
    password TEXT,
    -- The user who made this one, or 'system': isolation does not hide from a principal what it made itself.
    made_by TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX user_tenant ON user (tenant);
CREATE INDEX user_account ON user (account);
CREATE UNIQUE INDEX user_root ON user (account) WHERE root = 1;

CREATE TABLE access_key (
    id TEXT PRIMARY KEY,
    user TEXT NOT NULL REFERENCES user (id),
    permission TEXT NOT NULL,
    description TEXT NOT NULL,
    buckets TEXT,
    labels TEXT NOT NULL,
    sealed_secret BLOB NOT NULL,
    created INTEGER NOT NULL,
    last_used INTEGER
) STRICT;
CREATE INDEX access_key_user ON access_key (user);

-- One row a label of tenants, users, keys and buckets, so that lists can be filtered by an index.
CREATE TABLE label (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (kind, id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX label_value ON label (kind, name, value);

CREATE TABLE session (
    token_hash BLOB PRIMARY KEY,
    user TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    verified INTEGER,
    expires INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_user ON session (user);

CREATE TABLE token (
    id TEXT PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    user TEXT NOT NULL REFERENCES user (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    expires INTEGER,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX token_user ON token (user);

CREATE TABLE idempotency (
    principal TEXT NOT NULL,
    key TEXT NOT NULL,
    -- Of what was asked, too: a request may hold a password.
    sealed BLOB NOT NULL,
    created INTEGER NOT NULL,
    PRIMARY KEY (principal, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency (created);

CREATE TABLE audit (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    principal TEXT NOT NULL,
    -- The principal's tenant, empty for the system: who may read the event.
    tenant TEXT NOT NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL,
    outcome TEXT NOT NULL,
    request_id TEXT NOT NULL
) STRICT;

CREATE INDEX audit_tenant ON audit (tenant);

CREATE TABLE bucket (
    id INTEGER PRIMARY KEY,
    user TEXT NOT NULL REFERENCES user (id),
    name TEXT NOT NULL,
    versioning TEXT NOT NULL,
    object_lock INTEGER NOT NULL,
    retention TEXT,
    quota TEXT NOT NULL,
    labels TEXT NOT NULL,
    created INTEGER NOT NULL,
    -- Kept with every change of an object, in the same transaction.
    used_bytes INTEGER NOT NULL DEFAULT 0,
    used_objects INTEGER NOT NULL DEFAULT 0,
    UNIQUE (user, name)
) STRICT;

-- One row a version of an object; a delete marker has no blob.
CREATE TABLE object (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket INTEGER NOT NULL REFERENCES bucket (id),
    key TEXT NOT NULL COLLATE BINARY,
    version TEXT NOT NULL,
    latest INTEGER NOT NULL,
    marker INTEGER NOT NULL DEFAULT 0,
    size INTEGER NOT NULL DEFAULT 0,
    etag TEXT NOT NULL DEFAULT '',
    blob TEXT,
    modified INTEGER NOT NULL,
    attributes TEXT NOT NULL DEFAULT '{}',
    tags TEXT NOT NULL DEFAULT '[]',
    retention_mode TEXT,
    retained_until INTEGER,
    legal_hold INTEGER NOT NULL DEFAULT 0,
    UNIQUE (bucket, key, version)
) STRICT;
CREATE UNIQUE INDEX object_latest ON object (bucket, key) WHERE latest = 1;
CREATE INDEX object_blob ON object (blob) WHERE blob IS NOT NULL;

CREATE TABLE upload (
    id TEXT PRIMARY KEY,
    bucket INTEGER NOT NULL REFERENCES bucket (id),
    key TEXT NOT NULL COLLATE BINARY,
    -- The access key that began it: a key with permission Write sees only its own uploads.
    access_key TEXT NOT NULL,
    created INTEGER NOT NULL,
    attributes TEXT NOT NULL
) STRICT;
CREATE INDEX upload_bucket ON upload (bucket, key);

CREATE TABLE part (
    upload TEXT NOT NULL REFERENCES upload (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    size INTEGER NOT NULL,
    etag TEXT NOT NULL,
    blob TEXT NOT NULL,
    checksums TEXT NOT NULL DEFAULT '{}',
    modified INTEGER NOT NULL,
    PRIMARY KEY (upload, number)
) STRICT, WITHOUT ROWID;
