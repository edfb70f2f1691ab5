-- name: insert_message
INSERT INTO message (
    channel, protocol, message_type, control_id, sending_application, sending_facility,
    received_at, reference, status, cause, details, answer_code, acknowledgment, checksum,
    identity, changed_at, reason
) VALUES (
    :channel, :protocol, :message_type, :control_id, :sending_application, :sending_facility,
    :received_at, :reference, :status, :cause, :details, :answer_code, :acknowledgment, :checksum,
    :identity, :changed_at, :reason
) ON CONFLICT (identity) WHERE identity IS NOT NULL DO NOTHING

-- name: insert_body
INSERT INTO body (message_id, checksum, bytes)
VALUES (:message_id, :checksum, :bytes)

-- name: first_copy
-- By the message alone: its body may be gone.
SELECT message.id, received_at, status, translated, acknowledgment,
    message.checksum AS acknowledgment_checksum,
    body.checksum AS body_checksum, bytes
FROM message LEFT JOIN body ON body.message_id = message.id
WHERE identity = :identity

-- name: earlier
-- INDEXED BY is SQLite's: the index of senders would be read to its end.
SELECT id FROM message INDEXED BY message_identity
WHERE identity >= :prefix AND identity < :behind AND id < :before
  AND control_id = :control_id AND sending_application = :sending_application
  AND sending_facility = :sending_facility
ORDER BY identity LIMIT 1

-- name: count_duplicate
UPDATE message SET duplicates = duplicates + 1 WHERE id = :id

-- name: forget_identity
UPDATE message SET identity = NULL WHERE id = :id

-- name: mark_message
UPDATE message
SET status = :status, changed_at = :at, cause = :cause, details = :details,
    waits_for = :waits_for, translated = :translated, remarks = :remarks,
    mapping = :mapping, mappings_hash = :mappings_hash
WHERE id = :id

-- name: follow_deliveries
UPDATE message
SET status = :status, changed_at = :at, cause = :cause, details = :details,
    waits_for = :waits_for
WHERE id = :id AND translated = 1
  AND NOT (status = :status AND cause = :cause AND details = :details AND waits_for = :waits_for)

-- name: say_why_it_waits
UPDATE message SET cause = :cause, details = :details WHERE id = :id AND status = 'waiting'

-- name: release_messages
-- INDEXED BY is SQLite's.
UPDATE message INDEXED BY message_held
SET status = 'waiting', changed_at = :at, cause = '', details = '', waits_for = ''
WHERE status = 'held' AND translated = 0 AND waits_for = :key

-- name: message
SELECT message.*, body.checksum AS body_checksum, body.bytes
FROM message LEFT JOIN body ON body.message_id = message.id
WHERE message.id = :id

-- name: channel_of
SELECT channel FROM message WHERE id = :id

-- name: message_row
SELECT * FROM message WHERE id = :id

-- name: message_numbers
-- Of a row that holds bytes that are no text.
SELECT id, received_at, changed_at, duplicates, CAST(status AS BLOB) AS status
FROM message WHERE id = :id

-- name: messages
SELECT id FROM message WHERE id < :before ORDER BY id DESC LIMIT :limit

-- name: messages_of_status
-- Two ranges of one index, merged as they are read.
SELECT id FROM message WHERE status = :status AND translated = 0 AND id < :before
UNION ALL
SELECT id FROM message WHERE status = :status AND translated = 1 AND id < :before
ORDER BY id DESC LIMIT :limit

-- name: messages_of_cause
-- INDEXED BY is SQLite's.
SELECT id FROM message INDEXED BY message_cause
WHERE cause = :cause AND cause <> '' AND id < :before AND status = coalesce(:status, status)
ORDER BY id DESC LIMIT :limit

-- name: kept_since
-- NOT INDEXED is SQLite's: by id, of which a batch is read, and not by time.
SELECT id FROM message NOT INDEXED
WHERE id > :after AND received_at >= :at AND status <> 'rejected'
ORDER BY id LIMIT :limit

-- name: untranslated_ids
SELECT id FROM message WHERE status = 'waiting' AND translated = 0 ORDER BY id LIMIT :limit

-- name: untranslated
SELECT message.*, body.checksum AS body_checksum, body.bytes
FROM message LEFT JOIN body ON body.message_id = message.id
WHERE message.status = 'waiting' AND message.translated = 0
ORDER BY message.id LIMIT :limit

-- name: lease_message
-- SQLite's writer is alone; a server database adds FOR UPDATE SKIP LOCKED, here and above.
SELECT message.*, body.checksum AS body_checksum, body.bytes
FROM message LEFT JOIN body ON body.message_id = message.id
WHERE message.id = :id AND message.status = 'waiting' AND message.translated = 0

-- name: held_about
-- CROSS JOIN keeps SQLite from beginning with the messages.
SELECT id, waits_for FROM held_lane CROSS JOIN message ON message.id = held_lane.message_id
WHERE lane = :lane AND message_id < :before
ORDER BY message_id DESC LIMIT 1

-- name: hold_lane
INSERT INTO held_lane (message_id, lane) VALUES (:message_id, :lane) ON CONFLICT DO NOTHING

-- name: seen_reference
SELECT 1 FROM message
WHERE channel = :channel AND reference = :reference AND reference <> '' AND status <> 'rejected'
LIMIT 1

-- name: park_long_held_messages
-- GLOB, INDEXED BY and json_object are SQLite's.
UPDATE message
SET status = 'parked', changed_at = :at, cause = :cause,
    details = json_object('key', waits_for, 'name', :hours)
WHERE id IN (
    SELECT id FROM message INDEXED BY message_held_since
    WHERE status = 'held' AND translated = 0 AND changed_at <= :since
    -- what waits for a row of a code table waits for a person's work on the mappings
    AND waits_for NOT GLOB 'codes/*' LIMIT :limit
)
