"""A run of an engine as a function that PyTorch differentiates, and who has which engine for how long."""

from __future__ import annotations

import warnings
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from snnlearn.errors import GradientError, GradientWarning, LifecycleError
from snnlearn.runtime.torch.inputs import Call, Given
from snnlearn.runtime.torch.module import State
from snnlearn.torch.engine import Design, Engine, Output
from snnlearn.torch.weights import FirstValues


class Pool:
    """Engines of one design: a run has one until its graph is gone, so that several graphs can wait for backward().

    Parameters
    ----------
    design : Design
    """

    def __init__(self, design: Design) -> None:
        self._design = design
        self._free: list[Engine] = []
        self._warned = False

    def any(self) -> Engine:
        """Return an engine to look at."""
        self._drop_unloaded()
        if not self._free:
            self._free.append(self._make(1))
        return self._free[-1]

    def _drop_unloaded(self) -> None:
        self._free = [engine for engine in self._free if engine.loaded]

    def _make(self, window: int) -> Engine:
        # What an engine keeps is used in any mode.
        with warnings.catch_warnings(), torch.inference_mode(False), torch.no_grad():
            if self._warned:  # of the same network
                warnings.simplefilter("ignore", GradientWarning)
            engine = Engine(self._design, window)
        self._warned = True
        return engine

    def take(self, timesteps: int) -> Engine:
        """Return an engine that has room for so many timesteps and that nobody else has."""
        self._drop_unloaded()
        for number, engine in enumerate(self._free):
            if engine.window >= timesteps:
                return self._free.pop(number)
        longest = max((engine.window for engine in self._free), default=0)
        self._free = [engine for engine in self._free if engine.window >= timesteps]  # the others are too short
        return self._make(max(timesteps, longest, 1))

    def give_back(self, engine: Engine) -> None:
        """Take an engine back."""
        if engine not in self._free:
            self._free.append(engine)


class Lease:
    """An engine that a run has.

    Parameters
    ----------
    pool : Pool
    engine : Engine
    call : Call
    parameters : mapping of str to Tensor
    state : State or None
        Where the run began.
    """

    def __init__(
        self, pool: Pool, engine: Engine, call: Call, parameters: Mapping[str, Tensor], state: State | None
    ) -> None:
        self._pool, self.engine, self.parameters = pool, engine, dict(parameters)
        self.timesteps = call.timesteps
        self.lengths = {one: tensor.shape[0] for one, tensor in call.tensors.items()}  # of what was given
        self.continued = state is not None
        self._versions: dict[str, int] = {}

    @contextmanager
    def unless_taped(self, taped: bool) -> Iterator[None]:
        """Give the engine back at the end, unless a graph needs it."""
        try:
            yield
        except BaseException:
            self._pool.give_back(self.engine)
            raise
        if not taped:
            self._pool.give_back(self.engine)

    def until_freed(self, token: Tensor) -> None:
        """Give the engine back when a tensor is gone, which the graph holds."""
        self._versions = {name: tensor._version for name, tensor in self.parameters.items()}
        weakref.finalize(token, self._pool.give_back, self.engine)

    def check_unchanged(self) -> None:
        """Raise LifecycleError where a parameter has been written to since."""
        for name, tensor in self.parameters.items():
            if tensor._version != self._versions[name]:
                raise LifecycleError(
                    f"parameter '{name}' was changed in place between forward and backward (an optimiser's step, say): "
                    "call backward() first, or the module again"
                )


def differentiate_run(lease: Lease, inputs: Mapping[Given, Tensor]) -> dict[Output, Tensor]:
    """Return the outputs of a run that is over, with its graph."""
    tensors = [*lease.parameters.values(), *inputs.values()]
    found: dict[Output, Tensor] = {}
    results = _Run.apply(lease, list(inputs), found, *tensors)
    return dict(zip(found, results, strict=True))


class _Run(torch.autograd.Function):
    """The engine's run; ``found`` is filled with the names of the outputs."""

    @staticmethod
    def forward(ctx: Any, lease: Lease, given: list[Given], found: dict[Output, Tensor], *tensors: Tensor) -> Any:
        engine = lease.engine
        found |= engine.outputs(lease.timesteps)
        ctx.lease, ctx.given, ctx.names = lease, given, list(found)
        token = torch.empty(0)
        lease.until_freed(token)
        ctx.save_for_backward(token, *tensors)
        ctx.mark_non_differentiable(*(x for output, x in found.items() if not engine.differentiable(output)))
        ctx.set_materialize_grads(False)
        return tuple(found.values())

    @staticmethod
    def backward(ctx: Any, *seeds: Tensor | None) -> Any:  # type: ignore[override]
        lease: Lease = ctx.lease
        lease.check_unchanged()
        _, *tensors = _saved(ctx)
        given = {output: seed for output, seed in zip(ctx.names, seeds, strict=True) if seed is not None}
        wanted = frozenset(one for one, needed in zip(ctx.given, _of_inputs(ctx), strict=True) if needed)
        found = _gradients(lease, given, wanted) if given else ({}, {})
        each: list[Tensor | None] = [found[0].get(name) for name in lease.parameters]
        each += [found[1].get(one) for one in ctx.given]
        if torch.is_grad_enabled():  # create_graph=True
            each = _first_order(each, [*tensors, *given.values()])
        return None, None, None, *each


def _saved(ctx: Any) -> Any:
    try:
        return ctx.saved_tensors
    except RuntimeError as error:
        if "second time" not in str(error):
            raise
        raise LifecycleError(
            "the engine's tape is freed by backward(): call the module again, or backward(retain_graph=True) to go "
            "back through the same run a second time"
        ) from error


def _of_inputs(ctx: Any) -> tuple[bool, ...]:
    needed: tuple[bool, ...] = ctx.needs_input_grad
    return needed[len(needed) - len(ctx.given) :]


def _gradients(
    lease: Lease, seeds: Mapping[Output, Tensor], wanted: frozenset[Given]
) -> tuple[dict[str, Tensor | None], dict[Given, Tensor]]:
    with torch.no_grad():
        parameters, inputs = lease.engine.back(lease.timesteps, seeds, wanted)
    for one, gradient in inputs.items():
        timesteps = lease.lengths[one]
        if timesteps > len(gradient):  # what is behind the run has no influence
            inputs[one] = torch.nn.functional.pad(gradient, (0, 0, 0, 0, 0, timesteps - len(gradient)))
    fixed = {n: not (lease.continued and isinstance(w, FirstValues)) for n, w in lease.engine.weights.items()}
    return {name: g if fixed[name] else None for name, g in parameters.items()}, inputs


def _first_order(gradients: list[Tensor | None], sources: list[Tensor]) -> list[Tensor | None]:
    """Return gradients that refuse to be differentiated."""
    kept = [g for g in gradients if g is not None]
    results = iter(_FirstOrder.apply(len(kept), *kept, *sources)) if kept else iter(())
    return [None if g is None else next(results) for g in gradients]


class _FirstOrder(torch.autograd.Function):
    """The identity of some tensors; they have come from others by a way that has no derivative here."""

    @staticmethod
    def forward(ctx: Any, number: int, *tensors: Tensor) -> Any:
        return tuple(tensor.view_as(tensor) for tensor in tensors[:number])

    @staticmethod
    def backward(ctx: Any, *_: Tensor) -> Any:  # type: ignore[override]
        raise GradientError(
            "the engine's gradients are of first order: they have no derivatives. For those make the network a "
            "SpikingModule, snnlearn.torch.to_module(model, ...), which is called in the same way"
        )
