"""Random numbers in emitted code: the engines' own, which depend on a counter alone."""

from __future__ import annotations

from snnlearn.codegen.plan import Neurons
from snnlearn.codegen.plan.domains import Columns, Diagonals, Rows
from snnlearn.codegen.torch.elements import Layout
from snnlearn.codegen.torch.lines import Line
from snnlearn.codegen.torch.statements import Statements
from snnlearn.codegen.torch.values import DOUBLE, INT64, SCALAR, UINT, Number, Tensor, Value, convert, text, uses
from snnlearn.dialect import tree

_DRAWN = "drawn"  # the entry of `values` that counts the words drawn so far
_LOOPED = frozenset(["gamma", "binomial"])  # that take as many words as it happens


class Draws(Statements):
    """Emits random numbers."""

    layout: Layout

    def begin_draws(self) -> None:
        """Begin the stream of the kernel, where it has one."""
        kernel = self.kernel
        if kernel.stream is None:
            return
        index, number, reads = self._random_index()
        if kernel.batched and self.plan.batch_size > 1:
            batch = f"support.arange({self.plan.batch_size}).view({'-1, 1, 1' if self.layout.dense else '-1, 1'})"
            index = f"({batch} * {number} + {index})"
        anew = kernel.draws == "each timestep"  # of neurons: no code of a synapse draws random numbers
        kind, when = ("EachStep", ", timestep") if anew else ("Once", "")
        code = f"random.{kind}(seed, {kernel.stream}, {index}{when})"
        self.lines.append(Line(f"words = {code}", ("words",), frozenset(), reads))
        self.values[_DRAWN] = Number(0, INT64)

    def _random_index(self) -> tuple[str, int, frozenset[str]]:
        """Return what the elements are numbered by, how many numbers a copy takes, and the arrays that are read."""
        domain = self.kernel.domain
        if isinstance(domain, Neurons):
            rounded = -(-domain.size // 4) * 4 if self.kernel.draws == "each timestep" else domain.size
            return f"support.arange({domain.size})", rounded, frozenset()
        if isinstance(domain, Rows | Columns | Diagonals):
            size = {Rows: domain.pre, Columns: domain.post}.get(type(domain), getattr(domain, "number", 0))
            return f"support.arange({size})", size, frozenset()
        found = self.layout.built_in("id_syn")
        assert found is not None
        width = domain.post if self.layout.sparse is None else self.layout.sparse.stride
        return found[0], domain.pre * width, self.layout.index_arrays("pre")

    def random(self, e: tree.Call) -> Value:
        """Draw a number of a distribution."""
        name = e.function.removeprefix("gennrand").removeprefix("_")
        drawn = self.values[_DRAWN]
        args = [self.tensor(convert(self.get(a), DOUBLE, self.precision)) for a in e.args]
        given = "".join(f", {a.text}" for a in args)
        used = uses(drawn, *args) | {"words"}
        if not name:
            self.values[_DRAWN] = self._more(drawn, 1)
            return self.let("word", Tensor(f"words.word({text(drawn)})", UINT, used))
        kind = self.tensors(SCALAR)
        if name in _LOOPED:
            where = "None" if self.mask is None else self.mask.text
            used |= self.mask.uses if self.mask is not None else frozenset()
            value, count = self.fresh(name), self.fresh(_DRAWN)
            code = f"{value}, {count} = words.{name}({text(drawn)}{given}, {where})"
            self.lines.append(Line(code, (value, count), used))
            self.values[_DRAWN] = Tensor(count, INT64, frozenset([count]))
            found = Tensor(value, UINT if name == "binomial" else DOUBLE, frozenset([value]))
            return convert(found, e.type, self.precision)
        single = name == "uniform" and kind == "torch.float32"
        self.values[_DRAWN] = self._more(drawn, 1 if single else 2)
        code = f"words.{'single' if single else name}({text(drawn)}{given})"
        return convert(self.let(name, Tensor(code, SCALAR if single else DOUBLE, used)), e.type, self.precision)

    def _more(self, drawn: Value, number: int) -> Value:
        if isinstance(drawn, Number):
            return Number(drawn.value + number, INT64)
        return self.let(_DRAWN, Tensor(f"({drawn.text} + {number})", INT64, drawn.uses))
