"""What goes into a module's call: tensors by population and name, checked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from snnlearn.errors import NetworkError, TorchError, did_you_mean

SPIKES = "spikes"  # the name under which spikes are among the variables of a population


@dataclass(frozen=True)
class Given:
    """Something that a call may give in each timestep.

    Attributes
    ----------
    population : str
    name : str
        What the caller calls it: ``"spikes"``, an input, a variable.
    variable : str
        The variable that the neurons read it from.
    size : int
        How many neurons.
    """

    population: str
    name: str
    variable: str
    size: int


def flat_inputs(inputs: Mapping[str, Any] | None) -> Iterator[tuple[str, str, Any]]:
    """Yield population, name and tensor; a tensor alone means spikes.

    Raises
    ------
    NetworkError
        For what is no mapping.
    """
    if inputs is None:
        return
    if not isinstance(inputs, Mapping):
        raise NetworkError(
            f"inputs is a mapping of populations to spikes, {{'Input': tensor}}, or to what they are given, {{'Input': "
            f"{{'spikes': tensor}}}}, not {type(inputs).__name__}"
        )
    for population, given in inputs.items():
        for name, tensor in given.items() if isinstance(given, Mapping) else [(SPIKES, given)]:
            yield population, name, tensor


class Call:
    """The inputs of a call.

    Parameters
    ----------
    given : iterable of (Given, tensor)
    timesteps : int or None
        As the caller says.
    batch : int
        The model's.
    dtype : torch.dtype
    device : torch.device
    whole_spikes : bool
        Whether spikes are 0 or 1.

    Attributes
    ----------
    tensors : dict of Given to Tensor, shape (timesteps, batch, neurons)
        Fewer patterns than the batch has are filled up with zeros.
    timesteps : int
    patterns : int
        How many there were.

    Raises
    ------
    NetworkError
        For a shape that does not fit, and no number of timesteps.
    TorchError
        For another type or device of a tensor, and fractions of spikes where they are to be whole.
    """

    def __init__(
        self,
        given: Iterable[tuple[Given, Any]],
        timesteps: int | None,
        batch: int,
        dtype: torch.dtype,
        device: torch.device,
        *,
        whole_spikes: bool = False,
    ) -> None:
        self.batch, self._dtype, self._device, self._whole = batch, dtype, device, whole_spikes
        checked = {one: self._checked(one, tensor) for one, tensor in given}
        sizes = {tensor.shape[1] for tensor in checked.values()}
        if len(sizes) > 1:
            raise NetworkError(f"inputs are of {min(sizes)} and of {max(sizes)} patterns: give all of the same number")
        self.patterns = sizes.pop() if sizes else batch
        self.timesteps = _timesteps(timesteps, {tensor.shape[0] for tensor in checked.values()})
        missing = batch - self.patterns
        self.tensors = {
            one: torch.nn.functional.pad(tensor, (0, 0, 0, missing)) if missing else tensor
            for one, tensor in checked.items()
        }

    def _checked(self, one: Given, tensor: Any) -> Tensor:
        what, size, batch = f"{one.name} of '{one.population}'", one.size, self.batch
        if not isinstance(tensor, Tensor):
            raise NetworkError(f"the {what} must be a tensor, not {type(tensor).__name__}")
        if tensor.dim() == 2 and batch == 1:
            tensor = tensor.unsqueeze(1)
        if tensor.dim() != 3 or tensor.shape[2] != size or not 1 <= tensor.shape[1] <= batch:
            wanted = f"(timesteps, {batch}, {size})" + (f" or (timesteps, {size})" if batch == 1 else "")
            fewer = ", or with fewer patterns" if batch > 1 else ""
            many = tensor.dim() == 3 and tensor.shape[2] == size and tensor.shape[1] > batch
            fix = "; give the model a batch_size of so many, before it is made a module" if many else ""
            raise NetworkError(f"the {what} must be of shape {wanted}{fewer}, not {tuple(tensor.shape)}{fix}")
        if tensor.device != self._device:
            raise TorchError(f"the {what} are on {tensor.device}, the module on {self._device}: .to('{self._device}')")
        if tensor.is_complex() or (one.name != SPIKES and tensor.dtype != self._dtype):
            raise TorchError(f"the {what} are {tensor.dtype}, and the module is made for {self._dtype}: .to() that")
        if self._whole and one.name == SPIKES:
            if tensor.dtype != torch.bool and not _whole(tensor.detach()):
                raise TorchError(
                    f"the {what} must be 0 or 1 for an engine: draw or round them before, or use the module of "
                    "snnlearn.torch.to_module, which takes fractions"
                )
            return tensor if tensor.dtype == torch.bool else tensor.to(self._dtype)  # which the engine's copy becomes
        return tensor.to(self._dtype)


def _whole(spikes: Tensor) -> bool:
    """Whether all are 0 or 1, in as few passes as that takes."""
    return torch.equal(spikes * spikes, spikes) and bool(spikes.sum().isfinite())


def find_input(population: str, name: str, known: Iterable[Given]) -> Given:
    """Return what a call gives under a name.

    Raises
    ------
    NetworkError
        Where the module was not made for it.
    """
    every = list(known)
    for one in every:
        if (one.population, one.name) == (population, name):
            return one
    names = [f"{one.population}.{one.name}" for one in every]
    raise NetworkError(
        f"the module was not made for {name} of '{population}': give it inputs={{'{population}': ['{name}']}} when it "
        f"is made{did_you_mean(f'{population}.{name}', names) if names else ''}"
    )


def _timesteps(wanted: int | None, lengths: set[int]) -> int:
    if wanted is None and len(lengths) != 1:
        raise NetworkError("say how many timesteps to run: there are no inputs, or they are not of one length")
    steps = lengths.pop() if wanted is None else wanted
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 0:
        raise NetworkError(f"the number of timesteps must be an integer of at least 0, not {steps!r}")
    if any(length < steps for length in lengths):
        raise NetworkError(f"there are inputs for {min(lengths)} timesteps, and {steps} are to be run")
    return steps
