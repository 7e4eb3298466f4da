-- A key that is not active is refused, and loses nothing.
ALTER TABLE access_key ADD COLUMN active INTEGER NOT NULL DEFAULT 1;
