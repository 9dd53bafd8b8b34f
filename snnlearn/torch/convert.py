"""From a described model to a PyTorch module."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch

from snnlearn.codegen.plan import Plan, build_plan
from snnlearn.codegen.torch import Options, emit_step
from snnlearn.declare import Surrogate
from snnlearn.errors import ArgumentError, GradientError
from snnlearn.genn import GeNNModel
from snnlearn.genn.copies import copy_model
from snnlearn.genn.describe import describe
from snnlearn.network import Network
from snnlearn.runtime.torch.inputs import SPIKES
from snnlearn.runtime.torch.module import SpikingModule
from snnlearn.runtime.torch.simulation import TorchSimulation
from snnlearn.torch.arguments import detached_of, parameter_places, precision_of, recorded_places, surrogate_values
from snnlearn.torch.given import find_given, take_inputs

_DEFAULT = "FastSigmoid"


def to_module(
    model: GeNNModel,
    *,
    parameters: Sequence[Any] = (),
    surrogate: Surrogate | str | None = None,
    params: Mapping[str, float] | None = None,
    dtype: torch.dtype | None = None,
    smooth: bool = False,
    detach_reset: bool | Sequence[str] = False,
    record: Mapping[str, Sequence[str]] | None = None,
    inputs: Mapping[str, Sequence[str]] | None = None,
) -> SpikingModule:
    """Return a model as a PyTorch module, which starts as the model does, or from where a loaded one is.

    Parameters
    ----------
    model : GeNNModel
        Described; built or loaded or not. It stays as it is.
    parameters : sequence of Variable or (group, parameter's name)
        What is to be a parameter of the module: variables of any group, ``group.vars["w"]``, and dynamic parameters.
        ``Group_name`` is a parameter's name in the module. Weights of all-to-all connections have the shape
        (presynaptic, postsynaptic) neurons; those of sparse ones, (synapses,), by row.
    surrogate : Surrogate or str, optional
        The derivative of a spike with respect to the margin of the threshold. Without one spikes have none.
    params : mapping of str to float, optional
        The surrogate's parameters.
    dtype : torch.dtype, optional
        What ``scalar`` means: ``torch.float32`` or ``torch.float64``; by default the model's precision.
    smooth : bool
        Whether a spike is the surrogate's integral rather than a step, so that finite differences have a meaning.
    detach_reset : bool or sequence of str
        Whether derivatives by way of what a spike resets are cut; or of which variables.
    record : mapping of str to sequence of str, optional
        What a run returns: for each group the names of variables, and ``"spikes"``. By default all variables and the
        spikes of all populations. What none of it depends on is not computed.
    inputs : mapping of str to sequence of str, optional
        What a call may give in each timestep, by population: ``"spikes"``, which can be given without this; a current,
        ``"Isyn"`` or another input of the neurons, which is added to what synapses bring; a variable that code only
        reads (``READ_ONLY_DUPLICATE``).

    Returns
    -------
    SpikingModule

    Raises
    ------
    TorchError
        For code that has no counterpart among tensors, and what cannot be a parameter.
    GradientError
        For an unknown surrogate, and for parameters of it that are missing or unknown.
    NetworkError
        For names that the model does not have.
    ArgumentError
        For something else than a model of `snnlearn.genn`, or another dtype.
    """
    if not isinstance(model, GeNNModel):
        raise ArgumentError(f"to_module needs a GeNNModel of snnlearn.genn, not {type(model).__name__}")
    precision = precision_of(model, dtype)
    if smooth and surrogate is None:
        raise GradientError(f"smooth=True needs a surrogate, whose integral takes the place of a spike: '{_DEFAULT}'")
    given = [one for one in find_given(model, inputs) if one.name != SPIKES]
    described = copy_model(model) if given else model
    take_inputs(described, given, spikes=False)
    network = describe(described)
    plan = replace(build_plan(network), precision=precision)
    cut = detached_of(network, detach_reset)
    options = Options(smooth, cut, surrogate is not None)
    values = None if surrogate is None else surrogate_values(surrogate, params or {}, network.dt, smooth)
    emit_step(plan, options, values)  # what it refuses is refused here
    simulation = _simulation(model, network, plan)
    places = parameter_places(model, network, parameters)
    recorded = recorded_places(describe(model) if given else network, record)
    return SpikingModule(simulation, places, recorded, values, options, given)


def _simulation(model: GeNNModel, network: Network, plan: Plan) -> TorchSimulation:
    """Return the tensors of a model: as the model is where it is loaded, else with initial values."""
    loaded = model._simulation
    # Spikes have no derivative in this source, of which a module runs another.
    seed = model.seed or int.from_bytes(os.urandom(4), "little")  # 0 stands for a fresh one
    simulation = TorchSimulation(network, plan, emit_step(plan, Options(surrogate=False)), seed=seed)
    if loaded is not None:
        simulation.set_extra_global_params(
            (at, loaded.copy(at)) for at in simulation.tensors.locations if at.space.endswith("egp") and loaded.has(at)
        )
        simulation.set_state({**simulation.state(), **loaded.state()})
        simulation.timestep = loaded.timestep
    return simulation
