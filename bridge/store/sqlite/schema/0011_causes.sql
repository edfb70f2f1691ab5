-- Why something is where it is, as a kind and its parameters (JSON, '' for none), where a sentence
-- stood before. The columns `reason`, `remark` and `verdict` are not written any more.
ALTER TABLE message ADD COLUMN cause TEXT NOT NULL DEFAULT '';
ALTER TABLE message ADD COLUMN details TEXT NOT NULL DEFAULT '';
ALTER TABLE delivery ADD COLUMN cause TEXT NOT NULL DEFAULT '';
ALTER TABLE delivery ADD COLUMN details TEXT NOT NULL DEFAULT '';
ALTER TABLE application_acknowledgment ADD COLUMN cause TEXT NOT NULL DEFAULT '';
ALTER TABLE application_acknowledgment ADD COLUMN details TEXT NOT NULL DEFAULT '';

-- What lacks a field is taken along by a later message, so its fields must be known.
UPDATE delivery SET cause = 'incomplete', details = json_object('fields', json(
    '["' || replace(substr(reason, 13), ', ', '","') || '"]'))
WHERE reason GLOB 'incomplete: [A-Za-z]*' AND reason NOT GLOB '*["\;]*';
UPDATE message SET cause = 'incomplete', details = json_object('fields', json(
    '["' || replace(substr(reason, 13), ', ', '","') || '"]'))
WHERE reason GLOB 'incomplete: [A-Za-z]*' AND reason NOT GLOB '*["\;]*';
UPDATE delivery SET cause = 'earlier_version',
    details = json_object('said', substr(reason, 1, 500), 'by', verdict)
WHERE reason <> '' AND cause = '';
UPDATE message SET cause = 'earlier_version',
    details = json_object('said', substr(reason, 1, 500), 'by', verdict)
WHERE reason <> '' AND cause = '';
UPDATE application_acknowledgment SET cause = 'earlier_version',
    details = json_object('said', substr(reason, 1, 500))
WHERE reason <> '';

-- Those without a cause, which are nearly all, are in no index of causes.
CREATE INDEX message_cause ON message (cause) WHERE cause <> '';

-- Remarks of the translation: code, place, and what stood there.
ALTER TABLE message ADD COLUMN remarks TEXT NOT NULL DEFAULT '';

-- How often each remark was met, by sender.
CREATE TABLE remark_count (
    sender TEXT NOT NULL,
    path TEXT NOT NULL,
    code TEXT NOT NULL,
    count INTEGER NOT NULL,
    first_at REAL NOT NULL,
    last_at REAL NOT NULL,
    -- of the latest one: the constant that its sentence names, and its message
    name TEXT NOT NULL,
    message_id INTEGER NOT NULL,
    PRIMARY KEY (sender, path, code)
) WITHOUT ROWID;

-- What a person must do by hand because of a message, whatever its status.
CREATE TABLE manual_task (
    message_id INTEGER NOT NULL REFERENCES message (id),
    -- a kind of cause or a code of a remark
    what TEXT NOT NULL,
    at REAL NOT NULL,
    PRIMARY KEY (message_id, what)
) WITHOUT ROWID;
CREATE INDEX manual_task_at ON manual_task (what, at);
CREATE TRIGGER manual_task_added AFTER INSERT ON manual_task BEGIN
    INSERT INTO tally VALUES ('task', NEW.what, 1)
    ON CONFLICT (kind, status) DO UPDATE SET count = count + 1;
END;

-- Parked messages by cause and sender, so that a status page never counts them.
CREATE INDEX message_parked ON message (
    cause, sending_application, sending_facility, channel, received_at
) WHERE status = 'parked';
CREATE TABLE parked_count (
    cause TEXT NOT NULL,
    sending_application TEXT NOT NULL,
    sending_facility TEXT NOT NULL,
    channel TEXT NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (cause, sending_application, sending_facility, channel)
) WITHOUT ROWID;
INSERT INTO parked_count
SELECT cause, sending_application, sending_facility, channel, count(*)
FROM message WHERE status = 'parked' GROUP BY 1, 2, 3, 4;
CREATE TRIGGER message_kept_parked AFTER INSERT ON message WHEN NEW.status = 'parked' BEGIN
    INSERT INTO parked_count
    VALUES (NEW.cause, NEW.sending_application, NEW.sending_facility, NEW.channel, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER message_parked_no_more AFTER UPDATE OF status, cause ON message
WHEN OLD.status = 'parked' AND (NEW.status <> 'parked' OR NEW.cause <> OLD.cause) BEGIN
    UPDATE parked_count SET count = count - 1
    WHERE cause = OLD.cause AND sending_application = OLD.sending_application
      AND sending_facility = OLD.sending_facility AND channel = OLD.channel;
END;
CREATE TRIGGER message_parked_now AFTER UPDATE OF status, cause ON message
WHEN NEW.status = 'parked' AND (OLD.status <> 'parked' OR NEW.cause <> OLD.cause) BEGIN
    INSERT INTO parked_count
    VALUES (NEW.cause, NEW.sending_application, NEW.sending_facility, NEW.channel, 1)
    ON CONFLICT DO UPDATE SET count = count + 1;
END;
