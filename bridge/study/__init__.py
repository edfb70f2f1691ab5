"""Looks at traffic and at mappings; nothing on the way of a message imports it."""
