"""Code that makes connectivity, as a Python function: all rows, columns or diagonals at once."""

from __future__ import annotations

from snnlearn.codegen.plan.domains import BuildDomain, Columns, Diagonals
from snnlearn.codegen.plan.parts import Connect
from snnlearn.codegen.torch.kernel import KernelEmitter
from snnlearn.codegen.torch.lines import Line
from snnlearn.codegen.torch.values import FALSE, INT, UINT, Number, Tensor, Value, convert, convert_number, text, uses
from snnlearn.dialect import tree


class ConnectEmitter(KernelEmitter):
    """Emits what makes the connectivity of one connection; raises as `KernelEmitter`."""

    def emit(self) -> list[Line]:
        """Return the lines of the kernel, which leave a ``support.Made`` called ``made``."""
        domain = self.kernel.domain
        assert isinstance(domain, BuildDomain)
        made = f"made = support.Made({domain.pre}, {domain.post}, {domain.sparse.stride}, {self.kernel.title!r})"
        self.lines.append(Line(made, ("made",), kept=True))
        for name in ("id_pre", "id_post", "id_diag"):
            self.values[name] = convert_number(0, UINT, self.precision)
        return super().emit()

    def for_each_synapse(self, s: tree.ForEachSynapse) -> None:
        """Emit the loop along a diagonal."""
        domain = self.kernel.domain
        assert isinstance(domain, Diagonals)
        number = Number(domain.pre, UINT)
        self.values["id_pre"] = convert_number(0, UINT, self.precision)

        def test() -> Value:
            return self.let("is", self.operation("<", self.values["id_pre"], number, UINT))

        def step() -> None:
            one = convert_number(1, UINT, self.precision)
            self.values["id_pre"] = self.let("id_pre", self.operation("+", self.values["id_pre"], one, UINT))

        self._loop(test, s.body, step, test_last=False)

    def connect(self, action: Connect, args: tuple[tree.Expr, ...]) -> Value:
        """Make a synapse in each row, column or diagonal that the code is run for."""
        other = self.tensor(convert(self.get(args[0]), INT, self.precision))
        kernel: Value = convert_number(0, INT, self.precision)
        if action.kernel:
            if len(args) - 1 != len(action.kernel):
                raise self.refuse(
                    f"addSynapse gives {len(args) - 1} kernel indices; the kernel has {len(action.kernel)} dimensions"
                )
            for size, arg in zip(action.kernel, args[1:], strict=True):
                scaled = self.operation("*", kernel, convert_number(size, INT, self.precision), INT)
                kernel = self.operation("+", scaled, convert(self.get(arg), INT, self.precision), INT)
        order = f"support.arange({self._lanes()})"
        own = self.values["id_pre"] if isinstance(self.kernel.domain, Diagonals) else Tensor(order, UINT)
        pair = (other, own) if action.end == "pre" else (own, other)
        where = Tensor("None", INT) if self.mask is None else self.mask
        given = ", ".join([*(text(x) for x in pair), text(kernel), where.text, order])
        used = uses(*pair, kernel, where) | {"made"}
        self.lines.append(Line(f"made.add({given})", (), used, kept=True))
        return FALSE

    def _lanes(self) -> int:
        domain = self.kernel.domain
        if isinstance(domain, Diagonals):
            return domain.number
        return domain.post if isinstance(domain, Columns) else domain.pre  # type: ignore[union-attr]
