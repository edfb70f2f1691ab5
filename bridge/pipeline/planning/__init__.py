"""Planning: from a kept message to deliveries in their lanes."""
