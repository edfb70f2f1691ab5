"""Coverage: how much of what comes in the mappings read."""
