-- name: insert_message
INSERT INTO message (
    channel, protocol, message_type, control_id, sending_application, sending_facility,
    received_at, reference, status, cause, details, answer_code, acknowledgment, identity,
    changed_at, reason
) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (identity) WHERE identity IS NOT NULL DO NOTHING

-- name: insert_body
INSERT INTO body (message_id, checksum, bytes) VALUES (?, ?, ?)

-- name: first_copy
SELECT message.id, received_at, status, acknowledgment, checksum, bytes
FROM message JOIN body ON body.message_id = message.id
WHERE identity = ?

-- name: earlier
SELECT id FROM message
WHERE identity >= ? AND identity < ? AND id < ?
  AND control_id = ? AND sending_application = ? AND sending_facility = ?
ORDER BY identity LIMIT 1

-- name: count_duplicate
UPDATE message SET duplicates = duplicates + 1 WHERE id = ?

-- name: forget_identity
UPDATE message SET identity = NULL WHERE id = ?

-- name: quarantined
SELECT id, at, channel, peer, reason, head FROM quarantine
WHERE id > 0 ORDER BY id DESC LIMIT ?

-- name: insert_quarantined
INSERT INTO quarantine (channel, peer, reason, head, at) VALUES (?, ?, ?, ?, ?)

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
UPDATE message SET cause = ?, details = ? WHERE id = ? AND status = 'waiting'

-- name: release_messages
UPDATE message INDEXED BY message_held
SET status = 'waiting', changed_at = :at, cause = '', details = '', waits_for = ''
WHERE status = 'held' AND translated = 0 AND waits_for = :key

-- name: message
SELECT message.*, body.checksum, body.bytes
FROM message JOIN body ON body.message_id = message.id
WHERE message.id = ?

-- name: messages
SELECT * FROM message WHERE id < ? ORDER BY id DESC LIMIT ?

-- name: messages_of_status
-- Two ranges of one index, merged as they are read.
SELECT * FROM message WHERE status = ?1 AND translated = 0 AND id < ?2
UNION ALL
SELECT * FROM message WHERE status = ?1 AND translated = 1 AND id < ?2
ORDER BY id DESC LIMIT ?3

-- name: messages_of_cause
SELECT * FROM message INDEXED BY message_cause
WHERE cause = ? AND cause <> '' AND id < ? AND status = ifnull(?, status)
ORDER BY id DESC LIMIT ?

-- name: kept_since
SELECT message.*, body.checksum, body.bytes
FROM message JOIN body ON body.message_id = message.id
WHERE message.id > ? AND message.received_at >= ? AND message.status <> 'rejected'
ORDER BY message.id LIMIT ?

-- name: untranslated
SELECT message.*, body.checksum, body.bytes
FROM message JOIN body ON body.message_id = message.id
WHERE message.status = 'waiting' AND message.translated = 0
ORDER BY message.id LIMIT ?

-- name: held_about
SELECT id, waits_for FROM held_lane CROSS JOIN message ON message.id = held_lane.message_id
WHERE lane = ? AND message_id < ?
ORDER BY message_id DESC LIMIT 1

-- name: hold_lane
INSERT INTO held_lane (message_id, lane) VALUES (?, ?) ON CONFLICT DO NOTHING

-- name: seen_reference
SELECT 1 FROM message
WHERE channel = ? AND reference = ? AND reference <> '' AND status <> 'rejected'
LIMIT 1

-- name: oldest_waiting
SELECT min(received_at) FROM message WHERE id IN (
    (SELECT min(id) FROM message WHERE status = 'waiting' AND translated = 0),
    (SELECT min(id) FROM message WHERE status = 'waiting' AND translated = 1)
)

-- name: counts
SELECT kind, status, count FROM tally WHERE count > 0

-- name: held_for
SELECT waits_for, sum(waiting) AS waiting FROM (
    SELECT waits_for, count(*) AS waiting FROM message INDEXED BY message_held
    WHERE status = 'held' AND translated = 0 AND waits_for <> '' GROUP BY waits_for
    UNION ALL
    SELECT waits_for, count(*) AS waiting FROM delivery INDEXED BY delivery_held
    WHERE status = 'held' AND waits_for <> '' GROUP BY waits_for
)
GROUP BY waits_for ORDER BY waiting DESC, waits_for LIMIT 20

-- name: park_long_held_messages
UPDATE message
SET status = 'parked', changed_at = :at, cause = :cause,
    details = json_object('key', waits_for, 'name', :hours)
WHERE id IN (
    SELECT id FROM message INDEXED BY message_held_since
    WHERE status = 'held' AND translated = 0 AND changed_at <= :since
    -- what waits for a row of a code table waits for a person's work on the mappings
    AND waits_for NOT GLOB 'codes/*' LIMIT :limit
)

-- name: count_remark
INSERT INTO remark_count (sender, path, code, count, first_at, last_at, name, message_id)
VALUES (?, ?, ?, 1, ?, ?, ?, ?)
ON CONFLICT (sender, path, code) DO UPDATE
SET count = count + 1, last_at = excluded.last_at, name = excluded.name,
    message_id = excluded.message_id

-- name: remark_counts
SELECT sender, path, code, count, first_at, last_at, name, message_id FROM remark_count
WHERE ? IN ('', sender) ORDER BY count DESC, sender, path, code LIMIT ?

-- name: remark_totals
SELECT path, code, sum(count) AS count FROM remark_count GROUP BY path, code

-- name: forget_remarks
DELETE FROM remark_count WHERE (sender, path, code) IN (
    SELECT sender, path, code FROM remark_count ORDER BY last_at DESC LIMIT -1 OFFSET ?
)

-- name: add_task
INSERT INTO manual_task (message_id, what, at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING

-- name: tasks
SELECT status AS what, count, (SELECT min(at) FROM manual_task WHERE what = status) AS since
FROM tally WHERE kind = 'task' AND count > 0 ORDER BY since

-- name: parked_by_cause
SELECT cause, sum(count) AS count FROM parked_count GROUP BY cause

-- name: parked_counts
SELECT parked_count.*, (
    SELECT received_at FROM message INDEXED BY message_parked
    WHERE status = 'parked' AND message.cause = parked_count.cause
      AND message.sending_application = parked_count.sending_application
      AND message.sending_facility = parked_count.sending_facility
      AND message.channel = parked_count.channel
    ORDER BY received_at LIMIT 1
) AS oldest
FROM parked_count WHERE count > 0 ORDER BY count DESC, cause LIMIT ?
