"""Everyone's formats: spikes of Auryn, NEST and SONATA, Neo's objects, arrays of events; networks as NIR's graphs."""

from importlib import import_module
from typing import Any

from snnlearn.exchange.events import from_events, to_events
from snnlearn.exchange.files import read, write
from snnlearn.exchange.neo import from_neo, to_neo

_NETWORKS = ("NirNetwork", "from_nir", "to_nir")  # of a package that needs the engines, which reading spikes does not

__all__ = ["NirNetwork", "from_events", "from_neo", "from_nir", "read", "to_events", "to_neo", "to_nir", "write"]


def __getattr__(name: str) -> Any:
    if name not in _NETWORKS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.nir"), name)
