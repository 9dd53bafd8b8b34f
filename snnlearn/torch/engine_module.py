"""A network as a PyTorch module that runs in compiled code, forward and back."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import torch
from torch import Tensor, nn

from snnlearn.declare import Surrogate
from snnlearn.errors import ArgumentError, GradientError, NetworkError, TorchError, did_you_mean
from snnlearn.genn import GeNNModel
from snnlearn.genn.program import Program
from snnlearn.runtime.torch.inputs import Call, Given, find_input, flat_inputs
from snnlearn.runtime.torch.module import Outputs, State
from snnlearn.torch.design import design_of
from snnlearn.torch.run import Lease, Pool, differentiate_run

_SHARED = frozenset(["_design", "_kind", "_device"])


class EngineModule(nn.Module):
    """A network whose forward pass the compiled engine runs, and whose backward pass is the derived reverse pass.

    It is called as `SpikingModule` is, gives the same outputs and has parameters of the same names, so that one can
    take the place of the other. Derivatives are of first order.

    Parameters
    ----------
    model : GeNNModel or Program
        Described; built or loaded or not. It stays as it is: the module has a copy of its own. Of a program, made by
        ``grad.differentiate(..., method="bptt")``, the module takes model, variables, surrogate and ``detach_reset``.
    parameters : sequence of Variable or (population, parameter's name), optional
        Variables of synapses, and variables and dynamic parameters of neurons; ``Group_name`` is a parameter's name in
        the module. The memory of weights that are stored without gaps is the engine's own. Of variables that a run
        changes it is the first value.
    surrogate : Surrogate or str
        The derivative of a spike with respect to the margin of the threshold.
    params : mapping of str to float, optional
        The surrogate's parameters.
    dtype : torch.dtype, optional
        What ``scalar`` means: ``torch.float32`` or ``torch.float64``; by default the model's precision.
    detach_reset : bool
        Whether derivatives by way of what a spike resets are cut.
    record : mapping of str to sequence of str, optional
        What a run returns: for each population the names of variables, and ``"spikes"``. By default all variables and
        the spikes of all populations; what is left out takes neither time nor memory.
    inputs : mapping of str to sequence of str, optional
        What a call gives in each timestep, by population: ``"spikes"``, in the place of its own; a current, ``"Isyn"``
        or another input of the neurons, which is added to what synapses bring; a variable that code only reads
        (``READ_ONLY_DUPLICATE``). The engine is compiled for them.

    Raises
    ------
    GradientError
        For a network without a derivative, an unknown surrogate, and what no output depends on.
    TorchError
        For what cannot be a parameter or an input.
    NetworkError
        For names that the model does not have.
    ArgumentError
        For something else than a model or a program, and another dtype.
    """

    def __init__(
        self,
        model: GeNNModel | Program,
        *,
        parameters: Sequence[Any] | None = None,
        surrogate: Surrogate | str | None = None,
        params: Mapping[str, float] | None = None,
        dtype: torch.dtype | None = None,
        detach_reset: bool | None = None,
        record: Mapping[str, Sequence[str]] | None = None,
        inputs: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(model, (GeNNModel, Program)):
            raise ArgumentError(
                "EngineModule needs a GeNNModel of snnlearn.genn or a Program of grad.differentiate(..., "
                f"method='bptt'), not {type(model).__name__}"
            )
        self._design = design_of(model, parameters, surrogate, params, dtype, detach_reset, record, inputs)
        self._kind = torch.float64 if self._design.model.precision == "double" else torch.float32
        self._pool = Pool(self._design)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            engine = self._pool.any()
        for warning in caught:  # at the caller's line
            warnings.warn(warning.message, stacklevel=2)
        for name, weights in engine.weights.items():
            self.register_parameter(name, nn.Parameter(weights.first()))
        self._device = engine.device

    def __deepcopy__(self, memo: dict[int, Any]) -> EngineModule:
        # Copies have parameters and engines of their own; the description never changes.
        twin = memo[id(self)] = type(self).__new__(type(self))
        for name, value in self.__dict__.items():
            if name == "_pool":
                twin.__dict__[name] = Pool(self._design)
            else:
                twin.__dict__[name] = value if name in _SHARED else copy.deepcopy(value, memo)
        return twin

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TorchError(
            "an EngineModule is compiled code and functions of Python, which no file holds: save net.state_dict(), and "
            "load it into a module that is made anew of the same model"
        )

    @property
    def model(self) -> GeNNModel:
        """The model that runs, built and loaded: to be looked at (``explain()``, ``source()``), not to be changed."""
        return self._pool.any().model

    def initial_state(self) -> State:
        """Return the state that a run starts from; first values that are parameters are not in it."""
        return self._pool.any().initial_state()

    def forward(
        self,
        inputs: Mapping[str, Tensor | Mapping[str, Tensor]] | None = None,
        timesteps: int | None = None,
        state: State | None = None,
    ) -> Outputs:
        """Run the network.

        Parameters
        ----------
        inputs : mapping of str to Tensor, or to mapping of str to Tensor, optional
            What the module was given ``inputs=`` for, by population and name, ``{"Hidden": {"Isyn": current}}``, shape
            (timesteps, batch, neurons) or, without a batch, (timesteps, neurons); a tensor alone means spikes, 0 or 1.
            What is not given is 0. There are derivatives with respect to all of them. There may be fewer patterns
            than the batch has copies.
        timesteps : int, optional
            By default as many as there are inputs for.
        state : State, optional
            Where to go on: ``state`` of the outputs of another run, detached: derivatives end there.

        Returns
        -------
        Outputs
            Tensors of shape (timesteps, batch, neurons), by population and variable.

        Raises
        ------
        NetworkError
            For what the module was not made for, a shape that does not fit, and no number of timesteps.
        TorchError
            For a state that no run left, spikes other than 0 and 1, and another type or device of a tensor.
        GradientError
            For a state that is not detached.
        """
        call = self._call(inputs, timesteps)
        parameters = self._checked_parameters()
        every = [*parameters.values(), *call.tensors.values()]
        taped = call.timesteps > 0 and torch.is_grad_enabled() and any(tensor.requires_grad for tensor in every)
        self._check_state(state, taped)
        engine = self._pool.take(call.timesteps)
        lease = Lease(self._pool, engine, call, parameters, state)
        outputs = Outputs()
        with lease.unless_taped(taped):
            engine.begin(state, parameters)
            engine.run(call.timesteps, call.tensors, tape=taped)
            found = differentiate_run(lease, call.tensors) if taped else engine.outputs(call.timesteps)
            for (population, name), tensor in found.items():
                outputs.setdefault(population, {})[name] = tensor[:, : call.patterns]
            outputs.state = engine.state(call.timesteps, attached=taped)
        return outputs

    def custom_update(self, group: str, state: State) -> State:
        """Return the state that a group of custom updates leaves.

        Parameters
        ----------
        group : str
        state : State

        Raises
        ------
        NetworkError
            If there is no such group.
        TorchError
            If it writes to a parameter of the module.
        """
        known = {update.spec.group_name for update in self._design.model.custom_updates.values()}
        if group not in known:
            raise NetworkError(f"there is no custom update group '{group}'{did_you_mean(group, known)}")
        engine = self._pool.take(1)
        try:
            return engine.custom_update(group, state, self._checked_parameters())
        finally:
            self._pool.give_back(engine)

    # ---- helpers ----

    def _call(self, inputs: Any, timesteps: int | None) -> Call:
        populations = self._design.model.neuron_populations
        given: list[tuple[Given, Any]] = []
        for population, name, tensor in flat_inputs(inputs):
            if population not in populations:
                raise NetworkError(f"there is no population '{population}'{did_you_mean(str(population), populations)}")
            given.append((find_input(population, name, self._design.inputs), tensor))
        return Call(given, timesteps, self._design.model.batch_size, self._kind, self._device, whole_spikes=True)

    def _checked_parameters(self) -> dict[str, Tensor]:
        found = {name: getattr(self, name) for name in self._design.parameters}
        for name, tensor in found.items():
            if tensor.dtype != self._kind or tensor.device != self._device:
                raise TorchError(
                    f"parameter '{name}' is {tensor.dtype} on {tensor.device}, and the engine is compiled for "
                    f"{self._kind} on {self._device}: make the module anew, EngineModule(..., dtype=...), of a model "
                    "with another backend"
                )
        return found

    @staticmethod
    def _check_state(state: Any, taped: bool) -> None:
        if state is None:
            return
        if not isinstance(state, State):
            raise TorchError(f"state is what another run left, out.state, not {state!r}")
        if taped and state.attached:
            raise GradientError(
                "the engine's derivatives end where a run begins: go on from out.state.detach(), or follow them "
                "further with the module of snnlearn.torch.to_module"
            )
