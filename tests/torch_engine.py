"""An engine that runs plans as PyTorch, for the table of engines: no user would run it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from snnlearn.codegen.explain import explain
from snnlearn.codegen.plan import Plan
from snnlearn.codegen.torch import Options as Emission
from snnlearn.codegen.torch import emit_step
from snnlearn.errors import TorchError
from snnlearn.network import Network
from snnlearn.runtime.engines import Built, Engine, Options, Start
from snnlearn.runtime.torch.simulation import TorchSimulation


class TorchEngine(Engine):
    """PyTorch, one operation after the other."""

    name = "torch"

    @staticmethod
    def default_rewrites(portable: bool) -> tuple[str, ...]:
        """Return none: plans are run as they stand in the models."""
        return ()

    def explain(self, plan: Plan, applied: Iterable[str]) -> str:
        """Return the table of a plan's kernels."""
        return explain(plan, applied)

    def begin(self, options: Options) -> Callable[[Plan], Built]:
        """Return what emits a plan, which raises `TorchError` for what has no counterpart among tensors."""

        def finish(plan: Plan) -> Built:
            if any(kernel.recorders for kernel in plan.step):
                raise TorchError(f"{plan.name}: variables are recorded on other engines; here keep the tensors")
            return Built(emit_step(plan, Emission(surrogate=False)), Path())

        return finish

    def load(self, network: Network, plan: Plan, built: Built, options: Options, start: Start) -> TorchSimulation:
        """Make the tensors."""
        return TorchSimulation(
            network, plan, built.source, seed=start.seed, recording_timesteps=start.recording_timesteps
        )
