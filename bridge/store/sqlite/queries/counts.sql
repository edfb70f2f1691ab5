-- name: oldest_waiting
SELECT min(received_at) AS at FROM message WHERE id IN (
    (SELECT min(id) FROM message WHERE status = 'waiting' AND translated = 0),
    (SELECT min(id) FROM message WHERE status = 'waiting' AND translated = 1)
)

-- name: counts
SELECT kind, status, count FROM tally WHERE count > 0

-- name: count_of
SELECT count FROM tally WHERE kind = :kind AND status = :status

-- name: held_for
SELECT waits_for, count FROM held_count WHERE count > 0 ORDER BY count DESC, waits_for LIMIT :limit

-- name: count_remark
INSERT INTO remark_count (sender, path, code, count, first_at, last_at, name, message_id)
VALUES (:sender, :path, :code, 1, :at, :at, :name, :message_id)
ON CONFLICT (sender, path, code) DO UPDATE
SET count = remark_count.count + 1, last_at = excluded.last_at, name = excluded.name,
    message_id = excluded.message_id

-- name: remark_counts
SELECT sender, path, code, count AS number, first_at, last_at, name, message_id FROM remark_count
WHERE :sender IN ('', sender) ORDER BY count DESC, sender, path, code LIMIT :limit

-- name: remark_totals
SELECT path, code, sum(count) AS count FROM remark_count GROUP BY path, code

-- name: forget_remarks
-- LIMIT -1, which is all, is SQLite's.
DELETE FROM remark_count WHERE (sender, path, code) IN (
    SELECT sender, path, code FROM remark_count ORDER BY last_at DESC LIMIT -1 OFFSET :most
)

-- name: add_task
INSERT INTO manual_task (message_id, what, at) VALUES (:message_id, :what, :at)
ON CONFLICT DO NOTHING

-- name: tasks
SELECT status AS what, count AS number,
    (SELECT min(at) FROM manual_task WHERE what = status) AS since
FROM tally WHERE kind = 'task' AND count > 0 ORDER BY since

-- name: parked_by_cause
SELECT cause, sum(count) AS count FROM parked_count GROUP BY cause

-- name: parked_counts
-- INDEXED BY is SQLite's.
SELECT cause, sending_application, sending_facility, channel, count AS number, (
    SELECT received_at FROM message INDEXED BY message_parked
    WHERE status = 'parked' AND message.cause = parked_count.cause
      AND message.sending_application = parked_count.sending_application
      AND message.sending_facility = parked_count.sending_facility
      AND message.channel = parked_count.channel
    ORDER BY received_at LIMIT 1
) AS oldest
FROM parked_count WHERE count > 0 ORDER BY count DESC, cause LIMIT :limit

-- name: quarantined
SELECT id, at, channel, peer, reason, head FROM quarantine WHERE id > 0 ORDER BY id DESC LIMIT :limit

-- name: insert_quarantined
INSERT INTO quarantine (channel, peer, reason, head, at)
VALUES (:channel, :peer, :reason, :head, :at)

-- name: note
SELECT value FROM note WHERE key = :key

-- name: put_note
INSERT INTO note (key, value) VALUES (:key, :value)
ON CONFLICT (key) DO UPDATE SET value = excluded.value
