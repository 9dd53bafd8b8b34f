"""Programs that a user runs."""
