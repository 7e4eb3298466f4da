CREATE TABLE job (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    -- Who made it.
    owner TEXT NOT NULL REFERENCES user (id),
    -- Buckets by name: a finished job outlives the buckets that it worked on, but not their users.
    source_user TEXT NOT NULL REFERENCES user (id),
    source_bucket TEXT NOT NULL,
    target_user TEXT REFERENCES user (id),
    target_bucket TEXT,
    backup TEXT,
    up_to INTEGER,
    description TEXT NOT NULL,
    schedule TEXT,
    state TEXT NOT NULL,
    -- When it is to be taken up; of a running one the time at which it was, so that it is due after a crash.
    next_run INTEGER,
    started INTEGER,
    finished INTEGER,
    retries INTEGER NOT NULL,
    message TEXT,
    progress TEXT NOT NULL,
    hold_up TEXT,
    created INTEGER NOT NULL
) STRICT;
CREATE INDEX job_next_run ON job (next_run) WHERE next_run IS NOT NULL;
CREATE INDEX job_owner ON job (owner);
CREATE INDEX job_source ON job (source_user, source_bucket);
CREATE INDEX job_target ON job (target_user, target_bucket);
CREATE INDEX job_backup ON job (backup) WHERE backup IS NOT NULL;

-- What a job wrote into a bucket, and which version it was in the beginning: a copy of a copy keeps its origin. The
-- origin is a number of `object.sequence`, which is never given twice; its row may be gone.
CREATE TABLE copy (
    bucket INTEGER NOT NULL REFERENCES bucket (id) ON DELETE CASCADE,
    origin INTEGER NOT NULL,
    object INTEGER NOT NULL REFERENCES object (sequence) ON DELETE CASCADE,
    PRIMARY KEY (bucket, origin)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX copy_object ON copy (object);
