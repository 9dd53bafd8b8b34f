"""An independent meaning of the dialect, for tests: evaluate checked trees in float64 and integers, as C would.

`run_snippet` shares nothing with the code generators but the tree. Every floating type is float64 here
(``float`` and ``scalar`` too), so that engines can be held against it with a tolerance of their own precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from snnlearn.declare import ValueType, value_type
from snnlearn.dialect import Snippet, tree
from snnlearn.dialect.library import MATHS

_WIDTH = {"int8_t": 8, "int16_t": 16, "int": 32, "int64_t": 64}
_WIDTH |= {"uint8_t": 8, "uint16_t": 16, "unsigned int": 32, "uint64_t": 64}
_INT = value_type("int")
_SUMS = frozenset(["addToPost", "addToPre", "injectCurrent"])


def run_snippet(
    snippet: Snippet,
    values: Mapping[str, Any],
    arrays: Mapping[str, Any] | None = None,
    random: Mapping[str, Iterator[float]] | None = None,
    synapses: Sequence[dict[str, Any]] = (),
) -> dict[str, Any]:
    """Run a checked code string on plain numbers.

    Parameters
    ----------
    snippet : Snippet
    values : mapping of str to number
        A value for every declared name that the snippet reads.
    arrays : mapping of str to sequence
        The extra global parameters it indexes, and the past of the variables that it reads with a delay, newest
        first. Assignments change them.
    random : mapping of str to iterator
        What ``gennrand_uniform()`` and the like give, call by call.
    synapses : sequence of dict
        What ``for_each_synapse`` goes through: the values that its body sees besides. Assignments change them.

    Returns
    -------
    dict
        The values afterwards: those given, as changed, with the local variables of the outermost level (so
        that the result can be given to the code that runs next in the same place); for each action called the sum
        of what it was given (``addToPost``, …), or else the list of its arguments, call by call (``addSynapse``, …,
        ``printf``); and, if the snippet is an expression, its value as ``"return"``, a key that no model can declare.
    """
    machine = _Machine(dict(values), arrays or {}, random or {}, synapses)
    actions = [name for name in snippet.calls if name not in MATHS and not name.startswith("gennrand")]
    machine.values |= {name: 0.0 if name in _SUMS or name.startswith("atomic_add_") else [] for name in actions}
    with np.errstate(all="ignore"):
        if isinstance(snippet.tree, tree.Block):
            for statement in snippet.tree.statements:
                machine.run(statement)
        else:
            machine.values["return"] = machine.get(snippet.tree)
    return machine.values | machine.scopes[0]


def convert(value: Any, to: ValueType) -> Any:
    """Return a number as C converts it to a type; integers wrap."""
    if to.name == "void":
        return None
    if to.name == "text":
        return value
    if to.kind == "bool":
        return bool(value)
    if to.kind == "float":
        return np.float64(value)
    width = _WIDTH[to.name]
    number = int(value) % (1 << width)
    return number if to.name.startswith("u") or number < 1 << (width - 1) else number - (1 << width)


def _common(*types: ValueType) -> ValueType:
    return max(*types, _INT, key=lambda t: t.rank)


class _Jump(Exception):
    """A ``break`` or ``continue`` on its way out."""


class _Machine:
    def __init__(
        self,
        values: dict[str, Any],
        arrays: Mapping[str, Any],
        random: Mapping[str, Iterator[float]],
        synapses: Sequence[dict[str, Any]],
    ) -> None:
        self.values = values
        self.arrays = arrays
        self.random = random
        self.synapses = synapses
        self.scopes: list[dict[str, Any]] = [{}]

    # ---- statements ----

    def run(self, s: Any) -> None:
        getattr(self, f"_run_{type(s).__name__.lower()}")(s)

    def _run_block(self, s: tree.Block) -> None:
        self.scopes.append({})
        try:
            for inner in s.statements:
                self.run(inner)
        finally:
            self.scopes.pop()

    def _run_evaluate(self, s: tree.Evaluate) -> None:
        self.get(s.value)

    def _run_declare(self, s: tree.Declare) -> None:
        # A variable without a value holds rubbish in C; NaN (or a number no test expects) shows its use.
        rubbish = math.nan if s.type.kind == "float" else -77
        value = rubbish if s.value is None else self.get(s.value)
        self.scopes[-1][s.name] = convert(value, s.type)

    def _run_if(self, s: tree.If) -> None:
        if self.get(s.condition):
            self.run(s.then)
        elif s.other is not None:
            self.run(s.other)

    def _run_while(self, s: tree.While) -> None:
        self._loop(lambda: bool(self.get(s.condition)), s.body, lambda: None, test_first=not s.test_last)

    def _run_for(self, s: tree.For) -> None:
        self.scopes.append({})
        try:
            for inner in s.start:
                self.run(inner)
            self._loop(
                lambda: s.condition is None or bool(self.get(s.condition)),
                s.body,
                lambda: None if s.step is None else self.get(s.step),
                test_first=True,
            )
        finally:
            self.scopes.pop()

    def _loop(self, test: Callable[[], bool], body: tree.Block, step: Callable[[], Any], *, test_first: bool) -> None:
        if test_first and not test():
            return
        while True:
            try:
                self.run(body)
            except _Jump as jump:
                if str(jump) == "break":
                    return
            step()
            if not test():
                return

    def _run_foreachsynapse(self, s: tree.ForEachSynapse) -> None:
        for synapse in self.synapses:
            self.scopes.append(synapse)
            try:
                self.run(s.body)
            except _Jump as jump:
                if str(jump) == "break":
                    return
            finally:
                self.scopes.pop()

    def _run_switch(self, s: tree.Switch) -> None:
        value = self.get(s.value)
        labels = [None if case.label is None else self.get(case.label) for case in s.cases]
        start = labels.index(value) if value in labels else labels.index(None) if None in labels else len(labels)
        try:
            for case in s.cases[start:]:
                self.run(case.body)
        except _Jump as jump:
            if str(jump) == "continue":
                raise

    def _run_jump(self, s: tree.Jump) -> None:
        raise _Jump(s.word)

    # ---- expressions ----

    def get(self, e: Any) -> Any:
        """Return an expression's value, as a number of its type."""
        return convert(getattr(self, f"_get_{type(e).__name__.lower()}")(e), e.type)

    def _home(self, name: str) -> dict[str, Any]:
        """Return the innermost dictionary that holds a name."""
        return next((scope for scope in reversed(self.scopes) if name in scope), self.values)

    def _get_literal(self, e: tree.Literal) -> Any:
        if e.type.kind == "bool":
            return e.text == "true"
        return float(e.text) if e.type.kind == "float" else int(e.text, 0)

    def _get_name(self, e: tree.Name) -> Any:
        return self._home(e.id)[e.id]

    def _get_unary(self, e: tree.Unary) -> Any:
        value = self.get(e.operand)
        if e.op == "!":
            return not value
        value = convert(value, e.type)
        return {"-": lambda: -value, "+": lambda: value, "~": lambda: ~value}[e.op]()

    def _get_binary(self, e: tree.Binary) -> Any:
        if e.op == "&&":
            return bool(self.get(e.left)) and bool(self.get(e.right))
        if e.op == "||":
            return bool(self.get(e.left)) or bool(self.get(e.right))
        if e.op in ("<<", ">>"):  # the only two whose operands do not meet in one type
            return self._arithmetic(e.op, self.get(e.left), self.get(e.right), is_float=False)
        common = _common(e.left.type, e.right.type)
        left, right = convert(self.get(e.left), common), convert(self.get(e.right), common)
        return self._arithmetic(e.op, left, right, is_float=common.kind == "float")

    def _arithmetic(self, op: str, a: Any, b: Any, *, is_float: bool) -> Any:
        table: dict[str, Callable[[], Any]] = {
            "+": lambda: a + b,
            "-": lambda: a - b,
            "*": lambda: a * b,
            "/": lambda: a / b if is_float else _quotient(a, b),
            "%": lambda: a - b * _quotient(a, b),
            "<<": lambda: a << b,
            ">>": lambda: a >> b,
            "&": lambda: a & b,
            "|": lambda: a | b,
            "^": lambda: a ^ b,
            "<": lambda: a < b,
            ">": lambda: a > b,
            "<=": lambda: a <= b,
            ">=": lambda: a >= b,
            "==": lambda: a == b,
            "!=": lambda: a != b,
        }
        return table[op]()

    def _get_ternary(self, e: tree.Ternary) -> Any:
        return self.get(e.then) if self.get(e.condition) else self.get(e.other)

    def _place(self, e: tree.Name | tree.Index) -> tuple[Any, Any]:
        """Return the container that holds what is read or assigned to, and the key to it there."""
        if isinstance(e, tree.Name):
            return self._home(e.id), e.id
        at = self.get(e.index)
        if not 0 <= at < len(self.arrays[e.array]):
            raise IndexError(f"{e.array}[{at}] of {len(self.arrays[e.array])}")
        return self.arrays[e.array], at

    def _get_index(self, e: tree.Index) -> Any:
        home, at = self._place(e)
        return home[at]

    def _get_text(self, e: tree.Text) -> Any:
        return e.value

    def _get_cast(self, e: tree.Cast) -> Any:
        return self.get(e.operand)

    def _get_assign(self, e: tree.Assign) -> Any:
        value = self.get(e.value)
        home, key = self._place(e.target)
        if e.op != "=":
            old, op = home[key], e.op[:-1]
            common = e.target.type if op in ("<<", ">>") else _common(e.target.type, e.value.type)
            if op not in ("<<", ">>"):
                old, value = convert(old, common), convert(value, common)
            value = self._arithmetic(op, old, value, is_float=common.kind == "float")
        home[key] = convert(value, e.target.type)
        return home[key]

    def _get_step(self, e: tree.Step) -> Any:
        home, key = self._place(e.target)
        old = home[key]
        home[key] = convert(old + (1 if e.op == "++" else -1), e.target.type)
        return home[key] if e.prefix else old

    def _get_comma(self, e: tree.Comma) -> Any:
        return [self.get(part) for part in e.parts][-1]

    def _get_call(self, e: tree.Call) -> Any:
        args = [self.get(a) for a in e.args]
        if e.function in _FUNCTIONS:
            if e.function not in ("scalbn", "ldexp", "ilogb"):
                args = [convert(a, e.type) for a in args]
            return _FUNCTIONS[e.function](*args)
        if e.function in self.random:
            return next(self.random[e.function])
        if isinstance(self.values[e.function], list):
            self.values[e.function].append(tuple(args))
        else:
            self.values[e.function] += float(args[0])
        return 0 if e.type.name == "int" else None


def _quotient(a: int, b: int) -> int:
    """Return ``a / b`` of integers, towards zero as in C."""
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


def _by_math(function: Callable[..., float]) -> Callable[..., float]:
    """Return a function of `math` that gives infinity and NaN instead of raising."""

    def call(*args: float) -> float:
        try:
            return function(*args)
        except OverflowError:
            return math.inf
        except ValueError:
            return math.nan

    return call


_SAME = """cos sin tan sinh cosh tanh exp expm1 exp2 log log1p log2 log10 sqrt cbrt ceil floor rint trunc
    fabs hypot fmod fmax fmin copysign nextafter"""
_ARCS = "acos asin atan acosh asinh atanh atan2"
_FUNCTIONS: dict[str, Callable[..., Any]] = {name: getattr(np, name) for name in _SAME.split()}
_FUNCTIONS |= {name: getattr(np, f"arc{name[1:]}") for name in _ARCS.split()}
_FUNCTIONS |= {
    "round": lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x),
    "nearbyint": np.rint,
    "erf": math.erf,
    "erfc": math.erfc,
    "tgamma": _by_math(math.gamma),
    "lgamma": _by_math(math.lgamma),
    "pow": np.power,
    "remainder": _by_math(math.remainder),
    "fdim": lambda x, y: np.fmax(x - y, 0.0),
    "fma": lambda x, y, z: x * y + z,
    "scalbn": lambda x, n: np.ldexp(np.float64(x), n),
    "ldexp": lambda x, n: np.ldexp(np.float64(x), n),
    "ilogb": lambda x: int(np.frexp(x)[1]) - 1,
    "min": min,
    "max": max,
    "abs": abs,
}
