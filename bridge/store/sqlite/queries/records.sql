-- name: entity
SELECT * FROM entity WHERE resource = :resource AND external_id = :external_id

-- name: put_entity
INSERT INTO entity (
    resource, external_id, desired, initial, sent, authority, facts, owner, checksum
) VALUES (
    :resource, :external_id, :desired, :initial, :sent, :authority, :facts, :owner, :checksum
) ON CONFLICT (resource, external_id) DO UPDATE
SET desired = excluded.desired, initial = excluded.initial, sent = excluded.sent,
    authority = excluded.authority, facts = excluded.facts, owner = excluded.owner,
    checksum = excluded.checksum

-- name: owned_by
SELECT * FROM entity WHERE owner = :owner AND owner <> '' ORDER BY resource, external_id

-- name: of_account
-- INDEXED BY and json_extract are SQLite's.
SELECT * FROM entity INDEXED BY entity_account
WHERE resource = 'patient-visits' AND json_extract(CAST(facts AS TEXT), '$.account') = :number
ORDER BY external_id

-- name: aliases_of
SELECT * FROM alias WHERE source = '' AND key IN (:key_1, :key_2, :key_3, :key_4, :key_5, :key_6)

-- name: aliases
SELECT * FROM alias WHERE message_id < :before ORDER BY message_id DESC LIMIT :limit

-- name: put_alias
INSERT INTO alias (key, leads_to, authority, retired, message_id, at, checksum)
VALUES (:key, :leads_to, :authority, :retired, :message_id, :at, :checksum)
ON CONFLICT (source, key) DO UPDATE
SET leads_to = excluded.leads_to, authority = excluded.authority, retired = excluded.retired,
    message_id = excluded.message_id, at = excluded.at, checksum = excluded.checksum

-- name: all_aliases
-- As bytes: a bit may have made of them what is no text.
SELECT CAST(key AS BLOB) AS key, CAST(leads_to AS BLOB) AS leads_to,
    CAST(authority AS BLOB) AS authority, retired, message_id, at, checksum
FROM alias

-- name: drop_alias
DELETE FROM alias WHERE CAST(key AS BLOB) = :key

-- name: aliases_to
SELECT * FROM alias WHERE leads_to = :leads_to

-- name: link
SELECT reference, resource, external_id, checksum FROM link
WHERE source = '' AND reference = :reference

-- name: put_link
INSERT INTO link (reference, resource, external_id, checksum)
VALUES (:reference, :resource, :external_id, :checksum)
ON CONFLICT (source, reference) DO UPDATE
SET resource = excluded.resource, external_id = excluded.external_id,
    checksum = excluded.checksum

-- name: number
SELECT sequence, key, value, checksum FROM number WHERE sequence = :sequence AND key = :key

-- name: last_number
SELECT value FROM number WHERE sequence = :sequence ORDER BY value DESC LIMIT 1

-- name: take_number
INSERT INTO number (sequence, key, value, checksum) VALUES (:sequence, :key, :value, :checksum)

-- name: look_again
INSERT INTO again (resource, external_id, message_id, due_at)
VALUES (:resource, :external_id, :message_id, :due_at)
ON CONFLICT (resource, external_id) DO UPDATE
SET message_id = excluded.message_id, due_at = excluded.due_at

-- name: due_again
-- One due later than any may be was noted before the clock was set back.
SELECT * FROM again WHERE due_at <= :now
UNION ALL
SELECT * FROM again WHERE due_at > :latest
LIMIT :limit

-- name: not_again
DELETE FROM again WHERE resource = :resource AND external_id = :external_id

-- name: order_lines
SELECT order_line.*, coalesce(message.status, '') IN ('parked', 'superseded') AS refused
FROM order_line LEFT JOIN message ON message.id = order_line.message_id
WHERE visit_id = :visit_id
ORDER BY order_line.id

-- name: orders_behind
SELECT id, message_id FROM delivery
WHERE target = :target AND lane = :lane AND status = 'waiting' AND sequence > :sequence
ORDER BY sequence

-- name: services_of
SELECT DISTINCT visit_id, service FROM order_line WHERE message_id = :message_id

-- name: add_order_line
INSERT INTO order_line (visit_id, service, occurrence, issue, state, status, posted, transactions,
    message_id)
VALUES (:visit_id, :service, :occurrence, :issue, :state, :status, :posted, :transactions,
    :message_id)
