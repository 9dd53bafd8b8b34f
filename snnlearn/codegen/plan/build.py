"""From a network to its plain plan: the kernels of a timestep in GeNN's order, as they stand in the models.

A timestep is: synapse dynamics of every connection; the synapses of presynaptic, then of postsynaptic neurons
that spiked one step ago; the neurons. Within a neuron: inputs, its own code, the code of attached connections,
events, the threshold, what a spike does, the reset.
"""

from __future__ import annotations

from collections.abc import Iterable

from snnlearn.codegen.plan.context import Context
from snnlearn.codegen.plan.initial import connect_kernel, init_kernel
from snnlearn.codegen.plan.kernels import IndexColumns, Kernel, Plan, Queue
from snnlearn.codegen.plan.neurons import neuron_kernel
from snnlearn.codegen.plan.recorders import record_kernels
from snnlearn.codegen.plan.synapses import synapse_kernel
from snnlearn.codegen.plan.updates import column_indexer, group_operations
from snnlearn.declare import value_type
from snnlearn.network import Location, Network
from snnlearn.network.variables import queue_of


def build_plan(network: Network) -> Plan:
    """Return the plan of a network, with no optimisation."""
    context = Context(network)
    synapses = list(network.synapses.values())
    step = [synapse_kernel(context, s, "synapse_dynamics_code") for s in synapses]
    # Events come before spikes connection by connection, as in GeNN.
    step += [synapse_kernel(context, s, f"pre_{kind}_syn_code") for s in synapses for kind in ("event", "spike")]
    step += [synapse_kernel(context, s, f"post_{kind}_syn_code") for s in synapses for kind in ("event", "spike")]
    step += [neuron_kernel(context, n) for n in network.neurons.values()]
    step += [k for n in network.neurons.values() for k in record_kernels(context, n)]
    step += [k for s in synapses for k in record_kernels(context, s)]
    groups = dict.fromkeys(u.group_name for u in network.groups.updates)
    return Plan(
        network.name,
        network.dt,
        network.precision,
        context.memory.arrays,
        tuple(_present(init_kernel(context, v) for v in network.variables.values())),
        tuple(_present(step)),
        {group: group_operations(context, group) for group in groups},
        network.batch_size,
        tuple(_queues(context)),
        tuple(_present(connect_kernel(context, s) for s in synapses)),
        _column_indexing(context),
        timepoint=value_type(network.time_type),
    )


def _present(kernels: Iterable[Kernel | None]) -> list[Kernel]:
    return [k for k in kernels if k is not None]


def _queues(context: Context) -> Iterable[Queue]:
    for s in context.network.synapses.values():
        at = Location(s.name, "den_queue")
        if at in context.memory and context.network.leaders[s.name] == s.name:
            yield Queue(context.memory[at].name, s.dendritic_slots, first=True)
    for n in context.network.neurons:
        if queue_of(n) in context.memory:
            yield Queue(context.memory[queue_of(n)].name, context.network.slots.of(n), first=False)


def _column_indexing(context: Context) -> dict[str, IndexColumns]:
    indexers = {
        s.name: column_indexer(context, s, f"index_columns_{s.name}", "init_sparse")
        for s in context.network.synapses.values()
    }
    return {name: indexer for name, indexer in indexers.items() if indexer is not None}
