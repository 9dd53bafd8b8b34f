"""The learner: a network, what to train of it, on what, and how it is doing; phases say the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import fields
from numbers import Real
from pathlib import Path
from typing import Any, Union

from snnlearn.attributes import CheckedAttributes
from snnlearn.calling import named_arguments
from snnlearn.declare.optimiser import Optimiser
from snnlearn.errors import TrainingError
from snnlearn.training.arguments import (
    Settings,
    TrainedConnection,
    check_connections,
    check_kind,
    check_lists,
    check_whole,
)
from snnlearn.training.batch_mean import gradient_means
from snnlearn.training.callbacks import Callback
from snnlearn.training.checkpoint import Checkpoint
from snnlearn.training.conductor import Conductor
from snnlearn.training.data import Data
from snnlearn.training.decay import DecayType
from snnlearn.training.engine import CustomUpdateApi, EngineApi, GradientApi, ModelApi, NeuronGroupApi
from snnlearn.training.finder import Ending, FoundRate, find_rate
from snnlearn.training.fit import check_phases, plan_fit, signature_of
from snnlearn.training.forwarding import Forwarded
from snnlearn.training.history import History
from snnlearn.training.learnt_rates import LearntRates
from snnlearn.training.measures import Measure
from snnlearn.training.one_thread import OneThread, one_thread
from snnlearn.training.optimisers import precision_of
from snnlearn.training.phases import TrainingPhase
from snnlearn.training.presenting import make_presenter
from snnlearn.training.runner import TrialRunner
from snnlearn.training.saving import Saving
from snnlearn.training.session import Counters, EpochResult, Session, SessionState
from snnlearn.training.trained_network import TrainedNetwork
from snnlearn.training.validation import Validation


@named_arguments
class Learner(OneThread, CheckedAttributes, settings=[field.name for field in fields(Settings)]):
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
    batch_size : int, optional
        Show so many examples at once, one to each copy of the model, whose batch this is: data and measures are asked
        for batches (`Data.present_batch`, `Measure.after_batch`), a trial is a batch, and gradients are means over its
        examples. By default a trial shows one.
    gradient : Program or ForwardProgram, optional
        What `snnlearn.grad.differentiate` gives: it goes back through the timesteps since the last update before each
        update, where the gradient is not summed up by the connections themselves. Its ``window`` is at least
        ``update_timesteps + update_offset``.

    Attributes
    ----------
    runner : TrialRunner
        With the counters of trials, timesteps and updates.

    Raises
    ------
    TrainingError
        Where there is nothing to train.
    """

    loss = Forwarded[Measure]("_settings")
    metrics = Forwarded[Sequence[Measure]]("_settings")
    data = Forwarded[Data]("_settings")
    validation = Forwarded[Union[Data, None]]("_settings")
    callbacks = Forwarded[list[Callback]]("_settings")
    shuffle = Forwarded[bool]("_settings")
    seed = Forwarded[int]("_settings")
    quiet = Forwarded[bool]("_settings")
    read_trials = Forwarded[int]("_settings")

    def __init__(
        self,
        genn: EngineApi,
        model: ModelApi,
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
        populations: Sequence[NeuronGroupApi] = (),
        callbacks: Sequence[Callback] = (),
        quiet: bool = False,
        read_trials: int = 10,
        batch_size: int | None = None,
        gradient: GradientApi | None = None,
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
        self.trial_timesteps, self.update_timesteps = trial_timesteps, update_timesteps
        self.reset_groups = tuple(reset_groups)
        self._settings = Settings(
            loss, tuple(metrics), Data() if data is None else data, validation, list(callbacks), shuffle, seed, quiet,
            read_trials,
        )  # fmt: skip
        self._prepare, self._presenter = prepare, make_presenter(batch_size)
        self._presenter.check_measures(self._settings.measures)
        self._recording_timesteps = trial_timesteps if populations else None
        means = gradient_means(genn, model, connections, gradient, batch_size)
        self._network = TrainedNetwork(genn, model, connections, optimisers, update_timesteps, means)
        counters = Counters()
        self._session = Session(self._settings, counters, len(self.connections), self._presenter)
        self._validation = Validation(model, self._session, trial_timesteps, reset_groups, gradient)
        self._conductor = Conductor(self, self._session, self._network, self._validation)
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
            counters=counters,
            gradient=gradient,
        )
        self._saving = Saving(self, self._session, self._network, update_offset, gradient)

    # ---- how it went ----

    @property
    @one_thread
    def sched(self) -> History:
        """What the last fit did: rates, momenta and losses by iteration, with plots. Reads losses from the device."""
        self._session.settle()
        return self._session.history

    @property
    @one_thread
    def epochs(self) -> list[EpochResult]:
        """Those of the last fit. Reads losses from the device."""
        self._session.settle()
        return self._session.epochs

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
        extend: bool = False,
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
        extend : bool
            Go on with a fit, stopped or at its end, whose last phase was shorter, or that had fewer phases. That
            phase has a constant rate: all that was run is what these phases would have run.

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
        session, signature = self._session, signature_of(phases, datas)
        if extend:
            session.extend(phases, signature)
        elif resume:
            session.check_resumed(signature)
        else:
            self._conductor.begin(self.runner, signature)
        assert session.start is not None
        trials = self._presenter.num_trials
        fit = plan_fit(phases, datas, session.start, self.trial_timesteps, self.runner.updates_until, trials)
        self._conductor.conduct(self.runner, fit, stop_div)

    def _check(self, phases: Sequence[TrainingPhase], data_list: Sequence[Data] | None) -> list[Data]:
        check_phases(phases, data_list)
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
            name, whole = f"the data of phase {number}", self.runner.updates_end_trials
            self._presenter.check_data(data, name, updates_end_trials=whole)
        if self.validation is not None:
            self._presenter.check_data(self.validation, "validation", to_train=False)
        return datas

    @one_thread
    def build(self, optimisers: Sequence[str | Optimiser] = ()) -> None:
        """Compile and load the network with these optimisers and the learner's own, unless that is done.

        Raises
        ------
        TrainingError
            If it is done and an optimiser is not among those compiled.
        """
        if self._network.build(optimisers, self._recording_timesteps) and self._prepare is not None:
            self._prepare()

    @one_thread
    def attach(self, optimisers: Sequence[str | Optimiser] = ()) -> dict[str, list[CustomUpdateApi]]:
        """Add these optimisers and the learner's own to the model, which is not built yet; they are there once.

        Returns
        -------
        dict of str to list of CustomUpdate
            By optimiser: a custom update for each connection.

        Raises
        ------
        TrainingError
            Once the network is built, for an optimiser that is not there.
        """
        return self._network.attach(optimisers)

    def set_rates(self, rule: Optimiser, values: dict[str, Any]) -> None:
        """Set parameters of a compiled optimiser: a number, or one for each connection, by parameter."""
        self._network.set_rates(rule, values)

    def check_weights(self) -> None:
        """Check that all trained weights are finite; waits for the device.

        A loss need not show it where they are not: a neuron whose potential is NaN is silent.

        Raises
        ------
        TrainingError
            If weights of a connection are not; says of which, and how many.
        """
        self._network.check_weights()

    def lr_of_update(self, update: int) -> float:
        """Return the learning rate that the current fit has for an update, the highest where connections differ.

        Parameters
        ----------
        update : int
            Counted over all fits; one beyond the last of the fit has the last's.
        """
        return self._session.fit.lr_of_update(update)

    def update_group(self, rule: Optimiser) -> str:
        """Return the custom update group that runs an optimiser."""
        return self._network.update_group(rule)

    @one_thread
    def validate(self) -> tuple[float, dict[str, float]]:
        """Run the validation data, without updates; returns the loss and the metrics by name.

        The network and the measures are left as they were.

        Raises
        ------
        TrainingError
            Where there are no validation data.
        """
        return self._validation.run()

    @one_thread
    def rates(self, optimiser: str | Optimiser) -> LearntRates:
        """Return the rates that an optimiser has learnt, by connection: to be read, set and drawn.

        Raises
        ------
        TrainingError
            For an optimiser that learns no rates, or was not compiled.
        """
        return LearntRates(self._network, optimiser, self.sched)

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
        ends: tuple[Any, Any] = (start, end)
        if not (all(isinstance(rate, Real) for rate in ends) and 0 < start < end):
            raise TrainingError(f"the finder's rates must grow: 0 < start < end, not {start!r} to {end!r}")
        self.build([optimiser])
        self._saving.end_window()
        before, session, fit = self._saving.snapshot(), self._session, self._session.fit
        quiet, self.quiet = self.quiet, True
        try:
            self.fit_opt_sched([TrainingPhase(epochs, optimiser, (start, end), decay, **phase)], stop_div=True)
        finally:
            self.quiet = quiet
            history, ending = self.sched, Ending(session.fit.num_updates, session.diverged)
            self._saving.restore(before)
            session.fit = fit
        return find_rate(history, ending)

    # ---- checkpoints ----

    @one_thread
    def checkpoint(self) -> Checkpoint:
        """Return weights, optimisers' state and everything else that training needs to go on, in memory.

        Raises
        ------
        TrainingError
            Before the network is built.
        """
        return self._saving.checkpoint()

    @one_thread
    def save(self, name: str | Path) -> Path:
        """Write what `checkpoint` returns, whole or not at all; returns the file.

        Raises
        ------
        TrainingError
            Before the network is built.
        OutputError
            If the file cannot be written.
        """
        return self._saving.checkpoint().write(name)

    @one_thread
    def load(self, name: str | Path | Checkpoint, *, force: bool = False, weights_only: bool = False) -> None:
        """Read what `save` wrote, here or in another process, and be where training was then.

        All is checked before anything is changed.

        Parameters
        ----------
        name : path-like or Checkpoint
        force : bool
            Load the checkpoint of a network that was declared otherwise (another rule, other parameters or bounds),
            or that does not say, as long as its variables fit.
        weights_only : bool
            Load the trained weights alone, into this training: another target, another optimiser, another seed.

        Raises
        ------
        CheckpointError
            If there is no such file, it is damaged, or holds values that cannot be.
        TrainingError
            If it is of another network or other optimisers; says what differs and how.
        """
        checkpoint = name if isinstance(name, Checkpoint) else Checkpoint.read(name)
        if weights_only:
            self._saving.load_weights(checkpoint, self.build)
            if self._prepare is not None:
                self._prepare()
        else:
            self._saving.load(checkpoint, self.build, force)

    def fingerprint(self) -> dict[str, Any]:
        """Return what a checkpoint's network is known by: all that is declared, as readable values."""
        return self._saving.fingerprint()

    @one_thread
    def progress(self) -> dict[str, Any]:
        """Return what training knows beside its network: counters, curves, measures; reads losses from the device.

        Plain numbers, strings, lists and dicts, as a checkpoint has them.
        """
        return self._saving.progress()

    def set_progress(self, progress: Mapping[str, Any]) -> None:
        """Put back what `progress` gave; the network's state is the caller's to put back, after this.

        Raises
        ------
        TrainingError
            For something else; and within a fit, whose counters would part from it.
        """
        if self._user is not None:
            raise TrainingError(
                "a fit is under way: end it first, by raising StopTraining in a callback; or put back the state of "
                "the model alone"
            )
        self._put_back(SessionState.from_dict(progress))

    @one_thread
    def _put_back(self, state: SessionState) -> None:
        self._saving.put_back(state)
