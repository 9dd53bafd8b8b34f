"""Writing sums of products as trees, with the names of a kernel."""

from __future__ import annotations

from collections.abc import Sequence

from snnlearn.codegen.plan.names import Names
from snnlearn.codegen.plan.parts import Code, Constant
from snnlearn.codegen.plan.polynomial import Polynomial
from snnlearn.declare import ValueType
from snnlearn.dialect import tree
from snnlearn.dialect.tree import Block, Evaluate


class Writer:
    """Writes expressions of one type; collects the constants that they need.

    Parameters
    ----------
    names : Names
        Where to take the constants' names from.
    constants : dict of (float, ValueType) to Constant
        Those there are already; new ones are added.
    vtype : ValueType
    """

    def __init__(self, names: Names, constants: dict[tuple[float, ValueType], Constant], vtype: ValueType) -> None:
        self.names, self.constants, self.vtype = names, constants, vtype

    def name(self, name: str) -> tree.Name:
        """Return a name."""
        return tree.Name(name, self.vtype)

    def number(self, value: float) -> tree.Name:
        """Return a constant."""
        key = value, self.vtype
        if key not in self.constants:
            self.constants[key] = Constant(self.names.unique("c"), self.vtype, value)
        return self.name(self.constants[key].name)

    def sum(self, terms: Sequence[tree.Expr]) -> tree.Expr:
        """Return a sum: the first is there first, each further one is added to it."""
        if not terms:
            return self.number(0.0)
        value = terms[0]
        for term in terms[1:]:
            value = tree.Binary("+", value, term, self.vtype)
        return value

    def product(self, factors: Sequence[tree.Expr]) -> tree.Expr:
        """Return a product."""
        if not factors:
            return self.number(1.0)
        value = factors[0]
        for factor in factors[1:]:
            value = tree.Binary("*", value, factor, self.vtype)
        return value

    def share(self, name: str, factor: float) -> list[tree.Expr]:
        """Return the terms of what a variable keeps of itself in each of many timesteps.

        A factor close to 1 is off by up to 3e-8 in single precision, each time in the same direction: what is lost,
        as a term of its own, is off by that share of little.
        """
        if not 0.5 <= factor < 1.0:
            return [self.product([self.name(name), self.number(factor)])]
        return [self.product([self.name(name), self.number(factor - 1.0)]), self.name(name)]

    def polynomial(self, total: Polynomial) -> tree.Expr:
        """Return a sum of products with their coefficients."""
        terms = []
        for monomial, coefficient in sorted(total.items()):
            factors: list[tree.Expr] = [self.name(factor) for factor in monomial]
            terms.append(
                self.product(factors if coefficient == 1.0 and factors else [self.number(coefficient), *factors])
            )
        return self.sum(terms)

    def assign(self, name: str, value: tree.Expr) -> Evaluate:
        """Return the statement ``name = value;``."""
        return Evaluate(tree.Assign("=", self.name(name), value, self.vtype))

    def add(self, name: str, value: tree.Expr) -> Evaluate:
        """Return the statement ``name += value;``."""
        return Evaluate(tree.Assign("+=", self.name(name), value, self.vtype))


def code(title: str, statements: Sequence[tree.Statement]) -> Code:
    """Return statements whose names are the kernel's own as a piece of its code."""
    block = Block(tuple(statements))
    return Code(title, block, {name: name for name in tree.names_in(block)})
