-- Requests that were answered, by hour since 1970. A database of its own, because its commits need not wait for the
-- disk: what is written outlives the process, and that is what is promised of it.
CREATE TABLE request_hour (
    hour INTEGER NOT NULL,
    access_key TEXT NOT NULL,
    user TEXT NOT NULL,
    account TEXT NOT NULL,
    tenant TEXT NOT NULL,
    requests INTEGER NOT NULL,
    egress INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    PRIMARY KEY (hour, access_key, tenant)
) STRICT, WITHOUT ROWID;
