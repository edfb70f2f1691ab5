-- Numbers that lead to another record, and those that a record has in place of its first one. Keys
-- are `patients/P1`; `account/A1` is the number of an account, which is no record of ZautoAI's.
CREATE TABLE alias (
    key TEXT PRIMARY KEY,
    leads_to TEXT NOT NULL,
    -- who issued the number; '' where nobody was named
    authority TEXT NOT NULL,
    -- 1 where it is no longer the number that its record goes by
    retired INTEGER NOT NULL,
    -- the message that said so
    message_id INTEGER NOT NULL,
    at REAL NOT NULL
) WITHOUT ROWID;
CREATE INDEX alias_leads_to ON alias (leads_to);
CREATE INDEX alias_message ON alias (message_id);

-- The record that another belongs to, `patients/P1` of a visit, so that a merge finds them all.
ALTER TABLE entity ADD COLUMN owner TEXT NOT NULL DEFAULT '';
UPDATE entity SET owner = 'patients/' || coalesce(
    json_extract(CAST(desired AS TEXT), '$.patientId'),
    json_extract(CAST(facts AS TEXT), '$.patientId'))
WHERE resource = 'patient-visits' AND coalesce(
    json_extract(CAST(desired AS TEXT), '$.patientId'),
    json_extract(CAST(facts AS TEXT), '$.patientId')) IS NOT NULL;
CREATE INDEX entity_owner ON entity (owner) WHERE owner <> '';
