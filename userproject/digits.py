"""Digits: scikit-learn's handwritten digits, classified by a spiking network that is trained in batches.

Each of 8 by 8 pixels spikes once, the brighter the earlier. A quarter of each class is held back; a logistic regression
gets 96.9 % of it right.
"""

from __future__ import annotations

if __name__ == "__main__":  # first, because the imports below take a second, and Ctrl-C is to end them with one line
    from snnlearn.entry import digits

    raise SystemExit(digits())

from argparse import Namespace

from snnlearn import runs
from snnlearn.builders import LayeredNetwork, feed_forward
from snnlearn.cli import Parser
from snnlearn.entry import EndsAtOnce
from snnlearn.io.optional import library
from snnlearn.training import ArrayData, Learner
from snnlearn.userproject.experiment import check_limits, new_parser, program
from snnlearn.userproject.training_run import train

PROG = "digits"
LIMITS = {"epochs": (1, 100_000), "num_hidden": (1, 1_000_000), "seed": (1, 2**63 - 1)}


def describe(num_hidden: int, seed: int, quiet: bool) -> tuple[LayeredNetwork, Learner]:
    """Return a network and its learner.

    Parameters
    ----------
    num_hidden : int
    seed : int
        Of the split, the weights and the order of examples.
    quiet : bool
        Print no table.

    Raises
    ------
    MissingLibraryError
        If scikit-learn is not installed.
    """
    X, y = library("sklearn.datasets").load_digits(return_X_y=True)
    training, test = ArrayData(X / 16.0, y, encode="latency").split(0.25, seed)
    network = feed_forward([64, num_hidden, 10], training, seed=seed)
    return network, network.learner(training, test, quiet=quiet)


def get_parser() -> Parser:
    """Return the parser of the command line."""
    parser = new_parser(PROG, __doc__, quiet="print the final accuracy only")
    add = parser.add_argument
    add("--epochs", type=int, default=30, metavar="N", help="default: 30")
    add("--num-hidden", type=int, default=200, metavar="N", help="hidden neurons (default: 200)")
    add("--seed", type=int, default=1, metavar="N", help="of the split and the weights (default: 1)")
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
        network, learner = describe(args.num_hidden, args.seed, args.quiet)
    train(args, get_parser, learner, network.phases(args.epochs), "cpu")
    print(f"Test accuracy: {learner.epochs[-1].metrics['accuracy']:.1%}")
    return 0


main = program(get_parser, run, [])
