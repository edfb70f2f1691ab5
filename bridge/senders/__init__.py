"""The doors calls go out by."""
