"""`bridge coverage`: what of the traffic the mappings read, leave out on purpose, or overlook."""
