"""Initial values that code makes: cut off to whole numbers in integers, and an error where they do not fit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn.errors import NetworkError
from snnlearn.genn import (
    GeNNModel,
    create_custom_connectivity_update_model,
    create_neuron_model,
    create_sparse_connect_init_snippet,
    create_var_init_snippet,
    create_weight_update_model,
    create_wu_var_ref,
    init_postsynaptic,
    init_sparse_connectivity,
    init_var,
    init_weight_update,
)

LIMITS: dict[str, tuple[int, int]] = {
    **{f"int{bits}_t": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) for bits in (8, 16, 64)},
    **{f"uint{bits}_t": (0, 2**bits - 1) for bits in (8, 16, 64)},
    "int": (-(2**31), 2**31 - 1),
    "unsigned int": (0, 2**32 - 1),
}
LARGEST = float(np.finfo(np.float32).max)


def table(ctype: str) -> Any:
    """Return an initialiser that takes numbers of a type from an array."""
    return create_var_init_snippet(
        "Table", extra_global_params=[("numbers", f"{ctype}*")], var_init_code="value = numbers[id];"
    )


def tables(engine: Any, given: str) -> GeNNModel:
    """Return a model of a population for each type of variable, whose initial values come from an array."""
    model = engine.model()
    for ctype in (*LIMITS, "bool", "scalar"):
        neuron = create_neuron_model("N", vars=[("x", ctype)])
        start = init_var(table(given))
        population = model.add_neuron_population(ctype.replace(" ", "_"), 4, neuron, {}, {"x": start})
        population.vars["x"].extra_global_params["numbers"].set_init_values([0, 0, 0, 0])
    model.build()
    return model


def load(model: GeNNModel, ctype: str, numbers: list[float]) -> Any:
    """Return the initial values that a variable gets from these numbers."""
    variable = model.neuron_populations[ctype.replace(" ", "_")].vars["x"]
    egp = variable.extra_global_params["numbers"]
    egp.set_init_values([0, *numbers, 0] if len(numbers) == 2 else [0, 0, 0, *numbers])
    try:
        model.load()
        return variable.values[1:3].tolist()
    finally:
        if model._loaded:
            model.unload()
        egp.set_init_values([0, 0, 0, 0])


def refused(model: GeNNModel, ctype: str, number: float) -> None:
    low, high = {**LIMITS, "bool": (0, 1)}.get(ctype, ("-3.40282347e[+]38", "3.40282347e[+]38"))
    name = ctype.replace(" ", "_")
    shown = f"{float(number):.9g}".replace("+", "[+]")
    text = f"'{name}.x' is of type '{ctype}', which holds {low} to {high}, but its initialiser 'Table' gives {shown}$"
    with pytest.raises(NetworkError, match=text):
        load(model, ctype, [number])


def test_floating_numbers_into_every_type(engine: Any) -> None:
    model = tables(engine, "double")
    for ctype, (low, high) in LIMITS.items():
        wide = ctype.endswith("64_t")
        below, above = np.nextafter(float(low), -np.inf) if wide else low - 1.0, high + 1.0
        last = np.nextafter(above, 0.0)
        assert load(model, ctype, [float(low), last]) == [low, int(last)]
        # Cut off as in C: -0.9 is 0 in an unsigned integer.
        cut = [-0.9, 0.9] if wide else [low - 0.9, high + 0.9]
        assert load(model, ctype, cut) == ([0, 0] if wide else [low, high])
        for number in (-1.0 if wide and low == 0 else below, above, -1e300, 1e300, np.inf, -np.inf, np.nan):
            refused(model, ctype, number)
    assert load(model, "bool", [0.25, 1.0]) == [True, True]
    for number in (2.0, -1.0, 1.5, np.nan, np.inf):
        refused(model, "bool", number)
    assert load(model, "scalar", [LARGEST, -np.inf]) == [LARGEST, -np.inf]
    assert np.isnan(load(model, "scalar", [np.nan, np.nan])).all()
    for number in (1e39, -1e300):
        refused(model, "scalar", number)


@pytest.mark.parametrize("given", ["int64_t", "uint64_t"])
def test_integers_into_every_type(engine: Any, given: str) -> None:
    model = tables(engine, given)
    least, most = LIMITS[given]
    for ctype, (low, high) in {**LIMITS, "bool": (0, 1)}.items():
        kept = [max(low, least), min(high, most)]
        assert load(model, ctype, kept) == kept
        for number in (low - 1, high + 1, least, most):
            if least <= number <= most and not low <= number <= high:
                refused(model, ctype, number)
    assert load(model, "scalar", [1, most]) == [1.0, float(np.float32(most))]


def population(engine: Any, ctype: str, start: Any, size: int = 300, precision: str = "float") -> GeNNModel:
    neuron = create_neuron_model("N", vars=[("x", ctype)])
    model = engine.model(precision=precision, dt=0.1)
    model.add_neuron_population("P", size, neuron, {}, {"x": start})
    model.build()
    return model


MOST = {"min": 0.0, "max": 400.0}
STEPS = create_var_init_snippet("Steps", var_init_code="value = 250; for (int n = 0; n < 10; n++) { value++; }")
SUMS = create_var_init_snippet("Sums", var_init_code="value = 200; value += id;")
SHIFTS = create_var_init_snippet("Shifts", var_init_code="value = 3; value <<= 7;")
NO_NUMBER = create_var_init_snippet("NoNumber", var_init_code="value = log(-1.0 - id);")
BACK = create_var_init_snippet("Back", var_init_code="value = 0; const int old = value--; value = old;")


@pytest.mark.parametrize(
    ("ctype", "start"),
    [
        ("uint8_t", init_var("Constant", {"constant": 300.0})),
        ("uint8_t", init_var("Constant", {"constant": -1})),
        ("int", init_var("Constant", {"constant": 2.0**31})),
        ("int", init_var("Constant", {"constant": np.inf})),
        ("bool", init_var("Constant", {"constant": 2})),
        ("scalar", init_var("Constant", {"constant": 1e300})),
        ("float", init_var("Constant", {"constant": -1e39})),
        ("uint8_t", init_var("Uniform", MOST)),
        ("unsigned int", init_var("Uniform", {"min": -5.0, "max": 5.0})),
        ("int8_t", init_var("Normal", {"mean": 0.0, "sd": 100.0})),
        ("uint16_t", init_var("NormalClipped", {"mean": 0.0, "sd": 1.0, "min": -3.0, "max": -2.0})),
        ("uint8_t", init_var("NormalClippedDelay", {"mean": 30.0, "sd": 1.0, "min": 28.0, "max": 32.0})),
        ("uint8_t", init_var("Exponential", {"lambda": 200.0})),
        ("int16_t", init_var("Gamma", {"a": 2.0, "b": 20000.0})),
        ("int64_t", init_var("Gamma", {"a": 2.0, "b": 1e30})),
        ("int64_t", init_var(NO_NUMBER)),
        ("uint8_t", init_var("Binomial", {"n": 600, "p": 0.5})),
        ("uint8_t", init_var(STEPS)),
        ("uint8_t", init_var(SUMS)),
        ("uint8_t", init_var(SHIFTS)),
        ("uint8_t", init_var(BACK)),
    ],
    ids=lambda x: getattr(getattr(x, "snippet", None), "name", None),
)
def test_every_initialiser_says_what_does_not_fit(engines: Any, ctype: str, start: Any) -> None:
    for engine in (engines[0], engines[3]):
        model = population(engine, ctype, start)
        text = f"'P.x' is of type '{ctype}', which holds .* to .*, but its initialiser '{start.snippet.name}' gives "
        with pytest.raises(NetworkError, match=text):
            model.load()


@pytest.mark.parametrize(
    ("ctype", "start", "low", "high"),
    [
        ("uint8_t", init_var("Uniform", {"min": 0.0, "max": 256.0}), 0, 255),
        ("uint8_t", init_var("Uniform", {"min": 200.0, "max": 256.0}), 200, 255),
        ("int8_t", init_var("Uniform", {"min": -128.0, "max": 128.0}), -128, 127),
        ("uint16_t", init_var("NormalClippedDelay", {"mean": 30.0, "sd": 1.0, "min": 28.0, "max": 32.0}), 280, 320),
        ("uint8_t", init_var("Binomial", {"n": 255, "p": 1.0}), 255, 255),
        ("uint8_t", init_var("Constant", {"constant": 2.9}), 2, 2),
        ("int64_t", init_var("Constant", {"constant": 2**53 + 1}), 2**53 + 1, 2**53 + 1),
        ("uint64_t", 2**64 - 1, 2**64 - 1, 2**64 - 1),
        ("int", 2**24 + 1, 2**24 + 1, 2**24 + 1),
        ("double", 0.1, 0.1, 0.1),
        ("double", 1e300, 1e300, 1e300),
        ("scalar", init_var("Constant", {"constant": np.inf}), np.inf, np.inf),
    ],
)
def test_what_fits_is_kept(engine: Any, start: Any, ctype: str, low: float, high: float) -> None:
    model = population(engine, ctype, start, 5000)
    model.load()
    values = model.neuron_populations["P"].vars["x"].values
    model.unload()
    assert low <= values.min()
    assert values.max() <= high
    if low < high < 400:
        assert len(np.unique(values)) > (high - low) / 2


def test_synapses_and_copies_of_a_batch(engine: Any) -> None:
    neuron = create_neuron_model("N")
    weights = create_weight_update_model("W", vars=[("d", "uint8_t")])
    far = create_var_init_snippet("Far", var_init_code="value = 100 * id_pre + id_post;")
    for structure, init in [("DENSE", None), ("SPARSE", init_sparse_connectivity("OneToOne"))]:
        for size in (3, 4):  # values up to 202, and up to 303
            model = engine.model()
            model.batch_size = 2
            pre, post = (model.add_neuron_population(name, size, neuron, {}, {}) for name in ("A", "B"))
            start = {"d": init_var(far)}
            more = () if init is None else (init,)
            model.add_synapse_population(
                "S", structure, pre, post, init_weight_update(weights, {}, start), init_postsynaptic("DeltaCurr"), *more
            )
            model.build()
            if size == 3:
                model.load()
                model.unload()
                continue
            given = "303" if structure == "SPARSE" else "30[0-3]"
            with pytest.raises(NetworkError, match=f"'S.d' is of type 'uint8_t', .* 'Far' gives {given}$"):
                model.load()


def grown(engine: Any, ctype: str, code: str) -> GeNNModel:
    """Return a model to which an update adds synapses."""
    neuron = create_neuron_model("N")
    weights = create_weight_update_model("W", vars=[("d", ctype)])
    nobody = create_sparse_connect_init_snippet("Nobody", row_build_code="if (id_pre > 1000) { addSynapse(0); }")
    grow = create_custom_connectivity_update_model(
        "Grow", params=[("big", "double"), ("far", "int64_t")], var_refs=[("d", ctype)], row_update_code=code
    )
    model = engine.model()
    pre, post = (model.add_neuron_population(name, 3, neuron, {}, {}) for name in ("A", "B"))
    start = init_weight_update(weights, {}, {"d": 0})
    s = model.add_synapse_population(
        "S", "SPARSE", pre, post, start, init_postsynaptic("DeltaCurr"), init_sparse_connectivity(nobody)
    )
    s.max_connections = 3
    params = {"big": 1e300, "far": 2**32 + 1}
    model.add_custom_connectivity_update("U", "G", s, grow, params, {}, {}, {}, {"d": create_wu_var_ref(s, "d")})
    model.build()
    model.load()
    return model


@pytest.mark.parametrize(
    ("ctype", "code", "message"),
    [
        ("uint8_t", "add_synapse(0, 300);", "'S.d' is of type 'uint8_t', which holds 0 to 255, .* 'U' gives 300$"),
        ("uint8_t", "add_synapse(0, -0.5 - id_pre);", "'S.d' is of type 'uint8_t', .* gives -[12].5$"),
        ("int", "add_synapse(0, 3.0e9);", "'S.d' is of type 'int', .* gives 3e[+]09$"),
        ("scalar", "add_synapse(0, big);", "'S.d' is of type 'scalar', .* gives 1e[+]300$"),
        ("uint8_t", "add_synapse(-1.0, 3);", "connects neuron . to neuron 4294967295, which does not exist"),
        ("uint8_t", "add_synapse(far, 3);", "connects neuron . to neuron 4294967295, which does not exist"),
        ("uint8_t", "add_synapse(big, 3);", "connects neuron . to neuron 4294967295, which does not exist"),
    ],
)
def test_new_synapses(engines: Any, ctype: str, code: str, message: str) -> None:
    for engine in (engines[0], engines[3]):
        model = grown(engine, ctype, code)
        with pytest.raises(NetworkError, match=message):
            model.custom_update("G")
        model.unload()
