"""The tape: how a neuron records its coefficients, and how the adjoint neuron reads them in reverse.

`RecordedTape` leaves the coefficients in variables, which the engine records and plays. `ArrayTape` writes them to
extra global parameters, which every engine has, GeNN too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from snnlearn.declare import DerivedParam, ExtraGlobalParam, InputVar, NeuronModel, Param, Var, VarAccess
from snnlearn.dialect import unparse
from snnlearn.dialect.tree import Expr
from snnlearn.errors import GradientError
from snnlearn.grad.coefficients import Coefficients, used
from snnlearn.grad.renamed import RenamedParams
from snnlearn.grad.single import Assignment

SPIKE_ADJOINT = "spikeAdjoint"  # the adjoint neuron's input: the adjoint of the spike that the neuron emitted
GATES = "tapeGates"
Line = tuple[str, Expr]
_GATE_TYPES = ((8, "uint8_t"), (16, "uint16_t"), (32, "unsigned int"))
_PLACE = "(tapeSlot * num_batch + batch) * num_neurons + id"


@dataclass(frozen=True)
class Reversed:
    """The code of a reversed timestep.

    Attributes
    ----------
    lines : sequence of (name, Expr)
        Local constants, in order.
    updates, arrived : sequence of (variable, Expr)
        What variables become; ``arrived`` are those that synapses read, which are 0 outside of the window.
    seeds, kept : tuple of str
        Variables of the forward neuron whose adjoints come from outside, and whose adjoints stay in variables.
    """

    lines: Sequence[Line]
    updates: Sequence[Line]
    arrived: Sequence[Line]
    seeds: tuple[str, ...]
    kept: tuple[str, ...]

    @property
    def names(self) -> frozenset[str]:
        """All names that its code mentions."""
        return used(e for _, e in (*self.lines, *self.updates, *self.arrived))

    @property
    def own_names(self) -> frozenset[str]:
        """All names that it gives a meaning."""
        variables = [name for name, _ in (*self.updates, *self.arrived)]
        own = [*(name for name, _ in self.lines), *variables, *(f"next_{name}" for name in variables)]
        return frozenset([*own, *(f"seed_{s}" for s in self.seeds), *(f"total_{k}_kept" for k in self.kept)])

    @property
    def variables(self) -> tuple[Var, ...]:
        """The variables that it updates."""
        return tuple(Var(name) for name, _ in (*self.updates, *self.arrived))


@dataclass(frozen=True)
class Tape(ABC):
    """What is recorded of a neuron.

    Parameters
    ----------
    neuron : NeuronModel
    coefficients : Coefficients
    lines : sequence of Assignment
        What computes the coefficients from what a timestep begins with.
    constants : RenamedParams
    """

    neuron: NeuronModel
    coefficients: Coefficients
    lines: Sequence[Assignment]
    constants: RenamedParams
    counters: ClassVar[tuple[str, ...]]

    @property
    def spikes(self) -> bool:
        """Whether there are spikes to record."""
        return bool(self.neuron.threshold_condition_code.strip())

    @property
    def gates(self) -> bool:
        """Whether there are bits to record."""
        return self.spikes or bool(self.coefficients.bits)

    @property
    def gate_type(self) -> str:
        """The least integer type with room for all bits; the lowest is the spike."""
        needed = len(self.coefficients.bits) + 1
        for room, name in _GATE_TYPES:
            if needed <= room:
                return name
        raise GradientError(
            f"the reversed timestep of '{self.neuron.name}' depends on {needed} conditions, more than the {room} that "
            "a tape records; rewrite branches and loops of its code as arithmetic, or take snnlearn.torch.to_module"
        )

    @property
    def numbers(self) -> list[str]:
        """What numbers are called on the tape."""
        return [f"tapeCoefficient{i}" for i in range(len(self.coefficients.numbers))]

    @property
    def adjoint_names(self) -> frozenset[str]:
        """The names that the adjoint neuron has for what it reads, beside those of the reversed timestep."""
        numbers = (f"coefficient{i}" for i in range(len(self.coefficients.numbers)))
        bits = (f"condition{i}" for i in range(len(self.coefficients.bits)))
        return frozenset([SPIKE_ADJOINT, "live", "gates", "spiked", *numbers, *bits, *self.tracks, *self.counters])

    @property
    def tracks(self) -> list[str]:
        """What holds the tape: variables to record, or arrays."""
        return [*self.numbers, *([GATES] if self.gates else [])]

    # ---- the forward neuron ----

    @abstractmethod
    def forward(self) -> NeuronModel:
        """Return the neuron model, which records too."""

    def _computed(self) -> list[str]:
        return [f"const {a.type.name} {a.name} = {unparse(a.value)};" for a in self.lines if a.value is not None]

    def _bits(self) -> str:
        """Return an expression of all bits but the spike's."""
        bits = [f"(({unparse(e)}) ? {2 << i} : 0)" for i, e in enumerate(self.coefficients.bits)]
        return " + ".join(bits) or "0"

    def _with(
        self, code: Sequence[str], reset: str, *, params: Sequence[Param] = (), more: Sequence[Var] = (),
        arrays: Sequence[ExtraGlobalParam] = (),
    ) -> NeuronModel:  # fmt: skip
        own = self.neuron
        names = used([*self.coefficients.numbers, *self.coefficients.bits, *(a.value for a in self.lines if a.value)])
        taken = frozenset([*(p.name for p in own.params), *(d.name for d in own.derived_params)])
        new_params, derived = self.constants.used_in(names, taken)
        return NeuronModel(
            f"{own.name}Taped",
            params=(*own.params, *new_params, *params),
            derived_params=(*own.derived_params, *derived),
            vars=(*own.vars, *more),
            extra_global_params=(*own.extra_global_params, *arrays),
            additional_input_vars=own.additional_input_vars,
            sim_code="\n".join([*self._computed(), *code, own.sim_code]),
            threshold_condition_code=own.threshold_condition_code,
            reset_code="\n".join([own.reset_code, reset]) if self.spikes else own.reset_code,
            auto_refractory_required=own.auto_refractory_required,
            array_parts=own.array_parts,
        )

    # ---- the adjoint neuron ----

    @abstractmethod
    def adjoint(self, code: Reversed) -> NeuronModel:
        """Return the model of the adjoint neuron."""

    def _read_bits(self, code: Reversed) -> list[str]:
        names = code.names
        bits = [("spiked", 1), *((f"condition{i}", 2 << i) for i in range(len(self.coefficients.bits)))]
        return [f"const bool {name} = (gates & {bit}) != 0;" for name, bit in bits if name in names]

    def _body(self, code: Reversed) -> list[str]:
        """Return statements, of the names of coefficients and ``live``, whether the timestep is of the window."""
        lines = [f"const scalar {name} = {unparse(e)};" for name, e in code.lines]
        lines += [f"const scalar next_{name} = {unparse(e)};" for name, e in (*code.updates, *code.arrived)]
        lines += [f"{name} = live ? next_{name} : {name};" for name, _ in code.updates]
        return lines + [f"{name} = live ? next_{name} : 0.0;" for name, _ in code.arrived]

    def _adjoint_params(self, code: Reversed) -> tuple[list[Param], list[DerivedParam]]:
        return self.constants.used_in(code.names)


@dataclass(frozen=True)
class RecordedTape(Tape):
    """A tape of variables that the engine records, and plays to the adjoint neuron.

    The forward model has variables `tracks`. The adjoint model has read-only ones of the same names to play them to,
    and ``tapeGatesBefore``, which is to play the gates of the timestep before. Until its parameter ``tapeEnd`` [ms] it
    goes through the window, from then on through what came before.
    """

    counters = ("tapeEnd", f"{GATES}Before")

    def forward(self) -> NeuronModel:
        """Return the neuron model, which records too."""
        code = [f"{name} = {unparse(e)};" for name, e in zip(self.numbers, self.coefficients.numbers, strict=True)]
        code += [f"{GATES} = {self._bits()};"] if self.gates else []
        more = [*(Var(name) for name in self.numbers), *([Var(GATES, self.gate_type)] if self.gates else [])]
        return self._with(code, f"{GATES} = {GATES} + 1;", more=more)

    def adjoint(self, code: Reversed) -> NeuronModel:
        """Return the model of the adjoint neuron."""
        read = [
            f"const scalar coefficient{i} = {n};" for i, n in enumerate(self.numbers) if f"coefficient{i}" in code.names
        ]
        bits = self._read_bits(code)
        lines = ["const bool live = t < tapeEnd;", *read]
        lines += [f"const unsigned int gates = {GATES};", *bits] if bits else []
        lines += self._body(code)
        lines += [f"total_{name}_kept = total_{name};" for name in code.kept]
        params, derived = self._adjoint_params(code)
        played = VarAccess.READ_ONLY_DUPLICATE
        tracks = [Var(n, "scalar", played) for n in self.numbers]
        tracks += [Var(GATES, self.gate_type, played)] if self.gates else []
        tracks += [Var(f"{GATES}Before", self.gate_type, played)] if self.spikes else []
        return NeuronModel(
            f"{self.neuron.name}Adjoint",
            params=(*params, Param("tapeEnd", "timepoint")),
            derived_params=tuple(derived),
            vars=(
                *code.variables, *tracks, *(Var(f"seed_{s}", "scalar", played) for s in code.seeds),
                *(Var(f"total_{k}_kept") for k in code.kept),
            ),
            additional_input_vars=(InputVar(SPIKE_ADJOINT, "scalar", 0.0),),
            sim_code="\n".join(lines),
            threshold_condition_code=f"({GATES}Before & 1) != 0" if self.spikes else "",
        )  # fmt: skip


@dataclass(frozen=True)
class ArrayTape(Tape):
    """A tape in extra global parameters, of ``tapeSlots`` slots with a value for each neuron of each copy of the batch.

    ``tapeSlot`` is the slot of the forward neuron's last timestep, from ``tapeSlots - 1`` on, and that of the adjoint
    neuron's next one, which has ``tapeLeft`` timesteps of the window left.
    """

    counters = ("at", "tapeSlot", "tapeSlots", "tapeLeft")

    @property
    def arrays(self) -> list[ExtraGlobalParam]:
        """The arrays, which both models have."""
        found = [ExtraGlobalParam(name, "scalar*") for name in self.numbers]
        return found + ([ExtraGlobalParam(GATES, f"{self.gate_type}*")] if self.gates else [])

    def forward(self) -> NeuronModel:
        """Return the neuron model, which records too."""
        code = ["tapeSlot = (tapeSlot + 1 == tapeSlots) ? 0 : tapeSlot + 1;"]
        numbers = zip(self.numbers, self.coefficients.numbers, strict=True)
        code += [f"{name}[{_PLACE}] = {unparse(e)};" for name, e in numbers]
        code += [f"{GATES}[{_PLACE}] = {self._bits()};"] if self.gates else []
        return self._with(
            code, f"{GATES}[{_PLACE}] = {GATES}[{_PLACE}] + 1;", params=[Param("tapeSlots", "unsigned int")],
            more=[Var("tapeSlot", "unsigned int")], arrays=self.arrays,
        )  # fmt: skip

    def adjoint(self, code: Reversed) -> NeuronModel:
        """Return the model of the adjoint neuron."""
        read = [
            f"const scalar coefficient{i} = {n}[at];"
            for i, n in enumerate(self.numbers)
            if f"coefficient{i}" in code.names
        ]
        bits = self._read_bits(code)
        lines = [f"const unsigned int at = {_PLACE};", "const bool live = tapeLeft > 0;", *read]
        lines += [f"const unsigned int gates = {GATES}[at];", *bits] if bits else []
        lines += self._body(code)
        lines += ["tapeSlot = (tapeSlot == 0) ? tapeSlots - 1 : tapeSlot - 1;", "tapeLeft -= 1;"]
        params, derived = self._adjoint_params(code)
        return NeuronModel(
            f"{self.neuron.name}Adjoint",
            params=(*params, Param("tapeSlots", "unsigned int")),
            derived_params=tuple(derived),
            vars=(*code.variables, Var("tapeSlot", "unsigned int"), Var("tapeLeft", "int")),
            extra_global_params=tuple(self.arrays),
            additional_input_vars=(InputVar(SPIKE_ADJOINT, "scalar", 0.0),),
            sim_code="\n".join(lines),
            threshold_condition_code=f"({GATES}[{_PLACE}] & 1) != 0" if self.spikes else "",
        )
