"""What a kernel does wrong."""

from snnlearn.errors import SnnlearnError


class LaunchError(SnnlearnError):
    """A kernel cannot be launched, or does what no kernel may do."""
