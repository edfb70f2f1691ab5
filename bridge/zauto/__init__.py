"""ZautoAI's API without I/O: the catalogue, its answers, the token, the budget."""
