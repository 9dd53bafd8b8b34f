"""How a kernel runs for many timesteps at once, later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from snnlearn.codegen.plan.parts import Code, Input, Load


@dataclass(frozen=True)
class DoubleBuffer:
    """The past of a per-neuron array, kept for a deferred kernel.

    Attributes
    ----------
    array : str
        What is copied in each timestep.
    buffer : str
        Where: two blocks of ``depth`` rows, one to fill and one to work on.
    stride : int
        From one row to the next: at least the array's size.
    first_only : bool
        Whether only the first timestep of each block is kept.
    """

    array: str
    buffer: str
    stride: int
    first_only: bool = False


@dataclass(frozen=True)
class SilentRows:
    """How the rows of neurons that do not spike in a block take part in it: in closed form.

    Between two spikes a row's factor f follows from its neuron's variables y by the same linear map M in each
    timestep, so that ``sum_k f_k r_k`` is ``Y y`` with the y of the block's beginning. Y depends on the column
    alone; the backward (adjoint) pass that finds the responses r finds it too.

    Attributes
    ----------
    spiked : str
        The array that marks the neurons that have spiked in the block, for two blocks.
    spikes, count : str
        The arrays of the neurons that have spiked in a timestep, and of their number.
    start : tuple of Load
        y, from the block's first row of the kept past.
    per_column : tuple of Input
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
    per_column: tuple[Input, ...]
    backward: Code
    sums: Code


@dataclass(frozen=True)
class LinearForm:
    """What a block of timesteps does to a deferred kernel's variables, where that is a linear map of them.

    In a timestep the variables x of a synapse become ``A x + f g``, with f of its row, A and g of its column. In a
    block they become ``P x + sum_k f_k r_k``. P, the product of all A, and the responses r_k, the
    effects of f_k at the end of the block, depend on the column alone; a backward (adjoint) pass finds them. What is
    left for a synapse and timestep is a product of matrices.

    Attributes
    ----------
    factors : tuple of tuple of str
        The f, each a product of presynaptic values; there may be several, with an r each.
    invariant : tuple of Input
        The entries of P that are the same in all columns; in double precision, as they are multiplied by themselves.
    per_column : tuple of Input
        The other entries of P, but for zeros and ones.
    responses, sums : tuple of Input
        The variables r and the sums of products with them.
    backward : Code
        For each column and timestep, latest first: the responses, then P of one timestep more.
    backward_invariant : Code
        For each timestep, behind all columns: the same for the invariant entries.
    products : Code
        For each synapse and timestep: add to the sums.
    finish : Code
        For each synapse: x from x, P and the sums.
    silent : SilentRows or None
    """

    factors: tuple[tuple[str, ...], ...]
    invariant: tuple[Input, ...]
    per_column: tuple[Input, ...]
    responses: tuple[Input, ...]
    sums: tuple[Input, ...]
    backward: Code
    backward_invariant: Code
    products: Code
    finish: Code
    silent: SilentRows | None = None

    @property
    def codes(self) -> tuple[Code, ...]:
        """Every piece of code in it."""
        codes = (self.backward, self.backward_invariant, self.products, self.finish)
        return codes if self.silent is None else (*codes, self.silent.backward, self.silent.sums)

    def map_codes(self, change: Callable[[Code], Code]) -> LinearForm:
        """Return the form with every piece of code changed."""
        silent = self.silent
        if silent is not None:
            silent = replace(silent, backward=change(silent.backward), sums=change(silent.sums))
        return replace(
            self,
            backward=change(self.backward),
            backward_invariant=change(self.backward_invariant),
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
    buffers : tuple of DoubleBuffer
        The per-neuron arrays that change in the meantime.
    linear : LinearForm or None
        What runs instead of the kernel's body, if it has such a form.
    """

    depth: int
    buffers: tuple[DoubleBuffer, ...]
    linear: LinearForm | None = None
