"""What happens between the doors, one verb a file."""
