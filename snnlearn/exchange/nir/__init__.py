"""NIR's graphs (Pedersen et al. 2024), to and from: networks of snnTorch, Norse, SpikingJelly, Lava and others."""

from snnlearn.exchange.nir.network import NirNetwork
from snnlearn.exchange.nir.reading import from_nir
from snnlearn.exchange.nir.writing import to_nir

__all__ = ["NirNetwork", "from_nir", "to_nir"]
