-- Order is a sequence of its lane, taken in the transaction that commits it. What is done with has
-- none: nothing is compared with it.
ALTER TABLE delivery ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
UPDATE delivery SET sequence = id WHERE status IN ('waiting', 'held', 'parked');
DROP INDEX delivery_waiting;
CREATE INDEX delivery_waiting ON delivery (target, lane, sequence) WHERE status = 'waiting';

-- A lane stays when nothing waits in it, for the sequence that it gave last.
CREATE TABLE lane_13 (
    target TEXT NOT NULL,
    lane TEXT NOT NULL,
    -- the waiting delivery with the smallest sequence; NULL where none waits
    head INTEGER,
    ready_at REAL NOT NULL DEFAULT 0,
    leased INTEGER NOT NULL DEFAULT 0,
    -- `resource/external id` whose next settling wakes it; '' when it waits for nothing
    waits_for TEXT NOT NULL DEFAULT '',
    -- the sequence that was given last
    last INTEGER NOT NULL,
    PRIMARY KEY (target, lane)
) WITHOUT ROWID;
INSERT INTO lane_13 (target, lane, head, ready_at, leased, waits_for, last)
SELECT target, lane, head, ready_at, leased, waits_for, head FROM lane;
INSERT INTO lane_13 (target, lane, last)
SELECT target, lane, max(sequence) FROM delivery
WHERE status IN ('waiting', 'held', 'parked') GROUP BY target, lane
ON CONFLICT (target, lane) DO UPDATE SET last = excluded.last;
DROP TABLE lane;
ALTER TABLE lane_13 RENAME TO lane;
CREATE INDEX lane_ready ON lane (target, ready_at)
    WHERE leased = 0 AND waits_for = '' AND head IS NOT NULL;
CREATE INDEX lane_blocked ON lane (waits_for) WHERE waits_for <> '';

-- Checksums of what is sent or answered, CRC-32 (a function of the connection that migrates). They
-- are NULL of what an earlier version kept and that is done with: answers that were given, calls
-- that were made.
ALTER TABLE message ADD COLUMN checksum INTEGER;
ALTER TABLE delivery ADD COLUMN checksum INTEGER;
ALTER TABLE attempt ADD COLUMN checksum INTEGER;
ALTER TABLE entity ADD COLUMN checksum INTEGER;
ALTER TABLE application_acknowledgment ADD COLUMN checksum INTEGER;
UPDATE delivery SET checksum = checksum(call) WHERE status IN ('waiting', 'held', 'parked');
UPDATE attempt SET checksum = checksum(request) WHERE ended_at IS NULL;
UPDATE entity SET checksum = checksum(resource, '/', external_id, '/', desired, initial,
    coalesce(sent, x''), facts, authority, '/', owner);
UPDATE application_acknowledgment SET checksum = checksum(code, body) WHERE state = 'due';
ALTER TABLE number ADD COLUMN checksum INTEGER;
UPDATE number SET checksum = checksum(sequence, '/', key, '/', CAST(value AS TEXT));

-- Deliveries are counted by destination too, so that a status page never counts what waits.
DROP TRIGGER delivery_added;
DROP TRIGGER delivery_changed;
DELETE FROM tally WHERE kind = 'delivery';
INSERT INTO tally (kind, status, count)
SELECT 'delivery/' || targets.column1, statuses.column1, 0
FROM (VALUES ('zauto'), ('hospital')) AS targets,
    (VALUES ('waiting'), ('held'), ('parked'), ('delivered'), ('suppressed'), ('superseded'),
        ('unmapped'), ('rejected')) AS statuses;
INSERT INTO tally (kind, status, count)
SELECT 'delivery/' || target, status, count(*) FROM delivery WHERE true GROUP BY target, status
ON CONFLICT (kind, status) DO UPDATE SET count = excluded.count;
CREATE TRIGGER delivery_added AFTER INSERT ON delivery BEGIN
    UPDATE tally SET count = count + 1
    WHERE kind = 'delivery/' || NEW.target AND status = NEW.status;
END;
CREATE TRIGGER delivery_changed AFTER UPDATE OF status ON delivery
WHEN OLD.status <> NEW.status BEGIN
    UPDATE tally SET count = count - 1
    WHERE kind = 'delivery/' || OLD.target AND status = OLD.status;
    UPDATE tally SET count = count + 1
    WHERE kind = 'delivery/' || NEW.target AND status = NEW.status;
END;

-- How many messages and deliveries are held for each key, for the same reason.
CREATE TABLE held_count (
    waits_for TEXT PRIMARY KEY,
    count INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX held_count_most ON held_count (count DESC, waits_for) WHERE count > 0;
INSERT INTO held_count
SELECT waits_for, count(*) FROM (
    SELECT waits_for FROM message WHERE status = 'held' AND translated = 0 AND waits_for <> ''
    UNION ALL
    SELECT waits_for FROM delivery WHERE status = 'held' AND waits_for <> ''
) GROUP BY waits_for;
CREATE TRIGGER message_held_now AFTER UPDATE OF status, waits_for, translated ON message
WHEN NEW.status = 'held' AND NEW.translated = 0 AND NEW.waits_for <> '' BEGIN
    INSERT INTO held_count VALUES (NEW.waits_for, 1)
    ON CONFLICT (waits_for) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER message_held_no_more AFTER UPDATE OF status, waits_for, translated ON message
WHEN OLD.status = 'held' AND OLD.translated = 0 AND OLD.waits_for <> '' BEGIN
    UPDATE held_count SET count = count - 1 WHERE waits_for = OLD.waits_for;
    DELETE FROM held_count WHERE waits_for = OLD.waits_for AND count <= 0;
END;
CREATE TRIGGER delivery_held_now AFTER UPDATE OF status, waits_for ON delivery
WHEN NEW.status = 'held' AND NEW.waits_for <> '' BEGIN
    INSERT INTO held_count VALUES (NEW.waits_for, 1)
    ON CONFLICT (waits_for) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER delivery_held_no_more AFTER UPDATE OF status, waits_for ON delivery
WHEN OLD.status = 'held' AND OLD.waits_for <> '' BEGIN
    UPDATE held_count SET count = count - 1 WHERE waits_for = OLD.waits_for;
    DELETE FROM held_count WHERE waits_for = OLD.waits_for AND count <= 0;
END;

-- A message that was run again says which run it is, and of which message; an edited copy too. An
-- entry of a Bundle says of which message, and where in it. Who handed it in, and when what it
-- tells happened.
ALTER TABLE message ADD COLUMN run INTEGER NOT NULL DEFAULT 1;
ALTER TABLE message ADD COLUMN origin INTEGER;
ALTER TABLE message ADD COLUMN part_of INTEGER;
ALTER TABLE message ADD COLUMN part INTEGER;
ALTER TABLE message ADD COLUMN caller TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN event_at REAL;
CREATE INDEX message_origin ON message (origin) WHERE origin IS NOT NULL;
CREATE INDEX message_part_of ON message (part_of, part) WHERE part_of IS NOT NULL;
-- Of what does not wait any more: an index of all would be paid for before the acknowledgment (8 µs
-- a message, a fifth of keeping it). What waits is found by its status, and a time by ids, which
-- grow with it.
CREATE INDEX message_type ON message (message_type) WHERE status <> 'waiting';
CREATE INDEX message_sender ON message (sending_application, sending_facility)
    WHERE status <> 'waiting';

-- A source is a namespace: the same reference of two of them names two records.
CREATE TABLE link_13 (
    source TEXT NOT NULL DEFAULT '',
    reference TEXT NOT NULL,
    resource TEXT NOT NULL,
    external_id TEXT NOT NULL,
    checksum INTEGER,
    PRIMARY KEY (source, reference)
) WITHOUT ROWID;
INSERT INTO link_13 (reference, resource, external_id, checksum)
SELECT reference, resource, external_id, checksum(reference, '/', resource, '/', external_id)
FROM link;
DROP TABLE link;
ALTER TABLE link_13 RENAME TO link;

CREATE TABLE alias_13 (
    source TEXT NOT NULL DEFAULT '',
    key TEXT NOT NULL,
    leads_to TEXT NOT NULL,
    -- who issued the number; '' where nobody was named
    authority TEXT NOT NULL,
    -- 1 where it is no longer the number that its record goes by
    retired INTEGER NOT NULL,
    -- the message that said so
    message_id INTEGER NOT NULL,
    at REAL NOT NULL,
    checksum INTEGER,
    PRIMARY KEY (source, key)
) WITHOUT ROWID;
INSERT INTO alias_13 (key, leads_to, authority, retired, message_id, at, checksum)
SELECT key, leads_to, authority, retired, message_id, at,
    checksum(key, '/', leads_to, '/', authority, '/', CASE retired WHEN 0 THEN '' ELSE 'retired' END)
FROM alias;
DROP TABLE alias;
ALTER TABLE alias_13 RENAME TO alias;
CREATE INDEX alias_leads_to ON alias (leads_to);
CREATE INDEX alias_message ON alias (message_id);

ALTER TABLE message ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE delivery ADD COLUMN source TEXT NOT NULL DEFAULT '';

-- Which event set each field of a record: `{"phone": [event time, sender]}`.
ALTER TABLE entity ADD COLUMN set_by BLOB NOT NULL DEFAULT x'7b7d';

-- Further numbers by which a record is found: value, issuer, and what kind of number it is.
CREATE TABLE also_id (
    source TEXT NOT NULL DEFAULT '',
    resource TEXT NOT NULL,
    value TEXT NOT NULL,
    authority TEXT NOT NULL,
    kind TEXT NOT NULL,
    external_id TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (source, resource, value, authority, kind, external_id)
) WITHOUT ROWID;
CREATE INDEX also_id_of ON also_id (resource, external_id);

-- Values that only one record may have, such as a patient's uhid.
CREATE TABLE unique_value (
    resource TEXT NOT NULL,
    field TEXT NOT NULL,
    value TEXT NOT NULL,
    external_id TEXT NOT NULL,
    PRIMARY KEY (resource, field, value)
) WITHOUT ROWID;
CREATE INDEX unique_value_of ON unique_value (resource, external_id);

-- The latest version of each resource that a source sent.
CREATE TABLE seen_version (
    source TEXT NOT NULL,
    reference TEXT NOT NULL,
    version TEXT NOT NULL,
    updated_at REAL,
    message_id INTEGER NOT NULL,
    PRIMARY KEY (source, reference)
) WITHOUT ROWID;

-- What is known of each subscription, by the source's own reference to it.
CREATE TABLE subscription (
    source TEXT NOT NULL,
    reference TEXT NOT NULL,
    status TEXT NOT NULL,
    last_number INTEGER,
    last_event_at REAL,
    heartbeat_at REAL,
    heartbeat_seconds REAL,
    PRIMARY KEY (source, reference)
) WITHOUT ROWID;

-- What persons did: who, when, which verb, to what, and why.
CREATE TABLE act (
    id INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    who TEXT NOT NULL,
    verb TEXT NOT NULL,
    what TEXT NOT NULL,
    reason TEXT NOT NULL
);
CREATE INDEX act_at ON act (at);
CREATE INDEX act_what ON act (what);

-- By what a message is found: kind (patient, visit, control id, order, phone) and value.
CREATE TABLE search_key (
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    PRIMARY KEY (kind, value, message_id)
) WITHOUT ROWID;
CREATE INDEX search_key_message ON search_key (message_id);

-- Open circuit breakers: a resource of a destination, or ('') all of them, is not called until then.
CREATE TABLE breaker (
    target TEXT NOT NULL,
    resource TEXT NOT NULL,
    -- the address and credentials that were refused
    client TEXT NOT NULL,
    since REAL NOT NULL,
    until REAL NOT NULL,
    seconds REAL NOT NULL,
    reason TEXT NOT NULL,
    times INTEGER NOT NULL,
    PRIMARY KEY (target, resource)
) WITHOUT ROWID;

-- Destinations that accept nothing at present.
CREATE TABLE trouble (
    target TEXT PRIMARY KEY,
    since REAL NOT NULL,
    reason TEXT NOT NULL,
    fault TEXT NOT NULL,
    failures INTEGER NOT NULL
) WITHOUT ROWID;

-- Operations that a destination turned out not to offer.
CREATE TABLE missing_endpoint (
    target TEXT NOT NULL,
    operation TEXT NOT NULL,
    resource TEXT NOT NULL,
    until REAL NOT NULL,
    PRIMARY KEY (target, operation, resource)
) WITHOUT ROWID;

-- Deliveries whose last requests had no effect, and how many in a row.
CREATE TABLE failing_delivery (
    delivery_id INTEGER PRIMARY KEY,
    failures INTEGER NOT NULL
);

-- Deliveries that had no clear answer, and how often although others were written.
CREATE TABLE unclear_delivery (
    delivery_id INTEGER PRIMARY KEY,
    times INTEGER NOT NULL,
    -- 1 where a record was written since the last unclear answer
    written_since INTEGER NOT NULL
);

-- Calls by step of ten seconds, of the last hour.
CREATE TABLE call_count (
    target TEXT NOT NULL,
    step INTEGER NOT NULL,
    calls INTEGER NOT NULL,
    PRIMARY KEY (target, step)
) WITHOUT ROWID;

-- The lock of the counts, and what the last answer said of the limit; NULL where none did.
CREATE TABLE call_budget (
    target TEXT PRIMARY KEY,
    revision INTEGER NOT NULL,
    hour_limit INTEGER,
    remaining INTEGER,
    remaining_until REAL
) WITHOUT ROWID;
INSERT INTO call_budget (target, revision) VALUES ('zauto', 0), ('hospital', 0);

-- The latest time that was noted: a later start can tell that the clock was set back.
CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seen_at REAL NOT NULL
);
INSERT INTO clock (id, seen_at) VALUES (1, 0.0);

-- Calls and stops were kept as notes before.
INSERT INTO call_count (target, step, calls)
SELECT 'zauto', json_extract(entry.value, '$[0]'), json_extract(entry.value, '$[1]')
FROM note JOIN json_each(nullif(note.value, ''), '$.calls') AS entry
WHERE note.key = 'budget';
INSERT INTO breaker (target, resource, client, since, until, seconds, reason, times)
SELECT 'zauto', entry.key, coalesce(json_extract(note.value, '$.client'), ''),
    json_extract(entry.value, '$.since'), json_extract(entry.value, '$.until'),
    json_extract(entry.value, '$.seconds'), json_extract(entry.value, '$.reason'),
    coalesce(json_extract(entry.value, '$.times'), 1)
FROM note JOIN json_each(nullif(note.value, ''), '$.closed') AS entry
WHERE note.key = 'closings';
DELETE FROM note WHERE key IN ('budget', 'closings');
