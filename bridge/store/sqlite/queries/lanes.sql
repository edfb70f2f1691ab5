-- name: append_to_lane
-- The delivery has the sequence after the last: it is the head only where none waits.
INSERT INTO lane (target, lane, head, ready_at, last) VALUES (:target, :lane, :id, :at, 1)
ON CONFLICT (target, lane) DO UPDATE
SET last = lane.last + 1, head = coalesce(lane.head, :id),
    ready_at = CASE WHEN lane.head IS NULL THEN :at ELSE lane.ready_at END

-- name: enter_lane
-- The head is the smallest sequence that waits: what was held goes back before those that came
-- after it, but never past one whose request is under way or may still take effect.
UPDATE lane SET head = :id, ready_at = :at, waits_for = ''
WHERE target = :target AND lane = :lane AND leased = 0 AND (head IS NULL OR EXISTS (
    SELECT 1 FROM delivery
    WHERE delivery.id = lane.head AND delivery.step <> 'verify'
      AND delivery.sequence > (SELECT sequence FROM delivery WHERE id = :id)
))

-- name: ready_heads
-- With the lane's own name: a head that is of another lane, or done with, is not to be sent.
SELECT delivery.*, lane.lane AS headed, delivery.status = 'waiting'
    AND delivery.target = lane.target AND delivery.lane = lane.lane AS is_its_head
FROM lane JOIN delivery ON delivery.id = lane.head
WHERE lane.target = :target AND lane.leased = 0 AND lane.waits_for = '' AND lane.head IS NOT NULL
  AND lane.ready_at <= :now
ORDER BY lane.ready_at LIMIT :limit

-- name: lane
SELECT 1 FROM lane WHERE target = :target AND lane = :lane

-- name: pull_lanes
UPDATE lane SET ready_at = :now
WHERE target = :target AND leased = 0 AND waits_for = '' AND head IS NOT NULL
  AND ready_at > :latest

-- name: waits
-- A head in VERIFY waits out a quiet time, unless it was due since and no read could be sent.
-- json_extract is SQLite's.
SELECT lane, head FROM lane
WHERE target = :target AND leased = 0 AND waits_for = '' AND head IS NOT NULL AND ready_at > :now
  AND EXISTS (
    SELECT 1 FROM delivery
    WHERE delivery.id = lane.head AND (:resource = '' OR resource = :resource)
      AND (cause = 'paused' OR (:paused_only = 0 AND (
        step <> 'verify'
        OR instr(:nothing_sent, '"' || json_extract(nullif(details, ''), '$.name') || '"') > 0
      )))
  )

-- name: end_wait
UPDATE lane SET ready_at = :now WHERE target = :target AND lane = :lane

-- name: lease_lane
UPDATE lane SET leased = 1 WHERE target = :target AND lane = :lane

-- name: next_due
SELECT ready_at FROM lane
WHERE target = :target AND leased = 0 AND waits_for = '' AND head IS NOT NULL
ORDER BY ready_at LIMIT 1

-- name: next_in_lane
SELECT id, due_at FROM delivery
WHERE target = :target AND lane = :lane AND status = 'waiting'
ORDER BY sequence LIMIT 1

-- name: is_head
SELECT 1 FROM lane WHERE target = :target AND lane = :lane AND head = :id

-- name: move_lane
UPDATE lane SET head = :head, ready_at = :ready_at, leased = 0, waits_for = ''
WHERE target = :target AND lane = :lane

-- name: empty_lane
UPDATE lane SET head = NULL, leased = 0, waits_for = '' WHERE target = :target AND lane = :lane

-- name: block_lane
UPDATE lane SET waits_for = :key WHERE target = :target AND lane = :lane AND head = :id

-- name: blocked_heads
SELECT head FROM lane WHERE waits_for = :key AND waits_for <> ''

-- name: wake_lanes
UPDATE lane SET waits_for = '' WHERE waits_for = :key AND waits_for <> ''

-- name: leased_heads
SELECT delivery.* FROM lane JOIN delivery ON delivery.id = lane.head WHERE lane.leased = 1

-- name: unanswered
SELECT * FROM attempt WHERE delivery_id = :delivery_id AND ended_at IS NULL ORDER BY id
