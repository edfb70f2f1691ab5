-- name: entity
SELECT * FROM entity WHERE resource = ? AND external_id = ?

-- name: put_entity
INSERT INTO entity (resource, external_id, desired, initial, sent, authority, facts, owner)
VALUES (:resource, :external_id, :desired, :initial, :sent, :authority, :facts, :owner)
ON CONFLICT (resource, external_id) DO UPDATE
SET desired = excluded.desired, initial = excluded.initial, sent = excluded.sent,
    authority = excluded.authority, facts = excluded.facts, owner = excluded.owner

-- name: owned_by
SELECT * FROM entity WHERE owner = ? AND owner <> '' ORDER BY resource, external_id

-- name: of_account
SELECT * FROM entity INDEXED BY entity_account
WHERE resource = 'patient-visits' AND json_extract(CAST(facts AS TEXT), '$.account') = ?
ORDER BY external_id

-- name: aliases_of
SELECT * FROM alias WHERE key IN (?, ?, ?, ?, ?, ?)

-- name: aliases
SELECT * FROM alias WHERE message_id < ? ORDER BY message_id DESC LIMIT ?

-- name: put_alias
INSERT INTO alias (key, leads_to, authority, retired, message_id, at)
VALUES (:key, :leads_to, :authority, :retired, :message_id, :at)
ON CONFLICT (key) DO UPDATE
SET leads_to = excluded.leads_to, authority = excluded.authority, retired = excluded.retired,
    message_id = excluded.message_id, at = excluded.at

-- name: redirect
UPDATE alias SET leads_to = :after, retired = 1 WHERE leads_to = :before

-- name: link
SELECT external_id FROM link WHERE reference = ?

-- name: put_link
INSERT INTO link (reference, resource, external_id) VALUES (?, ?, ?)
ON CONFLICT (reference) DO UPDATE
SET resource = excluded.resource, external_id = excluded.external_id

-- name: number
SELECT value FROM number WHERE sequence = ? AND key = ?

-- name: last_number
SELECT value FROM number WHERE sequence = ? ORDER BY value DESC LIMIT 1

-- name: take_number
INSERT INTO number (sequence, key, value) VALUES (?, ?, ?)

-- name: note
SELECT value FROM note WHERE key = ?

-- name: put_note
INSERT INTO note (key, value) VALUES (?, ?)
ON CONFLICT (key) DO UPDATE SET value = excluded.value

-- name: look_again
INSERT INTO again (resource, external_id, message_id, due_at) VALUES (?, ?, ?, ?)
ON CONFLICT (resource, external_id) DO UPDATE
SET message_id = excluded.message_id, due_at = excluded.due_at

-- name: due_again
-- One due later than any may be was noted before the clock was set back.
SELECT * FROM again WHERE due_at <= ?1
UNION ALL
SELECT * FROM again WHERE due_at > ?2
LIMIT ?3

-- name: not_again
DELETE FROM again WHERE resource = ? AND external_id = ?

-- name: order_lines
SELECT order_line.*, coalesce(message.status, '') IN ('parked', 'superseded') AS refused
FROM order_line LEFT JOIN message ON message.id = order_line.message_id
WHERE visit_id = ?
ORDER BY order_line.id

-- name: orders_behind
SELECT id, message_id FROM delivery
WHERE target = :target AND lane = :lane AND status = 'waiting' AND id > :id
ORDER BY id

-- name: services_of
SELECT DISTINCT visit_id, service FROM order_line WHERE message_id = ?

-- name: add_order_line
INSERT INTO order_line (visit_id, service, occurrence, issue, state, status, posted, transactions,
    message_id)
VALUES (:visit_id, :service, :occurrence, :issue, :state, :status, :posted, :transactions,
    :message_id)
