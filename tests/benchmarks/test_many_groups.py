"""The work of a build grows with the number of groups, not with its square."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import many_groups
import pytest

from snnlearn.codegen.cpp import emit_cpp
from snnlearn.codegen.cuda.emit import emit_cuda
from snnlearn.codegen.explain import explain
from snnlearn.codegen.plan import build_plan, optimise
from snnlearn.codegen.plan.rewrites import DEFAULT_GPU, REWRITES
from snnlearn.genn import GeNNModel
from snnlearn.genn.describe import describe

FEW, MANY = 40, 160  # whole numbers of populations in every kind
MOST = 1.15 * MANY / FEW  # how much more work; rows of tables grow longer, too


def work_of(do: Callable[[], Any]) -> int:
    """Return how many lines and functions of Python run, loops' anew in each pass: unlike time, always the same."""
    count = 0

    def trace(*_: Any) -> Any:
        nonlocal count
        count += 1
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        do()
    finally:
        sys.settrace(before)
    return count


def described(kind: str, groups: int) -> GeNNModel:
    model = GeNNModel("float", kind)
    many_groups.KINDS[kind](model, groups)
    return model


def growth(kind: str, do: Callable[[GeNNModel], Callable[[], Any]]) -> float:
    do(described(kind, 2))()  # templates and models are read once
    few, many = (work_of(do(described(kind, groups))) for groups in (FEW, MANY))
    return many / few


@pytest.mark.parametrize("kind", many_groups.KINDS)
def test_a_plan(kind: str) -> None:
    assert growth(kind, lambda model: lambda: optimise(build_plan(describe(model)), REWRITES)) < MOST


@pytest.mark.parametrize("emit", [emit_cpp, emit_cuda, explain])
@pytest.mark.parametrize("kind", ["sparse", "small", "updates"])
def test_its_source(kind: str, emit: Callable[[Any], Any]) -> None:
    def do(model: GeNNModel) -> Callable[[], Any]:
        plan = optimise(build_plan(describe(model)), DEFAULT_GPU)
        return (lambda: explain(plan, DEFAULT_GPU)) if emit is explain else lambda: emit(plan)

    assert growth(kind, do) < MOST


@pytest.mark.parametrize("kind", many_groups.KINDS)
def test_its_description(kind: str) -> None:
    few, many = (work_of(lambda n=n: described(kind, n)) for n in (FEW, MANY))
    assert many / few < MOST
