"""Faults of the machine, on purpose: ``python tests/faults`` prints a table of them and of what commands do."""
