"""Running plans as plain Python."""
