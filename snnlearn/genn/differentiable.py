"""What a variable has to do with gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

from snnlearn.errors import LifecycleError
from snnlearn.genn.protocols import GradientProgram
from snnlearn.network import Location


class Differentiable:
    """The part of `Variable` that is about gradients.

    Attributes
    ----------
    location : Location
    """

    location: Location
    _program: GradientProgram | None  # which reads what the device has of it
    _wants_grad: bool = False

    @property
    def requires_grad(self) -> bool:
        """Whether `snnlearn.grad.differentiate` is to differentiate, or differentiates, with respect to it.

        Assign to it before ``differentiate(model, ...)``, which takes all such variables unless ``wrt`` names others.
        """
        return self._wants_grad if self._program is None else self._program.requires_grad(self)

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if self._program is not None and bool(wanted) != self.requires_grad:
            raise LifecycleError(f"{self.location}: the model is differentiated already; set requires_grad before")
        vars(self)["_wants_grad"] = bool(wanted)

    @property
    def grad(self) -> NDArray[Any] | None:
        """The derivative of the loss, summed up over passes, in the shape of ``values``; None without any.

        For a variable of neurons that `retain_grad` was called for: in each timestep of the last window, shape
        (timesteps, batch, neurons).
        """
        return None if self._program is None else self._program.grad(self)

    def retain_grad(self) -> None:
        """Keep the derivative with respect to a variable of neurons in each timestep, from the next pass on.

        Raises
        ------
        LifecycleError
            Where nothing differentiates the model.
        GradientError
            For a variable that the loss does not depend on.
        """
        self._differentiated().retain_grad(self)

    def register_hook(self, hook: Callable[[NDArray[Any]], Any]) -> Callable[[], None]:
        """Have a function called with the gradient of each window; see `Program.register_hook`."""
        return self._differentiated().register_hook(self, hook)

    def _differentiated(self) -> GradientProgram:
        if self._program is None:
            raise LifecycleError(
                f"nothing differentiates {self.location}: call snnlearn.grad.differentiate before build"
            )
        return self._program

    def _follow(self, program: GradientProgram) -> None:
        """Tell a program before the variable is written from the host."""
        vars(self)["_program"] = program
