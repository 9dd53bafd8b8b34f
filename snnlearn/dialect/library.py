"""The functions that code strings may call."""

from __future__ import annotations

from dataclasses import dataclass

from snnlearn.declare.types import ValueType, value_type

VOID = ValueType("void", "int", -1, "")  # what an action such as addToPost gives
_SIGNED = {value_type("unsigned int"): value_type("int"), value_type("uint64_t"): value_type("int64_t")}


@dataclass(frozen=True)
class Function:
    """A callable name: how many arguments it takes and what type it gives.

    Attributes
    ----------
    arity : int
        How many arguments it takes, or at least.
    result : str
        A type's name, or ``"void"``; or ``"float"``: the widest argument's, at least ``scalar``;
        or ``"same"``: the widest argument's, at least ``int``; or ``"signed"``: likewise, but never unsigned.
    most : int, optional
        How many arguments it takes at most, where that is not ``arity``.
    """

    arity: int
    result: str
    most: int | None = None

    def takes(self, count: int) -> bool:
        """Whether it can be called with so many arguments."""
        return self.arity <= count <= (self.arity if self.most is None else self.most)

    @property
    def wanted(self) -> str:
        """How many arguments it takes, for messages."""
        return f"{self.arity}" if self.most is None else f"{self.arity} to {self.most}"


_OF_ONE = """cos sin tan acos asin atan cosh sinh tanh acosh asinh atanh exp expm1 exp2 log log1p log2 log10 sqrt
    cbrt ceil floor round rint trunc nearbyint fabs erf erfc tgamma lgamma"""
_OF_TWO = "atan2 pow hypot fmod nextafter remainder fdim fmax fmin copysign"
MATHS: dict[str, Function] = (
    {name: Function(1, "float") for name in _OF_ONE.split()}
    | {name: Function(2, "float") for name in _OF_TWO.split()}
    | {
        "fma": Function(3, "float"),
        "scalbn": Function(2, "float"),
        "ldexp": Function(2, "float"),
        "ilogb": Function(1, "int"),
        "min": Function(2, "same"),
        "max": Function(2, "same"),
        "abs": Function(1, "signed"),
    }
)

RANDOM = {
    "gennrand": Function(0, "unsigned int"),
    "gennrand_uniform": Function(0, "scalar"),
    "gennrand_normal": Function(0, "scalar"),
    "gennrand_exponential": Function(0, "scalar"),
    "gennrand_log_normal": Function(2, "scalar"),  # mean and standard deviation of the logarithm
    "gennrand_gamma": Function(1, "scalar"),  # its shape; the scale is 1
    "gennrand_binomial": Function(2, "unsigned int"),  # trials and the probability of success
}

# Help in looking for mistakes: no value that a model computes depends on them.
MESSAGES = {"printf": Function(1, "int", most=32), "assert": Function(1, "void")}

MOST_KERNEL_DIMENSIONS = 8


def action(arity: int = 1, most: int | None = None) -> Function:
    """Return a function that is called for its effect."""
    return Function(arity, "void", most)


ADD_SYNAPSE = action(1, most=1 + MOST_KERNEL_DIMENSIONS)  # the neuron's index, and where in the kernel


def result_type(function: Function, args: tuple[ValueType, ...]) -> ValueType:
    """Return the type of a call with arguments of these types."""
    if function.result == "void":
        return VOID
    if function.result not in ("float", "same", "signed"):
        return value_type(function.result)
    widest = max(*args, value_type("int"), key=lambda t: t.rank)
    if function.result == "signed":
        return _SIGNED.get(widest, widest)
    return widest if function.result == "same" or widest.kind == "float" else value_type("scalar")
