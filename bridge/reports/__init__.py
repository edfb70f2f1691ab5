"""What people and programs are shown, as typed models: lists, single messages, the status."""
