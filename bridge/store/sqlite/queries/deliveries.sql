-- name: insert_delivery
-- The sequence after the last of its lane, whose row `append_to_lane` then writes; where not one
-- connection alone writes, the row is to be locked first.
INSERT INTO delivery (
    message_id, position, target, lane, sequence, resource, external_id, status, step, due_at,
    changed_at, call, checksum, lineage
) VALUES (
    :message_id, :position, :target, :lane,
    1 + coalesce((SELECT last FROM lane WHERE lane.target = :target AND lane.lane = :lane), 0),
    :resource, :external_id, 'waiting', :step, :at, :at, :call, :checksum, :lineage
)

-- name: delivery
SELECT id, message_id, target, lane, sequence, resource, external_id, step, due_at
FROM delivery WHERE id = :id

-- name: whole_delivery
SELECT * FROM delivery WHERE id = :id

-- name: delivery_numbers
-- Of a row that holds bytes that are no text.
SELECT id, message_id, position, attempts, due_at, CAST(status AS BLOB) AS status
FROM delivery WHERE id = :id

-- name: deliveries_of
SELECT id FROM delivery WHERE message_id = :message_id ORDER BY position, id

-- name: verdicts_of
SELECT status, cause, details, waits_for FROM delivery
WHERE message_id = :message_id ORDER BY position, id

-- name: settle_delivery
UPDATE delivery
SET status = :status, changed_at = :at, cause = :cause, details = :details,
    waits_for = :waits_for
WHERE id = :id

-- name: postpone_delivery
UPDATE delivery
SET step = :step, due_at = :due_at, attempts = :attempts, cause = :cause, details = :details
WHERE id = :id

-- name: let_delivery_wait_for
UPDATE delivery SET waits_for = :waits_for WHERE id = :id

-- name: unsettled
SELECT DISTINCT status FROM delivery
WHERE resource = :resource AND external_id = :external_id
  AND status IN ('waiting', 'held', 'parked') AND id <> :besides

-- name: pending
SELECT * FROM delivery
WHERE resource = :resource AND external_id = :external_id
  AND status IN ('waiting', 'held', 'parked')
ORDER BY id

-- name: ahead
-- Lanes have no order between them: of one record's deliveries in two lanes the smaller id is the
-- earlier one.
SELECT status, waits_for FROM delivery
WHERE resource = :resource AND external_id = :external_id
  AND status IN ('waiting', 'held', 'parked')
  AND (status = 'held' OR status = 'waiting' AND lane <> :lane) AND id < :before
ORDER BY id DESC LIMIT 1

-- name: incomplete
SELECT id, message_id FROM delivery
WHERE resource = :resource AND external_id = :external_id
  AND status IN ('waiting', 'held', 'parked')
  AND status = 'parked' AND cause = 'incomplete' AND id < :before

-- name: held_deliveries
SELECT * FROM delivery WHERE status = 'held' AND waits_for = :key ORDER BY id

-- name: release_delivery
-- It starts over: what was found out before it was held may be long out of date.
UPDATE delivery
SET status = 'waiting', step = 'apply', due_at = :at, changed_at = :at, cause = '', details = '',
    waits_for = ''
WHERE id = :id

-- name: insert_attempt
INSERT INTO attempt (delivery_id, request, checksum, started_at)
VALUES (:delivery_id, :request, :checksum, :at)

-- name: end_attempt
UPDATE attempt SET ended_at = :at, outcome = :outcome WHERE id = :id

-- name: attempts_of
SELECT * FROM attempt WHERE delivery_id = :delivery_id ORDER BY id

-- name: long_held_deliveries
-- INDEXED BY is SQLite's.
SELECT id, waits_for FROM delivery INDEXED BY delivery_held_since
WHERE status = 'held' AND changed_at <= :since LIMIT :limit

-- name: ready_head_ids
SELECT head FROM lane
WHERE target = :target AND leased = 0 AND waits_for = '' AND head IS NOT NULL
  AND ready_at <= :now
ORDER BY ready_at LIMIT :limit

-- name: leased_head_ids
SELECT target, lane, head FROM lane WHERE leased = 1

-- name: pass_head
-- By the head's id: its own texts may be damaged.
UPDATE lane SET leased = 0, waits_for = '',
    head = (
        SELECT id FROM delivery
        WHERE delivery.target = lane.target AND delivery.lane = lane.lane AND status = 'waiting'
        ORDER BY sequence LIMIT 1
    ),
    ready_at = coalesce((
        SELECT due_at FROM delivery
        WHERE delivery.target = lane.target AND delivery.lane = lane.lane AND status = 'waiting'
        ORDER BY sequence LIMIT 1
    ), ready_at)
WHERE target = :target AND head = :id

-- name: wake_heads_behind
UPDATE delivery SET waits_for = '' WHERE id IN (
    SELECT lane.head FROM delivery AS settled
    JOIN lane ON lane.waits_for = settled.resource || '/' || settled.external_id
    WHERE settled.id = :id AND lane.waits_for <> ''
)

-- name: wake_lanes_behind
UPDATE lane SET waits_for = ''
WHERE waits_for <> ''
  AND waits_for = (SELECT resource || '/' || external_id FROM delivery WHERE id = :id)

-- name: message_of
SELECT message_id FROM delivery WHERE id = :id
