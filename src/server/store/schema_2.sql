-- Where the parts of an object lie that was uploaded in parts, in order: JSON.
ALTER TABLE object ADD COLUMN parts TEXT;

CREATE INDEX part_blob ON part (blob);
CREATE INDEX upload_created ON upload (created);

-- What came to and went from the storage of a user, by hour since 1970; the sum up to an hour is what was stored then.
-- Kept when users, accounts and tenants are gone: it is what bills are made of.
CREATE TABLE stored_hour (
    hour INTEGER NOT NULL,
    user TEXT NOT NULL,
    account TEXT NOT NULL,
    tenant TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    objects INTEGER NOT NULL,
    PRIMARY KEY (hour, user, tenant)
) STRICT, WITHOUT ROWID;

INSERT INTO stored_hour (hour, user, account, tenant, bytes, objects)
SELECT unixepoch() / 3600, u.id, u.account, u.tenant, sum(b.used_bytes), sum(b.used_objects)
FROM bucket b JOIN user u ON u.id = b.user GROUP BY u.id;

-- Whatever changes an object, on whichever way, is recorded in its transaction.
CREATE TRIGGER bucket_stored AFTER UPDATE OF used_bytes, used_objects ON bucket
WHEN NEW.used_bytes <> OLD.used_bytes OR NEW.used_objects <> OLD.used_objects
BEGIN
    INSERT INTO stored_hour (hour, user, account, tenant, bytes, objects)
    SELECT unixepoch() / 3600, u.id, u.account, u.tenant,
        NEW.used_bytes - OLD.used_bytes, NEW.used_objects - OLD.used_objects
    FROM user u WHERE u.id = NEW.user
    ON CONFLICT (hour, user, tenant)
    DO UPDATE SET bytes = bytes + excluded.bytes, objects = objects + excluded.objects;
END;

-- A user that moves takes what it has along; what it had before stays on the bill of the tenant that it leaves.
CREATE TRIGGER user_moved AFTER UPDATE OF tenant ON user
WHEN NEW.tenant <> OLD.tenant
BEGIN
    INSERT INTO stored_hour (hour, user, account, tenant, bytes, objects)
    SELECT unixepoch() / 3600, OLD.id, OLD.account, OLD.tenant, -sum(used_bytes), -sum(used_objects)
    FROM bucket WHERE user = OLD.id HAVING count(*) > 0
    ON CONFLICT (hour, user, tenant)
    DO UPDATE SET bytes = bytes + excluded.bytes, objects = objects + excluded.objects;
    INSERT INTO stored_hour (hour, user, account, tenant, bytes, objects)
    SELECT unixepoch() / 3600, NEW.id, NEW.account, NEW.tenant, sum(used_bytes), sum(used_objects)
    FROM bucket WHERE user = NEW.id HAVING count(*) > 0
    ON CONFLICT (hour, user, tenant)
    DO UPDATE SET bytes = bytes + excluded.bytes, objects = objects + excluded.objects;
END;
