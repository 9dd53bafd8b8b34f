"""Files and code strings of strangers, by the million: ``python tests/fuzz TARGET --minutes 5``."""
