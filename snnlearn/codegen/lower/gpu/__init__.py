"""The GPU's schedule: loop nests of parts, which blocks of threads run."""
