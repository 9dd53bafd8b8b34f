"""``GeNNModel``: a network under construction, then a simulation."""

from __future__ import annotations

import operator
import os
from collections.abc import Mapping
from typing import Any, TypeVar, Union

from numpy.typing import NDArray

from snnlearn import network as net
from snnlearn.codegen.cpp import emit_cpp
from snnlearn.codegen.explain import explain
from snnlearn.codegen.plan import Plan, build_plan, optimise
from snnlearn.declare import CustomUpdateModel, NeuronModel, Precision
from snnlearn.errors import BackendError, LifecycleError, NetworkError, PreferenceError, did_you_mean
from snnlearn.genn.groups import CustomUpdate, NeuronGroup, SynapseGroup, SynapseMatrixType
from snnlearn.genn.initialise import resolve
from snnlearn.genn.preferences import read_preferences
from snnlearn.genn.timing import TimesSpent
from snnlearn.network import Location, Reference, WeightReference
from snnlearn.network.values import as_number
from snnlearn.runtime import Simulation
from snnlearn.runtime.library import build_library

AnyGroup = TypeVar("AnyGroup", bound=Union[NeuronGroup, SynapseGroup, CustomUpdate])
_ENGINE_NAMES = ("cpu", "single_threaded_cpu")


class GeNNModel(TimesSpent):
    """A model to be described, built, loaded and run, as in PyGeNN.

    Parameters
    ----------
    precision : {"float", "double"}
        The type ``scalar`` of code strings.
    model_name : str
    backend : str, optional
        ``"cpu"``, the embedded engine; PyGeNN's ``"single_threaded_cpu"`` means it too.
    time_precision : {"float", "double"}, optional
        Accepted where it equals ``precision``.
    **preferences
        See `snnlearn.genn.preferences.Preferences`. Those of GeNN's back ends are accepted and have no effect.

    Attributes
    ----------
    neuron_populations, synapse_populations, custom_updates : dict
        The groups by name.
    timing_enabled : bool
        Whether to measure kernels (a few per cent of the time); set before ``load``.

    Raises
    ------
    PreferenceError
        For an unknown preference or precision.
    BackendError
        For an unknown back end.
    """

    def __init__(
        self,
        precision: Precision = "float",
        model_name: str = "GeNNModel",
        backend: str | None = None,
        time_precision: Precision | None = None,
        **preferences: Any,
    ) -> None:
        if precision not in ("float", "double"):
            raise PreferenceError(f"precision must be 'float' or 'double', not {precision!r}")
        if time_precision not in (None, precision):
            raise PreferenceError("the embedded engine keeps time in the model's own precision")
        if backend is not None and backend not in _ENGINE_NAMES:
            raise BackendError(f"snnlearn.genn is the embedded engine, 'cpu'; it has no back end {backend!r}")
        self.precision: Precision = precision
        self.name = model_name
        self.backend_name = "cpu"
        self.preferences = read_preferences(preferences)
        self.timing_enabled = False
        self.neuron_populations: dict[str, NeuronGroup] = {}
        self.synapse_populations: dict[str, SynapseGroup] = {}
        self.custom_updates: dict[str, CustomUpdate] = {}
        self._dt = 1.0
        self._seed = 0
        self._network: net.Network | None = None
        self._plan: Plan | None = None
        self._source = ""
        self._library: Any = None
        self._simulation: Simulation | None = None

    # ---- description ----

    @property
    def dt(self) -> float:
        """Timestep [ms]; set it before ``build``."""
        return self._dt

    @dt.setter
    def dt(self, dt: float) -> None:
        self._need_unbuilt("dt")
        number = as_number(dt, "dt")
        if not 0 < number < float("inf"):
            raise NetworkError(f"dt must be a positive number of ms, not {dt!r}")
        self._dt = float(number)

    @property
    def seed(self) -> int:
        """Seed of all random numbers, 0 to 2**64 - 1; 0 stands for a fresh one, drawn by ``load``."""
        return self._seed

    @seed.setter
    def seed(self, seed: int) -> None:
        try:
            number = operator.index(seed)
        except TypeError:
            number = -1
        if not 0 <= number < 2**64:
            raise PreferenceError(f"seed must be an integer from 0 to 2**64 - 1, not {seed!r}")
        self._seed = number

    @property
    def batch_size(self) -> int:
        """How many copies of the model run at once: 1."""
        return 1

    @batch_size.setter
    def batch_size(self, size: int) -> None:
        if size != 1:
            raise PreferenceError(f"the embedded engine has no batches: batch_size must be 1, not {size!r}")

    def add_neuron_population(
        self,
        pop_name: str,
        num_neurons: int,
        neuron: NeuronModel | str,
        params: Mapping[str, Any] | None = None,
        vars: Mapping[str, Any] | None = None,
    ) -> NeuronGroup:
        """Add a number of neurons of one model.

        Parameters
        ----------
        pop_name : str
        num_neurons : int
        neuron : NeuronModel or str
        params : mapping of str to float
        vars : mapping of str to number, array of shape (num_neurons,) or `init_var(...)`

        Raises
        ------
        DeclarationError, DialectError, NetworkError
            For an unknown model, an error in its code, and values that do not fit.
        """
        spec = net.NeuronPopulation(
            pop_name,
            num_neurons,
            resolve(NeuronModel, neuron),
            dict(params or {}),
            dict(vars or {}),
            precision=self.precision,
        )
        return self._add(self.neuron_populations, NeuronGroup(self, spec))

    def add_synapse_population(
        self,
        pop_name: str,
        matrix_type: SynapseMatrixType | str,
        source: NeuronGroup,
        target: NeuronGroup,
        weight_update_init: net.WeightUpdateInit,
        postsynaptic_init: net.PostsynapticInit,
    ) -> SynapseGroup:
        """Connect two populations, all to all.

        Parameters
        ----------
        pop_name : str
        matrix_type : {"DENSE"}
        source, target : NeuronGroup
        weight_update_init : `init_weight_update(...)`
        postsynaptic_init : `init_postsynaptic(...)`

        Raises
        ------
        NetworkError
            For another matrix type, and values that do not fit.
        """
        if matrix_type not in (SynapseMatrixType.DENSE, "DENSE"):
            raise NetworkError(
                f"synapse population '{pop_name}': the embedded engine stores connections as 'DENSE' only, "
                f"not {matrix_type!r}"
            )
        for end in (source, target):
            if not isinstance(end, NeuronGroup) or self.neuron_populations.get(end.name) is not end:
                raise NetworkError(f"synapse population '{pop_name}': {end!r} is no neuron population of this model")
        group = SynapseGroup(self, pop_name, source, target, weight_update_init, postsynaptic_init)
        return self._add(self.synapse_populations, group)

    def add_custom_update(
        self,
        cu_name: str,
        group_name: str,
        custom_update_model: CustomUpdateModel | str,
        params: Mapping[str, Any] | None = None,
        vars: Mapping[str, Any] | None = None,
        var_refs: Mapping[str, Reference | WeightReference] | None = None,
    ) -> CustomUpdate:
        """Add an operation on variables, to be run by ``custom_update(group_name)``.

        Parameters
        ----------
        cu_name, group_name : str
        custom_update_model : CustomUpdateModel or str
        params : mapping of str to float
        vars : mapping of str to number, array or `init_var(...)`
        var_refs : mapping of str to reference
            Made with `create_var_ref`, or all with `create_wu_var_ref`.

        Raises
        ------
        DeclarationError, DialectError, NetworkError
            For an unknown model, an error in its code, and values or references that do not fit.
        """
        refs = dict(var_refs or {})
        spec = net.CustomUpdate(
            cu_name,
            group_name,
            resolve(CustomUpdateModel, custom_update_model),
            dict(params or {}),
            dict(vars or {}),
            refs,
            self._size_of(next(iter(refs.values()))) if refs else 1,
            precision=self.precision,
        )
        return self._add(self.custom_updates, CustomUpdate(self, spec))

    def _size_of(self, ref: Reference | WeightReference) -> int:
        at: Location = ref.to
        if at.group in self.neuron_populations:
            return self.neuron_populations[at.group].spec.size
        if at.group in self.custom_updates:
            return self.custom_updates[at.group].spec.size
        if at.group not in self.synapse_populations:
            raise NetworkError(f"the reference to {at} is to a group of another model")
        spec = self.synapse_populations[at.group].spec
        return {"synapse": spec.size, "pre": spec.source.size}.get(at.space, spec.target.size)

    def _add(self, groups: dict[str, AnyGroup], group: AnyGroup) -> AnyGroup:
        self._need_unbuilt("its groups")
        for known in (self.neuron_populations, self.synapse_populations, self.custom_updates):
            if group.name in known:
                raise NetworkError(f"there is a group called '{group.name}' already")
        groups[group.name] = group
        return group

    # ---- life ----

    def build(self, path_to_model: str = "./", always_rebuild: bool = False, never_rebuild: bool = False) -> None:
        """Check the whole model, generate its source and compile it, unless it has been compiled before.

        The parameters are PyGeNN's and have no effect: nothing is written to ``path_to_model``, and compiled models are
        found by content.

        Raises
        ------
        NetworkError
            For groups that do not fit together.
        CompilerNotFoundError, BuildError
            If there is no compiler, or it fails.
        """
        self._need_unbuilt("build")
        network = self._describe()
        plan = optimise(build_plan(network), self.preferences.optimise)
        source = emit_cpp(plan)
        self._library = build_library(source, bool(self.preferences.portable))
        self._network, self._plan, self._source = network, plan, source

    def _describe(self) -> net.Network:
        neurons = {name: group.spec for name, group in self.neuron_populations.items()}
        for group in self.synapse_populations.values():
            # The populations may have changed since: recording, extra global parameters.
            group._change(source=neurons[group.src.name], target=neurons[group.trg.name])
        synapses = {name: group.spec for name, group in self.synapse_populations.items()}
        updates = {name: group.spec for name, group in self.custom_updates.items()}
        return net.Network(self.name, self._dt, self.precision, neurons, synapses, updates)

    def load(self, num_recording_timesteps: int | None = None) -> None:
        """Put the model into memory and give every variable its first value.

        Parameters
        ----------
        num_recording_timesteps : int, optional
            How many timesteps recordings hold; needed where spikes are recorded.

        Raises
        ------
        LifecycleError
            Before ``build``, when loaded already, and where a length of recording or an array is missing.
        """
        if self._network is None or self._plan is None:
            raise LifecycleError("call build() before load()")
        if self._simulation is not None:
            raise LifecycleError("the model is loaded already; call unload() first")
        recording = [n for n, g in self.neuron_populations.items() if g.spike_recording_enabled]
        if recording and (num_recording_timesteps is None or num_recording_timesteps < 1):
            raise LifecycleError(
                f"'{recording[0]}' records spikes: load() needs num_recording_timesteps, a positive number"
            )
        for group in self._groups():
            group._check_arrays()
        if self._seed == 0:
            self._seed = int.from_bytes(os.urandom(4), "little") or 1
        network = self._describe()
        self._simulation = Simulation(
            network,
            self._plan,
            self._source,
            self._library,
            seed=self._seed,
            recording_timesteps=int(num_recording_timesteps or 0) if recording else 0,
            threads=self.preferences.threads or 1,
            flush_denormals=self.preferences.flush_denormals,
            timing=self.timing_enabled,
            portable=bool(self.preferences.portable),
        )
        for group in self._groups():
            for array in group._arrays():
                array._load()

    def unload(self) -> None:
        """Take the model out of memory; it can be loaded again.

        Raises
        ------
        LifecycleError
            If it is not loaded.
        """
        self._loaded_simulation().close()
        self._simulation = None
        for group in self._groups():
            for array in group._arrays():
                array._unload()
        for neurons in self.neuron_populations.values():
            neurons._recording = None

    def step_time(self) -> None:
        """Run one timestep."""
        self._loaded_simulation().run(1)

    def run(self, num_timesteps: int) -> None:
        """Run many timesteps inside compiled code.

        Raises
        ------
        NetworkError
            For a negative number.
        LifecycleError
            Before ``load``.
        """
        if num_timesteps < 0:
            raise NetworkError(f"cannot run {num_timesteps} timesteps")
        self._loaded_simulation().run(int(num_timesteps))

    def custom_update(self, name: str) -> None:
        """Run all custom updates of a group.

        Raises
        ------
        NetworkError
            If there is no such group.
        LifecycleError
            Before ``load``.
        """
        simulation = self._loaded_simulation()
        self._check_update_group(name)
        simulation.custom_update(name)

    def pull_recording_buffers_from_device(self) -> None:
        """Copy what was recorded to the host, for ``spike_recording_data``.

        Raises
        ------
        LifecycleError
            Before ``load``, where nothing is recorded, and before as many timesteps have passed as recordings hold.
        """
        simulation = self._loaded_simulation()
        recording = [g for g in self.neuron_populations.values() if g.spike_recording_enabled]
        if not recording:
            raise LifecycleError("no population records spikes; set spike_recording_enabled before build")
        for group in recording:
            group._recording = simulation.recording(group.name)

    @property
    def timestep(self) -> int:
        """The number of the next timestep. Setting it leaves spikes in flight and recordings as they are."""
        return self._loaded_simulation().timestep

    @timestep.setter
    def timestep(self, timestep: int) -> None:
        number = operator.index(timestep)
        if number < 0:
            raise NetworkError(f"timestep must not be negative: {timestep!r}")
        self._loaded_simulation().timestep = number

    @property
    def t(self) -> float:
        """The time at which the next timestep starts [ms]."""
        return self.timestep * self._dt

    def source(self) -> str:
        """Return the generated C++ source.

        Raises
        ------
        LifecycleError
            Before ``build``.
        """
        if self._plan is None:
            raise LifecycleError("call build() before source()")
        return self._source

    def explain(self) -> str:
        """Return a table of the optimised plan: kernels, loops, reads, writes, and what runs when and why.

        Raises
        ------
        LifecycleError
            Before ``build``.
        """
        if self._plan is None:
            raise LifecycleError("call build() before explain()")
        return explain(self._plan, self.preferences.optimise)

    def state(self) -> dict[str, NDArray[Any]]:
        """Return a copy of all that the future depends on, on the device: variables, spikes in flight, recordings.

        Dynamic parameters are part of it; extra global parameters and `timestep` are not.

        Returns
        -------
        dict of str to ndarray
            By group and name, flat.
        """
        return self._loaded_simulation().state()

    def set_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Put a state back, on the device; host copies stay as they are.

        Raises
        ------
        NetworkError
            If it is not the state of such a model.
        """
        simulation = self._loaded_simulation()
        here = simulation.state()
        for name, values in here.items():
            if name not in state:
                raise NetworkError(f"the state is of another model: it has no {name}")
            if (state[name].shape, state[name].dtype) != (values.shape, values.dtype):
                raise NetworkError(
                    f"the state is of another model: {name} has {state[name].dtype} of shape {state[name].shape}, "
                    f"not {values.dtype} of shape {values.shape}"
                )
        simulation.set_state(state)

    # ---- helpers ----

    @property
    def _built(self) -> bool:
        return self._plan is not None

    @property
    def _loaded(self) -> bool:
        return self._simulation is not None

    def _groups(self) -> list[NeuronGroup | SynapseGroup | CustomUpdate]:
        return [
            *self.neuron_populations.values(),
            *self.synapse_populations.values(),
            *self.custom_updates.values(),
        ]

    def _loaded_simulation(self) -> Simulation:
        if self._simulation is None:
            raise LifecycleError("the model is not loaded: call build() and load() first")
        return self._simulation

    def _need_unbuilt(self, what: str) -> None:
        if self._built:
            raise LifecycleError(f"the model is built already: too late for {what}")

    def _check_update_group(self, name: str) -> None:
        known = {group.spec.group_name for group in self.custom_updates.values()}
        if name not in known:
            raise NetworkError(f"there is no custom update group '{name}'{did_you_mean(name, known)}")

    def _timer(self, name: str) -> float:
        return self._loaded_simulation().timers().get(name, 0.0)
