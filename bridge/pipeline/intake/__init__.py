"""Intake: from what a listener hands over to what its sender is answered."""
