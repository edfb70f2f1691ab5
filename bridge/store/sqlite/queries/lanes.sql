-- name: enter_lane
-- The head is the smallest id that waits: what was held goes back before those that came after
-- it, but never past one whose request is under way or may still take effect.
INSERT INTO lane (target, lane, head, ready_at) VALUES (:target, :lane, :id, :at)
ON CONFLICT (target, lane) DO UPDATE
SET head = excluded.head, ready_at = excluded.ready_at, waits_for = ''
WHERE leased = 0 AND excluded.head < head
  AND (SELECT step FROM delivery WHERE id = head) <> 'verify'

-- name: ready_heads
SELECT delivery.*
FROM lane JOIN delivery ON delivery.id = lane.head
WHERE lane.target = :target AND lane.leased = 0 AND lane.waits_for = '' AND lane.ready_at <= :now
ORDER BY lane.ready_at LIMIT :limit

-- name: pull_lanes
UPDATE lane SET ready_at = :now
WHERE target = :target AND leased = 0 AND waits_for = '' AND ready_at > :latest

-- name: end_waits
-- A head in VERIFY waits out a quiet time, unless it was due since and no read could be sent.
UPDATE lane SET ready_at = :now
WHERE target = :target AND leased = 0 AND waits_for = '' AND ready_at > :now
  AND EXISTS (
    SELECT 1 FROM delivery
    WHERE delivery.id = lane.head AND (:resource = '' OR resource = :resource)
      AND (cause = 'paused' OR (:paused_only = 0 AND (
        step <> 'verify'
        OR instr(:nothing_sent, '"' || json_extract(nullif(details, ''), '$.name') || '"') > 0
      )))
  )

-- name: lease_lane
UPDATE lane SET leased = 1 WHERE target = ? AND lane = ?

-- name: next_due
SELECT ready_at FROM lane
WHERE target = ? AND leased = 0 AND waits_for = ''
ORDER BY ready_at LIMIT 1

-- name: next_in_lane
SELECT id, due_at FROM delivery
WHERE target = ? AND lane = ? AND status = 'waiting'
ORDER BY id LIMIT 1

-- name: is_head
SELECT 1 FROM lane WHERE target = ? AND lane = ? AND head = ?

-- name: move_lane
UPDATE lane SET head = :head, ready_at = :ready_at, leased = 0, waits_for = ''
WHERE target = :target AND lane = :lane

-- name: leave_lane
DELETE FROM lane WHERE target = ? AND lane = ?

-- name: block_lane
UPDATE lane SET waits_for = ? WHERE target = ? AND lane = ? AND head = ?

-- name: blocked_heads
SELECT head FROM lane WHERE waits_for = ? AND waits_for <> ''

-- name: wake_lanes
UPDATE lane SET waits_for = '' WHERE waits_for = ? AND waits_for <> ''

-- name: leased_heads
SELECT delivery.* FROM lane JOIN delivery ON delivery.id = lane.head WHERE lane.leased = 1

-- name: unanswered
SELECT id, request FROM attempt WHERE delivery_id = ? AND ended_at IS NULL ORDER BY id
