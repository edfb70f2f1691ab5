"""The doors messages come in by."""
