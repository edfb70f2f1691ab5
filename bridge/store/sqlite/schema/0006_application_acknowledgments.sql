-- Answers that enhanced mode owes after the accept acknowledgment, a row for each message whose
-- MSH-16 asks for one.
CREATE TABLE application_acknowledgment (
    message_id INTEGER PRIMARY KEY REFERENCES message (id),
    -- AL, ER or SU
    asked TEXT NOT NULL,
    -- what it waits for: translation or delivery
    after TEXT NOT NULL,
    -- where it goes
    line TEXT NOT NULL,
    -- owed, due, sent, unwanted or abandoned
    state TEXT NOT NULL,
    -- MSA-1 and the whole message, once written: a second sending is the same bytes
    code TEXT NOT NULL DEFAULT '',
    body BLOB NOT NULL DEFAULT x'',
    reason TEXT NOT NULL DEFAULT '',
    changed_at REAL NOT NULL
);
CREATE INDEX acknowledgment_line ON application_acknowledgment (line, message_id)
    WHERE state = 'due';
CREATE INDEX acknowledgment_due_since ON application_acknowledgment (changed_at)
    WHERE state = 'due';

-- Whatever brings a message to where its sender can be told of it makes the answer due.
CREATE TRIGGER acknowledgment_due AFTER UPDATE OF status, translated ON message
WHEN NEW.translated = 1 OR NEW.status NOT IN ('waiting', 'held') BEGIN
    UPDATE application_acknowledgment SET state = 'due', changed_at = NEW.changed_at
    WHERE message_id = NEW.id AND state = 'owed'
      AND (after = 'translation' OR NEW.status NOT IN ('waiting', 'held'));
END;

INSERT INTO tally (kind, status, count)
VALUES ('acknowledgment', 'owed', 0), ('acknowledgment', 'due', 0), ('acknowledgment', 'sent', 0),
    ('acknowledgment', 'unwanted', 0), ('acknowledgment', 'abandoned', 0);
CREATE TRIGGER acknowledgment_added AFTER INSERT ON application_acknowledgment BEGIN
    UPDATE tally SET count = count + 1 WHERE kind = 'acknowledgment' AND status = NEW.state;
END;
CREATE TRIGGER acknowledgment_changed AFTER UPDATE OF state ON application_acknowledgment
WHEN OLD.state <> NEW.state BEGIN
    UPDATE tally SET count = count - 1 WHERE kind = 'acknowledgment' AND status = OLD.state;
    UPDATE tally SET count = count + 1 WHERE kind = 'acknowledgment' AND status = NEW.state;
END;
