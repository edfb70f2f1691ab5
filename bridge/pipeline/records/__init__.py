"""Records: what is known of the records at ZautoAI, and whose they are."""
