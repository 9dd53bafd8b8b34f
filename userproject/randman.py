"""Randman: classes that are random manifolds in the space of spike times, classified by a spiking network.

Each of 20 neurons spikes once; which class an example is of shows in how their times hang together, and in nothing else
(Zenke & Vogels 2021).
"""

from __future__ import annotations

if __name__ == "__main__":  # first, because the imports below take a second, and Ctrl-C is to end them with one line
    from snnlearn.entry import randman

    raise SystemExit(randman())

from argparse import Namespace

from snnlearn import datasets, runs
from snnlearn.builders import LayeredNetwork, feed_forward
from snnlearn.cli import Parser
from snnlearn.entry import EndsAtOnce
from snnlearn.training import ArrayData, Learner
from snnlearn.userproject.experiment import check_limits, new_parser, program
from snnlearn.userproject.training_run import train

PROG = "randman"
LIMITS = {
    "epochs": (1, 100_000),
    "classes": (2, 10_000),
    "dimension": (1, 100),
    "num_hidden": (1, 1_000_000),
    "per_class": (4, 1_000_000),
    "seed": (1, 2**63 - 1),
}


def describe(args: Namespace) -> tuple[LayeredNetwork, Learner]:
    """Return the network of a command line, and its learner."""
    times, y = datasets.randman(args.classes, args.per_class, dimension=args.dimension, seed=args.seed)
    training, test = ArrayData(times, y, encode="times").split(0.25, args.seed)
    network = feed_forward([training.num_inputs, args.num_hidden, args.classes], training, seed=args.seed)
    return network, network.learner(training, test, quiet=args.quiet)


def get_parser() -> Parser:
    """Return the parser of the command line."""
    parser = new_parser(PROG, __doc__, quiet="print the final accuracy only")
    add = parser.add_argument
    add("--epochs", type=int, default=20, metavar="N", help="default: 20")
    add("--classes", type=int, default=10, metavar="N", help="default: 10")
    add("--dimension", type=int, default=2, metavar="N", help="of the manifolds (default: 2)")
    add("--num-hidden", type=int, default=200, metavar="N", help="hidden neurons (default: 200)")
    add("--per-class", type=int, default=1000, metavar="N", help="examples of each class (default: 1000)")
    add("--seed", type=int, default=1, metavar="N", help="of data, split and weights (default: 1)")
    runs.add_options(parser)
    return parser


def run(args: Namespace) -> int:
    """Train as the parsed command line says; returns the exit status.

    Raises
    ------
    SnnlearnError
        For bad input, before any training.
    """
    with EndsAtOnce(PROG):
        check_limits(args, LIMITS)
        network, learner = describe(args)
    train(args, get_parser, learner, network.phases(args.epochs), "cpu")
    print(f"Test accuracy: {learner.epochs[-1].metrics['accuracy']:.1%}")
    return 0


main = program(get_parser, run, [])
