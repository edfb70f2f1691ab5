CREATE TABLE records (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    resource TEXT NOT NULL,
    external_id TEXT NOT NULL,
    internal_id TEXT NOT NULL,
    fields TEXT NOT NULL,
    -- what a list of the resource is ordered by: number, text or NULL
    sort_key,
    created_at REAL NOT NULL,
    updated_at REAL NOT NULL,
    UNIQUE (resource, external_id)
);
CREATE INDEX records_in_order ON records (resource, sort_key, seq);
-- which records refer to which, for searches by what they refer to
CREATE TABLE referring (
    resource TEXT NOT NULL,
    field TEXT NOT NULL,
    external_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (resource, field, external_id, seq)
) WITHOUT ROWID;
CREATE INDEX referring_records ON referring (seq);
CREATE TABLE journal (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    client TEXT NOT NULL,
    method TEXT NOT NULL,
    path TEXT NOT NULL,
    status INTEGER NOT NULL,
    resource TEXT NOT NULL,
    external_id TEXT NOT NULL,
    effect TEXT NOT NULL,
    sent TEXT NOT NULL,
    fault TEXT NOT NULL,
    late_for INTEGER NOT NULL
);
CREATE TRIGGER journal_is_not_changed BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_is_not_deleted BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TABLE clients (
    id TEXT PRIMARY KEY,
    secret_hash TEXT NOT NULL,
    read_only INTEGER NOT NULL
);
CREATE TABLE tokens (
    hash TEXT PRIMARY KEY,
    client TEXT NOT NULL,
    kind TEXT NOT NULL,
    expires_at REAL NOT NULL
);
CREATE TABLE pushes (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    idempotency_key TEXT NOT NULL,
    made_at REAL NOT NULL,
    progress TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    due_at REAL NOT NULL,
    status INTEGER NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX pushes_due ON pushes (due_at) WHERE progress = 'waiting';
CREATE TABLE notes (name TEXT PRIMARY KEY, value REAL NOT NULL);
