"""snnlearn: train spiking neural networks from declarative models, on any machine."""

from pathlib import Path

from snnlearn.errors import SnnlearnError

__version__: str

# In a checkout the model library, the programs and the targets lie beside this folder, not in it.
_checkout = Path(__file__).resolve().parents[1]
if (_checkout / "pyproject.toml").is_file() and (_checkout / "models" / "__init__.py").is_file():
    __path__.append(str(_checkout))

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
