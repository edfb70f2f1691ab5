"""`bridge demo`."""


def demo() -> None:
    """Placeholder."""
