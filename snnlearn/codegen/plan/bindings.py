"""What a name in a code string stands for, and kernels under construction that turn such meanings into loads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Union

from snnlearn.codegen.plan.kernels import (
    Accumulate,
    Code,
    Constant,
    Domain,
    Index,
    Input,
    Kernel,
    Load,
    OnSpike,
)
from snnlearn.codegen.plan.names import Names
from snnlearn.declare import ValueType
from snnlearn.dialect.tree import Snippet
from snnlearn.errors import NetworkError, did_you_mean


@dataclass(frozen=True)
class Element:
    """A name stands for an element of an array; ``label`` is what to call its local copy."""

    label: str
    array: str
    type: ValueType
    index: Index


@dataclass(frozen=True)
class Number:
    """A name stands for a number known now."""

    label: str
    type: ValueType
    value: float


@dataclass(frozen=True)
class Builtin:
    """A name stands for something that every kernel of its domain has, such as ``t``."""

    name: str


@dataclass(frozen=True)
class Whole:
    """A name stands for a whole array, to be indexed by the code."""

    array: str


@dataclass(frozen=True)
class Own:
    """A name stands for a local variable of the kernel."""

    name: str


Meaning = Union[Element, Number, Builtin, Whole, Own]


class KernelBuilder:
    """Collects code for one kernel; loads each element once, however many names it goes by."""

    def __init__(self, name: str, title: str, timer: str, domain: Domain, taken: Iterable[str]) -> None:
        self.name, self.title, self.timer, self.domain = name, title, timer, domain
        self._names = Names(frozenset(taken))
        self._constants: dict[Number, Constant] = {}
        self._loads: dict[tuple[str, Index], Load] = {}
        self._inputs: list[Input] = []
        self._body: list[Code | OnSpike] = []
        self._arrays: dict[str, None] = {}
        self._uses: set[str] = set()

    def input(self, name: str, vtype: ValueType, start: float) -> Own:
        """Add a local variable that code adds to."""
        own = self._names.unique(name)
        self._inputs.append(Input(own, vtype, start))
        return Own(own)

    def code(
        self,
        title: str,
        snippet: Snippet,
        meanings: Mapping[str, Meaning],
        actions: Mapping[str, Accumulate] | None = None,
        *,
        scoped: bool = True,
    ) -> Code:
        """Bind a snippet's names and return it as a piece of kernel code, not yet part of the body.

        Raises
        ------
        NetworkError
            For a name that the dialect knows and this loop does not, such as ``id`` in a loop over synapses.
        """
        for name in sorted(snippet.names - meanings.keys()):
            raise NetworkError(f"{self.title}: '{name}' has no value here{did_you_mean(name, meanings)}")
        names = {name: self._resolve(meanings[name], name in snippet.writes) for name in sorted(snippet.names)}
        used = {name: action for name, action in (actions or {}).items() if name in snippet.calls}
        return Code(title, snippet.tree, names, used, scoped)

    def add(self, part: Code | OnSpike) -> None:
        """Append to the body."""
        self._body.append(part)

    def _resolve(self, meaning: Meaning, written: bool) -> str:
        if isinstance(meaning, Own):
            return meaning.name
        if isinstance(meaning, Builtin):
            self._uses.add(meaning.name)
            return meaning.name
        if isinstance(meaning, Whole):
            self._arrays[meaning.array] = None
            return meaning.array
        if isinstance(meaning, Number):
            if meaning not in self._constants:
                name = self._names.unique(meaning.label)
                self._constants[meaning] = Constant(name, meaning.type, meaning.value)
            return self._constants[meaning].name
        key = meaning.array, meaning.index
        load = self._loads.get(key)
        if load is None:
            load = Load(self._names.unique(meaning.label), meaning.type, meaning.array, meaning.index)
        self._loads[key] = Load(load.name, load.type, load.array, load.index, load.store or written)
        return load.name

    def finish(self, stream: int | None = None) -> Kernel:
        """Return the kernel."""
        kernel = self._kernel(stream)
        targets = {name for code in kernel.codes for name in code.names.values()}
        targets |= {action.target for code in kernel.codes for action in code.actions.values()}
        return replace(kernel, inputs=tuple(v for v in kernel.inputs if v.name in targets))

    def _kernel(self, stream: int | None) -> Kernel:
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
            stream,
        )
