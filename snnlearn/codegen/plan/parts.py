"""What kernels are made of: arrays, constants, local copies of elements, and code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Union

from snnlearn.declare import ValueType
from snnlearn.dialect.tree import Block, Expr
from snnlearn.network import Location

# Which element of an array a kernel touches: of its neuron, of the synapse's two ends, of the synapse, of the kernel
# that synapses point into, or the only one.
Index = Literal["neuron", "pre", "post", "synapse", "kernel", "only"]
# What becomes of a local copy: it replaces the element, or that of every slot, or is added, or replaces what is less,
# or goes to a row that is recorded and nowhere else.
Store = Literal["replace", "broadcast", "sum", "max", "row"]


@dataclass(frozen=True)
class Array:
    """A stretch of memory that lives as long as the simulation.

    Attributes
    ----------
    name : str
        Unique in the plan; a C identifier.
    location : Location
        What of the network it holds.
    type : ValueType
        Of its elements.
    size : int or None
        How many elements one copy has at one time; None where that is known only at run time (extra global parameters,
        recordings).
    batched : bool
        Whether each copy of a batch has its own.
    slots : int
        How many timesteps are kept.
    queue : str or None
        The array that holds the number of the newest slot, where there are several.
    """

    name: str
    location: Location
    type: ValueType
    size: int | None
    batched: bool = False
    slots: int = 1
    queue: str | None = None

    def total(self, batch_size: int) -> int | None:
        """Return how many elements there are, with all slots and copies."""
        return None if self.size is None else self.size * self.slots * (batch_size if self.batched else 1)


@dataclass(frozen=True)
class Constant:
    """A number known when the plan is made."""

    name: str
    type: ValueType
    value: float


@dataclass(frozen=True)
class Load:
    """A local copy of an array's element, written back after the kernel's code where ``store`` is set.

    Attributes
    ----------
    name, type, array, index
    store : bool
    delay : int
        How many timesteps ago, where the array is a queue; stores always go to the newest slot.
    how : str
        What a store does; all but "replace" start from zero (the least number, for "max") rather than the element.
    arrives_after : int or None
        The element is the time of a spike; the copy is when it arrives, so many timesteps later.
    direct : bool
        There is no copy: code works on the element itself.
    guard : str
        How the report begins of a number assigned to it for which its type has no place; where it is empty, such a
        number is cut off as in C.
    played : str
        The array of rows that the copy starts from, rather than from the element; see `Player`.
    """

    name: str
    type: ValueType
    array: str
    index: Index
    store: bool = False
    delay: int = 0
    how: Store = "replace"
    arrives_after: int | None = None
    direct: bool = False
    guard: str = ""
    played: str = ""


@dataclass(frozen=True)
class Input:
    """A local variable with a fixed start value in each timestep, which others add to."""

    name: str
    type: ValueType
    start: float


@dataclass(frozen=True)
class Accumulate:
    """What a call such as ``addToPost(x)`` means: add x to an array's element, or to a local (``index`` None).

    Where ``delayed`` is set, a second argument says in how many timesteps.
    """

    target: str
    index: Index | None
    delayed: bool = False


@dataclass(frozen=True)
class Connect:
    """What ``addSynapse(other, kernel indices...)`` means while connectivity is built.

    Attributes
    ----------
    end : "pre" or "post"
        Which neuron the first argument names.
    kernel : tuple of int
        The kernel's shape, or empty.
    """

    end: Literal["pre", "post"]
    kernel: tuple[int, ...] = ()


@dataclass(frozen=True)
class NewValue:
    """Where a value of a new synapse goes to: an array's element, guarded as a `Load` is."""

    array: str
    guard: str


@dataclass(frozen=True)
class AddSynapse:
    """What ``add_synapse(post, values...)`` means: append to the row."""

    values: tuple[NewValue, ...]


@dataclass(frozen=True)
class RemoveSynapse:
    """What ``remove_synapse()`` means: the row's last synapse takes the place of the one at hand."""


@dataclass(frozen=True)
class Transfer:
    """What ``pushNameToDevice()`` and ``pullNameFromDevice()`` mean in host code."""

    array: str
    to_device: bool


Action = Union[Accumulate, Connect, AddSynapse, RemoveSynapse, Transfer]


@dataclass(frozen=True)
class Code:
    """A piece of user code in a kernel.

    Attributes
    ----------
    title : str
        Whose it is, for the reader of the generated source.
    tree : Block or expression
    names : mapping of str to str
        From names in the code to names in the kernel.
        A name with ``[]`` behind it stands for the past of an array: ``V[delay]``.
    actions : mapping of str to Action
        What calls mean.
    scoped : bool
        Whether its local variables end with it.
    """

    title: str
    tree: Block | Expr
    names: Mapping[str, str]
    actions: Mapping[str, Action] = field(default_factory=dict)
    scoped: bool = True


@dataclass(frozen=True)
class OnSpike:
    """Test whether the neuron spikes, or emits a spike-like event; if so run code and register it.

    Attributes
    ----------
    condition : Code
    before : tuple of Code
        Runs before the spike is registered.
    reset : tuple of Code
        Runs after it.
    spikes, count : str
        The arrays of this step's spiking neurons and of their number.
    recording : str or None
        The array of recorded spikes, one bit a neuron and timestep.
    time : str or None
        The local copy of the time of the last spike.
    unless : str or None
        A `Flag` that forbids the spike.
    """

    condition: Code
    before: tuple[Code, ...]
    reset: tuple[Code, ...]
    spikes: str
    count: str
    recording: str | None
    time: str | None = None
    unless: str | None = None


@dataclass(frozen=True)
class SavePreviousSpikeTime:
    """Where the neuron spiked in the last timestep, that time moves on: ``before = last``, two local copies."""

    last: str
    before: str


@dataclass(frozen=True)
class Flag:
    """A condition's value, kept in a local variable."""

    name: str
    condition: Code


Part = Union[Code, OnSpike, SavePreviousSpikeTime, Flag]
