"""Runs one network on an engine and keeps what can be seen of it after every timestep, to be compared with another's.

A network is a function ``build(g, model)`` that adds groups to a model with the functions of ``g``, an engine's
PyGeNN-shaped module. It may return a function ``act(timestep)``, which is called after each timestep (with the number
of timesteps that have passed) for custom updates and changes from the host; what that returns, a dict, is kept too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Network = Callable[[Any, Any], Any]
Trace = dict[str, list[NDArray[Any]]]
_SPACES = ("vars", "pre_vars", "post_vars", "psm_vars")


def scalars(*names: str) -> list[tuple[str, str]]:
    """Return variables in the form that PyGeNN takes."""
    return [(name, "scalar") for name in names]


def trace(engine: Any, network: Network, steps: int, events: tuple[str, ...] = (), **model: Any) -> Trace:
    """Return all variables and sparse connections after each timestep, and the spikes and events of the whole run.

    Events are asked for as ``"pre AB"``: those of the presynaptic neurons of connection AB.
    """
    made = engine.model("agreement", **model)
    act = network(engine.api, made)
    for population in made.neuron_populations.values():
        population.spike_recording_enabled = True
    made.build()
    made.load(num_recording_timesteps=steps)
    found: Trace = {}
    try:
        _keep(found, engine.api, made)
        for timestep in range(1, steps + 1):
            made.step_time()
            _keep(found, engine.api, made, (act(timestep) if act is not None else None) or {})
        _keep_spikes(found, made, events)
    finally:
        made.unload()
    return found


def assert_same(found: Trace, expected: Trace, rtol: float = 0.0, atol: float = 0.0) -> None:
    """Compare traces: spikes and integers exactly, other numbers to a bound, which is none unless it is given."""
    assert sorted(found) == sorted(expected)
    for name, values in expected.items():
        assert len(found[name]) == len(values)
        for step, (here, there) in enumerate(zip(found[name], values, strict=True)):
            assert here.shape == there.shape, f"{name} after {step} timesteps"
            assert here.dtype == there.dtype, name
            message = f"{name} after {step} timesteps"
            if name.startswith(("spikes", "events")) or there.dtype.kind != "f":
                np.testing.assert_array_equal(here, there, err_msg=message)
            else:
                np.testing.assert_allclose(here, there, rtol=rtol, atol=atol, err_msg=message)


def assert_alive(found: Trace, *names: str) -> None:
    """Check that these have changed (or, for spikes and events, have happened): there is something to compare."""
    for name in names:
        values = found[name]
        if name.startswith(("spikes", "events")):
            assert values[0].size, name
        else:
            first = values[0]
            assert any(v.shape != first.shape or not np.array_equal(v, first) for v in values), name


def _keep(found: Trace, g: Any, model: Any, more: dict[str, Any] | None = None) -> None:
    for group, synapses in _groups(model):
        order, ends = _order(g, synapses)
        if group is synapses and ends is not None:
            found.setdefault(f"{group.name} synapses", []).append(ends)
        for space in _SPACES:
            for name, variable in (getattr(group, space, None) or {}).items():
                if space == "vars" and synapses is group and not _is_stored(g, synapses):
                    continue
                variable.pull_from_device()
                values = np.array(variable.current_values)
                if order is not None and space == "vars" and values.shape[-1] == order.size:
                    values = values[..., order]
                found.setdefault(f"{group.name}.{space}.{name}", []).append(values)
    for name, values in (more or {}).items():
        found.setdefault(name, []).append(np.array(values))


def _groups(model: Any) -> Iterator[tuple[Any, Any]]:
    """Yield all groups, each with the connection over whose synapses its variables are, if it has one."""
    for kind in ("neuron_populations", "current_sources", "synapse_populations"):
        for group in getattr(model, kind).values():
            yield group, group if kind == "synapse_populations" else None
    for group in model.custom_updates.values():
        yield group, getattr(group, "synapse_group", None)
    for group in model.custom_connectivity_updates.values():
        yield group, group.synapse_group


def _is_stored(g: Any, synapses: Any) -> bool:
    """Whether synapses have values of their own."""
    kinds = g.SynapseMatrixWeight.INDIVIDUAL, g.SynapseMatrixWeight.KERNEL
    return any(synapses.matrix_type & kind for kind in kinds)


def _order(g: Any, synapses: Any) -> tuple[Any, Any]:
    """Return a sparse connection's order by presynaptic, then postsynaptic neuron, and both, so sorted."""
    if synapses is None or not synapses.matrix_type & g.SynapseMatrixConnectivity.SPARSE:
        return None, None
    synapses.pull_connectivity_from_device()
    pre, post = synapses.get_sparse_pre_inds(), synapses.get_sparse_post_inds()
    order = np.lexsort((post, pre))
    return order, np.stack([pre[order], post[order]]).astype(np.int64)


def _keep_spikes(found: Trace, model: Any, events: tuple[str, ...]) -> None:
    model.pull_recording_buffers_from_device()
    for population in model.neuron_populations.values():
        found[f"spikes {population.name}"] = _sorted(population.spike_recording_data)
    for wanted in events:
        side, _, name = wanted.partition(" ")
        data = getattr(model.synapse_populations[name], f"{side}_spike_event_recording_data")
        found[f"events {wanted}"] = _sorted(data)


def _sorted(recording: Any) -> list[NDArray[Any]]:
    """Return the (time, neuron) of each copy of a batch, in order."""
    found = []
    for times, ids in recording:
        order = np.lexsort((ids, times))
        found.append(np.stack([np.asarray(times)[order], np.asarray(ids)[order]]))
    return found
