-- Records that are read again at a time, because an unanswered request may take effect late.
CREATE TABLE again (
    resource TEXT NOT NULL,
    external_id TEXT NOT NULL,
    -- whose request it was
    message_id INTEGER NOT NULL,
    due_at REAL NOT NULL,
    PRIMARY KEY (resource, external_id)
) WITHOUT ROWID;
CREATE INDEX again_due ON again (due_at);

-- What is held, by how long: paid for only by what is held.
CREATE INDEX message_held_since ON message (changed_at) WHERE status = 'held' AND translated = 0;
CREATE INDEX delivery_held_since ON delivery (changed_at) WHERE status = 'held';
