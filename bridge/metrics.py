"""The numbers the bridge tells of itself, in the form Prometheus reads."""
