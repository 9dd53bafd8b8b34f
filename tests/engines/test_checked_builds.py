"""Checked builds: what would do harm is reported with its place, and what is right comes out bit by bit as ever."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from snnlearn.errors import NetworkError
from snnlearn.genn import (
    VarAccessMode,
    create_custom_connectivity_update_model,
    create_custom_update_model,
    create_neuron_model,
    create_sparse_connect_init_snippet,
    create_src_spike_count_var_ref,
    create_var_init_snippet,
    init_postsynaptic,
    init_sparse_connectivity,
    init_var,
    init_weight_update,
)

PLAIN = create_neuron_model("Plain")
# Each case of the switch does harm; the number that is asked for tells which one runs.
ARRAY, DIVISION, SHIFT = "an index beyond the end of", "an integer division without a result", "a shift by more bits"
HARM = {  # where the caret is, what is wrong, and the numbers
    "x = a[4 + id];": ("a[4", f"{ARRAY} 'a'", "it is 5, and there are 5 elements"),
    "a[n - 1] = 1.0;": ("a[n", f"{ARRAY} 'a'", "it is -1, and there are 5 elements"),
    "x = c[3 + id];": ("c[", f"{ARRAY} 'c'", "it is 3, and there are 3 elements"),
    "scalar *p = a; p -= 1; x = *p;": ("p; }", f"{ARRAY} 'a'", "it is -1, and there are 5 elements"),
    "x = a[n > 5 ? n : 100];": ("a[n", f"{ARRAY} 'a'", "it is 100, and there are 5 elements"),
    "x = a[n < 5 ? n - 2 : 0];": ("a[n", f"{ARRAY} 'a'", "it is -2, and there are 5 elements"),
    "n = 7 / n;": ("7 /", DIVISION, "7 is divided by 0"),
    "n = 7 % (int)(u * 2);": ("7 %", DIVISION, "7 is divided by 0"),
    "n = (-2147483647 - 1 + n) / (n - 1);": ("2147483647", DIVISION, "-2147483648 is divided by -1"),
    "far = (int64_t)0x8000000000000000 / (n - 1);": ("(int64_t)", DIVISION, f"{-(2**63)} is divided by -1"),
    "u = 1u << (32 + n);": ("1u", SHIFT, "it is by 32 bits, and the number has 32"),
    "far = (int64_t)1 >> (n - 1);": ("(int64_t)", SHIFT, "it is by -1 bits, and the number has 64"),
    "n /= n;": ("n /=", DIVISION, "0 is divided by 0"),
    "c[id] %= n;": ("c[id]", DIVISION, "1 is divided by 0"),
    "c[id] <<= 32;": ("c[id]", SHIFT, "it is by 32 bits, and the number has 32"),
}
CASES = "\n".join(f"case {number}:\n{{ {code} }} break;" for number, code in enumerate(HARM, 1))
HARMFUL = create_neuron_model(
    "Harmful",
    params=[("which", "int")],
    vars=["x", ("n", "int"), ("u", "unsigned int"), ("far", "int64_t")],
    extra_global_params=[("a", "scalar*"), ("c", "int*")],
    sim_code=f"switch (which) {{\n{CASES}\n}}",
)


@pytest.mark.few_engines
def test_harm_is_reported_with_its_place(engine: Any, start: Any) -> None:
    model = engine.model(checked=True)
    p = model.add_neuron_population("P", 3, HARMFUL, {"which": 0}, {"x": 0.0, "n": 0, "u": 0, "far": 2})
    p.set_param_dynamic("which")
    p.extra_global_params["a"].set_init_values(np.zeros(5))
    p.extra_global_params["c"].set_init_values(np.ones(3, dtype=np.int32))
    start(model)
    model.run(2)
    for number, (code, (place, what, numbers)) in enumerate(HARM.items(), 1):
        p.set_dynamic_param_value("which", number)
        with pytest.raises(NetworkError) as found:
            report(model, model.step_time)
        text = str(found.value)
        assert f"model 'Harmful', sim_code, line {2 * number + 1}: {what}" in text, code
        shown, caret, last = text.split("\n")[-3:]
        assert shown.strip() == f"{{ {code} }} break;"
        assert last.strip() == numbers
        assert shown[caret.index("^") :].startswith(place), text


def report(model: Any, work: Callable[[], None]) -> None:
    work()
    model.state()  # a GPU is not waited for until somebody looks


OPERANDS = {"n": "int", "u": "unsigned int", "far": "int64_t", "w": "uint64_t", "small": "uint8_t", "flag": "bool"}
VALID = [
    *(f"sum += (uint64_t)({a} {op} ({b} | 1));" for a in OPERANDS for b in OPERANDS for op in "/%"),
    *(f"sum ^= (uint64_t)({a} {op} ({b} & 7));" for a in OPERANDS for b in OPERANDS for op in ("<<", ">>")),
    *(f"{a} {op}= ({b} & 3) + 1; sum += (uint64_t){a};" for a in OPERANDS for b in ("n", "w") for op in "/%"),
    *(f"bits[place++] {op}= (n & 3) + 1; place %= 4;" for op in ("/", "%", "<<", ">>")),
    "for (int i = 0; i < 4; i++) { sum += bits[i]; uint8_t *q = bits + i; *q = (uint8_t)sum; }",
]
VALID_MODEL = create_neuron_model(
    "Valid",
    vars=[*OPERANDS.items(), ("sum", "uint64_t"), ("place", "int")],
    extra_global_params=[("bits", "uint8_t*")],
    sim_code="\n".join(VALID),
)


@pytest.mark.few_engines
def test_valid_code_comes_out_bit_by_bit(engine: Any, engines: Any, start: Any) -> None:
    found = []
    for other, checked in ((engines[0], False), (engine, True)):
        model = other.model(checked=checked)
        rng = np.random.default_rng(1)
        values: dict[str, Any] = {name: rng.integers(0, 200, 1) for name in OPERANDS} | {"sum": 0, "place": 0}
        values |= {"n": rng.integers(-200, 200, 1), "far": rng.integers(-(2**60), 2**60, 1), "flag": np.array([True])}
        p = model.add_neuron_population("P", 1, VALID_MODEL, {}, values)
        p.extra_global_params["bits"].set_init_values(np.arange(4, dtype=np.uint8) + 100)
        start(model)
        model.run(5)
        p.extra_global_params["bits"].pull_from_device()
        found.append({**model.state(), "bits": p.extra_global_params["bits"].view.copy()})
    plain, checked_state = found
    assert plain.keys() == checked_state.keys(), "lengths of arrays are no state"
    for name, values in plain.items():
        np.testing.assert_array_equal(checked_state[name], values, err_msg=name)


@pytest.mark.slow
def test_an_array_may_be_empty_where_a_condition_guards_it(engine: Any, start: Any) -> None:
    model = engine.model(checked=True)
    ends = np.array([0, 2], dtype=np.uint32)
    source = model.add_neuron_population(
        "P", 2, "SpikeSourceArray", {}, {"startSpike": np.array([0, 0], np.uint32), "endSpike": ends}
    )
    times = source.extra_global_params["spikeTimes"]
    times.set_init_values(np.array([1.0, 3.0]))
    empty = model.add_neuron_population("Q", 2, "SpikeSourceArray", {}, {"startSpike": 0, "endSpike": 0})
    empty.extra_global_params["spikeTimes"].set_init_values(np.empty(0))
    source.spike_recording_enabled = True
    start(model, 5)
    model.run(5)
    model.pull_recording_buffers_from_device()
    np.testing.assert_array_equal(source.spike_recording_data[0][0], [1.0, 3.0])


TAKE = create_var_init_snippet("Take", extra_global_params=[("a", "scalar*")], var_init_code="value = a[id];")


@pytest.mark.slow
def test_initialisers_are_checked(engine: Any) -> None:
    model = engine.model(checked=True)
    p = model.add_neuron_population("P", 3, "RulkovMap", RULKOV, {"V": init_var(TAKE), "preV": 0.0})
    p.vars["V"].extra_global_params["a"].set_init_values(np.zeros(2))
    model.build()
    with pytest.raises(NetworkError, match=r"model 'Take', var_init_code, line 1: an index beyond the end of 'a'"):
        model.load()


RULKOV = {"Vspike": 60.0, "alpha": 3.0, "y": -2.468, "beta": 0.0165}


@pytest.mark.slow
def test_a_kernel_has_an_end_too(engine: Any) -> None:
    connect = create_sparse_connect_init_snippet(
        "Connect", row_build_code="addSynapse(id_pre, id_pre, 1);", calc_kernel_size_func=lambda pars: [3, 2]
    )
    model = engine.model(checked=True)
    a, b = (model.add_neuron_population(name, 4, PLAIN, {}, {}) for name in ("A", "B"))
    weights = init_weight_update("StaticPulse", {}, {"g": np.zeros(6)})
    rule = init_sparse_connectivity(connect)
    model.add_synapse_population("S", "PROCEDURAL_KERNELG", a, b, weights, init_postsynaptic("DeltaCurr"), rule)
    model.build()
    with pytest.raises(NetworkError, match=r"an index beyond the end of the kernel\n.*\n.*\n *it is 3, .* 3 elements"):
        model.load()


MOVE = create_custom_connectivity_update_model(
    "Move",
    params=[("count", "int")],
    pre_vars=[("m", "int")],
    extra_global_params=[("a", "int*")],
    host_update_code="pushaToDevice(count);\nm[count] = 1;",
    row_update_code="for_each_synapse { if (m == 9) { remove_synapse(); remove_synapse(); } }",
)


@pytest.mark.slow
def test_host_code_is_checked_and_nothing_is_removed_twice(engine: Any, start: Any) -> None:
    model = engine.model(checked=True)
    a, b = (model.add_neuron_population(name, 4, PLAIN, {}, {}) for name in ("A", "B"))
    s = model.add_synapse_population(
        "S",
        "SPARSE",
        a,
        b,
        init_weight_update("StaticPulse", {}, {"g": 0.0}),
        init_postsynaptic("DeltaCurr"),
        init_sparse_connectivity("OneToOne"),
    )
    update = model.add_custom_connectivity_update("U", "Move", s, MOVE, {"count": 3}, {}, {"m": 9})
    update.set_param_dynamic("count")
    update.extra_global_params["a"].set_init_values(np.zeros(3, dtype=np.int32))
    start(model)
    model.custom_update("Move")
    s.pull_connectivity_from_device()
    assert len(s.get_sparse_pre_inds()) == 0
    for count, what in [(4, r"'a' has\n.*\n.*\n *it is 4, and there are 3"), (-1, "'a' has\n.*\n.*\n *it is -1")]:
        update.set_dynamic_param_value("count", count)
        with pytest.raises(NetworkError, match=f"model 'Move', host_update_code, line 1: more elements than {what}"):
            report(model, lambda: model.custom_update("Move"))


SET_COUNT = create_custom_update_model(
    "SetCount",
    params=[("count", "int")],
    var_refs=[("spikes", "unsigned int", VarAccessMode.BROADCAST)],
    update_code="spikes = count;",
)


@pytest.mark.slow
def test_there_are_no_more_spikes_than_neurons(engine: Any, start: Any) -> None:
    model = engine.model(checked=True)
    a, b = (model.add_neuron_population(name, 4, PLAIN, {}, {}) for name in ("A", "B"))
    rule = init_weight_update("StaticPulse", {}, {"g": 1.0})
    s = model.add_synapse_population("S", "DENSE", a, b, rule, init_postsynaptic("DeltaCurr"))
    refs = {"spikes": create_src_spike_count_var_ref(s)}
    update = model.add_custom_update("U", "Set", SET_COUNT, {"count": 4}, {}, refs)
    update.set_param_dynamic("count")
    start(model)
    for count in (4, 0):
        update.set_dynamic_param_value("count", count)
        model.custom_update("Set")
    for count in (5, -1, 1_000_000_000):
        update.set_dynamic_param_value("count", count)
        with pytest.raises(
            NetworkError, match=rf"more spikes than there are neurons\n.*\n.*\n *it is {count}, and .* 4 "
        ):
            report(model, lambda: model.custom_update("Set"))
    model.run(2)


@pytest.mark.parametrize("checked", [False, True])
def test_code_that_touches_nothing_but_an_array(engine: Any, start: Any, checked: bool) -> None:
    """No variable is read or written: the loop over neurons is there all the same."""
    model = engine.model(checked=checked)
    neuron = create_neuron_model("Stamp", extra_global_params=[("a", "scalar*")], sim_code="a[id] += 2.0;")
    population = model.add_neuron_population("P", 3, neuron, {}, {})
    array = population.extra_global_params["a"]
    array.set_init_values(np.ones(4))
    start(model)
    model.run(2)
    array.pull_from_device()
    np.testing.assert_array_equal(array.view, [5.0, 5.0, 5.0, 1.0])
