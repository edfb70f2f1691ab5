"""Stand-ins for the far ends, for tests and demonstrations: ZautoAI's API and a hospital's receiver."""
