"""The names with a meaning of their own in code: what each is, and which kind of model's code sees which."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class BuiltInName:
    """What a name stands for.

    Attributes
    ----------
    what : str
        In the words of messages.
    type : str
        A type's name; ``timepoint`` is the type of the network's times.
    writable : bool
        Whether code may assign to it.
    """

    what: str
    type: str = "unsigned int"
    writable: bool = False


_NUMBER = BuiltInName("built-in number")
_SPIKE_TIME = BuiltInName("time of a spike", "timepoint")
_INPUT = BuiltInName("input", "scalar", writable=True)

# What goes together.
TIME = ("dt", "t")
COPY = ("batch", "num_batch")
NEURON = ("id", "num_neurons")
SYNAPSE = ("id_pre", "id_post", "id_syn")
ENDS = ("num_pre", "num_post")
SPIKE_TIMES = tuple(f"{time}_{side}" for side in ("pre", "post") for time in ("st", "prev_st", "set", "prev_set"))
EVENT_TIMES = ("set", "prev_set")
THREAD = ("id_thread", "num_threads")

BUILT_IN: Mapping[str, BuiltInName] = {
    "dt": BuiltInName("timestep", "timepoint"),  # its length [ms]
    "t": BuiltInName("time", "timepoint"),  # at which the timestep starts [ms]
    "batch": _NUMBER,  # which copy
    "num_batch": _NUMBER,
    "id": _NUMBER,  # which neuron
    "num_neurons": _NUMBER,
    "id_pre": _NUMBER,  # which presynaptic neuron
    "id_post": _NUMBER,  # which postsynaptic neuron
    "id_syn": _NUMBER,  # where the synapse is in memory
    "id_kernel": _NUMBER,  # which element of a kernel the synapse shares
    "id_diag": _NUMBER,  # which diagonal of a Toeplitz matrix
    "num_pre": _NUMBER,
    "num_post": _NUMBER,
    "id_pre_begin": _NUMBER,  # the first presynaptic neuron that a thread connects
    "id_post_begin": _NUMBER,  # the first postsynaptic neuron that a thread connects
    "id_thread": _NUMBER,
    "num_threads": _NUMBER,
    "row_length": _NUMBER,  # how many synapses the row has
    "row_stride": _NUMBER,  # how many it has room for
    "st": _SPIKE_TIME,  # the neuron's last spike before this timestep [ms]
    **dict.fromkeys(SPIKE_TIMES, _SPIKE_TIME),  # spikes and events as they reach the synapse [ms]
    **dict.fromkeys(EVENT_TIMES, _SPIKE_TIME),  # events of the neuron whose condition it is [ms]
    "Isyn": _INPUT,  # what all synapses send to the neuron
    "h": BuiltInName("margin of the threshold", "scalar"),  # positive where the neuron spikes
    "loss": BuiltInName("loss", "scalar", writable=True),
    "inSyn": _INPUT,  # what the synapses of one connection send to the neuron
}

# What code calls to send input, with the number of arguments.
SENDS: Mapping[str, int] = {"addToPost": 1, "addToPre": 1, "addToPostDelay": 2}
INJECTS: Mapping[str, int] = {"injectCurrent": 1}

_NEURON_CODE = (*TIME, *COPY, *NEURON)
# By kind of model: what none of its own may be called. Code of one string may see less.
SEEN: Mapping[str, tuple[str, ...]] = {
    "NeuronModel": ("st", "Isyn", *_NEURON_CODE),
    "WeightUpdateModel": ("id_kernel", *EVENT_TIMES, *SPIKE_TIMES, *_NEURON_CODE, *SYNAPSE, *ENDS, *SENDS),
    "PostsynapticModel": ("inSyn", *_NEURON_CODE, *INJECTS),
    "CurrentSourceModel": (*_NEURON_CODE, *INJECTS),
    "CustomUpdateModel": (*_NEURON_CODE, *SYNAPSE, *ENDS),
    "CustomConnectivityUpdateModel": (*TIME, *COPY, "row_length", "row_stride", *SYNAPSE, *ENDS),
    "VarInitSnippet": ("value", "dt", "num_batch", *NEURON, "id_kernel", *SYNAPSE, *ENDS),
    "SparseConnectInitSnippet": ("dt", "id_pre", "id_post", "id_post_begin", "id_pre_begin", *ENDS, *THREAD),
    "Surrogate": ("h", "dt"),
    "Loss": ("loss", *_NEURON_CODE),
    "ToeplitzConnectInitSnippet": ("dt", "id_diag", "id_pre", *ENDS),
}
