"""`adjoint`: the reverse pass of one neuron and its synapses as declarations, which any engine runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from snnlearn.declare import Loss, NeuronModel, PostsynapticModel, Surrogate, Var, WeightUpdateModel
from snnlearn.errors import GradientError, did_you_mean
from snnlearn.grad.constants import given_to
from snnlearn.grad.inputs import Inputs, is_linear
from snnlearn.grad.reverse import Request, Reversal, reverse
from snnlearn.grad.surrogate import find_surrogate
from snnlearn.grad.synapses import spike_synapse
from snnlearn.grad.tape import ArrayTape

_SYNAPSE = WeightUpdateModel("Weight", vars=(Var("w"),), pre_spike_syn_code="addToPost(w);")


@dataclass(frozen=True)
class Adjoint:
    """The reverse pass of a neuron with one postsynaptic model, and of synapses of one weight.

    The forward network has populations of `forward`. The network in reversed time has as many neurons of `adjoint`, and
    for each connection one of `weight_update` in the same direction, with the same synapses, ``pre_target_var`` =
    ``"spikeAdjoint"`` and ``mu`` referring to the adjoint of the target. Arrays of both are ``tapeSlots`` slots long.

    ``tapeSlot`` of the forward neurons starts at ``tapeSlots - 1``. To go back through T timesteps, copy the arrays and
    ``tapeSlot`` from forward to adjoint neurons, set ``tapeLeft`` to T, and run T timesteps. ``m`` is then the
    direction of descent, the negative of the gradient.

    Attributes
    ----------
    forward : NeuronModel
        The declared model, which also writes a tape.
    adjoint : NeuronModel
    weight_update : WeightUpdateModel
        ``w`` the weight, ``m`` the negative gradient, ``mu`` (reference) the adjoint of what arrived. Where `eventprop`
        made it, ``muFall`` (reference) is the adjoint neuron's variable of that name.
    params : mapping of str to float
        The parameters that were given, by their names in these models.
    arrays : tuple of str
        The arrays of the tape.
    """

    forward: NeuronModel
    adjoint: NeuronModel
    weight_update: WeightUpdateModel
    params: Mapping[str, float]
    arrays: tuple[str, ...]


def adjoint(
    neuron: NeuronModel,
    postsynaptic: PostsynapticModel | None = None,
    *,
    surrogate: Surrogate | str,
    loss: Loss | None = None,
    params: Mapping[str, float] | None = None,
    axonal_delay: int = 0,
    detach_reset: bool = True,
) -> Adjoint:
    """Derive the reverse pass of a neuron.

    Parameters
    ----------
    neuron : NeuronModel
    postsynaptic : PostsynapticModel, optional
        What its input comes through; none for neurons without trained input.
    surrogate : Surrogate or str
        The derivative of a spike with respect to the margin of the threshold.
    loss : Loss, optional
        Of the neuron's variables, as a timestep leaves them; by default the loss depends on its spikes alone.
    params : mapping of str to float
        The surrogate's parameters, and others that `Adjoint.params` is to have.
    axonal_delay : int
        Of the connections that `Adjoint.weight_update` is for, in timesteps.
    detach_reset : bool
        Whether the derivative takes the times of resets for given.

    Raises
    ------
    GradientError
        For code without a derivative, and an unknown surrogate or parameter.
    """
    request = Request(find_surrogate(surrogate), loss, spikes_matter=True, detach_reset=detach_reset, arrays=True)
    check_linear(postsynaptic)
    inputs = [Inputs(postsynaptic)] if postsynaptic is not None else []
    return assembled(reverse(neuron, inputs, request), params, axonal_delay)


def check_linear(postsynaptic: PostsynapticModel | None) -> None:
    """Raise GradientError for a postsynaptic model whose derivative depends on values that no tape in arrays has."""
    if postsynaptic is not None and not is_linear(postsynaptic):
        raise GradientError(
            f"'{postsynaptic.name}' does not only add up, decay and pass on what arrives, as ExpCurr and DeltaCurr do: "
            "its derivative depends on values that these models do not record; grad.differentiate does"
        )


def assembled(
    found: Reversal, params: Mapping[str, float] | None, axonal_delay: int, *, event_driven: bool = False
) -> Adjoint:
    """Return a reversed neuron, with a tape in arrays, and a synapse as declarations.

    Raises
    ------
    GradientError
        For a value of no parameter.
    """
    assert isinstance(found.tape, ArrayTape)
    given = dict(params or {})
    constants = {name: c for name, c in found.tape.constants.constants.items() if c.kind == "params"}
    known = [*(c.name for c in constants.values()), *(f"{c.model.name}_{c.name}" for c in constants.values())]
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise GradientError(f"there is no parameter '{unknown[0]}'{did_you_mean(unknown[0], known)}")
    values = {name: given_to(c, given) for name, c in constants.items()}
    synapse = spike_synapse(_SYNAPSE, "adjoint", event_driven=event_driven)
    return Adjoint(
        found.forward,
        found.adjoint,
        synapse.adjoint(["w"], axonal_delay, back=True),
        {name: value for name, value in values.items() if value is not None},
        tuple(array.name for array in found.tape.arrays),
    )
