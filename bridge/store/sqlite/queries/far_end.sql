-- name: breakers
SELECT resource, since, until, seconds, reason, times, client FROM breaker
WHERE target = :target ORDER BY resource

-- name: put_breaker
INSERT INTO breaker (target, resource, client, since, until, seconds, reason, times)
VALUES (:target, :resource, :client, :since, :until, :seconds, :reason, :times)
ON CONFLICT (target, resource) DO UPDATE
SET client = excluded.client, since = excluded.since, until = excluded.until,
    seconds = excluded.seconds, reason = excluded.reason, times = excluded.times

-- name: end_breaker
DELETE FROM breaker WHERE target = :target AND resource = :resource

-- name: trouble
SELECT since, reason, fault, failures FROM trouble WHERE target = :target

-- name: put_trouble
INSERT INTO trouble (target, since, reason, fault, failures)
VALUES (:target, :since, :reason, :fault, :failures)
ON CONFLICT (target) DO UPDATE
SET since = excluded.since, reason = excluded.reason, fault = excluded.fault,
    failures = excluded.failures

-- name: end_trouble
DELETE FROM trouble WHERE target = :target

-- name: missing_endpoints
SELECT operation, resource, until FROM missing_endpoint
WHERE target = :target ORDER BY operation, resource

-- name: put_missing_endpoint
INSERT INTO missing_endpoint (target, operation, resource, until)
VALUES (:target, :operation, :resource, :until)
ON CONFLICT (target, operation, resource) DO UPDATE SET until = excluded.until

-- name: end_missing_endpoint
DELETE FROM missing_endpoint
WHERE target = :target AND operation = :operation AND resource = :resource

-- name: failures
SELECT failures FROM failing_delivery WHERE delivery_id = :delivery_id

-- name: count_failure
INSERT INTO failing_delivery (delivery_id, failures) VALUES (:delivery_id, 1)
ON CONFLICT (delivery_id) DO UPDATE SET failures = failing_delivery.failures + 1

-- name: end_failures
DELETE FROM failing_delivery WHERE delivery_id = :delivery_id

-- name: forget_failures
DELETE FROM failing_delivery
WHERE delivery_id NOT IN (SELECT id FROM delivery WHERE status = 'waiting')

-- name: forget_unclear
DELETE FROM unclear_delivery
WHERE delivery_id NOT IN (SELECT id FROM delivery WHERE status = 'waiting')

-- name: count_unclear
INSERT INTO unclear_delivery (delivery_id, times, written_since) VALUES (:delivery_id, 0, 0)
ON CONFLICT (delivery_id) DO UPDATE
SET times = unclear_delivery.times + unclear_delivery.written_since, written_since = 0

-- name: unclear
SELECT times FROM unclear_delivery WHERE delivery_id = :delivery_id

-- name: end_unclear
DELETE FROM unclear_delivery WHERE delivery_id = :delivery_id

-- name: record_written
-- The table holds the few deliveries that have no clear answer.
UPDATE unclear_delivery SET written_since = 1 WHERE written_since = 0

-- name: call_budget
SELECT revision, hour_limit, remaining, remaining_until FROM call_budget WHERE target = :target

-- name: call_steps
SELECT step, calls FROM call_count WHERE target = :target AND calls > 0 ORDER BY step

-- name: next_revision
-- Where a revision is given and another process counted since, no row is changed.
UPDATE call_budget SET revision = revision + 1
WHERE target = :target AND (:revision < 0 OR revision = :revision)

-- name: count_call
INSERT INTO call_count (target, step, calls) VALUES (:target, :step, 1)
ON CONFLICT (target, step) DO UPDATE SET calls = call_count.calls + 1

-- name: put_calls
INSERT INTO call_count (target, step, calls) VALUES (:target, :step, :calls)

-- name: uncount_call
UPDATE call_count SET calls = calls - 1 WHERE target = :target AND step = :step AND calls > 0

-- name: forget_calls
DELETE FROM call_count WHERE target = :target AND step < :before

-- name: put_remaining
UPDATE call_budget
SET hour_limit = :hour_limit, remaining = :remaining, remaining_until = :remaining_until
WHERE target = :target

-- name: seen_at
SELECT seen_at FROM clock WHERE id = 1

-- name: note_time
UPDATE clock SET seen_at = :now WHERE id = 1

-- name: shift_lanes
UPDATE lane SET ready_at = ready_at + :shift WHERE ready_at > :after

-- name: shift_deliveries
UPDATE delivery SET due_at = due_at + :shift WHERE status = 'waiting' AND due_at > :after

-- name: lanes_quiet_again
UPDATE lane SET ready_at = :until
WHERE target = 'zauto' AND leased = 0 AND waits_for = '' AND ready_at < :until
  AND head IN (SELECT id FROM delivery WHERE status = 'waiting' AND step = 'verify')

-- name: deliveries_quiet_again
UPDATE delivery SET due_at = :until
WHERE status = 'waiting' AND target = 'zauto' AND step = 'verify' AND due_at < :until

-- name: read_again_later
UPDATE again SET due_at = :due_at

-- name: shift_held_messages
-- What is dated by the present clock already stays before now. INDEXED BY is SQLite's, here and in
-- the next ones; so is `min` of two.
UPDATE message INDEXED BY message_held_since SET changed_at = min(changed_at + :shift, :now)
WHERE status = 'held' AND translated = 0

-- name: shift_held_deliveries
UPDATE delivery INDEXED BY delivery_held_since SET changed_at = min(changed_at + :shift, :now)
WHERE status = 'held'

-- name: shift_due_acknowledgments
UPDATE application_acknowledgment INDEXED BY acknowledgment_due_since
SET changed_at = min(changed_at + :shift, :now)
WHERE state = 'due'

-- name: shift_breakers
UPDATE breaker SET since = since + :shift, until = until + :shift

-- name: shift_trouble
UPDATE trouble SET since = since + :shift

-- name: shift_missing_endpoints
UPDATE missing_endpoint SET until = until + :shift

-- name: shift_remaining
UPDATE call_budget SET remaining_until = remaining_until + :shift, revision = revision + 1

-- name: all_calls
SELECT target, step, calls FROM call_count

-- name: forget_all_calls
DELETE FROM call_count
