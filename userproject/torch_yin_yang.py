"""Yin-Yang in PyTorch: a plain training loop around a spiking network that is declared here and runs compiled."""

from __future__ import annotations

if __name__ == "__main__":  # first, because the imports below take seconds, and Ctrl-C is to end them with one line
    from snnlearn.entry import torch_yin_yang

    raise SystemExit(torch_yin_yang())

from argparse import Namespace
from importlib import import_module

from snnlearn.cli import Parser
from snnlearn.userproject.experiment import check_limits, new_parser, program

PROG = "torch_yin_yang"
MODULES = ("engine", "exact")
LIMITS = {  # what makes sense
    "epochs": (1, 10_000),
    "num_train": (20, 1_000_000),
    "num_test": (1, 1_000_000),
    "num_hidden": (1, 10_000),
    "seed": (1, 2**31 - 1),
}


def get_parser() -> Parser:
    """Return the parser of the command line."""
    parser = new_parser(PROG, __doc__, quiet="print the final accuracy only")
    add = parser.add_argument
    add("--module", default="engine", choices=MODULES, help="EngineModule, or the exact SpikingModule (engine)")
    add("--epochs", type=int, default=30, metavar="N", help="default: 30")
    add("--num-train", type=int, default=5000, metavar="N", help="training patterns (default: 5000)")
    add("--num-test", type=int, default=5000, metavar="N", help="fresh patterns to test on (default: 5000)")
    add("--num-hidden", type=int, default=200, metavar="N", help="hidden neurons (default: 200)")
    add("--seed", type=int, default=1, metavar="N", help="of data and weights (default: 1)")
    return parser


def run(args: Namespace) -> int:
    """Train as the parsed command line says; returns the exit status.

    Raises
    ------
    SnnlearnError
        For bad input, before any training.
    """
    check_limits(args, LIMITS)
    import_module("snnlearn.torch")  # which says how to install PyTorch, where that is missing
    from snnlearn.userproject.torch_classifier import Classifier, accuracy, patterns, train

    net = Classifier(args.module, args.num_hidden, args.seed)
    train(net, patterns(args.num_train, args.seed), args.epochs, args.seed, args.quiet)
    print(f"Test accuracy: {accuracy(net, patterns(args.num_test, args.seed + 10_000)):.1%}")
    return 0


main = program(get_parser, run)
