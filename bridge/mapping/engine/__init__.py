"""What runs: compiled mappings, applied to documents; how they were written it does not know."""
