"""Declarations for learning rules that are derived: the derivative of a spike, and what is to become small."""

from __future__ import annotations

from dataclasses import dataclass

from snnlearn.attributes import frozen
from snnlearn.declare.models import Model


@frozen
@dataclass(frozen=True)
class Surrogate(Model):
    """What stands for the derivative of a spike, which has none.

    Parameters
    ----------
    derivative_code : str
        An expression: the derivative of the spike with respect to ``h``, the margin of the threshold. Of a neuron that
        spikes where ``V >= Vthresh``, h is ``V - Vthresh``. Sees ``h``, the model's parameters and ``dt`` [ms].
    integral_code : str, optional
        An expression of the same, whose derivative ``derivative_code`` is: what a smooth neuron sends for a spike.

    Source
    ------
    Neftci, Mostafa & Zenke (2019), Surrogate gradient learning in spiking neural networks, IEEE Signal Processing
    Magazine 36(6), 51-63.
    """

    derivative_code: str = ""
    integral_code: str = ""


@frozen
@dataclass(frozen=True)
class Loss(Model):
    """What training makes small: a number for each neuron and timestep, summed over both.

    Two losses add up: ``Loss(...) + Loss(...)``.

    Parameters
    ----------
    loss_code : str
        Statements that assign to ``loss``. Sees the model's parameters, ``t`` [ms], ``dt`` [ms], and the variables and
        parameters of the neuron that it is used with, as its timestep leaves them.
    more : tuple of Loss
        Losses that are added to it.
    """

    loss_code: str = ""
    more: tuple[Loss, ...] = ()

    def __add__(self, other: object) -> Loss:
        if not isinstance(other, Loss):
            return NotImplemented
        return Loss(
            self.name,
            self.params,
            self.derived_params,
            self.extra_global_params,
            self.loss_code,
            (*self.more, Loss(other.name, other.params, other.derived_params, (), other.loss_code), *other.more),
        )

    @property
    def parts(self) -> tuple[Loss, ...]:
        """The losses that it is the sum of, each alone."""
        return (Loss(self.name, self.params, self.derived_params, (), self.loss_code), *self.more)
