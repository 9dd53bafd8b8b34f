"""Kernels that record some elements of variables, of neurons or synapses, as a timestep leaves them.

What is recorded of whole populations their own kernels write; see `snnlearn.codegen.plan.history`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from snnlearn.codegen.plan.context import Context, finish_step
from snnlearn.codegen.plan.domains import Neurons
from snnlearn.codegen.plan.history import Recorder
from snnlearn.codegen.plan.kernels import Kernel
from snnlearn.network import Location, NeuronPopulation, SynapsePopulation
from snnlearn.network.keys import called


def record_kernels(context: Context, group: NeuronPopulation | SynapsePopulation) -> Iterator[Kernel]:
    """Yield the kernels that record elements of a group's variables, each with a loop over these elements."""
    memory, space = context.memory, group.recorded_space
    for number, record in enumerate(group.records):
        if record.elements is None:
            continue
        title = f"{len(record.elements)} recorded elements of {called(group.name)}"
        builder = context.builder(f"record_{group.name}_{number}", title, "record", Neurons(len(record.elements)))
        copied = tuple(
            (memory[Location(group.name, space, name)].name, memory[record.rows_at(group.name, number, name)].name)
            for name in record.variables
        )
        numbers = memory[Location(group.name, "recorder", str(number))].name
        index = memory[Location(group.name, "recorder_index", str(number))].name
        yield replace(finish_step(builder), recorders=(Recorder(numbers, record.every, copied, index=index),))
