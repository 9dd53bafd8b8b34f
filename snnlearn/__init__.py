"""snnlearn: train spiking neural networks from declarative models, on any machine."""

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from snnlearn.errors import SnnlearnError

try:
    __version__ = version("snnlearn")
except PackageNotFoundError:  # used straight from a checkout
    __version__ = "0+unknown"

# In a checkout the model library, the programs and the targets lie beside this folder, not in it.
_checkout = Path(__file__).resolve().parents[1]
if (_checkout / "pyproject.toml").is_file() and (_checkout / "models" / "__init__.py").is_file():
    __path__.append(str(_checkout))

__all__ = ["SnnlearnError", "__version__"]
