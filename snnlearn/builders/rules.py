"""Rules: where the gradients of a built network come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from snnlearn import grad
from snnlearn.attributes import frozen
from snnlearn.builders.neurons import Neuron
from snnlearn.builders.readouts import Readout
from snnlearn.declare import Surrogate
from snnlearn.errors import TrainingError, did_you_mean
from snnlearn.grad.numeric import NumericStep
from snnlearn.grad.surrogate import find_surrogate
from snnlearn.models import DeltaCurr


@frozen
@dataclass(frozen=True)
class Rule:
    """A method of `snnlearn.grad.differentiate`, with what it takes.

    Attributes
    ----------
    method : {"bptt", "eventprop"}
        Backpropagation through time with a surrogate; or with the derivatives of the times of spikes.
    surrogate : Surrogate or str
        For ``"bptt"``; its parameters are ``beta`` and perhaps ``height``, which is 1 for the distance of the threshold
        from where neurons begin.
    steepness : float
        The surrogate's ``beta``, times that distance.
    rate : float
        The learning rate at first, as a share of each connection's unit of weight.
    """

    method: str = "bptt"
    surrogate: Surrogate | str = "ScaledFastSigmoid"
    steepness: float = 5.0
    rate: float = 0.02

    def differentiate(
        self,
        model: Any,
        weights: Sequence[Any],
        output: Any,
        readout: Readout,
        neuron: Neuron,
        duration: float,
        timesteps: int,
    ) -> FromRest:
        """Have a model record what its gradient needs; see `snnlearn.grad.differentiate`."""
        params = readout.loss_params(duration)
        options: dict[str, Any] = {"method": self.method, "window": timesteps}
        if self.method == "bptt":
            options["surrogate"] = surrogate = find_surrogate(self.surrogate)
            distance = _threshold(neuron, float(model.dt))
            known = {"beta": self.steepness / distance, "height": 1.0 / distance}
            params |= {p.name: known[p.name] for p in surrogate.params if p.name in known}
        return FromRest(grad.differentiate(model, weights, {output: readout.loss()}, params=params, **options))


def _threshold(neuron: Neuron, dt: float) -> float:
    """Return how far from its threshold a neuron begins."""
    no_params: dict[str, float] = {}
    step = NumericStep(neuron.model, DeltaCurr, neuron.params, no_params, neuron.start, dt, (1,))
    distance = step.margin()
    return abs(distance) if distance else 1.0


class FromRest:
    """A program whose windows begin at rest: what a window sent reaches no later one.

    Parameters
    ----------
    program : Program
    """

    def __init__(self, program: Any) -> None:
        self.program = program

    @property
    def pending(self) -> int:
        """How many timesteps were run since the last pass."""
        return int(self.program.pending)

    @property
    def tape(self) -> Any:
        """What is known of these."""
        return self.program.tape

    def backward(self) -> None:
        """Go back through them, and add to the gradients."""
        self.program.backward()
        self.program.forget()

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Run something else, after which the model is as it was before."""
        with self.program.set_aside():
            yield

    def forget(self) -> None:
        """Take no more account of what was run."""
        self.program.forget()

    def weigh_copies(self, weights: ArrayLike | None) -> None:
        """Count the loss of each copy of a batch this many times; None for once."""
        self.program.weigh_copies(weights)


RULES = {"bptt": Rule(), "eventprop": Rule("eventprop", rate=0.005)}
"""Rules with their defaults, by the names that builders take."""


def find_rule(rule: Any, readout: Readout) -> Rule:
    """Return a rule, or the one of this name with its defaults.

    Raises
    ------
    TrainingError
        If there is none, or none that can train this readout.
    """
    found = RULES.get(rule) if isinstance(rule, str) else rule
    if not isinstance(found, Rule) or found.method not in RULES:
        named = rule.method if isinstance(rule, Rule) else rule
        raise TrainingError(f"there is no rule {named!r}{did_you_mean(str(named), RULES)}")
    if found.method not in readout.methods:
        raise TrainingError(
            f"the readout {type(readout).__name__} is trained by {' or '.join(map(repr, readout.methods))}, not by "
            f"'{found.method}'"
        )
    return found
