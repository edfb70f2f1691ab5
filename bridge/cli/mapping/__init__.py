"""`bridge mapping …`: what people do with mappings."""
