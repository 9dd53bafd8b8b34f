"""Spikes in everyone's formats: files of Auryn, NEST and SONATA, Neo's objects, arrays of events."""

from snnlearn.exchange.events import from_events, to_events
from snnlearn.exchange.files import read, write
from snnlearn.exchange.neo import from_neo, to_neo

__all__ = ["from_events", "from_neo", "read", "to_events", "to_neo", "write"]
