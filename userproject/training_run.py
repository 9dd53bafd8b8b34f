"""A program's training, in a run folder where one was named."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable, Sequence

from snnlearn import runs
from snnlearn.cli import Parser, saying
from snnlearn.training import CSVLogger, Learner, TrainingPhase


def train(
    args: Namespace,
    get_parser: Callable[[], Parser],
    learner: Learner,
    phases: Sequence[TrainingPhase],
    engine: str,
    **known: str,
) -> None:
    """Train as the options of `runs.add_options` say, and check the weights.

    Parameters
    ----------
    args : Namespace
        Parsed, with a ``seed``.
    get_parser : callable
        Returns the parser.
    learner : Learner
    phases : sequence of TrainingPhase
    engine : str
        The back end's name.
    **known : str
        Options whose values have been found since they were parsed.
    """
    if args.save is None and args.resume is None:
        with runs.Interruption("interrupted; --save RUN keeps a run to go on with"):
            learner.fit_opt_sched(phases)
        learner.check_weights()
        return
    if args.overwrite:
        with saying("interrupted; nothing was begun"):
            learner.build([phase.optimiser for phase in phases])  # before the run that is there is removed
    with _begin(args, get_parser(), engine, known) as kept:
        kept.load(learner, args.force)
        learner.callbacks.append(CSVLogger(kept.folder.path / "learning_curve.csv"))
        with kept.training(learner):
            learner.fit_opt_sched(phases, resume=kept.resumed)
            learner.check_weights()
        kept.end(learner)


def _begin(args: Namespace, parser: Parser, engine: str, known: dict[str, str]) -> runs.Run:
    """Return the run of the folder that was named: a new one, or one to go on with."""
    if args.resume is not None:
        return runs.resume(args.resume, parser.prog, args.checkpoint_every)
    return runs.begin(
        args.save,
        parser.prog,
        seed=args.seed,
        engine=engine,
        arguments=runs.as_arguments(parser, args, **known),
        checkpoint_every=args.checkpoint_every,
        stop_on_nan=args.stop_on_nan,
        overwrite=args.overwrite,
    )
