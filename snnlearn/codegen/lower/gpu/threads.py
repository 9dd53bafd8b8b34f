"""The schedule on a GPU, the mapping of iterations to threads: pure functions of the plan.

A block of threads does one *part* of a kernel. Where one thread can own each sum, the order of summation is fixed, and
the same seed gives the same bits again. Atomics are used only where no thread can own the sum: for input through sparse
connectivity, in kernels that write to the presynaptic and the postsynaptic neurons or to the neurons whose spikes
they follow, and where several connections write to one delayed input.
"""

from __future__ import annotations

from enum import Enum

from snnlearn.codegen.plan import Kernel, Load, Neurons, SpikingColumns, SpikingRows, Synapses
from snnlearn.codegen.plan.deferral import Deferral
from snnlearn.codegen.plan.domains import Rows, SpikingDomain
from snnlearn.declare import Precision

WARP = 32  # threads that run in step
MAX_NEURONS_OF_BLOCK = 1024  # that one block updates, so that it lists those that spike without another block
MIN_ROWS_TO_SHARE = 64  # rows from which groups of a block's threads share the rows of its columns
MIN_COLUMNS = 8  # columns of a block at least, where they do: memory comes in pieces of 32 bytes
ENOUGH_BLOCKS = 256  # blocks that are enough of them
MAX_UNROLL = 16  # rows that a thread of theirs asks memory for at the same time
ROWS_PER_THREAD = 4  # of a deferred kernel: what a thread fetches of a column serves all of them
MAX_PART_ROWS = 256  # of a deferred kernel in matrix form: each part finds the responses of its columns anew
MIN_PART_ROWS = 64  # the same at least, where there are few columns
FEW_PARTS = 64  # parts that a large card runs at once
LOADS_IN_FLIGHT = 24  # numbers of synapses that a thread of such a kernel asks memory for at the same time
SHARED_BYTES = 47 * 1024  # bytes of a block's own memory, which every card has, but for a few small lists
SCRATCH_BYTES = 40 * 1024  # those of them that a part of such a kernel may take
MAX_SUMS = 18  # sums that a thread of such a kernel keeps in registers
MAX_PARTS = 32  # of a kernel whose work is known only when it runs: 256 spikes at once, of one population's


class ThreadMapping(Enum):
    """What each thread of a kernel has."""

    NEURONS = "one a neuron"
    SYNAPSES = "one a synapse"
    ROWS = "one a row"
    COLUMNS = "one a column"
    SPIKES = "a warp a spike"
    TILES = "a few rows"
    MATRIX = "by tiles"
    SERIAL = "one"


def mapping_of(kernel: Kernel) -> ThreadMapping:
    """Return what the threads of a kernel are."""
    if kernel.deferral is not None:
        return ThreadMapping.TILES if kernel.deferral.linear is None else ThreadMapping.MATRIX
    domain = kernel.domain
    if isinstance(domain, Neurons):
        return (
            ThreadMapping.SERIAL
            if domain.size > 1 and any(_is_contended(x) for x in kernel.loads)
            else ThreadMapping.NEURONS
        )
    if isinstance(domain, Synapses):
        return _mapping_of_synapses(kernel, domain)
    if isinstance(domain, SpikingDomain) and any(_is_shared(x) for x in kernel.loads):
        return ThreadMapping.SERIAL
    if isinstance(domain, SpikingRows):
        return ThreadMapping.COLUMNS if domain.sparse is None else ThreadMapping.SPIKES
    if isinstance(domain, SpikingColumns):
        return ThreadMapping.ROWS if domain.sparse is None else ThreadMapping.SPIKES
    return ThreadMapping.ROWS if isinstance(domain, Rows) else ThreadMapping.SERIAL


def _mapping_of_synapses(kernel: Kernel, domain: Synapses) -> ThreadMapping:
    if any(_is_contended(x) or _is_shared(x) for x in kernel.loads):
        return ThreadMapping.SERIAL
    ends = {a.index for a in kernel.accumulations}
    if domain.sparse is None and ends == {"post"}:
        return ThreadMapping.COLUMNS
    if domain.sparse is None and ends == {"pre"}:
        return ThreadMapping.ROWS
    return ThreadMapping.SYNAPSES


def _is_contended(load: Load) -> bool:
    """Whether many threads would write to one element: the last one counts, so one thread has to do it all."""
    return load.store and load.index == "only" and load.how not in ("sum", "max")


def _is_shared(load: Load) -> bool:
    """Whether many synapses write to one element, each what it makes of what the one before has left."""
    return load.store and load.index == "kernel"


def fits_one_block(kernel: Kernel) -> bool:
    """Whether one block updates all neurons of a population, as it lists those that spike."""
    return isinstance(kernel.domain, Neurons) and bool(kernel.spikes) and kernel.domain.size <= MAX_NEURONS_OF_BLOCK


def reductions(kernel: Kernel) -> list[Load]:
    """Return what is summed up over all neurons or synapses: a block adds up its threads' sums in one order."""
    if isinstance(kernel.domain, Neurons) and kernel.domain.size == 1:
        return []
    return [x for x in kernel.loads if x.store and x.index == "only" and x.how in ("sum", "max")]


def owned(kernel: Kernel) -> frozenset[str]:
    """Return the arrays that a kernel adds to with one thread, or group of threads, for each element."""
    mapping = mapping_of(kernel)
    end = {ThreadMapping.COLUMNS: "post", ThreadMapping.ROWS: "pre"}.get(mapping)
    if end is None or isinstance(kernel.domain, Rows):
        return frozenset()
    return frozenset(a.target for a in kernel.accumulations if a.index == end and not a.delayed)


def columns_per_block(kernel: Kernel, threads: int) -> int:
    """Return how many columns a block has whose threads have one each; groups of threads share their rows, or spikes.

    The narrower, the more blocks there are, and the sooner each is done. Few neurons spike in a timestep: groups beyond
    the first few would have nothing to do.
    """
    if mapping_of(kernel) is not ThreadMapping.COLUMNS or any(
        a.index == "post" and a.delayed for a in kernel.accumulations
    ):
        return threads
    assert isinstance(kernel.domain, (Synapses, SpikingRows))
    if kernel.domain.pre < MIN_ROWS_TO_SHARE:
        return threads
    columns = MIN_COLUMNS
    while isinstance(kernel.domain, Synapses) and columns < WARP and -(-kernel.domain.post // columns) > ENOUGH_BLOCKS:
        columns *= 2
    return columns if isinstance(kernel.domain, Synapses) else WARP


def unroll_of(kernel: Kernel, threads: int) -> int:
    """Return how many rows a thread of a column passes at a time; those that it writes to, one after the other."""
    assert isinstance(kernel.domain, Synapses)
    if any(load.store for load in kernel.loads):
        return 1
    groups = threads // columns_per_block(kernel, threads)
    return max(1, min(MAX_UNROLL, -(-kernel.domain.pre // groups)))


def rows_per_part(pre: int, tiles: int) -> int:
    """Return how many rows a part of a deferred kernel in matrix form has, of which there are some tiles of columns."""
    rows = MIN_PART_ROWS
    while rows < MAX_PART_ROWS and tiles * -(-pre // rows) > FEW_PARTS:
        rows *= 2
    return min(rows, pre)


def columns_of_tile(deferral: Deferral, precision: Precision) -> int:
    """Return how many columns a tile of a kernel in matrix form has: as many as a block's memory has room for."""
    form = deferral.linear
    assert form is not None
    columns = len(form.per_column) + (len(form.silent.per_column) if form.silent is not None else 0)
    of_column, others = len(form.responses) * deferral.depth + columns, len(form.invariant) + MAX_PART_ROWS

    def nbytes(width: int) -> int:
        numbers = of_column * width + others
        return 8 * numbers if precision == "double" else 4 * numbers + 8 * (len(form.invariant) + 1)

    return next((w for w in (WARP, WARP // 2, WARP // 4) if nbytes(w) <= SCRATCH_BYTES), 1)


def past_reads(kernel: Kernel) -> frozenset[str]:
    """Return the arrays whose past a kernel's code reads: ``V[delay]``."""
    return frozenset(array for code in kernel.codes for name, array in code.names.items() if name.endswith("[]"))


def unordered_sums(kernel: Kernel) -> frozenset[str]:
    """Return the arrays that a kernel only adds to, from any thread: another kernel may do so at the same time."""
    if mapping_of(kernel) is ThreadMapping.SERIAL:
        return frozenset()
    mine = owned(kernel)
    touched = {x.array for x in kernel.loads} | {*kernel.arrays} | past_reads(kernel)
    return frozenset(a.target for a in kernel.accumulations if a.target not in mine) - touched
