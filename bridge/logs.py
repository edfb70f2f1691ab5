"""What the bridge tells of itself while it runs: JSON lines that never hold patient data."""
