-- Which services a message sends something of, to find what was compared with a refused order.
CREATE INDEX order_line_message ON order_line (message_id);
