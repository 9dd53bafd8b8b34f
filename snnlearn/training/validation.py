"""Validation: all examples once, without updates, and everything as it was before."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

from snnlearn.errors import TrainingError
from snnlearn.training.data import Data
from snnlearn.training.engine import GradientApi, ModelApi
from snnlearn.training.presenting import in_order
from snnlearn.training.session import Session


class Validation:
    """Shows a network its validation data.

    Parameters
    ----------
    model : GeNNModel
        Loaded before it is run.
    session : Session
    trial_timesteps : int
    reset_groups : sequence of str
        Custom update groups to run at the start of each trial.
    """

    def __init__(
        self,
        model: ModelApi,
        session: Session,
        trial_timesteps: int,
        reset_groups: Sequence[str],
        gradient: GradientApi | None = None,
    ) -> None:
        self._model, self._session, self._gradient = model, session, gradient
        self._trial_timesteps, self._reset_groups = trial_timesteps, tuple(reset_groups)

    def run(self) -> tuple[float, dict[str, float]]:
        """Return the loss and the metrics by name; the network and the measures are left as they were.

        Raises
        ------
        TrainingError
            Where there are no validation data.
        """
        model, settings = self._model, self._session.settings
        if settings.validation is None:
            raise TrainingError("the learner has no validation data")
        self._session.presenter.check_data(settings.validation, "validation", to_train=False)
        measures = settings.measures
        self._session.settle()
        kept = model.state(), model.timestep, [dict(m.state) for m in measures]
        with nullcontext() if self._gradient is None else self._gradient.set_aside():
            try:
                values = self._show(settings.validation)
            finally:
                model.set_state(kept[0])
                model.timestep = kept[1]
                for measure, state in zip(measures, kept[2], strict=True):
                    measure.state = state
        return values[0], {m.name: v for m, v in zip(settings.metrics, values[1:], strict=True)}

    def _show(self, validation: Data) -> list[float]:
        measures, presenter = self._session.settings.measures, self._session.presenter
        for measure in measures:
            measure.restart()
        order = in_order(validation)
        for trial in range(presenter.num_trials(validation)):
            for group in self._reset_groups:
                self._model.custom_update(group)
            self._model.timestep = 0
            presenter.present(self._model, validation, order, trial)
            self._model.run(self._trial_timesteps)
            presenter.measure(measures, validation, order, trial)
        return [measure.number(self._session.counters.timestep) for measure in measures]
