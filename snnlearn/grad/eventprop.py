"""`eventprop`: the adjoint of a neuron whose spikes have times as declarations, which any engine runs."""

from __future__ import annotations

from collections.abc import Mapping

from snnlearn.declare import Loss, NeuronModel, PostsynapticModel
from snnlearn.errors import GradientError
from snnlearn.grad.adjoint import Adjoint, assembled, check_linear
from snnlearn.grad.event_reverse import check_least_slope, event_reverse
from snnlearn.grad.inputs import Inputs
from snnlearn.grad.reverse import Request


def eventprop(
    neuron: NeuronModel,
    postsynaptic: PostsynapticModel | None = None,
    *,
    loss: Loss | None = None,
    params: Mapping[str, float] | None = None,
    axonal_delay: int = 0,
    flow: Mapping[str, str] | None = None,
    least_slope: float = 0.0,
) -> Adjoint:
    """Derive the reverse pass of a neuron by the times of its spikes, without a surrogate.

    How variables move between spikes is found from ``sim_code``, where that is linear. Networks are built as from
    `adjoint`; adjoints go back through synapses with spikes alone.

    Parameters
    ----------
    neuron : NeuronModel
    postsynaptic : PostsynapticModel, optional
        What its input comes through, which must not be over at once; none for neurons without trained input.
    loss : Loss, optional
        Of the neuron's variables, as a timestep leaves them; by default the loss depends on its spikes alone.
    params : mapping of str to float
        Parameters that `Adjoint.params` is to have.
    axonal_delay : int
        Of the connections that `Adjoint.weight_update` is for, in timesteps.
    flow : mapping of str to str
        Time derivatives [per ms] of variables that do not move linearly, as expressions of variables, inputs and
        parameters: ``{"V": "V * V / tau + Isyn"}``.
    least_slope : float
        No less than this is taken for the slope of the margin at the threshold [its unit / ms].

    Raises
    ------
    GradientError
        For a variable whose motion is neither linear between spikes nor declared, with the reason, and for code
        without a derivative.

    Source
    ------
    Wunderlich & Pehle (2021), Event-based backpropagation can compute exact gradients for spiking neural networks,
    Scientific Reports 11, 12829.
    """
    check_linear(postsynaptic)
    if not isinstance(flow or {}, Mapping):
        raise GradientError(f"flow is a mapping of variables to code, {{'V': '-V / TauM'}}, not {flow!r}")
    inputs = [Inputs(postsynaptic)] if postsynaptic is not None else []
    request = Request(
        None, loss, spikes_matter=True, arrays=True, falls=frozenset(i.name for i in inputs),
        flow=tuple((flow or {}).items()), least_slope=check_least_slope(least_slope),
    )  # fmt: skip
    return assembled(event_reverse(neuron, inputs, request), params, axonal_delay, event_driven=True)
