"""All recorders and players of a simulation, which a run asks before it begins and as it goes on."""

from __future__ import annotations

from snnlearn.network import Network, Record
from snnlearn.runtime.player_state import PlayerState
from snnlearn.runtime.recorder_state import RecorderState
from snnlearn.runtime.row_numbers import WithRows


def _records_of(network: Network) -> dict[str, tuple[Record, ...]]:
    """Return what is recorded of each population and connection."""
    found = {name: n.records for name, n in network.neurons.items()}
    return found | {name: s.records for name, s in network.synapses.items()}


class History:
    """All recorders and players of a simulation.

    Attributes
    ----------
    recorders : dict of (str, int) to RecorderState
        By population and number.
    players : dict of (str, str) to PlayerState
        By population and variable.
    """

    def __init__(self, simulation: WithRows) -> None:
        network = simulation.network
        self.recorders = {
            (name, number): RecorderState(simulation, name, number, record)
            for name, records in _records_of(network).items()
            for number, record in enumerate(records)
        }
        self.players = {
            (name, play.variable): PlayerState(simulation, name, play)
            for name, n in network.neurons.items()
            for play in n.plays
        }

    def before(self, first: int, timesteps: int) -> None:
        """Check that timesteps can run, and wait for who still reads what they will write."""
        for player in self.players.values():
            player.check(first, timesteps)
        for recorder in self.recorders.values():
            for reader in recorder.readers:
                if not reader.closed and reader is not recorder.simulation:
                    reader.settle("it plays what is about to be recorded anew")

    def pace(self, wanted: int, now: int) -> int:
        """Copy rows that are about to be recorded over to files; return how many of the timesteps have room now."""
        for recorder in self.recorders.values():
            if recorder.stream is not None and recorder.records(now, wanted):
                wanted = min(wanted, recorder.stream.room())
        return wanted

    def end_streams(self) -> None:
        """Close all files."""
        for recorder in self.recorders.values():
            recorder.end_stream()

    def moved(self, old: int, new: int) -> None:
        """Take note that the timestep has been assigned."""
        for recorder in self.recorders.values():
            recorder.moved(old, new)
        for player in self.players.values():
            player.moved(old, new)
