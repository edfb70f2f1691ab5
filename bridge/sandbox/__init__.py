"""Stand-ins for the far ends, for tests and demonstrations: ZautoAI's API, a hospital's engine.

Of the bridge they know the catalogue only, so that neither can agree with it by accident.
"""
