"""The learner: a network, what to train of it, on what, and how it is doing; phases say the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from snnlearn.attributes import CheckedAttributes
from snnlearn.errors import TrainingError, did_you_mean
from snnlearn.training.arguments import TrainedConnection, check_connections, check_kind, check_lists, check_whole
from snnlearn.training.callbacks import Callback
from snnlearn.training.checkpoint import Checkpoint
from snnlearn.training.conductor import Conductor, EpochResult
from snnlearn.training.data import Data
from snnlearn.training.decay import DecayType
from snnlearn.training.finder import FoundRate, find_rate
from snnlearn.training.fingerprint import fingerprint
from snnlearn.training.history import History
from snnlearn.training.layout import lay_out
from snnlearn.training.measures import Measure
from snnlearn.training.one_thread import OneThread, one_thread
from snnlearn.training.optimisers import Optimiser, attach, precision_of, resolve_optimiser
from snnlearn.training.phases import TrainingPhase
from snnlearn.training.runner import TrialRunner

# What of a learner can be replaced between fits.
_SETTINGS = "data validation loss metrics callbacks shuffle seed quiet read_trials"


class Learner(OneThread, CheckedAttributes, settings=_SETTINGS.split()):
    """Trains connections of a network, phase by phase.

    While a thread trains, whatever another thread asks for raises TrainingError, ``runner.request_stop()`` apart.

    Parameters
    ----------
    genn : module
        The engine's PyGeNN-shaped API: `snnlearn.genn` or `snnlearn.pygenn_engine`.
    model : GeNNModel
        Described, not built: the learner adds the optimisers, builds and loads.
    connections : sequence of TrainedConnection
    trial_timesteps, update_timesteps, update_offset : int
        Length of a trial and when weights change, see `TrialRunner`.
    loss : Measure
        Asked at every update.
    data, validation : Data, optional
        By default one example, that of the network's own sources; and no validation. Validation runs after each
        epoch, without updates, and leaves no trace in the network.
    metrics : sequence of Measure
        Asked at the end of each epoch, of the validation data where there are such.
    optimisers : sequence of str or Optimiser
        To be compiled beside those that the first phases name; an optimiser that was not compiled cannot be used later.
    reset_groups : sequence of str
        Custom update groups to run at the start of each trial.
    prepare : callable, optional
        Called once, when the model is loaded.
    shuffle : bool
        Whether each epoch shows the data in another order.
    seed : int
        Of that order.
    record, populations : collection of int, sequence of neuron groups
        Trials to record, counted from 0 over all fits, and whose spikes to hand to ``on_recording``.
    callbacks : sequence of Callback
    quiet : bool
        Print no table and show no progress bar.
    read_trials : int
        After how many trials, at the latest, to read and check losses that are noted on the device. They are read
        before where somebody asks: a callback for `sched` or `epochs`, the table of epochs, ``stop_div``, `save`.

    Attributes
    ----------
    runner : TrialRunner
        With the counters of trials, timesteps and updates.

    Raises
    ------
    TrainingError
        Where there is nothing to train.
    """

    def __init__(
        self,
        genn: ModuleType,
        model: Any,
        connections: Sequence[TrainedConnection],
        *,
        trial_timesteps: int,
        update_timesteps: int,
        update_offset: int = 0,
        loss: Measure,
        data: Data | None = None,
        validation: Data | None = None,
        metrics: Sequence[Measure] = (),
        optimisers: Sequence[str | Optimiser] = (),
        reset_groups: Sequence[str] = (),
        prepare: Callable[[], None] | None = None,
        shuffle: bool = True,
        seed: int = 1,
        record: Collection[int] = (),
        populations: Sequence[Any] = (),
        callbacks: Sequence[Callback] = (),
        quiet: bool = False,
        read_trials: int = 10,
    ) -> None:
        check_connections(connections)
        check_kind("loss and metrics", Measure, (loss, *metrics))
        check_kind("callbacks", Callback, callbacks)
        check_lists(optimisers, reset_groups)
        check_whole("seed", seed, 0)
        check_whole("read_trials", read_trials, 1)
        if record and not populations:
            raise TrainingError("record needs populations: whose spikes?")
        super().__init__()
        self.model = model
        self.connections = tuple(connections)
        self.loss, self.metrics = loss, tuple(metrics)
        self.data = data if data is not None else Data()
        self.validation, self.callbacks = validation, list(callbacks)
        self.shuffle, self.seed, self.quiet = shuffle, seed, quiet
        self.read_trials = read_trials
        self.trial_timesteps, self.update_timesteps = trial_timesteps, update_timesteps
        self._update_offset = update_offset
        self.reset_groups = tuple(reset_groups)
        self._genn, self._prepare = genn, prepare
        self._record = bool(populations)
        self._asked = [resolve_optimiser(o) for o in optimisers]
        self._optimisers: dict[str, Optimiser] = {}
        self._updates: dict[str, list[Any]] = {}
        self._built = False
        self._rates: dict[tuple[str, str], tuple[float, ...]] = {}  # as set on the device
        self._conductor = Conductor(self)
        self.runner = TrialRunner(
            model,
            trial_timesteps,
            update_group="",
            update_timesteps=update_timesteps,
            update_offset=update_offset,
            reset_groups=reset_groups,
            record=record,
            populations=populations,
            callbacks=[self._conductor],
        )

    # ---- how it went ----

    @property
    @one_thread
    def sched(self) -> History:
        """What the last fit did: rates, momenta and losses by iteration, with plots. Reads losses from the device."""
        self._conductor.settle()
        return self._conductor.history

    @property
    @one_thread
    def epochs(self) -> list[EpochResult]:
        """Those of the last fit. Reads losses from the device."""
        self._conductor.settle()
        return self._conductor.epochs

    # ---- training ----

    @one_thread
    def fit(self, epochs: float, lr: Any = None, optimiser: str | Optimiser = "RMaxProp", **phase: Any) -> None:
        """Train for one phase; the arguments are `TrainingPhase`'s."""
        self.fit_opt_sched([TrainingPhase(epochs, optimiser, lr, **phase)])

    @one_thread
    def fit_opt_sched(
        self,
        phases: Sequence[TrainingPhase],
        data_list: Sequence[Data] | None = None,
        stop_div: bool = False,
        *,
        resume: bool = False,
    ) -> None:
        """Train phase by phase.

        Parameters
        ----------
        phases : sequence of TrainingPhase
        data_list : sequence of Data, optional
            The data of each phase; by default the learner's own for all.
        stop_div : bool
            Stop where the loss is not finite or diverges, see `Divergence`.
        resume : bool
            Go on with a fit of the same phases that was stopped, here or before `save`.

        Raises
        ------
        TrainingError
            For no phases, lists of different lengths, rates that do not fit the connections, an optimiser that was not
            compiled, a parameter that the model's precision takes out of its interval, a fraction of an epoch that is
            less than a trial, nothing to resume; for a loss that is not finite (unless ``stop_div``); and for a
            callback that raises.
        """
        datas = self._check(phases, data_list)
        self.build([phase.optimiser for phase in phases])
        conductor = self._conductor
        signature = [f"{phase.signature} on {len(data)}" for phase, data in zip(phases, datas, strict=True)]
        if not resume:
            conductor.begin(signature)
        elif conductor.start is None:
            raise TrainingError("there is no fit to resume: none was begun, and no checkpoint of one loaded")
        elif conductor.start["signature"] != signature:
            raise TrainingError("resume needs the phases and data of the fit that was stopped, and these are others")
        assert conductor.start is not None
        segments = lay_out(
            [phase.epochs for phase in phases],
            [len(data) for data in datas],
            [number > 0 and datas[number] is datas[number - 1] for number in range(len(phases))],
            conductor.start["trial"],
            conductor.start["timestep"],
            conductor.start["epoch"],
            self.trial_timesteps,
            self.runner.updates_until,
        )
        conductor.conduct(list(zip(segments, phases, datas, strict=True)), stop_div)

    def _check(self, phases: Sequence[TrainingPhase], data_list: Sequence[Data] | None) -> list[Data]:
        if isinstance(phases, TrainingPhase) or not all(isinstance(phase, TrainingPhase) for phase in phases):
            raise TrainingError("phases must be a list of TrainingPhase")
        if not phases:
            raise TrainingError("there are no phases to train")
        if data_list is not None and len(data_list) != len(phases):
            raise TrainingError(
                f"data_list has {len(data_list)} data sets for {len(phases)} phases; repeat one as needed"
            )
        for number, phase in enumerate(phases):
            try:
                phase.check_connections(len(self.connections))
                phase.check_precision(precision_of(self.model))
            except TrainingError as error:
                raise TrainingError(f"phase {number}: {error}") from None
        datas = list(data_list) if data_list is not None else [self.data] * len(phases)
        for number, data in enumerate(datas):
            if len(data) < 1:
                raise TrainingError(f"phase {number}: its data set is empty")
        return datas

    @one_thread
    def build(self, optimisers: Sequence[str | Optimiser] = ()) -> None:
        """Compile and load the network with these optimisers and the learner's own, unless that is done.

        Raises
        ------
        TrainingError
            If it is done and an optimiser is not among those compiled.
        """
        wanted = {o.name: o for o in (*self._asked, *(self._resolve(o) for o in optimisers))}
        if self._built:
            for name in wanted:
                if name not in self._updates:
                    raise TrainingError(
                        f"the optimiser '{name}' was not compiled{did_you_mean(name, self._updates)}; "
                        f'name it at the start: Learner(optimisers=["{name}"])'
                    )
            return
        for rule in wanted.values():
            # Attached already where an earlier attempt failed in the compiler.
            if rule.name not in self._updates:
                self._updates[rule.name] = [self._attach(rule, c) for c in self.connections]
                self._optimisers[rule.name] = rule
        self.model.build()
        self.model.load(num_recording_timesteps=self.trial_timesteps if self._record else None)
        self._built = True
        if self._prepare is not None:
            self._prepare()

    def _resolve(self, optimiser: str | Optimiser) -> Optimiser:
        """Return the optimiser of this name, first of those that the learner was given."""
        own = {o.name: o for o in self._asked} | self._optimisers
        return own[optimiser] if isinstance(optimiser, str) and optimiser in own else resolve_optimiser(optimiser)

    def _attach(self, rule: Optimiser, connection: TrainedConnection) -> Any:
        synapses, feedback = connection.synapses, connection.feedback
        transpose = (feedback, connection.feedback_weight) if feedback is not None else ()
        overrides = {"gradientScale": 1.0 / self.update_timesteps}
        if connection.bounds is not None:
            overrides |= dict(zip(("wMin", "wMax"), map(float, connection.bounds), strict=True))
        return attach(
            self.model,
            rule,
            f"{rule.name}_{synapses.name}",
            f"update_{rule.name}",
            self._genn.create_wu_var_ref(synapses, connection.gradient),
            self._genn.create_wu_var_ref(synapses, connection.weight, *transpose),
            {name: value for name, value in overrides.items() if name in rule.params},
        )

    def set_rates(self, rule: Optimiser, values: dict[str, Any]) -> None:
        """Set parameters of a compiled optimiser: a number, or one for each connection, by parameter."""
        for param, value in values.items():
            each = tuple(np.broadcast_to(np.asarray(value, dtype=np.float64), len(self.connections)).tolist())
            if self._rates.get((rule.name, param)) == each:
                continue
            for number in each:
                rule.check_value(param, number, precision_of(self.model))
            self._rates[rule.name, param] = each
            for update, number in zip(self._updates[rule.name], each, strict=True):
                update.set_dynamic_param_value(param, number)

    def check_weights(self) -> None:
        """Check that all trained weights are finite; waits for the device.

        A loss need not show it where they are not: a neuron whose potential is NaN is silent.

        Raises
        ------
        TrainingError
            If weights of a connection are not; says of which, and how many.
        """
        for connection in self.connections:
            weights = connection.synapses.vars[connection.weight]
            weights.pull_from_device()
            values = np.asarray(weights.current_values)
            bad = np.count_nonzero(~np.isfinite(values))
            if bad:
                raise TrainingError(
                    f"{bad} of {values.size} weights of '{connection.synapses.name}' are no longer finite; "
                    "a lower learning rate or tighter weight bounds may help"
                )

    def lr_of_update(self, update: int) -> float:
        """Return the learning rate that the current fit has for an update, the highest where connections differ.

        Parameters
        ----------
        update : int
            Counted over all fits; one beyond the last of the fit has the last's.
        """
        return self._conductor.lr_of_update(update)

    def update_group(self, rule: Optimiser) -> str:
        """Return the custom update group that runs an optimiser."""
        return f"update_{rule.name}"

    @one_thread
    def validate(self) -> tuple[float, dict[str, float]]:
        """Run the validation data, without updates; returns the loss and the metrics by name.

        The network and the measures are left as they were.

        Raises
        ------
        TrainingError
            Where there are no validation data.
        """
        if self.validation is None:
            raise TrainingError("the learner has no validation data")
        measures = (self.loss, *self.metrics)
        self._conductor.settle()
        kept = self.model.state(), self.model.timestep, [dict(m.state) for m in measures]
        try:
            values = self._run_validation(self.validation, measures)
        finally:
            self.model.set_state(kept[0])
            self.model.timestep = kept[1]
            for measure, state in zip(measures, kept[2], strict=True):
                measure.state = state
        return values[0], {m.name: v for m, v in zip(self.metrics, values[1:], strict=True)}

    def _run_validation(self, validation: Data, measures: Sequence[Measure]) -> list[float]:
        for measure in measures:
            measure.restart()
        for index in range(len(validation)):
            for group in self.reset_groups:
                self.model.custom_update(group)
            self.model.timestep = 0
            validation.present(self.model, index)
            self.model.run(self.trial_timesteps)
            for measure in measures:
                measure.after_trial(validation, index)
        return [float(measure.value(self.runner.timestep)) for measure in measures]

    # ---- finding a rate ----

    @one_thread
    def lr_find(
        self,
        start: float,
        end: float,
        *,
        epochs: float = 1.0,
        optimiser: str | Optimiser = "RMaxProp",
        decay: Any = DecayType.EXPONENTIAL,
        **phase: Any,
    ) -> FoundRate:
        """Train with a rate that grows from ``start`` to ``end``, then put everything back as it was.

        Parameters
        ----------
        start, end : float
        epochs : float
            How long; 100 to 200 updates give a clear curve.
        optimiser, **phase
            As in `TrainingPhase`.
        decay : decay
            How the rate grows.

        Returns
        -------
        FoundRate
            The curve and a suggestion; ``learner.sched`` stays that of the last fit.

        Raises
        ------
        TrainingError
            As in `fit_opt_sched`; and where the losses are too few to choose a rate, or never fall.
        """
        if not (isinstance(start, (int, float)) and isinstance(end, (int, float)) and 0 < start < end):
            raise TrainingError(f"the finder's rates must grow: 0 < start < end, not {start!r} to {end!r}")
        self.build([optimiser])
        before, parts = self._snapshot(), self._conductor.parts
        quiet, self.quiet = self.quiet, True
        try:
            self.fit_opt_sched([TrainingPhase(epochs, optimiser, (start, end), decay, **phase)], stop_div=True)
        finally:
            self.quiet = quiet
            history, ending = self.sched, self._conductor.ending()
            self._restore(before)
            self._conductor.parts = parts
        return find_rate(history, ending)

    # ---- checkpoints ----

    @one_thread
    def save(self, name: str | Path) -> Path:
        """Write weights, optimisers' state and everything else that training needs to go on; returns the file.

        Raises
        ------
        TrainingError
            Before the network is built.
        OutputError
            If the file cannot be written.
        """
        if not self._built:
            raise TrainingError("there is nothing to save: the network is not built yet")
        checkpoint = self._snapshot()
        return replace(
            checkpoint, progress={**checkpoint.progress, "fingerprint": self._fingerprint(self._optimisers)}
        ).write(name)

    @one_thread
    def load(self, name: str | Path, *, force: bool = False) -> None:
        """Read what `save` wrote, here or in another process, and be where training was then.

        Parameters
        ----------
        name : path-like
        force : bool
            Load the checkpoint of a network that was declared otherwise (another rule, other parameters or bounds),
            or that does not say, as long as its variables fit.

        Raises
        ------
        TrainingError
            If there is no such file, or it is of another network or other optimisers; says what differs and how.
        """
        checkpoint = Checkpoint.read(name)
        checkpoint.check_setup(self._setup())
        if not force:
            checkpoint.check_fingerprint(self._fingerprint(checkpoint.progress["optimisers"]))
        self.build(checkpoint.progress["optimisers"])
        present = self.model.state()
        checkpoint = checkpoint.fitted_to(present)
        checkpoint.check_fits(present)
        self._restore(checkpoint)

    def _fingerprint(self, optimisers: Iterable[str]) -> dict[str, Any]:
        """Return what a checkpoint's network is known by, with the optimisers of these names."""
        rules = [self._resolve(name) for name in optimisers]
        own = {update.name for updates in self._updates.values() for update in updates}
        return fingerprint(self.model.description(), own, self.connections, rules)

    def _setup(self) -> dict[str, Any]:
        """Return what must be the same where training goes on."""
        return {
            "trial_timesteps": self.trial_timesteps,
            "update_timesteps": self.update_timesteps,
            "update_offset": self._update_offset,
            "shuffle": self.shuffle,
            "seed": self.seed,
            "measures": [m.name for m in (self.loss, *self.metrics)],
        }

    def _snapshot(self) -> Checkpoint:
        runner = self.runner
        self._conductor.settle()
        progress = {
            "setup": self._setup(),
            "optimisers": list(self._updates),
            "runner": [runner.trial, runner.timestep, runner.update, runner.timesteps_left],
            "timestep": self.model.timestep,
            "conductor": self._conductor.state(),
            "measures": [dict(m.state) for m in (self.loss, *self.metrics)],
            "history": self.sched.to_dict(),
            "epochs": [epoch.to_list() for epoch in self.epochs],
        }
        return Checkpoint(self.model.state(), progress)

    def _restore(self, checkpoint: Checkpoint) -> None:
        progress, runner = checkpoint.progress, self.runner
        # All that can fail comes before the first change.
        trial, timestep, update, left = progress["runner"]
        sched = History.from_dict(progress["history"])
        epochs = [EpochResult.from_list(epoch) for epoch in progress["epochs"]]
        self._conductor.settle()
        self._rates.clear()
        self.model.set_state(checkpoint.arrays)
        self.model.timestep = progress["timestep"]
        runner.trial, runner.timestep, runner.update, runner.timesteps_left = trial, timestep, update, left
        self._conductor.set_state(progress["conductor"], sched, epochs)
        for measure, state in zip((self.loss, *self.metrics), progress["measures"], strict=True):
            measure.state = dict(state)
