"""``GeNNModel``: a network under construction, then a simulation."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from numpy.typing import NDArray

from snnlearn import network as net
from snnlearn.attributes import settings_of
from snnlearn.codegen.plan import Plan, build_plan, optimise, verify_plan, with_checks
from snnlearn.errors import LifecycleError, NetworkError, did_you_mean
from snnlearn.genn.arguments import checked_arguments
from snnlearn.genn.collector import no_collection
from snnlearn.genn.describe import describe
from snnlearn.genn.enums import PlogSeverity
from snnlearn.genn.group import Group
from snnlearn.genn.keeping import KeepsRecordings
from snnlearn.genn.preferences import Preferences, read_preferences
from snnlearn.genn.protocols import GradientProgram
from snnlearn.genn.timing import TimesSpent
from snnlearn.network import Location
from snnlearn.network.checks import check_size
from snnlearn.runtime import Simulation
from snnlearn.runtime.compiler import stop_compilers
from snnlearn.runtime.engines import Built, Engine, Start, make_engine, split_name
from snnlearn.runtime.initial_values import RowsTooLong
from snnlearn.runtime.state_checks import check_state


class GeNNModel(KeepsRecordings, TimesSpent):
    """A model to be described, built, loaded and run, as in PyGeNN.

    Any thread may use a loaded model. One at a time is at work on it: while one of them is in `run`, all else that
    reads or changes the simulation waits until that run has ended, and another `run`, `step_time` or `unload` raises
    LifecycleError.

    Parameters
    ----------
    precision : {"float", "double"}
        The type ``scalar`` of code strings; also `types.Float` and `types.Double`.
    model_name : str
    backend : str, optional
        ``"cpu"``, by default; PyGeNN's ``"single_threaded_cpu"`` means it too. ``"cuda"`` is a GPU, ``"cuda:1"`` the
        second one of several. ``"reference"`` is plain Python: slow, to be read (`source`) and to be compared with.
    time_precision : {"float", "double"}, optional
        The type ``timepoint`` of code strings, which ``t``, ``dt`` and the times of spikes have; by default that of
        ``scalar``.
    **preferences
        See `snnlearn.genn.preferences.Preferences`. Others of GeNN's back ends are accepted and have no effect.

    Raises
    ------
    PreferenceError
        For an unknown preference or precision.
    BackendError
        For an unknown back end.
    """

    default_backend: str | None = None

    def __init__(
        self,
        precision: str = "float",
        model_name: str = "GeNNModel",
        backend: str | None = None,
        time_precision: str | None = None,
        **preferences: Any,
    ) -> None:
        super().__init__()
        self._programs: list[GradientProgram] = []
        self._states_set = 0  # how often a state has been put back
        self._network: net.Network | None = None
        self._plan: Plan | None = None
        self._engine: Engine | None = None
        self._artefact: Built | None = None
        self._simulation = None
        self.precision = precision
        self.time_precision = time_precision
        self.name = model_name
        self.backend_name = self.default_backend if backend is None else backend
        self._preferences = read_preferences(preferences, settings_of(type(self)))
        self.backend_log_level = preferences.get("backend_log_level", PlogSeverity.WARNING)

    @property
    def preferences(self) -> Preferences:
        """How the engine builds and runs the model, as given when it was made."""
        return self._preferences

    @property
    def backend_name(self) -> str:
        """``"cpu"``, ``"cuda"`` or ``"reference"``; any name for a back end can be assigned before ``build``."""
        return self._backend[0]

    @backend_name.setter
    def backend_name(self, name: str | None) -> None:
        self._need_unbuilt_to_set("backend_name")
        self._backend = split_name(name)

    @property
    def backend_log_level(self) -> PlogSeverity:
        """Accepted, and without effect: Python's ``logging`` decides."""
        return self._backend_log_level

    @backend_log_level.setter
    def backend_log_level(self, level: PlogSeverity) -> None:
        self._backend_log_level = level

    # ---- life ----

    @checked_arguments
    def build(self, path_to_model: str = "./", always_rebuild: bool = False, never_rebuild: bool = False) -> None:
        """Check the whole model, generate its source and compile it, unless it has been compiled before.

        The parameters are PyGeNN's and have no effect: nothing is written to ``path_to_model``, and compiled models are
        found by content.

        Raises
        ------
        NetworkError
            For groups that do not fit together.
        BackendError
            If the back end cannot be used here.
        CompilerNotFoundError, BuildError
            If there is no compiler, or it fails.
        """
        self._need_unbuilt("build")
        for program in self._programs:
            program._prepare()
        kind, device = self._backend
        self._make(make_engine(kind, self.preferences.device if device is None else device))

    def _make(self, engine: Engine) -> None:
        """Plan and compile the network as it is now."""
        with no_collection():
            network = self._network = describe(self)
            finish = engine.begin(self.preferences.options)
            try:
                plan = optimise(build_plan(network), self._rewrites())
                if self.preferences.checked:
                    plan = verify_plan(with_checks(plan))
                self._artefact = finish(plan)
            except KeyboardInterrupt:
                stop_compilers()  # what has begun beside this is not to be waited for when the process ends
                raise
        self._engine, self._plan = engine, plan

    @checked_arguments
    def load(self, num_recording_timesteps: int | None = None) -> None:
        """Put the model into memory and give every variable its initial value.

        Parameters
        ----------
        num_recording_timesteps : int, optional
            How many timesteps recordings hold; needed where spikes are recorded.

        Raises
        ------
        LifecycleError
            Before ``build``, when loaded already, and where a length of recording or an initialiser's array is missing.
        NetworkError
            For a source of spikes whose times are not in its array, or do not ascend.
        """
        if self._engine is None or self._artefact is None or self._plan is None:
            raise LifecycleError("call build() before load()")
        if self._simulation is not None:
            raise LifecycleError("the model is loaded already; call unload() first")
        recorded = list(self._recorded())
        length = num_recording_timesteps
        if length is not None:
            length = check_size("load()", "num_recording_timesteps", length, 0)
        if recorded and not length:
            raise LifecycleError(
                f"'{recorded[0][0].name}' is recorded: load() needs num_recording_timesteps, a positive number"
            )
        referred = self._referenced_arrays()
        for group in self._groups():
            group._check_connections()
            group._check_arrays(referred)
        if self._seed == 0:
            self._seed = int.from_bytes(os.urandom(4), "little") or 1
        start = Start(self._seed, length or 0 if recorded else 0, self.timing_enabled)
        self._simulation = self._start(start)
        try:
            self._load_checkpoints()
            for program in self._programs:
                program._begin()
            for group in self._groups():
                group._load()
        except NetworkError:
            self.unload()
            raise
        wanted = set(self._simulation.host_locations)
        if wanted:
            for array in (array for group in self._groups() for array in group._arrays()):
                array._share(self._simulation, wanted)

    def _start(self, start: Start) -> Simulation:
        """Load what was built; where rows need more room than was expected of them, build it anew."""
        try:
            return self._load_engine(start)
        except RowsTooLong as error:
            # The room for rows is compiled in. A seed always makes the same rows, so this happens once.
            for group in self.synapse_populations.values():
                if group._key in error.longest:
                    group._make_room(error.longest[group._key])
            assert self._engine is not None
            self._make(self._engine)
            return self._load_engine(start)

    def _load_engine(self, start: Start) -> Simulation:
        assert self._engine is not None
        assert self._plan is not None
        assert self._artefact is not None
        network = self._network = describe(self, self._network)
        return self._engine.load(network, self._plan, self._artefact, self.preferences.options, start)

    def unload(self) -> None:
        """Take the model out of memory; it can be loaded again.

        Raises
        ------
        LifecycleError
            If it is not loaded.
        """
        self._loaded_simulation().close()
        self._simulation = None
        for program in self._programs:
            program._end()
        for group in self._groups():
            group._unload()

    def step_time(self) -> None:
        """Run one timestep; raises LifecycleError as `run`."""
        (self._simulation or self._loaded_simulation()).step()

    def run(self, num_timesteps: int) -> None:
        """Run many timesteps inside compiled code.

        Raises
        ------
        NetworkError
            For what is no number of timesteps.
        LifecycleError
            Before ``load``; while another thread runs the model; in a signal handler that interrupts a run of it.
        """
        number = check_size("run()", "the number of timesteps", num_timesteps, 0)
        self._loaded_simulation().run(number)

    def custom_update(self, name: str) -> None:
        """Run all custom updates of a group.

        Raises
        ------
        NetworkError
            If there is no such group.
        LifecycleError
            Before ``load``.
        """
        simulation = self._simulation
        if simulation is None or name not in simulation.updates:
            simulation = self._loaded_simulation()
            self._check_update_group(name)
        if self._programs:
            for program in self._programs:
                program._note_update(name)
        simulation.custom_update(name)

    def pull_recording_buffers_from_device(self) -> None:
        """Copy what was recorded to the host, for ``spike_recording_data``.

        Raises
        ------
        LifecycleError
            Before ``load``, where nothing is recorded, and before as many timesteps have passed as recordings hold.
        """
        simulation = self._loaded_simulation()
        recorded = list(self._recorded())
        if not recorded:
            raise LifecycleError("nothing is recorded; set spike_recording_enabled of a population before build")
        found = simulation.in_turn(lambda: [simulation.recording(at) for _, at in recorded])
        for (group, at), recording in zip(recorded, found, strict=True):
            group._keep_recording(at, recording)

    @property
    def timestep(self) -> int:
        """The number of the next timestep. Setting it leaves spikes in flight and recordings as they are."""
        return self._loaded_simulation().timestep

    @timestep.setter
    def timestep(self, timestep: int) -> None:
        number = check_size("the model", "timestep", timestep, 0)
        if number >= 2**64:
            raise NetworkError(f"the model: timestep must be below 2**64, not {timestep!r}")
        self._loaded_simulation().timestep = number

    @property
    def t(self) -> float:
        """The time at which the next timestep starts [ms]."""
        return self.timestep * self._dt

    def source(self) -> str:
        """Return the generated source, in C++, CUDA C++ or Python.

        Raises
        ------
        LifecycleError
            Before ``build``.
        """
        if self._artefact is None:
            raise LifecycleError("call build() before source()")
        return self._artefact.source

    def explain(self) -> str:
        """Return a table of the optimised plan: kernels, loops, reads, writes, and what runs when and why.

        On a GPU, and while the model is loaded, it ends with how timesteps are launched.

        Raises
        ------
        LifecycleError
            Before ``build``.
        """
        if self._plan is None or self._engine is None:
            raise LifecycleError("call build() before explain()")
        notes = self._simulation.notes if self._simulation is not None else ()
        return "\n".join([self._engine.explain(self._plan, self._rewrites()), *notes])

    def description(self) -> dict[str, Any]:
        """Return what the model declares, as dicts, lists, strings and numbers; see `snnlearn.network.description`.

        Raises
        ------
        NetworkError
            For groups that do not fit together.
        """
        return net.description(describe(self))

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
            If it is not the state of such a model, or holds counts and indices that none can have. Nothing is changed
            then.
        """
        simulation = self._loaded_simulation()
        self._check_state(simulation, state)
        for program in self._programs:
            program._note_state()
        simulation.set_state(state)
        self._states_set += 1
        for neurons in self.neuron_populations.values():
            neurons._note_state()

    def check_whole(self) -> None:
        """Check that the model is at the end of a timestep, and has not been given up in the midst of one.

        Raises
        ------
        NetworkError
            If Ctrl-C has ended a timestep that took long. `set_state` makes the model whole again.
        """
        self._loaded_simulation().need_whole()

    @property
    def states_set(self) -> int:
        """How often a state has been put back: what was known of the device does not hold any more."""
        return self._states_set

    def check_state(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Check that a state can be put back, and that neurons' parts of the arrays that are here are in them.

        Raises
        ------
        NetworkError
            If not; says what.
        """
        self._check_state(self._loaded_simulation(), state)
        for group in self.neuron_populations.values():
            for check in group._part_checks:
                check.check_state(state)

    def _check_state(self, simulation: Simulation, state: Mapping[str, NDArray[Any]]) -> None:
        if not isinstance(state, Mapping):
            raise NetworkError(f"a state is a mapping of names to arrays, not {type(state).__name__}")
        here = simulation.state()
        for name, values in here.items():
            if name not in state:
                raise NetworkError(f"the state is of another model: it has no {name}")
            if (state[name].shape, state[name].dtype) != (values.shape, values.dtype):
                raise NetworkError(
                    f"the state is of another model: {name} has {state[name].dtype} of shape {state[name].shape}, "
                    f"not {values.dtype} of shape {values.shape}"
                )
        check_state(simulation.plan, simulation.network, state)

    def _note_param(self, at: Location, value: float) -> None:
        """Tell programs of a dynamic parameter that is about to change."""
        if not self._programs:
            return
        (now,) = self._loaded_simulation().copy(at)
        if now != now.dtype.type(value):
            for program in self._programs:
                program._note_param(at)

    # ---- helpers ----

    def _rewrites(self) -> tuple[str, ...]:
        return self.preferences.rewrites(self.backend_name)

    def _describe(self) -> net.Network:
        return describe(self)

    @property
    def _place(self) -> str:
        """Which memory the model's arrays are in, by name."""
        kind, device = self._backend
        return kind if kind == "cpu" else f"{kind}:{self.preferences.device or 0 if device is None else device}"

    @property
    def _built(self) -> bool:
        return self._plan is not None

    @property
    def _loaded(self) -> bool:
        return self._simulation is not None

    @property
    def _recording_in_use(self) -> bool:
        """Whether anything is recorded, so that ``load`` needs ``num_recording_timesteps``."""
        return any(self._recorded())

    @property
    def _runtime(self) -> Simulation | None:
        return self._simulation

    def _recorded(self) -> Iterable[tuple[Group[Any], Location]]:
        for group in self._groups():
            for at in group._recorded():
                yield group, at

    def _loaded_simulation(self) -> Simulation:
        if self._simulation is None:
            raise LifecycleError("the model is not loaded: call build() and load() first")
        return self._simulation

    def _check_update_group(self, name: str) -> None:
        updates = (*self.custom_updates.values(), *self.custom_connectivity_updates.values())
        known = {group.update_group_name for group in updates}
        if name not in known:
            raise NetworkError(f"there is no custom update group '{name}'{did_you_mean(name, known)}")

    def _timer(self, name: str) -> float:
        return self._loaded_simulation().timers().get(name, 0.0)
