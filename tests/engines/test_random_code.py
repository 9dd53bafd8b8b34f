"""Random programs: engines against the tests' own interpreter of the dialect, in every bit of double precision."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dialect_author import FLOATS, INTEGERS, PARAMETERS, TYPES, Author
from dialect_interpreter import run_snippet
from snnlearn.dialect import check_model
from snnlearn.genn import create_neuron_model

SIZE = 40


@pytest.mark.parametrize("seed", range(3))
def test_what_is_compiled_is_what_is_meant(engine: Any, start: Any, seed: int) -> None:
    author = Author(seed)
    code = "\n".join(author.statement(2) for _ in range(40))
    neuron = create_neuron_model(
        "Random", params=["p", "q", *PARAMETERS.items()], vars=list(TYPES.items()), sim_code=code
    )
    rng = np.random.default_rng(seed)
    first: dict[str, Any] = {name: rng.normal(0.0, 10.0, SIZE) for name in FLOATS}
    first |= {name: rng.integers(0, 100, SIZE) for name in INTEGERS} | {"flag": rng.integers(0, 2, SIZE) == 1}
    first["m1"] -= 50
    params = {"p": 0.25, "q": -4.0}  # their reciprocals are exact
    params |= {"k": -77, "h": 2**32 - 3, "tiny": 200, "wide": 2**53 + 1, "on": True}
    model = engine.model(precision="double", dt=0.5)
    population = model.add_neuron_population("P", SIZE, neuron, params, first)
    start(model)
    model.step_time()
    snippet = check_model(neuron).snippets["sim_code"]
    constants = params | {"dt": 0.5, "num_neurons": SIZE, "t": 0.0, "Isyn": 0.0}
    for variable in population.vars.values():
        variable.pull_from_device()
    for i in range(SIZE):
        given = constants | {name: values[i].item() for name, values in first.items()} | {"id": i}
        after = run_snippet(snippet, {name: value for name, value in given.items() if name in snippet.names})
        for name in TYPES:
            expected = after.get(name, given[name])
            found = population.vars[name].view[i].item()
            assert found == expected or (found != found and expected != expected), (name, i, code)
