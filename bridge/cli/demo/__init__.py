"""`bridge demo`: everything at work on the samples, and whether it ended as it should."""
