-- Each set of mappings that was ever in use, by the hash of its contents: what it said, so that it
-- can be brought back, and its legend, which the lineage of deliveries refers to.
CREATE TABLE mapping_version (
    hash TEXT PRIMARY KEY,
    first_used_at REAL NOT NULL,
    folders BLOB NOT NULL,
    legend BLOB NOT NULL
) WITHOUT ROWID;

-- Lineage was kept in full before; it cannot be told in the short form.
UPDATE delivery SET lineage = '[]';

-- Codes that no row of a code table knows, as they were met.
CREATE TABLE unmapped_code (
    code_table TEXT NOT NULL,
    code TEXT NOT NULL,
    sender TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_at REAL NOT NULL,
    last_at REAL NOT NULL,
    PRIMARY KEY (code_table, code, sender)
) WITHOUT ROWID;
