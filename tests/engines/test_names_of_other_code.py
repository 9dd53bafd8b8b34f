"""What one kind of code sees anyway, every other kind may declare: there the name means what the model says."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from snnlearn.declare.built_in_names import SEEN

TAKEN = {kind: frozenset(names) for kind, names in SEEN.items()}
FUNCTIONS = "exp min gennrand gennrand_uniform printf assert addSynapse add_synapse remove_synapse pushxToDevice"
ALL = sorted(frozenset().union(*TAKEN.values(), FUNCTIONS.split(), ["prev_st", "goto", "L_tmpnam", "a__b", "__x"]))


def free(kind: str) -> list[str]:
    return [name for name in ALL if name not in TAKEN[kind]]


def total(kind: str) -> str:
    return " + ".join(free(kind))


def values(kind: str) -> dict[str, float]:
    return {name: ALL.index(name) + 1.0 for name in free(kind)}


def expected(kind: str) -> float:
    return sum(values(kind).values())


@cache
def models(g: Any) -> dict[str, Any]:
    def params(kind: str) -> list[tuple[str, str]]:
        return [(name, "scalar") for name in free(kind)]

    x, p, w = [("x", "scalar")], "WeightUpdateModel", "scalar"
    return {
        "neuron": g.create_neuron_model(
            "N", params=params("NeuronModel"), vars=x, sim_code=f"x = {total('NeuronModel')} + Isyn;"
        ),
        # The same names as variables, each as large as its place in the alphabet.
        "state": g.create_neuron_model(
            "S",
            vars=[*params("NeuronModel"), ("x", w)],
            sim_code=f"x = {total('NeuronModel')}; {' '.join(f'{name} += 1.0;' for name in free('NeuronModel'))}",
        ),
        "spiking": g.create_neuron_model("R", vars=x, sim_code="x += Isyn;", threshold_condition_code="true"),
        "rule": g.create_weight_update_model(
            "W",
            params=params(p),
            vars=[("w", w)],
            pre_vars=[("r", w)],
            synapse_dynamics_code=f"w = {total(p)};",
            pre_dynamics_code=f"r = {total(p)};",
        ),
        "psm": g.create_postsynaptic_model(
            "P",
            params=params("PostsynapticModel"),
            sim_code=f"injectCurrent({total('PostsynapticModel')});",
        ),
        "source": g.create_current_source_model(
            "C", params=params("CurrentSourceModel"), injection_code=f"injectCurrent({total('CurrentSourceModel')});"
        ),
        "update": g.create_custom_update_model(
            "U", params=params("CustomUpdateModel"), var_refs=x, update_code=f"x = {total('CustomUpdateModel')};"
        ),
        "change": g.create_custom_connectivity_update_model(
            "CC",
            params=params("CustomConnectivityUpdateModel"),
            pre_vars=[("r", w)],
            row_update_code=f"r = {total('CustomConnectivityUpdateModel')};",
        ),
        "first": g.create_var_init_snippet(
            "F", params=params("VarInitSnippet"), var_init_code=f"value = {total('VarInitSnippet')};"
        ),
        "connect": g.create_sparse_connect_init_snippet(
            "B",
            params=params("SparseConnectInitSnippet"),
            row_build_code=f"addSynapse((unsigned int)({total('SparseConnectInitSnippet')}) % num_post);",
        ),
        "diagonal": g.create_toeplitz_connect_init_snippet(
            "T",
            params=params("ToeplitzConnectInitSnippet"),
            diagonal_build_code=f"""
            for_each_synapse {{
                addSynapse((unsigned int)({total("ToeplitzConnectInitSnippet")}) % num_post, 0);
            }}""",
            calc_max_row_len_func=lambda num_pre, num_post, pars: 1,
            calc_kernel_size_func=lambda pars: [1],
        ),
    }


def test_a_name_means_what_the_model_declares(engine: Any, start: Any) -> None:
    g, model = engine.api, engine.model()
    m, size = models(g), 5
    a = model.add_neuron_population("A", size, m["neuron"], values("NeuronModel"), {"x": 0.0})
    named = values("NeuronModel") | {"x": g.init_var(m["first"], values("VarInitSnippet"))}
    b = model.add_neuron_population("B", size, m["state"], {}, named)
    rule = g.init_weight_update(m["rule"], values("WeightUpdateModel"), {"w": 0.0}, {"r": 0.0})
    psm = g.init_postsynaptic(m["psm"], values("PostsynapticModel"))
    build = g.init_sparse_connectivity(m["connect"], values("SparseConnectInitSnippet"))
    sparse = model.add_synapse_population("Sparse", "SPARSE", a, a, rule, psm, build)
    diagonal = g.init_toeplitz_connectivity(m["diagonal"], values("ToeplitzConnectInitSnippet"))
    c = model.add_neuron_population("C", size, m["spiking"], {}, {"x": 0.0})
    plain = g.init_weight_update("StaticPulse", {}, {"g": 1.0})
    model.add_synapse_population("Diag", "TOEPLITZ", c, c, plain, g.init_postsynaptic("DeltaCurr"), diagonal)
    model.add_current_source("I", m["source"], a, values("CurrentSourceModel"))
    update = {"x": g.create_var_ref(b, "x")}
    model.add_custom_update("U", "Update", m["update"], values("CustomUpdateModel"), {}, update)
    change = model.add_custom_connectivity_update(
        "CC", "Update", sparse, m["change"], values("CustomConnectivityUpdateModel"), pre_vars={"r": 0.0}
    )
    start(model)

    def found(variable: Any) -> set[float]:
        variable.pull_from_device()
        return set(np.asarray(variable.values).ravel().tolist())

    assert found(b.vars["x"]) == {expected("VarInitSnippet")}
    sparse.pull_connectivity_from_device()
    assert set(sparse.get_sparse_post_inds().tolist()) == {expected("SparseConnectInitSnippet") % size}
    model.step_time()
    into_a = expected("PostsynapticModel") + expected("CurrentSourceModel")
    assert found(a.vars["x"]) == {expected("NeuronModel") + into_a}
    assert found(b.vars["x"]) == {expected("NeuronModel")}
    for name, value in values("NeuronModel").items():
        assert found(b.vars[name]) == {value + 1.0}
    model.step_time()
    c.vars["x"].pull_from_device()
    target = int(expected("ToeplitzConnectInitSnippet")) % size
    assert c.vars["x"].values.tolist() == [size * (j == target) for j in range(size)]
    assert found(sparse.vars["w"]) == found(sparse.pre_vars["r"]) == {expected("WeightUpdateModel")}
    model.custom_update("Update")
    assert found(b.vars["x"]) == {expected("CustomUpdateModel")}
    assert found(change.pre_vars["r"]) == {expected("CustomConnectivityUpdateModel")}
