"""What can go wrong in a user's code while it runs: the numbers that compiled code reports, and their texts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReportKind:
    """One kind of it.

    Attributes
    ----------
    name : str
        The enumerator of ``Kind`` in compiled code.
    text : str
        With places for ``where``, ``a`` and ``b``, each at most once and in this order.
    real : bool
        Whether ``a`` is a floating-point number, and there is no ``b``; else both are integers.
    """

    name: str
    text: str
    real: bool = False

    @property
    def c_format(self) -> str:
        """The text as ``printf`` has it, for a string and two ``long long`` or a ``double``."""
        return self.text.format(where="%s", a="%.9g" if self.real else "%lld", b="%lld")


# A kind's number is its place.
REPORT_KINDS = (
    ReportKind("NO_REPORT", "{where}"),
    ReportKind("NO_SUCH_NEURON", "{where}: connects neuron {a} to neuron {b}, which does not exist"),
    ReportKind("ROW_IS_FULL", "{where}: row {a} has more synapses than there is room for: {b}; raise max_connections"),
    ReportKind(
        "BEYOND_THE_QUEUE",
        "{where}: a delay of {a} timesteps is taken modulo {b}, as in GeNN; raise max_dendritic_delay_timesteps",
    ),
    ReportKind("ASSERTION", "{where}: an assertion failed"),
    ReportKind("BEYOND_THE_TYPE", "{where} gives {a}", real=True),
    ReportKind(
        "TORN",
        "{where} was interrupted in the midst of a timestep, and its state is not whole: put one back with set_state, "
        "or load a checkpoint",
    ),
    ReportKind("BEYOND_THE_ARRAY", "{where}it is {a}, and there are {b} elements"),
    ReportKind("NO_QUOTIENT", "{where}{a} is divided by {b}"),
    ReportKind("BEYOND_THE_BITS", "{where}it is by {a} bits, and the number has {b}"),
)


TORN = next(number for number, kind in enumerate(REPORT_KINDS) if kind.name == "TORN")


def describe(kind: int, where: str, a: float, b: int) -> str:
    """Return the line that a report of compiled code means."""
    of = REPORT_KINDS[kind]
    return of.text.format(where=where, a=f"{a:.9g}" if of.real else a, b=b)
