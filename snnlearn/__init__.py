"""snnlearn: train spiking neural networks from declarative models, on any machine."""

from snnlearn.errors import SnnlearnError

__version__: str

__all__ = ["SnnlearnError", "__version__"]


def __getattr__(name: str) -> str:
    # Asked for rarely, and looking it up takes longer than all the rest here.
    if name != "__version__":
        raise AttributeError(f"module 'snnlearn' has no attribute '{name}'")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("snnlearn")
    except PackageNotFoundError:  # used straight from a checkout
        return "0+unknown"
