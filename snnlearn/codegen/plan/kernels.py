"""The values a plan is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, Union

from snnlearn.declare import Precision, ValueType
from snnlearn.dialect.tree import Block, Expr
from snnlearn.network import Location

# Which element of an array a kernel touches: of its neuron, of the synapse's two ends, of the synapse, or the only one.
Index = Literal["neuron", "pre", "post", "synapse", "only"]


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
        How many elements; None where that is known only at run time (extra global parameters, recordings).
    """

    name: str
    location: Location
    type: ValueType
    size: int | None


@dataclass(frozen=True)
class Constant:
    """A number known when the plan is made."""

    name: str
    type: ValueType
    value: float


@dataclass(frozen=True)
class Load:
    """A local copy of an array's element, written back after the kernel's code where ``store`` is set."""

    name: str
    type: ValueType
    array: str
    index: Index
    store: bool = False


@dataclass(frozen=True)
class Input:
    """A local variable with a fixed start value in each timestep, which others add to."""

    name: str
    type: ValueType
    start: float


@dataclass(frozen=True)
class Accumulate:
    """What a call such as ``addToPost(x)`` means: add x to an array's element, or to a local (``index`` None)."""

    target: str
    index: Index | None


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
    actions : mapping of str to Accumulate
    scoped : bool
        Whether its local variables end with it.
    """

    title: str
    tree: Block | Expr
    names: Mapping[str, str]
    actions: Mapping[str, Accumulate] = field(default_factory=dict)
    scoped: bool = True


@dataclass(frozen=True)
class OnSpike:
    """Test whether the neuron spikes; if so run code and register the spike.

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
    """

    condition: Code
    before: tuple[Code, ...]
    reset: tuple[Code, ...]
    spikes: str
    count: str
    recording: str | None


@dataclass(frozen=True)
class Neurons:
    """Run once for each of ``size`` neurons."""

    size: int


@dataclass(frozen=True)
class Synapses:
    """Run once for each synapse of an all-to-all connection, row by row."""

    pre: int
    post: int


@dataclass(frozen=True)
class SpikingRows:
    """Run once for each synapse of the presynaptic neurons that have spiked."""

    pre: int
    post: int
    spikes: str
    count: str


@dataclass(frozen=True)
class SpikingColumns:
    """Run once for each synapse of the postsynaptic neurons that have spiked."""

    pre: int
    post: int
    spikes: str
    count: str


Domain = Union[Neurons, Synapses, SpikingRows, SpikingColumns]


@dataclass(frozen=True)
class History:
    """The past of a per-neuron array, kept for a deferred kernel.

    Attributes
    ----------
    array : str
        What is copied in each timestep.
    kept : str
        Where: two blocks of ``depth`` rows, one to fill and one to work on.
    stride : int
        From one row to the next: at least the array's size.
    first_only : bool
        Whether only the first timestep of each block is kept.
    """

    array: str
    kept: str
    stride: int
    first_only: bool = False


@dataclass(frozen=True)
class SilentRows:
    """How the rows of neurons that do not spike in a block take part in it: in closed form.

    Between two spikes a row's factor f follows from its neuron's variables y by the same linear map M in each
    timestep, so that ``sum_k f_k r_k`` is ``Y y`` with the y of the block's beginning. Y, found backward in time like
    the responses r, depends on the column alone.

    Attributes
    ----------
    spiked : str
        The array that marks the neurons that have spiked in the block, for two blocks.
    spikes, count : str
        The arrays of the neurons that have spiked in a timestep, and of their number.
    start : tuple of Load
        y, from the block's first row of the kept past.
    columns : tuple of Input
        The entries of Y.
    backward : Code
        For each column and timestep, latest first, behind the responses: Y of one timestep more.
    sums : Code
        For each synapse: the sums from Y and y.
    """

    spiked: str
    spikes: str
    count: str
    start: tuple[Load, ...]
    columns: tuple[Input, ...]
    backward: Code
    sums: Code


@dataclass(frozen=True)
class LinearForm:
    """What a block of timesteps does to a deferred kernel's variables, where that is a linear map of them.

    In a timestep the variables x of a synapse become ``A x + f g``, with f of its row, A and g of its column. In a
    block they become ``P x + sum_k f_k r_k``. P, the product of all A, and the responses r_k, which tell what f_k is
    worth at the block's end, depend on the column alone and are found backward in time. What is left for a synapse and
    timestep is a product of matrices.

    Attributes
    ----------
    factors : tuple of tuple of str
        The f, each a product of presynaptic values; there may be several, with an r each.
    uniform : tuple of Input
        The entries of P that are the same in all columns; in double precision, as they are multiplied by themselves.
    columns : tuple of Input
        The other entries of P, but for zeros and ones.
    responses, sums : tuple of Input
        The variables r and the sums of products with them.
    backward : Code
        For each column and timestep, latest first: the responses, then P of one timestep more.
    backward_uniform : Code
        For each timestep, behind all columns: the same for the uniform entries.
    products : Code
        For each synapse and timestep: add to the sums.
    finish : Code
        For each synapse: x from x, P and the sums.
    silent : SilentRows or None
    """

    factors: tuple[tuple[str, ...], ...]
    uniform: tuple[Input, ...]
    columns: tuple[Input, ...]
    responses: tuple[Input, ...]
    sums: tuple[Input, ...]
    backward: Code
    backward_uniform: Code
    products: Code
    finish: Code
    silent: SilentRows | None = None

    @property
    def codes(self) -> tuple[Code, ...]:
        """Every piece of code in it."""
        own = (self.backward, self.backward_uniform, self.products, self.finish)
        return own if self.silent is None else (*own, self.silent.backward, self.silent.sums)

    def map_codes(self, change: Callable[[Code], Code]) -> LinearForm:
        """Return the form with every piece of code changed."""
        silent = self.silent
        if silent is not None:
            silent = replace(silent, backward=change(silent.backward), sums=change(silent.sums))
        return replace(
            self,
            backward=change(self.backward),
            backward_uniform=change(self.backward_uniform),
            products=change(self.products),
            finish=change(self.finish),
            silent=silent,
        )


@dataclass(frozen=True)
class Deferral:
    """Mark of a kernel that runs for many timesteps at once, later.

    Attributes
    ----------
    depth : int
        How many timesteps at most.
    histories : tuple of History
        The per-neuron arrays that change in the meantime.
    linear : LinearForm or None
        What runs instead of the kernel's body, if it has such a form.
    """

    depth: int
    histories: tuple[History, ...]
    linear: LinearForm | None = None


@dataclass(frozen=True)
class Kernel:
    """A loop over neurons or synapses with what it loads, runs and stores.

    Attributes
    ----------
    name : str
        A C identifier, unique in the plan.
    title : str
        One line for the reader.
    timer : str
        Under which name its run time is summed.
    domain : Neurons, Synapses, SpikingRows or SpikingColumns
    constants, loads, inputs : tuples of Constant, Load and Input
    body : tuple of Code and OnSpike
        In order.
    arrays : tuple of str
        Extra global parameters that the code indexes.
    uses : frozenset of str
        Built-in names in use, such as ``t`` and ``id_pre``.
    stream : int or None
        The stream of random numbers to draw from, if it draws any.
    deferral : Deferral or None
    """

    name: str
    title: str
    timer: str
    domain: Domain
    constants: tuple[Constant, ...]
    loads: tuple[Load, ...]
    inputs: tuple[Input, ...]
    body: tuple[Code | OnSpike, ...]
    arrays: tuple[str, ...]
    uses: frozenset[str]
    stream: int | None = None
    deferral: Deferral | None = None

    @property
    def codes(self) -> Iterator[Code]:
        """Every piece of code in it: of the body, in order, and of its matrix form."""
        for part in self.body:
            if isinstance(part, Code):
                yield part
            else:
                yield part.condition
                yield from part.before
                yield from part.reset
        if self.deferral is not None and self.deferral.linear is not None:
            yield from self.deferral.linear.codes

    @property
    def local_names(self) -> frozenset[str]:
        """What its own constants, copies and variables are called."""
        names = [c.name for c in self.constants] + [x.name for x in self.loads] + [v.name for v in self.inputs]
        return frozenset(names)

    @property
    def accumulations(self) -> frozenset[Accumulate]:
        """What it adds to beside its own locals."""
        return frozenset(a for code in self.codes for a in code.actions.values() if a.index is not None)

    @property
    def reads(self) -> frozenset[str]:
        """The arrays it reads."""
        loads = [*self.loads]
        spikes = {self.domain.spikes, self.domain.count} if isinstance(self.domain, SpikingDomain) else set()
        form = self.deferral.linear if self.deferral is not None else None
        if form is not None and form.silent is not None:
            loads += form.silent.start
            spikes |= {form.silent.spikes, form.silent.count}
        return frozenset({load.array for load in loads} | {*self.arrays} | spikes)

    @property
    def writes(self) -> frozenset[str]:
        """The arrays it changes."""
        written = {load.array for load in self.loads if load.store} | {a.target for a in self.accumulations}
        for part in self.body:
            if isinstance(part, OnSpike):
                written |= {part.spikes, part.count} | ({part.recording} if part.recording else set())
        return frozenset(written)

    @property
    def split(self) -> Literal["pre", "post"] | None:
        """Along which end of its synapses threads may share it without touching the same element, if any."""
        if not isinstance(self.domain, Synapses):
            return None
        ends = {a.index for a in self.accumulations}
        if "pre" in ends:
            return None if "post" in ends else "pre"
        return "post" if "post" in ends else "pre"


SpikingDomain = (SpikingRows, SpikingColumns)


@dataclass(frozen=True)
class Transposition:
    """Copy one synapse array, transposed, into another: ``target[j, i] = source[i, j]``."""

    name: str
    timer: str
    source: str
    target: str
    pre: int
    post: int

    @property
    def reads(self) -> frozenset[str]:
        """The arrays it reads."""
        return frozenset([self.source])

    @property
    def writes(self) -> frozenset[str]:
        """The arrays it changes."""
        return frozenset([self.target])


@dataclass(frozen=True)
class Plan:
    """Everything that a simulation computes.

    Attributes
    ----------
    name : str
    dt : float
        Timestep [ms].
    precision : {"float", "double"}
    arrays : tuple of Array
    init : tuple of Kernel
        Run once, before the first timestep.
    step : tuple of Kernel
        Run in each timestep, in this order.
    custom_updates : mapping of str to tuple of Kernel and Transposition
        By group name; run when called for.
    """

    name: str
    dt: float
    precision: Precision
    arrays: tuple[Array, ...]
    init: tuple[Kernel, ...]
    step: tuple[Kernel, ...]
    custom_updates: Mapping[str, tuple[Kernel | Transposition, ...]]

    @property
    def timers(self) -> tuple[str, ...]:
        """The names under which run times are summed, each once."""
        kernels: list[Kernel | Transposition] = [*self.init, *self.step]
        for group in self.custom_updates.values():
            kernels.extend(group)
        return tuple(dict.fromkeys(k.timer for k in kernels))
