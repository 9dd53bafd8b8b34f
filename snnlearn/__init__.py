"""snnlearn: train spiking neural networks from declarative models, on any machine."""

TYPE_CHECKING = False  # the name that type checkers know; importing it takes longer than all the rest here
if TYPE_CHECKING:
    from snnlearn.errors import SnnlearnError

__version__: str

__all__ = ["SnnlearnError", "__version__"]


def __getattr__(name: str) -> object:
    # Both lookups take long, and a command must have its handler of Ctrl-C early.
    if name in ("SnnlearnError", "errors"):
        import snnlearn.errors as errors

        return errors if name == "errors" else errors.SnnlearnError
    if name != "__version__":
        raise AttributeError(f"module 'snnlearn' has no attribute '{name}'")
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("snnlearn")
    except PackageNotFoundError:  # used straight from a checkout
        return "0+unknown"
