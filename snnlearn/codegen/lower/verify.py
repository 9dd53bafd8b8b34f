"""A loop nest that contradicts itself is refused: a fault of the schedule that made it, found before it is printed.

Names are defined before they are used, and of the type that they are taken for; what is assigned to may be. All threads
that share a function meet at its barriers, and none stores an element that another stores too.

A value *differs* between threads (of a block, `THREAD`) or between shares of the work (`SHARE`) if the number of the
thread or share takes part in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from snnlearn.codegen.lower import expressions as ex
from snnlearn.codegen.lower import nest
from snnlearn.codegen.lower.expressions import Expr, Scope
from snnlearn.codegen.plan.domains import Diagonals
from snnlearn.codegen.plan.parts import Accumulate, Code
from snnlearn.dialect import tree
from snnlearn.errors import PlanError

SAME, SHARE, THREAD = 0, 1, 2
_SHARES = frozenset(["begin", "end", "part", "first"])  # parameters that say which share of the work it is
_THREADS = frozenset(["thread"])
# What no function defines: names of the program and of the languages.
_GIVEN = frozenset(["sim", "nullptr", "WARP", "THREADS", "resident"])
_VOTES = frozenset(["ballot"])  # what differs between the warps of a block


@dataclass
class _Name:
    """What is known of a name: its type, what it is, whether it may be assigned to."""

    type: str
    kind: str = "number"
    written: bool = True
    shape: tuple[int | str, ...] = ()


@dataclass(frozen=True)
class _Where:
    """Where in a function a statement is.

    Attributes
    ----------
    differs : int
        Whether all threads get there: SAME, or else not.
    alone : bool
        Whether one of those that could store an element gets there.
    """

    differs: int = SAME
    alone: bool = False


def verify_functions(parts: Iterable[nest.Function | nest.Global], *, blocks: bool = False) -> None:
    """Check functions that are printed together.

    Parameters
    ----------
    parts : iterable of Function and Global
    blocks : bool
        Whether blocks of threads run them, as on a GPU.

    Raises
    ------
    PlanError
        Names the function and the array or name.
    """
    known: dict[str, _Name] = {}
    for part in parts:
        if isinstance(part, nest.Global):
            known[part.name] = _Name(part.type, "array", shape=(part.size,))
        else:
            _Verifier(part, known, blocks).verify()


class _Verifier:
    def __init__(self, function: nest.Function, known: Mapping[str, _Name], blocks: bool) -> None:
        self.function, self.blocks = function, blocks
        self.scopes: list[dict[str, _Name]] = [dict(known), {}]
        for p in function.parameters:
            kind = "pointer" if p.shape or p.type.endswith("*") else "number"
            self.scopes[1][p.name] = _Name(p.type.removesuffix(" *"), kind, not p.const)
        shares = _SHARES & {p.name for p in function.parameters}
        self.needed = THREAD if blocks else SHARE if shares else SAME  # how an index must differ for a store
        self.spread = _Spread(function, shares, blocks)

    def verify(self) -> None:
        self.body(self.function.body, _Where())

    def fault(self, what: str) -> PlanError:
        return PlanError(f"{self.function.name} {what}")

    # ---- statements ----

    def body(self, statements: nest.Body, where: _Where) -> _Where:
        """Check statements in their order; return where whatever follows them is."""
        for s in statements:
            where = self.statement(s, where)
        return where

    def inner(self, statements: nest.Body, where: _Where, **names: _Name) -> _Where:
        self.scopes.append(names)
        after = self.body(statements, where)
        self.scopes.pop()
        return after

    def statement(self, s: Any, where: _Where) -> _Where:
        if isinstance(s, nest.If):
            return self.condition(s, where)
        if isinstance(s, nest.For):
            return self.loop(s, where)
        if isinstance(s, nest.Block):
            return self.inner(s.body, where)
        if isinstance(s, nest.Barrier):
            if where.differs == THREAD:
                raise self.fault("has a barrier that not all threads of a block reach")
        elif isinstance(s, nest.Run):
            self.user_code(s.code, s.scope, where)
        elif isinstance(s, nest.Closure):
            self.define(s.name, _Name("void", "function"))
            parameters = {p.name: _Name(p.type) for p in s.parameters}
            self.inner(s.body, _Where(where.differs, alone=True), **parameters)
        elif isinstance(s, nest.Assign):
            self.expression(s.value)
            self.target(s.target, where, s.atomic)
        elif isinstance(s, nest.Copy):
            for e in (s.source, s.count):
                self.expression(e)
            self.target(s.target, where, atomic=True)  # of many elements, of which a thread may have its own
        else:
            self.declaration(s)
        return where

    def condition(self, s: nest.If, where: _Where) -> _Where:
        self.expression(s.condition)
        differs = max(where.differs, self.spread.of(s.condition))
        inside = _Where(differs, where.alone or self.chooses(s.condition, "=="))
        self.inner(s.then, inside)
        self.inner(s.other, _Where(differs, where.alone))
        if _leaves(s.then) or _leaves(s.other):
            alone = where.alone or (_leaves(s.then) and self.chooses(s.condition, "!="))
            return _Where(differs, alone)
        return where

    def chooses(self, condition: Expr, op: str) -> bool:
        """Whether a condition holds for one thread of those that differ, or (``!=``) for all others."""
        if isinstance(condition, ex.Binary) and condition.op == "&&" and op == "==":
            return self.chooses(condition.left, op) or self.chooses(condition.right, op)
        if not isinstance(condition, ex.Binary):
            return False
        one = (condition.right, condition.left)[condition.op == ">"]
        first = condition.op in ("<", ">") and op == "==" and isinstance(one, ex.Num) and one.value == 1
        if condition.op != op and not first:  # below one there is zero alone
            return False
        return {self.spread.of(condition.left), self.spread.of(condition.right)} >= {self.needed}

    def loop(self, s: nest.For, where: _Where) -> _Where:
        self.expression(s.begin)
        name = {s.name: _Name(s.type)} if s.begin is not None else {}
        self.scopes.append(name)
        if s.begin is None:
            self.find(s.name)
        for e in (s.condition, s.step):
            self.expression(e)
        passes = max(self.spread.of(e) for e in (s.begin, s.condition, s.step) if e is not None)
        after = self.inner(s.body, _Where(max(where.differs, passes), where.alone))
        self.scopes.pop()
        returned = after.differs > max(where.differs, passes) and _returns(s.body)
        return after if returned else where

    def declaration(self, s: Any) -> None:
        """Check what defines names, and what only mentions some."""
        if isinstance(s, nest.Let):
            self.expression(s.value)
            self.define(s.name, _Name(s.type, written=not s.const))
        elif isinstance(s, nest.View):
            self.expression(s.start)
            self.define(s.name, _Name(s.type, "pointer", s.writes))
        elif isinstance(s, nest.Alias):
            self.expression(s.target)
            self.define(s.name, _Name(s.type))
        elif isinstance(s, nest.Room):
            self.define(s.name, _Name(s.type, "shared" if s.shared else "own", shape=s.shape))
        elif isinstance(s, nest.Scratch):
            self.define(s.name, _Name("", "scratch"))
            for room in s.rooms:
                self.scopes[-1][f"{s.name}.{room.name}"] = _Name(room.type, "shared", shape=room.shape)
        elif isinstance(s, nest.Draws):
            for e in (s.index, *s.more):
                self.expression(e)
            self.define("random", _Name("random", "function"))
        elif isinstance(s, (nest.Unused, nest.Fence)):
            for name in s.names if isinstance(s, nest.Unused) else [s.name] if s.name else []:
                self.find(name)
        elif isinstance(s, (nest.Do, nest.Prefetch)):
            for name in ("value", "pointer", "distance", "count"):
                self.expression(getattr(s, name, None))

    # ---- names ----

    def define(self, name: str, found: _Name) -> None:
        if name in self.scopes[-1]:
            raise self.fault(f"defines {name} twice in one block")
        self.scopes[-1][name] = found

    def find(self, name: str) -> _Name | None:
        """Return what is known of a name; None for what the program or a language has."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        if name in _GIVEN or name in self.function.widths:
            return None
        raise self.fault(f"mentions {name}, which nothing defines before")

    # ---- expressions ----

    def expression(self, e: Any) -> None:
        """Check that an expression's names are defined, of the type that they are taken for."""
        for part in nest.walk(e) if e is not None else ():
            if isinstance(part, ex.Var):
                found = self.find(part.name)
                if found is not None and found.kind != "function" and not _same(found.type, part.type):
                    raise self.fault(f"takes {part.name} for a {part.type}, and it is a {found.type}")
            elif isinstance(part, ex.Member):
                self.member(part)
            elif isinstance(part, ex.Element):
                self.inside(part)
            elif isinstance(part, ex.Value):
                self.user_code(part.code, part.scope, _Where(alone=True))

    def member(self, e: ex.Member) -> _Name:
        base = e.base.name if isinstance(e.base, ex.Var) else "?"
        found = self.find(f"{base}.{e.name}")
        assert found is not None
        return found

    def inside(self, e: ex.Element) -> None:
        """Check an index that is a number against the room that there is."""
        base, index = e.base, e.index
        found = None
        if isinstance(base, ex.Var):
            found = self.find(base.name)
        elif isinstance(base, ex.Member):
            found = self.member(base)
        room = found.shape[0] if found is not None and found.shape else None
        if isinstance(index, ex.Num) and isinstance(room, int) and not 0 <= index.value < room:
            raise self.fault(f"looks at element {index.value} of {_spelt(base)}, which has {room}")

    def target(self, e: Expr, where: _Where, atomic: bool) -> None:
        """Check what is assigned to: that it may be, and by one thread alone."""
        self.expression(e)
        base = e
        while isinstance(base, ex.Element):
            base = base.base
        found = self.find(base.name) if isinstance(base, ex.Var) else None
        if isinstance(base, ex.Member):
            found = self.member(base)
        if found is not None and not found.written:
            raise self.fault(f"assigns to {_spelt(base)}, which is constant")
        mine = found is not None and found.kind in ("number", "own", "function")
        if mine or atomic or where.alone or self.needed == SAME:
            return
        if self.spread.of(e) < self.needed:
            raise self.fault(f"stores one element of {_spelt(base)} by several threads")

    # ---- users' code ----

    def user_code(self, code: Code, scope: Scope, where: _Where) -> None:
        """Check what a user's code reads, assigns to and adds to."""
        used = _used(code)
        self.scopes.append(_along_synapses(code, scope))
        self.names_of_code(code, scope, used, where)
        self.scopes.pop()

    def names_of_code(self, code: Code, scope: Scope, used: frozenset[str], where: _Where) -> None:
        for name, target in code.names.items():
            if name not in used or name.endswith("[]"):
                continue
            if target in scope.names:
                self.expression(scope.names[target])
            elif target not in scope.arrays:
                self.find(target)
        for name in _assigned(code):
            target = code.names[name]
            if target in scope.names:
                self.target(scope.names[target], where, atomic=False)
            else:
                found = self.find(target)
                if found is not None and not found.written:
                    raise self.fault(f"lets code assign to {target}, which is constant")
        for action in code.actions.values():
            if isinstance(action, Accumulate) and action.index is not None and not action.delayed:
                into = scope.sums[action.target, action.index]
                self.target(into.target, where, into.atomic)
        if any(call.startswith("gennrand") for call in tree.calls_in(code.tree)):
            self.find("random")


class _Spread:
    """Which names of a function differ between threads or shares: those that others which do take part in."""

    def __init__(self, function: nest.Function, shares: frozenset[str], blocks: bool) -> None:
        self.names: dict[str, int] = dict.fromkeys(shares - {"end"}, SHARE)
        self.counts = bool(shares) or blocks
        assigned = list(self.assigned(function.body)) if self.counts else []
        before = -1
        while before != sum(self.names.values()):
            before = sum(self.names.values())
            for name, names, least in assigned:
                self.names[name] = max(self.names.get(name, SAME), self.most(names, least))

    def assigned(self, body: nest.Body) -> Iterator[tuple[str, frozenset[str], int]]:
        """Yield each name that gets a value, with the names in that and how it differs at least."""
        for s in nest.walk(body):
            if isinstance(s, nest.Let) and s.value is not None:
                yield s.name, *_names(s.value)
            elif isinstance(s, nest.View):
                yield s.name, *_names(s.start)
            elif isinstance(s, nest.Alias):
                yield s.name, *_names(s.target)
            elif isinstance(s, nest.For):
                # Of two threads that begin elsewhere, or step over each other, each has passes of its own.
                yield s.name, *_names((*(() if s.begin is None else (s.begin,)), s.step))
            elif isinstance(s, nest.Assign) and isinstance(s.target, ex.Var):
                yield s.target.name, *_names(s.value)
            elif isinstance(s, nest.Draws):
                yield "random", *_names(s.index)
            elif isinstance(s, nest.Run):
                for name in _assigned(s.code):
                    yield s.code.names[name], *_names_of_code(s.code, s.scope)

    def most(self, names: Iterable[str], least: int) -> int:
        return max((self.names.get(name, SAME) for name in names), default=SAME) if least == SAME else least

    def of(self, e: Any) -> int:
        """Return how an expression differs."""
        return self.most(*_names(e)) if self.counts else SAME


def _names(e: Any) -> tuple[frozenset[str], int]:
    """Return the names in an expression, and how it differs by itself."""
    names: set[str] = set()
    least = SAME
    for part in nest.walk(e):
        if isinstance(part, ex.Var):
            names.add(part.name)
        elif isinstance(part, ex.Atomic) or _of_thread(part):
            least = THREAD
        elif isinstance(part, ex.Value):
            more, spread = _names_of_code(part.code, part.scope)
            names |= more
            least = max(least, spread)
    return frozenset(names), least


def _names_of_code(code: Code, scope: Scope) -> tuple[frozenset[str], int]:
    """Return the kernel's names in a user's code, and how what it computes differs by itself."""
    names = {"random"} if any("gennrand" in call for call in tree.calls_in(code.tree)) else set()
    least = SAME
    for name in _used(code):
        expression = scope.names.get(code.names[name])
        if expression is None:
            names.add(code.names[name])
        else:
            more, spread = _names(expression)
            names |= more
            least = max(least, spread)
    return frozenset(names), least


def _of_thread(e: Any) -> bool:
    """Whether an expression differs between threads by itself."""
    return (isinstance(e, ex.State) and e.name in _THREADS) or (isinstance(e, ex.Call) and e.function in _VOTES)


def _same(a: str, b: str) -> bool:
    """Whether types agree; indices may be of either width."""
    return a == b or {a, b} == {ex.UINT, ex.SIZE}


def _along_synapses(code: Code, scope: Scope) -> dict[str, _Name]:
    """Return the indices that a loop of the code over synapses has."""
    if not _loops_along_synapses(code.tree):
        return {}
    if isinstance(scope.domain, Diagonals):
        return {"i": _Name(ex.UINT)}
    return {"j": _Name(ex.UINT), "s": _Name(ex.SIZE)}


def _spelt(base: Any) -> str:
    return str(getattr(base, "array", getattr(base, "name", "memory")))


def _used(code: Code) -> frozenset[str]:
    """Return the names of the code that stand for something of the kernel's."""
    return tree.names_in(code.tree) & code.names.keys() - _declared(code.tree)


def _assigned(code: Code) -> list[str]:
    """Return the names of the kernel's that code assigns to."""
    return sorted(_targets(code.tree) & code.names.keys() - _declared(code.tree))


@tree.memoised
def _declared(node: Any) -> frozenset[str]:
    """Return the local variables of a tree."""
    return frozenset(n.name for n in tree.walk(node) if isinstance(n, tree.Declare))


@tree.memoised
def _targets(node: Any) -> frozenset[str]:
    """Return the names that a tree assigns to."""
    changes = (n.target for n in tree.walk(node) if isinstance(n, (tree.Assign, tree.Step)))
    return frozenset(target.id for target in changes if isinstance(target, tree.Name))


@tree.memoised
def _loops_along_synapses(node: Any) -> bool:
    return any(isinstance(n, tree.ForEachSynapse) for n in tree.walk(node))


def _leaves(body: nest.Body) -> bool:
    """Whether statements end with a jump out of what is around them."""
    return bool(body) and isinstance(body[-1], nest.Jump)


def _returns(body: nest.Body) -> bool:
    return any(isinstance(s, nest.Jump) and s.word == "return" for s in nest.walk(body))
