"""What the few-shot experiment compares, and what its runs give."""

from __future__ import annotations

from dataclasses import dataclass

from snnlearn.userproject.few_shot_tasks import Array

RATES = ("one", "layer", "synapse")  # what has a rate of its own
STEPS = (1, 3)  # of the inner loop


@dataclass(frozen=True, eq=False)
class Result:
    """What a run gave.

    Attributes
    ----------
    order : int
        1 without second derivatives, 2 with them.
    rates : str
        What had a rate of its own.
    steps, seed : int
    mse : float
        On the queries of new tasks, after the inner steps.
    learnt : dict of str to ndarray of float64
        The rates, by connection.
    """

    order: int
    rates: str
    steps: int
    seed: int
    mse: float
    learnt: dict[str, Array]
