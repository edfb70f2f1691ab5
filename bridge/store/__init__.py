"""The durable store: one contract, one implementation a database."""
