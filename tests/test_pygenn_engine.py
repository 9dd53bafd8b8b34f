"""The real GeNN behind our declarations; needs PyGeNN."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snnlearn import models
from snnlearn.declare import (
    CurrentSourceModel,
    CustomConnectivityUpdateModel,
    CustomUpdateModel,
    NeuronModel,
    PostsynapticModel,
    SparseConnectInitSnippet,
    VarAccessMode,
    VarInitSnippet,
    WeightUpdateModel,
)
from snnlearn.errors import BackendError, NetworkError, TrainingError
from snnlearn.training import SumLog, attach
from snnlearn.training.fingerprint import differences

pytest.importorskip("pygenn", reason="PyGeNN is not installed")
genn: Any = pytest.importorskip("snnlearn.pygenn_engine")

NEURON = NeuronModel(
    "N",
    params=["k"],
    derived_params=[("twice", lambda params, dt: 2.0 * params["k"])],
    vars=["V"],
    additional_input_vars=[("more", "scalar", 0.5)],
    sim_code="V += Isyn + more + twice;",
    threshold_condition_code="V > 1000.0",
)
PULSE = WeightUpdateModel("W", vars=["g"], synapse_dynamics_code="addToPost(g);")
CURRENT = PostsynapticModel("P", neuron_var_refs=["V"], sim_code="injectCurrent(inSyn); inSyn = 0.0;")
SOURCE = CurrentSourceModel(
    "C",
    params=["amp"],
    neuron_var_refs=[("V", "scalar", VarAccessMode.READ_ONLY)],
    injection_code="injectCurrent(V * amp);",
)
RESET = CustomUpdateModel("R", params=["to"], var_refs=["V"], update_code="V = hypot(to, 0.0);")
CUT = CustomConnectivityUpdateModel("Cut", row_update_code="for_each_synapse { remove_synapse(); break; }")
NEXT = SparseConnectInitSnippet("Next", row_build_code="addSynapse((id_pre + 1) % num_post); addSynapse(id_pre);",
                                calc_max_row_len_func=lambda num_pre, num_post, params: 2)  # fmt: skip
FILL = VarInitSnippet("Fill", params=["v"], var_init_code="value = v;")


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("rate", lambda m, p: m.add_neuron_population("B", 1, "Poisson", {"rate": -1.0}, {"timeStepToSpike": 0.0})),
        (
            "rate",
            lambda m, p: m.add_neuron_population("B", 1, models.Poisson, {"rate": -1.0}, {"timeStepToSpike": 0.0}),
        ),
        (
            "tauSyn",
            lambda m, p: m.add_current_source(
                "C", "PoissonExp", p, {"weight": 1.0, "tauSyn": 0.0, "rate": 1.0}, {"current": 0.0}
            ),
        ),
        ("tau", lambda m, p: genn.init_postsynaptic("ExpCurr", {"tau": -1.0})),
        ("prob", lambda m, p: genn.init_sparse_connectivity("FixedProbability", {"prob": 1.5})),
        ("a", lambda m, p: genn.init_var("Gamma", {"a": 0.0, "b": 1.0})),
    ],
)
def test_parameters_out_of_bounds_are_refused(name: str, make: Any) -> None:
    model = genn.GeNNModel("float", "bounds", backend="cpu")
    cells = model.add_neuron_population("A", 1, NeuronModel("Still"), {}, {})
    with pytest.raises(NetworkError, match=f"parameter '{name}' must be in "):
        make(model, cells)


def test_sums_are_noted_and_read_together() -> None:
    model = genn.GeNNModel("float", "sums", backend="cpu")
    model.dt = 1.0
    grow = NeuronModel("Grow", vars=["x"], sim_code="x += 0.25;")
    log = SumLog(genn, model, model.add_neuron_population("P", 4, grow, {}, {"x": np.arange(4.0)}), "x")
    model.build()
    model.load()
    noted = []
    for _ in range(6):  # two more than it can hold
        model.run(1)
        noted.append(log.note())
    assert [one.value() for one in noted] == [6.0 + step for step in range(1, 7)]


def test_every_kind_of_model_runs() -> None:
    model = genn.GeNNModel("float", "kinds", backend="cpu", threads=2)
    model.dt = 1.0
    a = model.add_neuron_population(
        "A", np.int64(3), NEURON, {"k": np.float32(0.25)}, {"V": genn.init_var(FILL, {"v": 1})}
    )
    s = model.add_synapse_population(
        "S",
        "SPARSE",
        a,
        a,
        genn.init_weight_update(PULSE, None, {"g": 1.0}),
        genn.init_postsynaptic(CURRENT, None, None, {"V": "V"}),
        genn.init_sparse_connectivity(NEXT),
    )
    model.add_current_source("I", SOURCE, a, {"amp": 0.5}, None, {"V": "V"})
    model.add_custom_update("R", "Reset", RESET, {"to": 3.0}, var_refs={"V": genn.create_var_ref(a, "V")})
    model.add_custom_connectivity_update("C", "Cut", s, CUT)
    model.build()
    model.load()

    def potential() -> list[float]:
        a.vars["V"].pull_from_device()
        values: list[float] = a.vars["V"].view.tolist()
        return values

    model.run(1)
    # 1, and 2 from synapses, 0.5 from the source, 0.5 from the other input, 0.5 of its own
    assert potential() == [4.5, 4.5, 4.5]
    model.custom_update("Reset")
    assert potential() == [3.0, 3.0, 3.0]
    state = model.state()
    model.custom_update("Cut")
    s.pull_connectivity_from_device()
    assert s.get_sparse_pre_inds().tolist() == [0, 1, 2]
    model.run(2)
    assert potential() != [3.0, 3.0, 3.0]
    model.set_state(state)
    assert potential() == [3.0, 3.0, 3.0]
    with pytest.raises(NetworkError, match="cannot run -1 timesteps"):
        model.run(-1)


def test_names_of_our_library() -> None:
    model = genn.GeNNModel("float", "names")
    ours = model.add_neuron_population("A", 2, "ClassReadout", {"tauMem": 5.0, "tStart": 0.0}, dict.fromkeys(
        ["V", "target", "errTilda", "score"], 0.0))  # fmt: skip
    assert ours.num_neurons == 2
    assert genn.init_postsynaptic("DeltaCurr")
    total = genn.init_sparse_connectivity("FixedNumberTotalWithReplacement", {"num": 3})
    assert total.snippet.get_params()[0].name == "num"
    assert genn.SynapseMatrixType.DENSE.name == "DENSE", "what is not ours is PyGeNN's"


def test_snippets_that_pygenn_cannot_have() -> None:
    on_host = SparseConnectInitSnippet(
        "OnHost",
        host_init_func=lambda *given: {},
        extra_global_params=[("e", "uint32_t*")],
        row_build_code="addSynapse(e[0]);",
    )
    with pytest.raises(BackendError, match="'OnHost' makes arrays with host_init_func, which PyGeNN cannot"):
        genn.init_sparse_connectivity(on_host)


def test_back_ends_that_genn_was_not_built_with() -> None:
    with pytest.raises(BackendError, match="this GeNN was built without the back end 'opencl'; it has "):
        genn.GeNNModel("float", "m", backend="opencl")
    with pytest.raises(BackendError, match="built without the back end 'opencl'"):
        genn.with_backend("opencl")
    on_cpu = genn.with_backend("cpu")
    assert on_cpu.GeNNModel("float", "m").backend_name == "single_threaded_cpu"
    assert on_cpu.init_var is genn.init_var
    assert on_cpu.VarAccess is genn.VarAccess


def _declared(**changed: Any) -> dict[str, Any]:
    c: dict[str, Any] = {
        "name": "net",
        "dt": 1.0,
        "size": 4,
        "k": 0.5,
        "code": "addToPost(g * a);",
        "a": 1.0,
        "tau": 5.0,
    }
    c |= {"prob": 0.5, "to": 1.0, "precision": "float", **changed}
    model = genn.GeNNModel(c["precision"], c["name"], backend="cpu")
    model.dt = c["dt"]
    post = model.add_neuron_population("Post", c["size"], NEURON, {"k": c["k"]}, {"V": 0.0})
    pulse = WeightUpdateModel("W", params=["a"], vars=["g"], synapse_dynamics_code=c["code"])
    model.add_synapse_population(
        "S", "SPARSE", post, post, genn.init_weight_update(pulse, {"a": c["a"]}, {"g": 1.0}),
        genn.init_postsynaptic("ExpCurr", {"tau": c["tau"]}),
        genn.init_sparse_connectivity("FixedProbability", {"prob": c["prob"]}),
    )  # fmt: skip
    model.add_custom_update("R", "Reset", RESET, {"to": c["to"]}, {}, {"V": genn.create_var_ref(post, "V")})
    found: dict[str, Any] = model.description()
    return found


@pytest.mark.parametrize(
    "changed",
    [
        {"name": "other"},
        {"dt": 0.5},
        {"size": 5},
        {"k": 1.0},
        {"code": "addToPost(2.0 * g * a);"},
        {"a": 2.0},
        {"tau": 4.0},
        {"prob": 0.25},
        {"to": 2.0},
        {"precision": "double"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_description_tells_networks_apart(changed: dict[str, Any]) -> None:
    same = _declared()
    assert differences(same, _declared()) == []
    found = differences(same, _declared(**changed))
    assert any(next(iter(changed)).replace("code", "synapse_dynamics_code") in text for text in found)


def test_optimisers_stay_in_their_intervals() -> None:
    for precision in ("float", "double"):
        model = genn.GeNNModel(precision, "intervals", backend="cpu")
        assert model.scalar_precision == precision
        post = model.add_neuron_population("Post", 1, NeuronModel("Still", vars=["m", "w"]), {}, {"m": 0.0, "w": 0.0})
        refs = [genn.create_var_ref(post, name) for name in ("m", "w")]
        if precision == "double":
            attach(model, "Adam", "update", "Learn", *refs, {"epsilon": 1e-50})
            continue
        with pytest.raises(TrainingError, match=r"epsilon must be in .* but 1e-50 is 0 in single precision"):
            attach(model, "Adam", "update", "Learn", *refs, {"epsilon": 1e-50})


@pytest.mark.parametrize("name", ["record", "play", "keep_checkpoints"])
def test_variables_are_recorded_by_the_embedded_engine_alone(name: str) -> None:
    model = genn.GeNNModel("float", "kept")
    population = model.add_neuron_population("P", 1, NEURON, {"k": 1.0}, {"V": 0.0})
    with pytest.raises(BackendError, match="GeNN neither records variables nor plays them: take the back end 'cpu'"):
        getattr(model, name)(population, "V")
