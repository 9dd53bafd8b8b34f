"""Which values of the forward pass a reversed timestep needs: its coefficients, as numbers and as bits."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from snnlearn.dialect import algebra, tree
from snnlearn.dialect.tree import Expr, Name

SPIKED = Name("spiked", algebra.BOOL)  # the bit that every neuron with a threshold has


@dataclass
class Coefficients:
    """The values that depend on the forward pass, each once.

    A reversed timestep is linear in the adjoints. Each largest part of it that reads forward values only is a
    coefficient. One that chooses between constants needs its conditions alone, a bit each; any other is a number.

    Parameters
    ----------
    forward : frozenset of str
        The names that stand for values of the forward pass.
    spike : str
        That of them which says whether the neuron spiked.

    Attributes
    ----------
    numbers, bits : list of Expr
    """

    forward: frozenset[str]
    spike: str
    numbers: list[Expr] = field(default_factory=list)
    bits: list[Expr] = field(default_factory=list)

    def extract(self, expr: Expr, adjoints: frozenset[str]) -> Expr:
        """Return an expression of adjoints with names in the place of its coefficients.

        Parameters
        ----------
        expr : Expr
        adjoints : frozenset of str
            The names that stand for adjoints.
        """
        names = tree.names_in(expr)
        if not names & self.forward:
            return expr
        if not names & adjoints:
            return self._coefficient(expr)
        if isinstance(expr, tree.Ternary):
            return algebra.select(
                self._with_bits(expr.condition), self.extract(expr.then, adjoints), self.extract(expr.other, adjoints)
            )
        if isinstance(expr, tree.Binary):
            left, right = self.extract(expr.left, adjoints), self.extract(expr.right, adjoints)
            return tree.Binary(expr.op, left, right, expr.type)
        assert isinstance(expr, (tree.Unary, tree.Cast)), expr
        inner = self.extract(expr.operand, adjoints)
        return tree.Unary(expr.op, inner, expr.type) if isinstance(expr, tree.Unary) else tree.Cast(inner, expr.type)

    def _coefficient(self, expr: Expr) -> Expr:
        if not self._needs_number(expr):
            return self._with_bits(expr)
        if isinstance(expr, tree.Unary) and expr.op == "-":
            return algebra.negate(self._coefficient(expr.operand))
        return Name(f"coefficient{_place(self.numbers, expr)}", algebra.SCALAR)

    def _needs_number(self, expr: Expr) -> bool:
        if not tree.names_in(expr) & self.forward or expr.type.kind == "bool":
            return False
        if isinstance(expr, tree.Ternary):
            return self._needs_number(expr.then) or self._needs_number(expr.other)
        return True

    def _with_bits(self, expr: Expr) -> Expr:
        if not tree.names_in(expr) & self.forward:
            return expr
        if isinstance(expr, tree.Ternary):
            return algebra.select(
                self._with_bits(expr.condition), self._with_bits(expr.then), self._with_bits(expr.other)
            )
        if isinstance(expr, Name) and expr.id == self.spike:
            return SPIKED
        return Name(f"condition{_place(self.bits, expr)}", algebra.BOOL)


def _place(known: list[Expr], expr: Expr) -> int:
    """Return the place of an expression in a list, which it joins where it is not in it."""
    if expr not in known:
        known.append(expr)
    return known.index(expr)


def used(exprs: Iterable[Expr]) -> frozenset[str]:
    """Return all names that expressions mention."""
    return frozenset().union(*(tree.names_in(e) for e in exprs))
