"""What a name in a code string stands for, and kernels under construction that turn such meanings into loads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any, Union

from snnlearn.codegen.plan.divisions import check_divisions
from snnlearn.codegen.plan.domains import Domain
from snnlearn.codegen.plan.kernels import Kernel
from snnlearn.codegen.plan.names import Names
from snnlearn.codegen.plan.parts import Accumulate, Action, Code, Constant, Index, Input, Load, OnSpike, Part, Store
from snnlearn.declare import Precision, ValueType
from snnlearn.dialect.tree import Snippet, calls_in, floats_in
from snnlearn.errors import NetworkError, did_you_mean


@dataclass(frozen=True)
class Element:
    """A name stands for an element of an array; ``label`` is what to call its local copy; see `Load` for the rest."""

    label: str
    array: str
    type: ValueType
    index: Index
    delay: int = 0
    keep: bool = False  # written back even where no code changes it: to another slot of a queue
    how: Store = "replace"
    arrives_after: int | None = None
    direct: bool = False
    guard: str = ""
    played: str = ""


@dataclass(frozen=True)
class Number:
    """A name stands for a number known now."""

    label: str
    type: ValueType
    value: float


@dataclass(frozen=True)
class BuiltInVariable:
    """A name stands for something that every kernel of its domain has, such as ``t``."""

    name: str


@dataclass(frozen=True)
class WholeArray:
    """A name stands for a whole array, to be indexed by the code."""

    array: str


@dataclass(frozen=True)
class LocalVariable:
    """A name stands for a local variable of the kernel."""

    name: str


Meaning = Union[Element, Number, BuiltInVariable, WholeArray, LocalVariable]


class KernelBuilder:
    """Collects code for one kernel; loads each element once, however many names it goes by."""

    def __init__(
        self, name: str, title: str, timer: str, domain: Domain, taken: Collection[str], precision: Precision
    ) -> None:
        self.name, self.title, self.timer, self.domain = name, title, timer, domain
        self._precision = precision
        self._names = Names(taken)
        self._constants: dict[Number, Constant] = {}
        self._loads: dict[tuple[str, Index, int, int | None], Load] = {}
        self._inputs: list[Input] = []
        self._body: list[Part] = []
        self._written: set[str] = set()
        self._past: dict[str, None] = {}
        self._arrays: dict[str, None] = {}
        self._uses: set[str] = set()

    def input(self, name: str, vtype: ValueType, start: float) -> LocalVariable:
        """Add a local variable that code adds to."""
        local = self._names.unique(name)
        self._inputs.append(Input(local, vtype, start))
        return LocalVariable(local)

    def code(
        self,
        title: str,
        snippet: Snippet,
        meanings: Mapping[str, Meaning],
        actions: Mapping[str, Action] | None = None,
        *,
        scoped: bool = True,
    ) -> Code:
        """Bind a snippet's names and return it as a piece of kernel code, not yet part of the body.

        Raises
        ------
        NetworkError
            For a name that the dialect knows and this loop does not, such as ``id`` in a loop over synapses, and for a
            number that is infinite in this precision.
        """
        for number in floats_in(snippet.tree):
            if not number.type.holds(float(number.text), self._precision):
                vtype, most = number.type.name, number.type.range_for(self._precision)
                raise NetworkError(f"{title}: {number.text} is of type '{vtype}', which holds {most}")
        check_divisions(title, snippet.tree, _whole_numbers(meanings))
        for name in sorted(snippet.names - meanings.keys()):
            raise NetworkError(f"{self.title}: '{name}' has no value here{did_you_mean(name, meanings)}")
        names = {name: self._resolve(meanings[name], name in snippet.writes) for name in sorted(snippet.names)}
        for name in sorted(snippet.delayed):
            element = meanings[name]
            assert isinstance(element, Element)
            names[f"{name}[]"] = element.array
            self._past[element.array] = None
        used = {name: action for name, action in (actions or {}).items() if name in snippet.calls}
        for action in used.values():
            if isinstance(action, Accumulate) and action.delayed:
                self._past[action.target] = None
        return Code(title, snippet.tree, names, used, scoped)

    def local(self, name: str) -> str:
        """Return an unused name for a local variable of the kernel."""
        return self._names.unique(name)

    def load(self, element: Element, *, written: bool = False) -> str:
        """Return the local copy of an element."""
        return self._resolve(element, written)

    def note_array(self, array: str) -> None:
        """Have the kernel know an array that its code need not mention."""
        self._arrays[array] = None

    def add(self, part: Part) -> None:
        """Append to the body."""
        if isinstance(part, OnSpike) and part.time is not None:
            self._uses.add("t")
        self._body.append(part)

    def _resolve(self, meaning: Meaning, written: bool) -> str:
        if isinstance(meaning, LocalVariable):
            return meaning.name
        if isinstance(meaning, BuiltInVariable):
            self._uses.add(meaning.name)
            return meaning.name
        if isinstance(meaning, WholeArray):
            self._arrays[meaning.array] = None
            if written:
                self._written.add(meaning.array)
            return meaning.array
        if isinstance(meaning, Number):
            if meaning not in self._constants:
                name = self._names.unique(meaning.label)
                self._constants[meaning] = Constant(name, meaning.type, meaning.value)
            return self._constants[meaning].name
        key = meaning.array, meaning.index, meaning.delay, meaning.arrives_after
        load = self._loads.get(key)
        if load is None:
            m = meaning
            name = self._names.unique(m.label)
            load = Load(
                name, m.type, m.array, m.index, m.keep, m.delay, m.how, m.arrives_after, m.direct, m.guard, m.played
            )
        if written and not load.store:
            load = replace(load, store=True)
        self._loads[key] = load
        return load.name

    @property
    def draws(self) -> bool:
        """Whether its code draws random numbers."""
        trees = [code.tree for part in self._body for code in _codes(part)]
        return any(name.startswith("gennrand") for t in trees for name in calls_in(t))

    def finish(self, **more: Any) -> Kernel:
        """Return the kernel; ``more`` are further attributes of it."""
        kernel = self._kernel(**more)
        targets = {name for code in kernel.codes for name in code.names.values()}
        actions = [action for code in kernel.codes for action in code.actions.values()]
        targets |= {action.target for action in actions if isinstance(action, Accumulate)}
        inputs = tuple(v for v in kernel.inputs if v.name in targets)
        return kernel if inputs == kernel.inputs else replace(kernel, inputs=inputs)

    def _kernel(self, **more: Any) -> Kernel:
        return Kernel(
            self.name,
            self.title,
            self.timer,
            self.domain,
            tuple(self._constants.values()),
            tuple(self._loads.values()),
            tuple(self._inputs),
            tuple(self._body),
            tuple(self._arrays),
            frozenset(self._uses),
            written_arrays=frozenset(self._written),
            past=tuple(self._past),
            **more,
        )


def _whole_numbers(meanings: Mapping[str, Meaning]) -> dict[str, int]:
    numbers = {name: m for name, m in meanings.items() if isinstance(m, Number)}
    return {name: int(m.value) for name, m in numbers.items() if m.type.kind != "float"}


def _codes(part: Part) -> list[Code]:
    if isinstance(part, Code):
        return [part]
    if isinstance(part, OnSpike):
        return [part.condition, *part.before, *part.reset]
    return []
