-- name: keep_version
INSERT INTO mapping_version (hash, first_used_at, folders, legend) VALUES (?, ?, ?, ?)
ON CONFLICT (hash) DO NOTHING

-- name: version
SELECT hash, first_used_at, folders, legend FROM mapping_version WHERE hash = ?

-- name: versions
SELECT hash, first_used_at FROM mapping_version ORDER BY first_used_at DESC, hash LIMIT ?

-- name: count_code
INSERT INTO unmapped_code (code_table, code, sender, count, first_at, last_at)
VALUES (?, ?, ?, 1, ?, ?)
ON CONFLICT (code_table, code, sender) DO UPDATE
SET count = count + 1, last_at = max(last_at, excluded.last_at)

-- name: forget_code
DELETE FROM unmapped_code WHERE code_table = ? AND code = ? AND sender = ?

-- name: forget_codes
DELETE FROM unmapped_code WHERE (code_table, code, sender) IN (
    SELECT code_table, code, sender FROM unmapped_code
    WHERE NOT EXISTS (
        SELECT 1 FROM message
        WHERE status = 'held' AND translated = 0
        AND waits_for = 'codes/' || code_table || '/' || code
    )
    ORDER BY last_at DESC LIMIT -1 OFFSET ?
)

-- name: codes
SELECT code_table, code, sender, count, first_at, last_at, (
    SELECT count(*) FROM message
    WHERE status = 'held' AND translated = 0
    AND waits_for = 'codes/' || code_table || '/' || code
) AS waiting
FROM unmapped_code ORDER BY waiting DESC, count DESC, code_table, code, sender LIMIT ?
