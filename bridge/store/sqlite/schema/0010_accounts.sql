-- The visits of an account, so that one that belongs to another patient is found.
CREATE INDEX entity_account ON entity (json_extract(CAST(facts AS TEXT), '$.account'))
WHERE resource = 'patient-visits' AND json_extract(CAST(facts AS TEXT), '$.account') IS NOT NULL;
