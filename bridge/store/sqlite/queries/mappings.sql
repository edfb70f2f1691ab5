-- name: keep_version
INSERT INTO mapping_version (hash, first_used_at, folders, legend)
VALUES (:hash, :first_used_at, :folders, :legend)
ON CONFLICT (hash) DO NOTHING

-- name: version
SELECT hash, first_used_at, folders, legend FROM mapping_version WHERE hash = :hash

-- name: versions
SELECT hash, first_used_at FROM mapping_version ORDER BY first_used_at DESC, hash LIMIT :limit

-- name: count_code
INSERT INTO unmapped_code (code_table, code, sender, count, first_at, last_at)
VALUES (:table, :code, :sender, 1, :at, :at)
ON CONFLICT (code_table, code, sender) DO UPDATE
SET count = unmapped_code.count + 1,
    last_at = CASE WHEN unmapped_code.last_at > :at THEN unmapped_code.last_at ELSE :at END

-- name: forget_code
DELETE FROM unmapped_code WHERE code_table = :table AND code = :code AND sender = :sender

-- name: forget_codes
-- LIMIT -1, which is all, and INDEXED BY are SQLite's: by status it would read all that is held.
DELETE FROM unmapped_code WHERE (code_table, code, sender) IN (
    SELECT code_table, code, sender FROM unmapped_code
    WHERE NOT EXISTS (
        SELECT 1 FROM message INDEXED BY message_held
        WHERE status = 'held' AND translated = 0
        AND waits_for = 'codes/' || code_table || '/' || code
    )
    ORDER BY last_at DESC LIMIT -1 OFFSET :most
)

-- name: codes
-- INDEXED BY is SQLite's.
SELECT code_table AS "table", code, sender, count, first_at, last_at, (
    SELECT count(*) FROM message INDEXED BY message_held
    WHERE status = 'held' AND translated = 0
    AND waits_for = 'codes/' || code_table || '/' || code
) AS waiting
FROM unmapped_code ORDER BY waiting DESC, count DESC, code_table, code, sender LIMIT :limit
