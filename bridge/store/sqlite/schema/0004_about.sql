-- The lane of a message that waits for a row of a code table: later messages of the same patient
-- wait behind it, so that they apply in order.
ALTER TABLE message ADD COLUMN about TEXT NOT NULL DEFAULT '';
CREATE INDEX message_about ON message (about)
    WHERE about <> '' AND status = 'held' AND translated = 0;
