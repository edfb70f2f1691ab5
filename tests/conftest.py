"""What holds for all tests."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from bridge import logs

# How fast examples come says something of the machine, which has other work, not of the bridge.
settings.register_profile("bridge", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("bridge")

# Unconfigured, structlog prints the locals of every frame of a fault: patients, and 45,000 lines.
logs.configure("WARNING")

#: name of the property that carries a test's report from the process it ran in
REPORT = "report"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests reported."""
    for reports in terminalreporter.stats.values():
        for each in reports:
            if getattr(each, "when", "") == "teardown":
                for name, lines in each.user_properties:
                    if name == REPORT:
                        terminalreporter.write("".join(f"{line}\n" for line in lines))
