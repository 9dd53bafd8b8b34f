"""Integers beyond 32 bits, as C reads and computes them, against Python's."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from agreement import trace

SIZE = 7
IDS = range(SIZE)
# Each variable's type, what its code assigns, and the numbers that this gives.
CASES = {
    "hash32": ("unsigned int", "id * 2654435761", [i * 2654435761 % 2**32 for i in IDS]),
    "masked": ("unsigned int", "(id * 2654435761) & 32767", [i * 2654435761 & 32767 for i in IDS]),
    "product": ("int64_t", "id * 2654435761", [i * 2654435761 for i in IDS]),
    "wrapped": ("int64_t", "id * 2654435761u", [i * 2654435761 % 2**32 for i in IDS]),
    "hexadecimal": ("uint64_t", "id * 0x9E3779B97F4A7C15u", [i * 0x9E3779B97F4A7C15 % 2**64 for i in IDS]),
    "quotient": ("int64_t", "(-5000000000 - id) / 3", [-((5000000000 + i) // 3) for i in IDS]),
    "remainder": ("int64_t", "9223372036854775807 % (id + 5000000000)", [(2**63 - 1) % (i + 5000000000) for i in IDS]),
    "halved": ("uint64_t", "18446744073709551615u / (id + 2)", [(2**64 - 1) // (i + 2) for i in IDS]),
    "compared": ("int", "(id < 4294967296) + (2147483648 > 0)", [2] * SIZE),
    "lowest": ("int", "-2147483648 + (int)id", [i - 2**31 for i in IDS]),
    "truncated": ("int", "4294967297 + id", [1 + i for i in IDS]),
    "real": ("double", "5000000001 + id", [5000000001.0 + i for i in IDS]),
}


@cache
def neuron(g: Any) -> Any:
    code = "\n".join(f"{name} = {expression};" for name, (_, expression, _) in CASES.items())
    return g.create_neuron_model("Wide", vars=[(name, kind) for name, (kind, _, _) in CASES.items()], sim_code=code)


def network(g: Any, model: Any) -> None:
    model.add_neuron_population("P", SIZE, neuron(g), {}, dict.fromkeys(CASES, 0))


def test_expressions_with_literals_beyond_32_bits(any_engine: Any) -> None:
    found = trace(any_engine, network, 1)
    for name, (_, expression, expected) in CASES.items():
        np.testing.assert_array_equal(found[f"P.vars.{name}"][-1], expected, expression)


def test_functions_and_cases_of_64_bits(engine: Any, start: Any) -> None:
    neuron = engine.api.create_neuron_model(
        "Functions",
        params=[("p", "int64_t")],
        vars=[
            ("largest", "int64_t"),
            ("least", "uint64_t"),
            ("size", "int64_t"),
            ("chosen", "int"),
            ("next", "int64_t"),
        ],
        sim_code="""
        largest = max(5000000000, p); least = min(18446744073709551615u, 0x100000000u); size = abs(-5000000000 - id);
        switch (p) { case 5000000001: chosen = 1; break; case -5: chosen = 2; break; default: chosen = 3; }
        int64_t counter = 4294967295; counter++; counter = (counter << 20) >> 20;
        next = id > 0 ? counter : -9223372036854775807;
        """,
    )
    model = engine.model()
    groups = {
        p: model.add_neuron_population(f"P{n}", 2, neuron, {"p": p}, dict.fromkeys(_names(neuron), 0))
        for n, p in enumerate([5000000001, -5, 0])
    }
    start(model)
    model.step_time()
    for (p, group), chosen in zip(groups.items(), [1, 2, 3], strict=True):
        for name, expected in {
            "largest": [max(5000000000, p)] * 2,
            "least": [2**32] * 2,
            "size": [5000000000, 5000000001],
            "chosen": [chosen] * 2,
            "next": [-9223372036854775807, 2**32],
        }.items():
            group.vars[name].pull_from_device()
            assert group.vars[name].values.tolist() == expected, (p, name)


def _names(model: Any) -> list[str]:
    return [v.name for v in model.vars]


def test_alike_groups_whose_cases_differ(engine: Any, start: Any) -> None:
    model = engine.model()
    groups = []
    for label in (-3, -7, 5000000000, 6000000000):
        code = f"switch (far) {{ case {label}: hit = 1; break; default: hit = 2; }}"
        neuron = engine.api.create_neuron_model("Case", vars=[("far", "int64_t"), ("hit", "int")], sim_code=code)
        groups.append(model.add_neuron_population(f"P{len(groups)}", 2, neuron, {}, {"far": [label, 0], "hit": 0}))
    start(model)
    model.step_time()
    for group in groups:
        group.vars["hit"].pull_from_device()
        assert group.vars["hit"].values.tolist() == [1, 2]
