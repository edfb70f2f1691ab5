"""What people and programs are shown, as data: lists, single messages, the status."""
