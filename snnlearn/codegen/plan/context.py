"""What all kernels are built from: a network, its arrays, and the meanings of names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zlib import crc32

from snnlearn.codegen.plan.bindings import BuiltInVariable, Element, KernelBuilder, Meaning, Number, WholeArray
from snnlearn.codegen.plan.domains import Domain
from snnlearn.codegen.plan.kernels import Kernel
from snnlearn.codegen.plan.memory import Memory
from snnlearn.codegen.plan.names import Names
from snnlearn.codegen.plan.parts import Array, Index
from snnlearn.declare import Model, value_type
from snnlearn.declare.built_in_names import SYNAPSE, TIME
from snnlearn.network import Location, Network, derive_params
from snnlearn.network.references import Space

UINT, SCALAR, DOUBLE = value_type("unsigned int"), value_type("scalar"), value_type("double")
Meanings = dict[str, Meaning]


class Context:
    """A network with its arrays; finds what names stand for."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.memory = Memory(network)
        self.taken = frozenset(a.name for a in self.memory.arrays)
        self._kernels = Names()

    def builder(self, name: str, title: str, timer: str, domain: Domain) -> KernelBuilder:
        """Return a kernel under construction."""
        return KernelBuilder(self.kernel_name(name), title, timer, domain, self.taken, self.network.precision)

    def kernel_name(self, wanted: str) -> str:
        """Return a name for a kernel, which starts with a word of ours; with a number behind it where there is one."""
        return self._kernels.unique(wanted, prefix="")

    def numbers(
        self,
        group: str,
        model: Model,
        params: Mapping[str, float],
        dynamic: frozenset[str],
        prefix: str,
        space: Space = "param",
        arrays: Space = "egp",
    ) -> Meanings:
        """Return what a model's parameters, derived parameters and arrays stand for, and dt, t and batch."""
        found: Meanings = built_in(*TIME) | self.copies()
        for p in model.params:
            vtype = value_type(p.type)
            if p.name in dynamic:
                at = Location(group, space, p.name)
                found[p.name] = Element(prefix + p.name, self.memory[at].name, vtype, "only")
            else:
                found[p.name] = Number(prefix + p.name, vtype, params[p.name])
        derived = derive_params(model, params, self.network.dt, f"group {group!r}", self.network.precision)
        for d in model.derived_params:
            found[d.name] = Number(prefix + d.name, value_type(d.type), derived[d.name])
        return found | self.arrays(group, model, arrays)

    def copies(self) -> Meanings:
        """Return what the number of a copy and the number of copies stand for."""
        one = self.network.batch_size == 1
        return {
            "batch": Number("batch", UINT, 0) if one else BuiltInVariable("batch"),
            "num_batch": Number("num_batch", UINT, self.network.batch_size),
        }

    def arrays(self, group: str, model: Model, space: Space) -> Meanings:
        """Return what a model's extra global parameters stand for."""
        found = {egp.name: Location(group, space, egp.name) for egp in model.extra_global_params}
        return {name: WholeArray(self.memory[at].name) for name, at in found.items() if at in self.memory}

    def elements(
        self, group: str, space: Space, variables: tuple[Any, ...], index: Index, prefix: str = "", **more: Any
    ) -> Meanings:
        """Return what a group's variables stand for."""
        return {v.name: self.element(Location(group, space, v.name), index, prefix + v.name, **more) for v in variables}

    def element(self, at: Location, index: Index, label: str, delay: int = 0, **more: Any) -> Element:
        """Return one element of an array, as it was some timesteps ago where that is kept."""
        array = self.memory[at]
        variable = self.network.variables.get(at)
        if variable is not None and variable.over == "only":
            index = "only"
        return Element(label, array.name, array.type, index, delay if array.slots > 1 else 0, **more)

    def guard(self, at: Location, giver: str) -> str:
        """Return how the report begins of a number for which the type of an array's elements has no place."""
        vtype = self.memory[at].type
        return f"{at} is of type '{vtype.name}', which holds {vtype.range_for(self.network.precision)}, but {giver}"

    def updated(self, at: Location, label: str) -> Element:
        """Return an element that the update of its neuron carries from one slot of a queue to the next, or plays."""
        queued = self.memory[at].slots > 1
        played = self.memory.name(Location(at.group, "played", at.name)) if at.space == "own" else None
        return self.element(at, "neuron", label, 1, keep=queued or played is not None, played=played or "")

    def sizes(self, **sizes: int) -> Meanings:
        """Return numbers of neurons under their names."""
        return {name: Number(name, UINT, size) for name, size in sizes.items()}

    def neuron(self, number: int) -> Meanings:
        """Return what a loop over this many neurons, or elements, sees: which, and how many there are."""
        return self.sizes(num_neurons=number) | built_in("id")

    def synapse(self, pre: int, post: int) -> Meanings:
        """Return what a loop over synapses between so many neurons sees: which, and how many there are."""
        return self.sizes(num_pre=pre, num_post=post) | built_in(*SYNAPSE)

    def spikes(self, population: str) -> tuple[Array, Array]:
        """Return the arrays of the neurons that have spiked, and of their number."""
        return self.memory[Location(population, "spikes")], self.memory[Location(population, "spike_count")]


def built_in(*names: str) -> Meanings:
    """Return what each language has words of its own for."""
    return {name: BuiltInVariable(name) for name in names}


def finish_step(k: KernelBuilder) -> Kernel:
    """Return a kernel of the timestep, with random numbers of its own where it draws any."""
    if k.draws:
        return k.finish(batched=True, stream=stream_of(k.name), draws="each timestep")
    return k.finish(batched=True)


def stream_of(name: str) -> int:
    """Return the number of the stream of random numbers of this name."""
    return crc32(name.encode())
