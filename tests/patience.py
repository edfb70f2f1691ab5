"""How long a test waits for what must come: only a hang is a failure, a busy machine is none."""

from __future__ import annotations

#: seconds; below the time limit of a test in pyproject.toml, so that the wait itself is named
PATIENCE = 120.0
