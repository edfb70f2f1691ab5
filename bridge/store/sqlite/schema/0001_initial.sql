-- Everything the bridge keeps. Ids grow in commit order, because one writer makes them all.

CREATE TABLE message (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    channel TEXT NOT NULL,
    protocol TEXT NOT NULL,
    message_type TEXT NOT NULL,
    control_id TEXT NOT NULL,
    sending_application TEXT NOT NULL,
    sending_facility TEXT NOT NULL,
    received_at REAL NOT NULL,
    reference TEXT NOT NULL,
    status TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- the reason it was marked with, shown where its deliveries give none
    remark TEXT NOT NULL DEFAULT '',
    verdict TEXT,
    waits_for TEXT NOT NULL DEFAULT '',
    -- 1 once its calls are deliveries; from then on its status follows theirs
    translated INTEGER NOT NULL DEFAULT 0,
    mapping TEXT NOT NULL DEFAULT '',
    mappings_hash TEXT NOT NULL DEFAULT '',
    duplicates INTEGER NOT NULL DEFAULT 0,
    changed_at REAL NOT NULL,
    answer_code TEXT NOT NULL,
    acknowledgment BLOB NOT NULL,
    -- of sender, control id and bytes; NULL where a copy must not be recognised
    identity BLOB
);
CREATE UNIQUE INDEX message_identity ON message (identity) WHERE identity IS NOT NULL;
-- Serves both lists by status and the work list of what is not translated: every index here is
-- paid for by each message that comes in.
CREATE INDEX message_status ON message (status, translated);
CREATE INDEX message_held ON message (waits_for) WHERE status = 'held' AND translated = 0;
CREATE INDEX message_reference ON message (channel, reference)
    WHERE reference <> '' AND status <> 'rejected';

-- Apart from its message, so that a change of status never rewrites megabytes.
CREATE TABLE body (
    message_id INTEGER PRIMARY KEY,
    checksum INTEGER NOT NULL,
    bytes BLOB NOT NULL
);

CREATE TABLE delivery (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message_id INTEGER NOT NULL REFERENCES message (id),
    position INTEGER NOT NULL,
    target TEXT NOT NULL,
    lane TEXT NOT NULL,
    resource TEXT NOT NULL,
    external_id TEXT NOT NULL,
    status TEXT NOT NULL,
    step TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at REAL NOT NULL,
    reason TEXT NOT NULL DEFAULT '',
    verdict TEXT,
    waits_for TEXT NOT NULL DEFAULT '',
    changed_at REAL NOT NULL,
    call BLOB NOT NULL,
    -- apart from its call, because only people read it
    lineage BLOB NOT NULL
);
CREATE INDEX delivery_message ON delivery (message_id);
CREATE INDEX delivery_waiting ON delivery (target, lane) WHERE status = 'waiting';
CREATE INDEX delivery_held ON delivery (waits_for) WHERE status = 'held';
CREATE INDEX delivery_unsettled ON delivery (resource, external_id)
    WHERE status IN ('waiting', 'held', 'parked');

-- A lane exists while deliveries wait in it: the table is as small as the backlog is wide.
CREATE TABLE lane (
    target TEXT NOT NULL,
    lane TEXT NOT NULL,
    head INTEGER NOT NULL,
    ready_at REAL NOT NULL,
    leased INTEGER NOT NULL DEFAULT 0,
    -- `resource/external id` whose next settling wakes it; '' when it waits for nothing
    waits_for TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (target, lane)
) WITHOUT ROWID;
CREATE INDEX lane_ready ON lane (target, ready_at) WHERE leased = 0 AND waits_for = '';
CREATE INDEX lane_blocked ON lane (waits_for) WHERE waits_for <> '';

CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    delivery_id INTEGER NOT NULL REFERENCES delivery (id),
    request BLOB NOT NULL,
    started_at REAL NOT NULL,
    ended_at REAL,
    outcome BLOB
);
CREATE INDEX attempt_delivery ON attempt (delivery_id);

CREATE TABLE entity (
    resource TEXT NOT NULL,
    external_id TEXT NOT NULL,
    desired BLOB NOT NULL,
    initial BLOB NOT NULL,
    sent BLOB,
    authority TEXT NOT NULL,
    facts BLOB NOT NULL,
    PRIMARY KEY (resource, external_id)
);

CREATE TABLE link (
    reference TEXT PRIMARY KEY,
    resource TEXT NOT NULL,
    external_id TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE number (
    sequence TEXT NOT NULL,
    key TEXT NOT NULL,
    value INTEGER NOT NULL,
    PRIMARY KEY (sequence, key)
) WITHOUT ROWID;
CREATE UNIQUE INDEX number_value ON number (sequence, value);

CREATE TABLE note (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE quarantine (
    id INTEGER PRIMARY KEY,
    channel TEXT NOT NULL,
    peer TEXT NOT NULL,
    reason TEXT NOT NULL,
    head BLOB NOT NULL,
    at REAL NOT NULL
);

-- Counts kept as rows come and change, so that a status page never counts a million messages.
CREATE TABLE tally (
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (kind, status)
) WITHOUT ROWID;
INSERT INTO tally (kind, status, count)
SELECT kinds.column1, statuses.column1, 0
FROM (VALUES ('message'), ('delivery')) AS kinds,
    (VALUES ('waiting'), ('held'), ('parked'), ('delivered'), ('suppressed'), ('superseded'),
        ('unmapped'), ('rejected')) AS statuses;
INSERT INTO tally VALUES ('quarantine', '', 0);
CREATE TRIGGER message_kept AFTER INSERT ON message BEGIN
    UPDATE tally SET count = count + 1 WHERE kind = 'message' AND status = NEW.status;
END;
CREATE TRIGGER message_changed AFTER UPDATE OF status ON message
WHEN OLD.status <> NEW.status BEGIN
    UPDATE tally SET count = count - 1 WHERE kind = 'message' AND status = OLD.status;
    UPDATE tally SET count = count + 1 WHERE kind = 'message' AND status = NEW.status;
END;
CREATE TRIGGER delivery_added AFTER INSERT ON delivery BEGIN
    UPDATE tally SET count = count + 1 WHERE kind = 'delivery' AND status = NEW.status;
END;
CREATE TRIGGER delivery_changed AFTER UPDATE OF status ON delivery
WHEN OLD.status <> NEW.status BEGIN
    UPDATE tally SET count = count - 1 WHERE kind = 'delivery' AND status = OLD.status;
    UPDATE tally SET count = count + 1 WHERE kind = 'delivery' AND status = NEW.status;
END;
CREATE TRIGGER quarantined AFTER INSERT ON quarantine BEGIN
    UPDATE tally SET count = count + 1 WHERE kind = 'quarantine';
END;
