-- The lanes of a message that waits for a row of a code table, all of them: one about two patients,
-- or of several entries of a master file, must be passed in none. The column that held one stays,
-- empty: SQLite drops columns only from 3.35 on.
CREATE TABLE held_lane (
    message_id INTEGER NOT NULL,
    lane TEXT NOT NULL,
    PRIMARY KEY (message_id, lane)
) WITHOUT ROWID;
CREATE INDEX held_lane_lane ON held_lane (lane, message_id);
INSERT INTO held_lane (message_id, lane)
SELECT id, about FROM message WHERE about <> '' AND status = 'held' AND translated = 0;
DROP INDEX message_about;
UPDATE message SET about = '' WHERE about <> '';

CREATE TRIGGER held_no_more AFTER UPDATE OF status ON message
WHEN OLD.status = 'held' AND NEW.status <> 'held' BEGIN
    DELETE FROM held_lane WHERE message_id = OLD.id;
END;
