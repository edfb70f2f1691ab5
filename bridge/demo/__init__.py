"""The demonstration: everything at work on the samples."""
