"""The schedule on a GPU, the mapping of iterations to threads: pure functions of the plan.

A block of threads does one *part* of a kernel. Where one thread can own each sum, the order of summation is fixed, and
the same seed gives the same bits again. Atomics are used only where no thread can own the sum: for input through sparse
connectivity, in kernels that write to the presynaptic and the postsynaptic neurons or to the neurons whose spikes
they follow, and where several connections write to one delayed input.
"""

from __future__ import annotations

from enum import Enum

from snnlearn.codegen.plan import Kernel, Load, Neurons, SpikingColumns, SpikingRows, Synapses
from snnlearn.codegen.plan.domains import Rows, SpikingDomain

WARP = 32  # threads that run in step
ALONE = 1024  # neurons that one block updates, so that it can list those that spike without another block
GROUPED = 64  # rows from which groups of a block's threads share the rows of its columns
NARROW = 8  # columns of a block at least, where they do: memory comes in pieces of 32 bytes
WIDE = 256  # blocks that are enough of them
AT_ONCE = 16  # rows that a thread of theirs asks memory for at the same time
ROWS = 4  # rows that a thread of a deferred kernel passes through time at once: what it fetches of a column serves all
CHUNK = 256  # rows of a part of a deferred kernel in matrix form: each part finds the responses of its columns anew
SMALL_CHUNK = 64  # the same at least, where there are few columns
FEW_PARTS = 64  # parts that a large card runs at once
FETCHED = 24  # numbers of synapses that a thread of such a kernel asks memory for at the same time
FAST = 47 * 1024  # bytes of a block's own memory, which every card has, but for a few small lists
SCRATCH = 40 * 1024  # those of them that a part of such a kernel may take
SUMS = 18  # sums that a thread of such a kernel keeps in registers
MOST_PARTS = 32  # of a kernel whose work is known only when it runs: 256 spikes at once, of one population's


class Way(Enum):
    """What each thread of a kernel has."""

    NEURONS = "one a neuron"
    SYNAPSES = "one a synapse"
    ROWS = "one a row"
    COLUMNS = "one a column"
    SPIKES = "a warp a spike"
    TILES = "a few rows"
    MATRIX = "by tiles"
    SERIAL = "one"


def way_of(kernel: Kernel) -> Way:
    """Return what the threads of a kernel are."""
    if kernel.deferral is not None:
        return Way.TILES if kernel.deferral.linear is None else Way.MATRIX
    domain = kernel.domain
    if isinstance(domain, Neurons):
        return Way.SERIAL if domain.size > 1 and any(_is_contended(x) for x in kernel.loads) else Way.NEURONS
    if isinstance(domain, Synapses):
        return _way_of_synapses(kernel, domain)
    if isinstance(domain, SpikingDomain) and any(_is_shared(x) for x in kernel.loads):
        return Way.SERIAL
    if isinstance(domain, SpikingRows):
        return Way.COLUMNS if domain.sparse is None else Way.SPIKES
    if isinstance(domain, SpikingColumns):
        return Way.ROWS if domain.sparse is None else Way.SPIKES
    return Way.ROWS if isinstance(domain, Rows) else Way.SERIAL


def _way_of_synapses(kernel: Kernel, domain: Synapses) -> Way:
    if any(_is_contended(x) or _is_shared(x) for x in kernel.loads):
        return Way.SERIAL
    ends = {a.index for a in kernel.accumulations}
    if domain.sparse is None and ends == {"post"}:
        return Way.COLUMNS
    if domain.sparse is None and ends == {"pre"}:
        return Way.ROWS
    return Way.SYNAPSES


def _is_contended(load: Load) -> bool:
    """Whether many threads would write to one element: the last one counts, so one thread has to do it all."""
    return load.store and load.index == "only" and load.how not in ("sum", "max")


def _is_shared(load: Load) -> bool:
    """Whether many synapses write to one element, each what it makes of what the one before has left."""
    return load.store and load.index == "kernel"


def is_alone(kernel: Kernel) -> bool:
    """Whether one block updates all neurons of a population, as it lists those that spike."""
    return isinstance(kernel.domain, Neurons) and bool(kernel.spikes) and kernel.domain.size <= ALONE


def gathered(kernel: Kernel) -> list[Load]:
    """Return what is summed up over all neurons or synapses: a block adds up its threads' sums in one order."""
    if isinstance(kernel.domain, Neurons) and kernel.domain.size == 1:
        return []
    return [x for x in kernel.loads if x.store and x.index == "only" and x.how in ("sum", "max")]


def owned(kernel: Kernel) -> frozenset[str]:
    """Return the arrays that a kernel adds to with one thread, or group of threads, for each element."""
    way = way_of(kernel)
    end = {Way.COLUMNS: "post", Way.ROWS: "pre"}.get(way)
    if end is None or isinstance(kernel.domain, Rows):
        return frozenset()
    return frozenset(a.target for a in kernel.accumulations if a.index == end and not a.delayed)


def columns_of(kernel: Kernel, threads: int) -> int:
    """Return how many columns a block has whose threads have one each; groups of threads share their rows, or spikes.

    The narrower, the more blocks there are, and the sooner each is done. Few neurons spike in a timestep: groups beyond
    the first few would have nothing to do.
    """
    if way_of(kernel) is not Way.COLUMNS or any(a.index == "post" and a.delayed for a in kernel.accumulations):
        return threads
    assert isinstance(kernel.domain, (Synapses, SpikingRows))
    if kernel.domain.pre < GROUPED:
        return threads
    narrow = NARROW
    while isinstance(kernel.domain, Synapses) and narrow < WARP and -(-kernel.domain.post // narrow) > WIDE:
        narrow *= 2
    return narrow if isinstance(kernel.domain, Synapses) else WARP


def rows_at_once(kernel: Kernel, threads: int) -> int:
    """Return how many rows a thread of a column passes at a time; those that it writes to, one after the other."""
    assert isinstance(kernel.domain, Synapses)
    if any(load.store for load in kernel.loads):
        return 1
    groups = threads // columns_of(kernel, threads)
    return max(1, min(AT_ONCE, -(-kernel.domain.pre // groups)))


def chunk_of(pre: int, tiles: int) -> int:
    """Return how many rows a part of a deferred kernel in matrix form has, of which there are some tiles of columns."""
    chunk = SMALL_CHUNK
    while chunk < CHUNK and tiles * -(-pre // chunk) > FEW_PARTS:
        chunk *= 2
    return min(chunk, pre)


def looks_back_at(kernel: Kernel) -> frozenset[str]:
    """Return the arrays whose past a kernel's code reads: ``V[delay]``."""
    return frozenset(array for code in kernel.codes for name, array in code.names.items() if name.endswith("[]"))


def adds_freely(kernel: Kernel) -> frozenset[str]:
    """Return the arrays that a kernel only adds to, from any thread: another kernel may do so at the same time."""
    if way_of(kernel) is Way.SERIAL:
        return frozenset()
    mine = owned(kernel)
    touched = {x.array for x in kernel.loads} | {*kernel.arrays} | looks_back_at(kernel)
    return frozenset(a.target for a in kernel.accumulations if a.target not in mine) - touched
