"""SuperSpike: a three-layer spiking network learns to draw a picture with its spikes.

Frozen Poisson noise drives 256 hidden and 200 output neurons; SuperSpike (Zenke & Ganguli 2018, Neural
Computation 30(6), 1514-1541) teaches the outputs to spike where the target does.
"""

from __future__ import annotations

if __name__ == "__main__":  # first, because the imports below take a second, and Ctrl-C is to end them with one line
    from snnlearn.entry import superspike_demo

    raise SystemExit(superspike_demo())

import contextlib
import math
import os
import sys
import warnings
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from snnlearn import runs
from snnlearn.backends import NAMES, choose_backend
from snnlearn.cli import Parser, saying
from snnlearn.data import target_path
from snnlearn.entry import EndsAtOnce
from snnlearn.errors import OutputError, RunError, TrainingError, TrainingWarning
from snnlearn.io import CurvePoint, SpikeTrains, check_output_dir, write_learning_curve
from snnlearn.plot import check_matplotlib, figure_format, has_display, plot_training, save_figure, show_figure
from snnlearn.runs import facts
from snnlearn.training import Learner, TrainingPhase
from snnlearn.userproject import superspike as ss
from snnlearn.userproject import superspike_training as st
from snnlearn.userproject.experiment import new_parser, program
from snnlearn.userproject.superspike_progress import (
    CURVE,
    LAYERS,
    KeptProgress,
    Progress,
    recorded_file,
    spike_file,
)
from snnlearn.userproject.superspike_target import read_target

PROG = "superspike_demo"
MOST_TRIALS = 10_000_000  # a week
FINDER_PLOT = f"{PROG}_lr.png"
FINDER_TRIALS = 40  # some 150 updates


def get_parser() -> Parser:
    """Return the parser of the command line."""
    parser = new_parser(PROG, __doc__)
    add = parser.add_argument
    add("--record-trial", type=int, nargs="*", required=True, metavar="N", help="trials to record, counted from 0")
    add("--target-file", default=None, metavar="FILE", help="target spikes (default: the bundled rotunda)")
    add("--first-id", type=int, default=None, metavar="N", help="id of the first neuron there (.ras: 1, and a warning)")
    add("--target-unit", default=None, metavar="UNIT", help="its times: s, ms, us, ns, or ms a timestep")
    add("--target-population", default=None, metavar="NAME", help="its population, where there are several")
    add("--num-trials", type=int, default=600, metavar="N", help="trials to train for (default: 600)")
    add("--kernel-profiling", action="store_true", help="print the time spent in each kind of kernel [s]")
    add("--save-data", action="store_true", help="write spikes and learning curve as CSV rather than plot them")
    add("--backend", default="auto", metavar="{" + ",".join(NAMES) + "}", help="engine to run on (default: auto)")
    add("--rule", default="handwritten", choices=ss.RULES, help="where gradients come from (handwritten)")
    add("--optimiser", default="RMaxProp", choices=list(st.DEMO_OPTIMISERS), help="what applies gradients (RMaxProp)")
    add(
        "--schedule",
        default=None,
        choices=list(st.SCHEDULES),
        help="course of the learning rate (default: linear; step for RMaxPropSeed)",
    )
    add("--lr", type=float, default=None, metavar="RATE", help="(largest) learning rate (default: the optimiser's)")
    add(
        "--lr-find",
        action="store_true",
        help="suggest a learning rate for the optimiser, and do not train",
    )
    add("--seed", type=int, default=None, metavar="N", help="of input and weights (default: a fresh one, printed)")
    add("--threads", type=int, default=None, metavar="N", help="default: the cores this process may use")
    add("--output-dir", default=".", metavar="DIR", help="where files go (default: the current folder)")
    add("--plot-file", default=None, metavar="FILE", help="save the plot (.png, .pdf or .svg) and show none")
    runs.add_options(parser)
    return parser


def run(args: Namespace) -> int:
    """Train, or find a rate, as the parsed command line says; returns the exit status.

    Raises
    ------
    SnnlearnError
        For bad input, before any training.
    """
    with EndsAtOnce(PROG):  # engines and Matplotlib are imported here
        recorded = check_trials(args.record_trial, args.num_trials)
        seed = check_seed(args.seed)
        optimiser = st.DEMO_OPTIMISERS[args.optimiser]
        lr = check_rate(args.lr) if args.lr is not None else st.default_rate(optimiser, args.rule)
        name = args.schedule or st.default_schedule(args.optimiser)
        phases = [] if args.lr_find else st.SCHEDULES[name](args.num_trials, lr, optimiser)
        kept = args.save is not None or args.resume is not None
        backend = choose_backend(args.backend)
        target = read_target(args.target_file, args.first_id, args.target_unit, args.target_population)
        network = ss.describe(
            backend.module,
            ss.frozen_poisson(seed),
            target,
            seed=seed,
            rule=args.rule,
            recording=bool(recorded) or kept,
            timing=args.kernel_profiling,
            threads=args.threads,
        )
        output_dir, plot_file = check_outputs(args, recorded)
        learner = st.make_learner(backend.module, network, target, [optimiser], recorded, watched=kept)
    title = f"Backend {backend.name} ({backend.why}), seed {seed}"
    if args.lr_find:
        return find_rate(learner, args.optimiser, plot_file or output_dir / FINDER_PLOT, "" if args.quiet else title)
    if kept:
        return run_kept(args, learner, network, target, phases, name, backend.name, seed, title)
    plotting = plot_file is not None or not args.save_data
    progress = Progress(learner, title, output_dir if args.save_data else None, plotting, args.quiet)
    learner.callbacks.append(progress)
    try:
        with runs.Interruption("interrupted; --save RUN keeps a run to go on with"):
            learner.fit_opt_sched(phases)
            learner.check_weights()
    finally:
        # After Ctrl-C too: the curve so far is not to be lost.
        progress.close()
        with contextlib.suppress(Exception):  # where training failed, reading may too, and is not to hide the reason
            progress.settle()
        if args.save_data and progress.curve:
            write_learning_curve(output_dir / CURVE, progress.curve)
    warn_if_worse_than_silent(progress.curve)
    if args.kernel_profiling and not args.quiet:
        print_profile(network.model, learner.update_group(optimiser))
    if plotting:
        plot(recorded, progress, target, plot_file, output_dir, args.quiet)
    return 0


main = program(get_parser, run, ["--num-trials"])


def run_kept(
    args: Namespace,
    learner: Learner,
    network: ss.SuperSpikeNetwork,
    target: SpikeTrains,
    phases: Sequence[TrainingPhase],
    schedule: str,
    backend: str,
    seed: int,
    title: str,
) -> int:
    """Train in a run folder, from its checkpoint on where the run is resumed; returns the exit status."""
    recorded = sorted(set(args.record_trial))
    file, plotting = Path(args.plot_file or f"{PROG}.png"), args.plot_file is not None or not args.save_data
    if args.overwrite:
        with saying("interrupted; nothing was begun"):
            learner.build()  # before the run that is there is removed: what can go wrong until training, has not
    with begin_run(args, backend, seed, schedule, [file.name] if plotting else []) as kept:
        file_of_target = Path(args.target_file) if args.target_file is not None else target_path()
        kept.check_digest("target", facts.digest_of_file(file_of_target), args.force)
        if kept.load(learner, args.force) > args.num_trials:
            raise RunError(f"--num-trials {args.num_trials}: the run has {learner.runner.trial} trials already")
        progress = KeptProgress(learner, title, args.save_data, plotting, args.quiet, kept.folder, recorded)
        kept.folder.remove([file.name])  # of a run with fewer trials
        learner.callbacks.append(progress)
        try:
            with kept.training(learner, network.layers):
                learner.fit_opt_sched(phases, extend=kept.resumed)
                learner.check_weights()
        finally:
            progress.close()
            if plotting and sys.exc_info()[0] is not None and progress.curve:
                with contextlib.suppress(Exception):  # the plot so far, unless that hides what has happened
                    plot(recorded[: len(progress.spikes)], progress, target, kept.folder.path / file.name, file, True)
        warn_if_worse_than_silent(progress.curve)
        if args.kernel_profiling and not args.quiet:
            print_profile(network.model, learner.update_group(phases[0].rule))
        if plotting:
            plot(recorded, progress, target, kept.folder.path / file.name, file, args.quiet)
        kept.end(learner)
    return 0


def begin_run(args: Namespace, backend: str, seed: int, schedule: str, plots: Sequence[str]) -> runs.Run:
    """Return the run of the folder that was named: a new one, or one to go on with.

    Raises
    ------
    RunError
        If the folder cannot be used so.
    """
    target = os.path.abspath(args.target_file) if args.target_file is not None else None
    actual = {"seed": seed, "backend": backend, "target_file": target, "output_dir": None}
    arguments = runs.as_arguments(get_parser(), args, **actual)
    if args.resume is not None:
        kept = runs.resume(args.resume, PROG, args.checkpoint_every)
        try:
            check_extension(kept, args.num_trials, schedule)
        except BaseException:
            kept.close()
            raise
        kept.folder.record["arguments"] = arguments
        return kept
    layers = LAYERS if args.save_data else ()
    spikes = [spike_file(layer, trial) for layer in layers for trial in args.record_trial]
    return runs.begin(
        args.save,
        PROG,
        seed=seed,
        engine=backend,
        arguments=arguments,
        files=[*plots, *spikes, *(recorded_file(trial) for trial in args.record_trial if plots)],
        checkpoint_every=args.checkpoint_every,
        stop_on_nan=args.stop_on_nan,
        overwrite=args.overwrite,
    )


def check_extension(kept: runs.Run, trials: int, schedule: str) -> None:
    """Check that a run that is to have more trials than it was begun with would have had the same first ones.

    Raises
    ------
    TrainingError
        If its schedule spreads a fall of the rate over all trials.
    """
    before = get_parser().parse_args(kept.arguments).num_trials
    if kept.resumed and before != trials and schedule not in st.EXTENDABLE:
        raise TrainingError(
            f"--schedule {schedule} spreads its rates over all trials: with {trials} instead of {before} the first "
            f"ones would have had others. Only {' and '.join(st.EXTENDABLE)} can have another --num-trials"
        )


def warn_if_worse_than_silent(curve: Sequence[CurvePoint]) -> None:
    """Warn of a training that has come to nothing, as soon as it had time to come to something."""
    if len(curve) >= st.HELD_TRIALS and curve[-1].error_of_silent > 1.0:
        warnings.warn(
            f"the training ends worse than a silent output layer: its error is {curve[-1].error_of_silent:.3g} times "
            "that of no spikes at all",
            TrainingWarning,
            stacklevel=2,
        )


def find_rate(learner: Learner, optimiser: str, file: Path, title: str) -> int:
    """Run the finder, save its plot and print what it suggests; nothing without a title."""
    learner.build()
    if title:
        print(title, flush=True)
    lowest, highest = st.FINDER_RANGES[optimiser]
    found = learner.lr_find(lowest, highest, epochs=FINDER_TRIALS, optimiser=st.DEMO_OPTIMISERS[optimiser])
    found.plot(file)
    if title:
        print(f"Suggested learning rate: {found.suggestion:.3g}: {found.why}")
        print(f"Plot saved to {file.resolve()}")
    return 0


def check_trials(recorded: Sequence[int], num_trials: int) -> list[int]:
    """Return the trials to record, sorted, each once.

    Raises
    ------
    TrainingError
        If there are no trials to run or far too many, or one to record is not among them.
    """
    if num_trials < 1:
        raise TrainingError(f"--num-trials must be at least 1, not {num_trials}")
    if num_trials > MOST_TRIALS:
        raise TrainingError(f"--num-trials must be at most {MOST_TRIALS}, not {num_trials}")
    for trial in recorded:
        if not 0 <= trial < num_trials:
            raise TrainingError(f"--record-trial {trial}: the trials of this run are 0 to {num_trials - 1}")
    return sorted(set(recorded))


def check_seed(seed: int | None) -> int:
    """Return the seed, or a fresh one.

    Raises
    ------
    TrainingError
        If it is not positive (0 would mean a fresh one to the engine).
    """
    if seed is None:
        return int.from_bytes(os.urandom(4), "little") or 1
    if not 0 < seed < 2**64:
        raise TrainingError(f"--seed must be from 1 to 2**64 - 1, not {seed}")
    return seed


def check_rate(lr: float) -> float:
    """Return the learning rate.

    Raises
    ------
    TrainingError
        If single precision, in which the network is, makes it infinite or 0.
    """
    single = np.finfo(np.float32)
    if float(single.max) < lr < math.inf:
        raise TrainingError(f"--lr {lr:g} is infinite in single precision; it must be at most {single.max:g}")
    if 0.0 < lr < float(single.tiny):
        raise TrainingError(f"--lr {lr:g} is 0 in single precision; it must be 0 or at least {single.tiny:g}")
    return lr


def check_outputs(args: Namespace, recorded: Sequence[int]) -> tuple[Path, Path | None]:
    """Return the folder for files and the plot's file, if one was named; proves that all files can be written.

    Raises
    ------
    OutputError
        If one cannot.
    """
    plot_file = Path(args.plot_file) if args.plot_file is not None else None
    kept = args.save is not None or args.resume is not None
    elsewhere = args.output_dir != "." or (plot_file is not None and plot_file.name != str(plot_file))
    if kept and (args.lr_find or elsewhere):
        raise OutputError(
            "a run's files go into its folder: leave out --lr-find and --output-dir, and give --plot-file a name alone"
        )
    if plot_file is not None:
        figure_format(plot_file)
        if not kept:
            check_output_dir(plot_file.parent)
    if plot_file is not None or args.lr_find or not args.save_data:
        check_matplotlib()
    if kept:
        return Path(args.save if args.save is not None else args.resume), plot_file
    folder = check_output_dir(args.output_dir)
    names = [CURVE, *(spike_file(layer, trial) for layer in LAYERS for trial in recorded)]
    plot = plot_file or folder / (FINDER_PLOT if args.lr_find else f"{PROG}.png")
    for file in [plot, *(folder / name for name in names if args.save_data)]:
        if file.is_dir():
            raise OutputError(f"cannot write {file}: it is a folder")
    return folder, plot_file


def print_profile(model: Any, group: str) -> None:
    """Print the time spent in each kind of kernel [s]; ``group`` is the optimiser's."""
    print(f"Init: {model.init_time:f}")
    print(f"Init sparse: {model.init_sparse_time:f}")
    print(f"Neuron update: {model.neuron_update_time:f}")
    print(f"Presynaptic update: {model.presynaptic_update_time:f}")
    print(f"Synapse dynamics: {model.synapse_dynamics_time:f}")
    print(f"Gradient learning custom update: {model.get_custom_update_time(group):f}")
    transpose = model.get_custom_update_transpose_time(group)
    print(f"Gradient learning custom update transpose: {transpose:f}")


def plot(
    recorded: Sequence[int],
    progress: Progress,
    target: SpikeTrains,
    plot_file: Path | None,
    output_dir: Path,
    quiet: bool,
) -> None:
    """Save the plot where a file was named, show it where there is a display, else save it and say where."""
    spikes = progress.spikes
    figure = plot_training(
        recorded,
        [s["Input"] for s in spikes],
        [s["Hidden"] for s in spikes],
        [s["Output"] for s in spikes],
        target,
        progress.curve,
        ss.TRIAL_MS / 1000.0,
    )
    if plot_file is None and has_display():
        show_figure(figure)
        return
    file = plot_file or output_dir / f"{PROG}.png"
    save_figure(figure, file)
    if not quiet:
        print(f"Plot saved to {file.resolve()}")
