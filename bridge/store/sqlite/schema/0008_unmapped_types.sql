-- How many messages of each type no mapping takes, in the table of counts.
INSERT INTO tally (kind, status, count)
SELECT 'unmapped', message_type, count(*) FROM message WHERE status = 'unmapped'
GROUP BY message_type;
CREATE TRIGGER message_kept_unmapped AFTER INSERT ON message WHEN NEW.status = 'unmapped' BEGIN
    INSERT INTO tally VALUES ('unmapped', NEW.message_type, 1)
    ON CONFLICT (kind, status) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER message_found_unmapped AFTER UPDATE OF status ON message
WHEN NEW.status = 'unmapped' AND OLD.status <> 'unmapped' BEGIN
    INSERT INTO tally VALUES ('unmapped', NEW.message_type, 1)
    ON CONFLICT (kind, status) DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER message_mapped AFTER UPDATE OF status ON message
WHEN OLD.status = 'unmapped' AND NEW.status <> 'unmapped' BEGIN
    UPDATE tally SET count = count - 1 WHERE kind = 'unmapped' AND status = OLD.message_type;
END;
