"""The table of a plan: names, loops, reasons, rewrites and width."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from small_networks import RULE, network
from snnlearn import genn
from snnlearn.codegen.explain import WIDTH, explain
from snnlearn.codegen.plan import DEFAULT, build_plan, optimise
from snnlearn.errors import LifecycleError
from snnlearn.genn import GeNNModel
from snnlearn.io import SpikeTrains
from snnlearn.userproject.superspike import describe


def trains(num_neurons: int) -> SpikeTrains:
    return SpikeTrains.from_spikes([1.0], [0], num_neurons)


def superspike(**preferences: object) -> GeNNModel:
    model: GeNNModel = describe(
        genn, trains(200), trains(100), seed=1, num_hidden=128, recording=True, threads=1, **preferences
    ).model
    return model


@pytest.fixture(scope="module")
def optimised() -> str:
    model = superspike()
    model.build()
    return model.explain()


@pytest.fixture(scope="module")
def plain() -> str:
    model = superspike(optimise=())
    model.build()
    return model.explain()


def row(table: str, kernel: str) -> list[str]:
    """Return the cells of a kernel's row, then the note below it; with wrapped lines joined."""
    lines = table.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith(f"{kernel} "))
    heading = next(line for line in reversed(lines[:first]) if line.startswith("kernel"))
    starts = [m.start() for m in re.finditer(r"\S+", heading)]
    cells, note = [""] * len(starts), ""
    for n, line in enumerate(lines[first:]):
        if n and not line.startswith("    "):
            break
        if not n or line.startswith(" " * starts[1]):
            for column, (begin, end) in enumerate(zip(starts, [*starts[1:], WIDTH], strict=True)):
                cells[column] = f"{cells[column]} {line[begin:end].strip()}".strip()
        else:
            note = f"{note} {line.strip()}".strip()
    return [*cells, note]


def test_rows_of_the_optimised_plan(optimised: str) -> None:
    assert row(optimised, "synapse_dynamics_InputHidden") == [
        "synapse_dynamics_InputHidden",
        "200 x 128 synapses",
        "by tiles",
        "Hidden_errTilda, InputHidden_e, InputHidden_lambda, InputHidden_m, InputHidden_sigmaPrime, InputHidden_z, "
        "InputHidden_zTilda, Input_spike_count, Input_spikes",
        "InputHidden_e, InputHidden_lambda, InputHidden_m",
        "deferred: 64 timesteps at once, as a product of matrices, rows without a spike in closed form; "
        "keeps Hidden_errTilda, InputHidden_sigmaPrime, InputHidden_zTilda, InputHidden_z",
    ]
    assert row(optimised, "presynaptic_update_HiddenOutput") == [
        "presynaptic_update_HiddenOutput",
        "rows of spiking Hidden x 100",
        "one",
        "HiddenOutput_w, Hidden_spike_count, Hidden_spikes",
        "HiddenOutput_out_post",
        "not deferred: runs over neurons or spikes, not over all synapses",
    ]
    assert row(optimised, "synapse_dynamics_OutputHidden")[-1] == "not deferred: sends input in every timestep"
    assert row(optimised, "neuron_update_Input")[1] == "200 neurons"
    assert row(optimised, "transpose_transpose_variable")[1:] == [
        "128 x 100 synapses",
        "one",
        "HiddenOutput_w",
        "OutputHidden_w",
        "",
    ]


def test_every_kernel_has_a_row(optimised: str) -> None:
    plan = build_plan(superspike()._describe())
    kernels = [*plan.step, *(k for group in plan.custom_updates.values() for k in group), *plan.init]
    names = [line.split()[0] for line in optimised.splitlines() if re.match(r"(?!kernel )\w+  ", line)]
    assert names == [k.name for k in kernels]


def test_plain_and_optimised_differ_in_what_is_deferred(optimised: str, plain: str) -> None:
    assert f"rewrites applied: {', '.join(DEFAULT)}" in optimised.splitlines()
    assert f"rewrites applied: none; not applied: {', '.join(DEFAULT)}" in plain.splitlines()
    assert row(plain, "synapse_dynamics_InputHidden")[-1] == "not deferred: the rewrite 'defer' was not applied"
    assert "keeps" not in plain


@pytest.mark.parametrize(
    ("codes", "reason"),
    [
        ({"synapse_dynamics_code": "e += 1.0; addToPost(e);"}, "sends input in every timestep"),
        ({"pre_spike_syn_code": "addToPost(e);"}, "presynaptic_update_S needs S_e in every timestep"),
        (
            {"synapse_dynamics_code": "e += w;", "post_spike_syn_code": "w += 1.0;"},
            "postsynaptic_update_S changes S_w in every timestep",
        ),
    ],
)
def test_why_a_kernel_is_not_deferred(codes: dict[str, str], reason: str) -> None:
    table = explain(optimise(build_plan(network(replace(RULE, **codes)))), DEFAULT)
    assert row(table, "synapse_dynamics_S")[-1] == f"not deferred: {reason}"


def test_threads_share_large_kernels_only() -> None:
    small, large = (explain(build_plan(network(sizes=sizes)), ()) for sizes in ((3, 5), (512, 512)))
    assert [row(small, f"synapse_dynamics_{name}")[2] for name in "SR"] == ["one: small", "one: small"]
    assert [row(large, f"synapse_dynamics_{name}")[2] for name in "SR"] == ["by rows", "by columns"]
    assert row(large, "postsynaptic_update_S")[1] == "512 x columns of spiking B"


def test_it_fits_the_width_and_is_the_same_each_time(optimised: str, plain: str) -> None:
    plan = optimise(build_plan(superspike()._describe()))
    assert explain(plan, DEFAULT) == optimised
    for line in [*optimised.splitlines(), *plain.splitlines()]:
        assert len(line) <= WIDTH
        assert line == line.rstrip()


def test_long_names_are_wrapped() -> None:
    model = GeNNModel("float", "n" * 200)
    model.add_neuron_population(
        "P" * 200, 3, genn.create_neuron_model("N", vars=["x"], sim_code="x += 1.0;"), {}, {"x": 0.0}
    )
    plan = build_plan(model._describe())
    assert max(map(len, explain(plan, ()).splitlines())) <= WIDTH


def test_before_build() -> None:
    with pytest.raises(LifecycleError, match=r"call build\(\) before explain\(\)"):
        superspike().explain()


def test_kernels_that_are_compiled_as_one() -> None:
    plan = build_plan(network())
    assert "compiled as one" not in explain(plan, ())
    lines = explain(optimise(plan, ["merge"]), ["merge"]).splitlines()
    assert any(re.fullmatch(r"    init_\w+, init_\w+.*", line) for line in lines[lines.index(MERGED) :])


MERGED = "of one structure, compiled as one"


def test_on_a_gpu_it_tells_what_each_thread_has() -> None:
    text = explain(optimise(build_plan(network()), ["defer"]), ["defer"], gpu=True)
    cells = {line.split()[0]: line[:90] for line in text.splitlines() if line.startswith(("syn", "pre", "post", "neu"))}
    assert "a few rows" in cells["synapse_dynamics_S"]
    assert "one a" in cells["presynaptic_update_S"]
    assert "one a" in cells["neuron_update_A"]
