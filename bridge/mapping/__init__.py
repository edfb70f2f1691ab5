"""Declarative mappings: loading, checking and applying what becomes what."""
