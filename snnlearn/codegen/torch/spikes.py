"""Thresholds, spikes and resets as tensors, with the derivative of the surrogate."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property, partial

from snnlearn.codegen.plan import OnSpike
from snnlearn.codegen.torch.elements import Layout
from snnlearn.codegen.torch.lines import Line
from snnlearn.codegen.torch.statements import Statements
from snnlearn.codegen.torch.threshold import gates_and_margin, margin_of, moved_by_input
from snnlearn.codegen.torch.values import BOOL, SCALAR, TRUE, Number, Tensor, Value, convert, text, uses
from snnlearn.dialect import tree


class Spikes(Statements):
    """Emits tests for spikes and events, and what these do."""

    layout: Layout

    @cached_property
    def _moved(self) -> frozenset[str]:
        return moved_by_input(self.kernel)

    def _own(self) -> OnSpike | None:
        """Return the test for the neurons' own spikes."""
        found = (p for p in self.kernel.spikes if self.plan.array(p.spikes).location.space == "spikes")
        return next(found, None)

    def own_threshold(self, e: tree.Expr) -> Tensor | None:
        """Return the spikes that an expression tests for, where it is the neuron's own threshold condition."""
        own = self._own()
        if own is None or self.code is None or e != own.condition.tree:
            return None
        names = tree.names_in(e)
        if any(self.code.names.get(name) != own.condition.names.get(name) for name in names):
            return None
        found = self._fired(e)
        return found if isinstance(found, Tensor) else None

    def _fired(self, e: tree.Expr) -> Value:
        """Return a threshold condition with the spikes whose derivative is the surrogate's."""
        assert self.code is not None
        names = self.code.names
        gates, crossing = gates_and_margin(e, lambda name: names.get(name, name) in self._moved)
        margin = margin_of(crossing) if crossing is not None else None
        gate: Value = TRUE
        for part in gates:
            gate = self.let("gate", self._and(gate, convert(self._plain(part), BOOL, self.precision)))
        if crossing is None or margin is None:
            return gate
        fired = self._and(gate, convert(self._plain(crossing), BOOL, self.precision))
        if isinstance(fired, Number):
            return fired
        above, below = (convert(self.get(x), margin.type, self.precision) for x in (margin.above, margin.below))
        h = self.let("margin", convert(self.operation("-", above, below, margin.type), SCALAR, self.precision))
        if isinstance(h, Number) or not self.options.surrogate:
            return self._with_spikes(fired, f"{fired.text}.to({self.tensors(SCALAR)})", fired.uses)
        how = "soft" if self.options.smooth else "spike"
        gated = text(gate) if isinstance(gate, Tensor) else "None"
        code = f"support.{how}({h.text}, {fired.text}, {gated}, surrogate)"
        return self._with_spikes(fired, code, uses(h, fired, gate))

    def _with_spikes(self, fired: Tensor, code: str, used: frozenset[str]) -> Tensor:
        spike = self.let("spike", Tensor(code, SCALAR, used, fired.axes))
        return replace(fired, spike=text(spike), soft=True)

    def _plain(self, e: tree.Expr) -> Value:
        """Return a part of the threshold, which may be all of it, as a condition like any other."""
        return getattr(self, f"_get_{type(e).__name__.lower()}")(e)  # type: ignore[no-any-return]

    def _and(self, a: Value, b: Value) -> Value:
        for one, other in ((a, b), (b, a)):
            if isinstance(one, Number):
                return other if one.value else one
        return self.let("is", Tensor(f"({text(a)} & {text(b)})", BOOL, uses(a, b)))

    # ---- what a spike does ----

    def on_spike(self, part: OnSpike) -> None:
        """Emit a test for spikes or events, what runs before they are registered, and the reset."""
        fired = self._tested(part)
        self._register(part, fired)
        if isinstance(fired, Number):
            if fired.value:
                self._then(part)
            return
        for code in part.before:
            self.branch(fired, partial(self.run, code), None)
        if part.time is not None:
            now = self.values[part.time]
            time = convert(self.values["t"], now.type, self.precision)
            self.values[part.time] = self.let(part.time, self.select(fired, time, now, soft=False))
        for code in part.reset:
            self.branch(fired, partial(self.run, code), None, self._soft_reset)

    def _then(self, part: OnSpike) -> None:
        for code in (*part.before, *part.reset):
            self.run(code)
        if part.time is not None:
            self.values[part.time] = convert(self.values["t"], self.values[part.time].type, self.precision)

    def _soft_reset(self, key: str) -> bool:
        """Whether derivatives pass by way of what a spike resets a variable to."""
        cut = self.options.detach_reset
        return not cut if isinstance(cut, bool) else key.removeprefix("v_") not in cut

    def _tested(self, part: OnSpike) -> Value:
        if part.spikes in self.options.given:
            given = self.let("given", Tensor(f'given["{part.spikes}"]', SCALAR))
            found = self.let("fired", Tensor(f"({text(given)} > 0.5)", BOOL, uses(given)))
            assert isinstance(found, Tensor)
            return replace(found, spike=text(given), soft=True)
        fired = self.evaluate(part.condition)
        fired = self._named_spikes(convert(fired, BOOL, self.precision))
        if part.unless is None:
            return fired
        above = self.values[part.unless]
        if isinstance(above, Number):
            return Number(False, BOOL) if above.value else fired
        if isinstance(fired, Number):
            return self.let("fired", self.negated(above)) if fired.value else fired
        both = self.both(fired, self.negated(above))
        if fired.spike is None:
            return both
        code = f"torch.where({above.text}, 0.0, {fired.spike})"
        return self._with_spikes(both, code, above.uses | {fired.spike})

    def _named_spikes(self, fired: Value) -> Value:
        if isinstance(fired, Number) or fired.text.isidentifier():
            return fired
        return self.let("fired", fired)

    def _register(self, part: OnSpike, fired: Value) -> None:
        """Store the spikes of this timestep."""
        array = self.plan.array(part.spikes)
        slot = self.layout.slot(array, "0")
        spikes = self.tensor(convert(fired, SCALAR, self.precision))
        line = Line(
            f"{slot} = support.fit({spikes.text}, {slot})",
            (),
            spikes.uses,
            self.layout.reads(array),
            frozenset([array.name]),
        )
        self.lines.append(line)
