"""Delivery: from what is due to what is settled."""
