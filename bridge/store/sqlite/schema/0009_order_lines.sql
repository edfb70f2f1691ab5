-- What the hospital was sent of each service of a visit, one row for each message that sent
-- something: the last row that it did not refuse counts.
CREATE TABLE order_line (
    id INTEGER PRIMARY KEY,
    visit_id TEXT NOT NULL,
    service TEXT NOT NULL,
    occurrence INTEGER NOT NULL,
    issue INTEGER NOT NULL,
    state TEXT NOT NULL,
    status TEXT NOT NULL,
    posted TEXT NOT NULL,
    transactions INTEGER NOT NULL,
    message_id INTEGER NOT NULL
);
CREATE INDEX order_line_visit ON order_line (visit_id);
