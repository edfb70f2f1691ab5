-- name: owe
INSERT INTO application_acknowledgment (message_id, asked, after, line, state, changed_at)
VALUES (:message_id, :asked, :after, :route, :state, :at)

-- name: owe_again
UPDATE application_acknowledgment SET state = 'due', changed_at = :at
WHERE message_id = :id AND state IN ('sent', 'abandoned')

-- name: acknowledgment
SELECT * FROM application_acknowledgment WHERE message_id = :message_id

-- name: due_acknowledgments
SELECT * FROM application_acknowledgment WHERE state = 'due' AND line = :route
ORDER BY message_id LIMIT :limit

-- name: due_routes
-- From one route to the next, without reading what is due by each. INDEXED BY is SQLite's.
WITH RECURSIVE routes (route) AS (
    SELECT min(line) FROM application_acknowledgment INDEXED BY acknowledgment_line
    WHERE state = 'due'
    UNION ALL
    SELECT (
        SELECT min(line) FROM application_acknowledgment INDEXED BY acknowledgment_line
        WHERE state = 'due' AND line > routes.route
    ) FROM routes WHERE route IS NOT NULL
)
SELECT route FROM routes WHERE route IS NOT NULL

-- name: change_acknowledgment
UPDATE application_acknowledgment
SET state = :state, cause = :cause, details = :details,
    changed_at = CASE WHEN state = :state THEN changed_at ELSE :at END
WHERE message_id = :id

-- name: write_acknowledgment
UPDATE application_acknowledgment SET code = :code, body = :body, checksum = :checksum
WHERE message_id = :id

-- name: abandon_acknowledgments
UPDATE application_acknowledgment
SET state = 'abandoned', cause = :cause, details = :details, changed_at = :at
WHERE state = 'due' AND changed_at <= :since
