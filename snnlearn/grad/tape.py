"""The tape: how a neuron records its coefficients, and how the adjoint neuron reads them in reverse.

`RecordedTape` gives the coefficients to the engine, which records and plays them. `ArrayTape` writes them to extra
global parameters, which every engine has, GeNN too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from snnlearn.declare import DerivedParam, ExtraGlobalParam, InputVar, NeuronModel, Param, Var, VarAccess
from snnlearn.dialect import unparse
from snnlearn.dialect.tree import Expr
from snnlearn.grad.coefficients import Coefficients, used
from snnlearn.grad.constants import RenamedParams
from snnlearn.grad.single import Assignment

SPIKE_ADJOINT = "spikeAdjoint"  # the adjoint neuron's input: the adjoint of the spike that the neuron emitted
GATES, SPIKES = "tapeGates", "tapeSpikes"
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
        Variables of the forward neuron whose adjoints come from outside; local constants that stay in variables.
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
        return frozenset([*own, *(f"seed_{s}" for s in self.seeds), *(f"{k}_kept" for k in self.kept)])

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
        """Whether there are words of bits to record; where there is nothing else, they count the timesteps."""
        return self.spikes or bool(self.coefficients.bits) or not self.coefficients.numbers

    @property
    def words(self) -> list[tuple[str, str]]:
        """The integers that hold the bits, with their types, each as narrow as may be; the lowest bit is the spike."""
        if not self.gates:
            return []
        number = len(self.coefficients.bits) + 1
        found = [(GATES if not at else f"{GATES}{at}", min(32, number - 32 * at)) for at in range(-(-number // 32))]
        return [(name, next(kind for room, kind in _GATE_TYPES if bits <= room)) for name, bits in found]

    @property
    def numbers(self) -> list[str]:
        """What numbers are called on the tape."""
        return [f"tapeCoefficient{i}" for i in range(len(self.coefficients.numbers))]

    @property
    def adjoint_names(self) -> frozenset[str]:
        """The names that the adjoint neuron has for what it reads, beside those of the reversed timestep."""
        numbers = (f"coefficient{i}" for i in range(len(self.coefficients.numbers)))
        bits = (f"condition{i}" for i in range(len(self.coefficients.bits)))
        return frozenset(
            [
                SPIKE_ADJOINT,
                "live",
                "spiked",
                *(_local(word) for word, _ in self.words),
                *numbers,
                *bits,
                *self.tracks,
                *self.counters,
            ]
        )

    @property
    def tracks(self) -> list[str]:
        """What holds the tape: variables to record, or arrays."""
        return [*self.numbers, *(name for name, _ in self.words)]

    # ---- the forward neuron ----

    @abstractmethod
    def forward(self) -> NeuronModel:
        """Return the neuron model, which records too."""

    def _computed(self) -> list[str]:
        return [f"const {a.type.name} {a.name} = {unparse(a.value)};" for a in self.lines if a.value is not None]

    def _bits(self) -> list[tuple[str, str]]:
        """Return each word of bits, but for the spike's, with an expression of what it holds."""
        bits = [f"(({unparse(e)}) ? {1 << (i + 1) % 32}u : 0u)" for i, e in enumerate(self.coefficients.bits)]
        words = [bits[:31], *(bits[at : at + 32] for at in range(31, len(bits), 32))]
        return [(name, " + ".join(word) or "0") for (name, _), word in zip(self.words, words, strict=False)]

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
            reset_code="\n".join([own.reset_code, reset]) if reset else own.reset_code,
            auto_refractory_required=own.auto_refractory_required,
            array_parts=own.array_parts,
        )

    # ---- the adjoint neuron ----

    @abstractmethod
    def adjoint(self, code: Reversed) -> NeuronModel:
        """Return the model of the adjoint neuron."""

    def _read_bits(self, code: Reversed, element: str = "") -> list[str]:
        """Return statements that take words apart, variables or an ``element`` of arrays, as far as they are needed."""
        names = ["spiked", *(f"condition{i}" for i in range(len(self.coefficients.bits)))]
        wanted = [(at, name) for at, name in enumerate(names) if name in code.names and self.words]
        lines = [
            f"const unsigned int {_local(word)} = {word}{element};"
            for number, (word, _) in enumerate(self.words)
            if any(at // 32 == number for at, _ in wanted)
        ]
        words = [_local(word) for word, _ in self.words]
        return lines + [f"const bool {name} = ({words[at // 32]} & {1 << at % 32}u) != 0;" for at, name in wanted]

    def _body(self, code: Reversed) -> list[str]:
        """Return statements, of the names of coefficients and ``live``, whether the timestep is of the window."""
        lines = [f"const scalar {name} = {unparse(e)};" for name, e in code.lines]
        lines += [f"const scalar next_{name} = {unparse(e)};" for name, e in (*code.updates, *code.arrived)]
        lines += [f"{name} = live ? next_{name} : {name};" for name, _ in code.updates]
        return lines + [f"{name} = live ? next_{name} : 0.0;" for name, _ in code.arrived]

    def _adjoint_params(self, code: Reversed) -> tuple[list[Param], list[DerivedParam]]:
        return self.constants.used_in(code.names)


def _local(word: str) -> str:
    """Return what the adjoint neuron calls its copy of a word of bits."""
    return word.replace(GATES, "gates")


@dataclass(frozen=True)
class RecordedTape(Tape):
    """A tape that the engine records, and plays to the adjoint neuron.

    The forward model has variables `tracks`, which are nowhere but on the tape. The adjoint model has read-only ones of
    the same names to play them to, and ``tapeGatesBefore``, which is to play the gates of the timestep before. Where
    spikes are all that the gates would be, the engine's recorded spikes take their place: ``tapeSpikes``,
    ``tapeSpikesBefore``. Until its parameter ``tapeEnd`` [ms] the adjoint goes through the window, from then on through
    what came before.
    """

    counters = ("tapeEnd", f"{GATES}Before", SPIKES, f"{SPIKES}Before")

    @property
    def gates(self) -> bool:
        """Whether there are bits to record besides spikes; where there is nothing else, they count the timesteps."""
        return bool(self.coefficients.bits) or not (self.spikes or self.coefficients.numbers)

    @property
    def records_spikes(self) -> bool:
        """Whether the engine is to record spikes, which no word of bits has."""
        return self.spikes and not self.gates

    def forward(self) -> NeuronModel:
        """Return the neuron model, which records too; the declared one where spikes are all there is to record."""
        if not self.tracks:
            return self.neuron
        code = [f"{name} = {unparse(e)};" for name, e in zip(self.numbers, self.coefficients.numbers, strict=True)]
        code += [f"{name} = {value};" for name, value in self._bits()]
        more = [*(Var(name) for name in self.numbers), *(Var(name, kind) for name, kind in self.words)]
        return self._with(code, f"{GATES} = {GATES} + 1;" if self.spikes and self.gates else "", more=more)

    def adjoint(self, code: Reversed) -> NeuronModel:
        """Return the model of the adjoint neuron."""
        read = [
            f"const scalar coefficient{i} = {n};" for i, n in enumerate(self.numbers) if f"coefficient{i}" in code.names
        ]
        lines = ["const bool live = t < tapeEnd;", *read, *self._read_bits(code)]
        spikes = [SPIKES] if self.records_spikes and "spiked" in code.names else []
        lines += [f"const bool spiked = {SPIKES} != 0;"] if spikes else []
        lines += self._body(code)
        lines += [f"{name}_kept = {name};" for name in code.kept]
        params, derived = self._adjoint_params(code)
        played = VarAccess.READ_ONLY_DUPLICATE
        tracks = [Var(n, "scalar", played) for n in self.numbers]
        tracks += [Var(name, kind, played) for name, kind in self.words]
        if self.records_spikes:
            tracks += [Var(name, "uint8_t", played) for name in (*spikes, f"{SPIKES}Before")]
        elif self.spikes:
            tracks.append(Var(f"{GATES}Before", self.words[0][1], played))
        before = f"{SPIKES}Before != 0" if self.records_spikes else f"({GATES}Before & 1) != 0"
        return NeuronModel(
            f"{self.neuron.name}Adjoint",
            params=(*params, Param("tapeEnd", "timepoint")),
            derived_params=tuple(derived),
            vars=(
                *code.variables, *tracks, *(Var(f"seed_{s}", "scalar", played) for s in code.seeds),
                *(Var(f"{k}_kept") for k in code.kept),
            ),
            additional_input_vars=(InputVar(SPIKE_ADJOINT, "scalar", 0.0),),
            sim_code="\n".join(lines),
            threshold_condition_code=before if self.spikes else "",
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
        return found + [ExtraGlobalParam(name, f"{kind}*") for name, kind in self.words]

    def forward(self) -> NeuronModel:
        """Return the neuron model, which records too."""
        code = ["tapeSlot = (tapeSlot + 1 == tapeSlots) ? 0 : tapeSlot + 1;"]
        numbers = zip(self.numbers, self.coefficients.numbers, strict=True)
        code += [f"{name}[{_PLACE}] = {unparse(e)};" for name, e in numbers]
        code += [f"{name}[{_PLACE}] = {value};" for name, value in self._bits()]
        return self._with(
            code, f"{GATES}[{_PLACE}] = {GATES}[{_PLACE}] + 1;" if self.spikes else "",
            params=[Param("tapeSlots", "unsigned int")],
            more=[Var("tapeSlot", "unsigned int")], arrays=self.arrays,
        )  # fmt: skip

    def adjoint(self, code: Reversed) -> NeuronModel:
        """Return the model of the adjoint neuron."""
        read = [
            f"const scalar coefficient{i} = {n}[at];"
            for i, n in enumerate(self.numbers)
            if f"coefficient{i}" in code.names
        ]
        lines = [f"const unsigned int at = {_PLACE};", "const bool live = tapeLeft > 0;", *read]
        lines += [*self._read_bits(code, "[at]"), *self._body(code)]
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
