"""The schedule on a CPU."""
