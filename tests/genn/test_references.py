"""References: each is to a variable that is there, of a group of the kind, in the same model."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

import snnlearn.genn as genn
from snnlearn.errors import NetworkError
from snnlearn.genn import GeNNModel
from snnlearn.network import Location

NEURON = genn.create_neuron_model("N", vars=["V"], extra_global_params=[("e", "scalar*")], sim_code="V += e[0];")
WEIGHTS = genn.create_weight_update_model(
    "W", vars=["g"], pre_vars=["p"], post_vars=["q"], extra_global_params=[("we", "scalar*")]
)
CURRENT = genn.create_postsynaptic_model("P", vars=["x"], extra_global_params=[("pe", "scalar*")])
SOURCE = genn.create_current_source_model("C", vars=["i"], extra_global_params=[("ce", "scalar*")])
UPDATE = genn.create_custom_update_model("U", vars=["u"], var_refs=["r"], update_code="u += r;")
REWIRE = genn.create_custom_connectivity_update_model(
    "R", vars=["s"], pre_vars=["a"], post_vars=["b"], extra_global_params=[("re", "scalar*")]
)


def groups(name: str = "refs") -> Any:
    model = GeNNModel("float", name, threads=1)
    a = model.add_neuron_population("A", 3, NEURON, {}, {"V": 0.0})
    b = model.add_neuron_population("B", 2, NEURON, {}, {"V": 0.0})

    def connect(name: str, matrix_type: str, source: Any, target: Any) -> Any:
        weights = genn.init_weight_update(WEIGHTS, {}, {"g": 1.0}, {"p": 0.0}, {"q": 0.0})
        return model.add_synapse_population(
            name, matrix_type, source, target, weights, genn.init_postsynaptic(CURRENT, {}, {"x": 0.0})
        )

    ab, ba, sparse = connect("AB", "DENSE", a, b), connect("BA", "DENSE", b, a), connect("S", "SPARSE", a, b)
    source = model.add_current_source("I", SOURCE, a, {}, {"i": 0.0})
    over_neurons = model.add_custom_update("UN", "G", UPDATE, {}, {"u": 0}, {"r": genn.create_var_ref(a, "V")})
    over_synapses = model.add_custom_update("US", "G", UPDATE, {}, {"u": 0}, {"r": genn.create_wu_var_ref(ab, "g")})
    rewire = model.add_custom_connectivity_update("R", "G", sparse, REWIRE, {}, {"s": 0.0}, {"a": 0.0}, {"b": 0.0})
    return SimpleNamespace(
        model=model, a=a, b=b, ab=ab, ba=ba, s=sparse, i=source, un=over_neurons, us=over_synapses, r=rewire
    )


@pytest.fixture
def g() -> Any:
    return groups()


def test_where_each_leads(g: Any) -> None:
    for ref, at in [
        (genn.create_var_ref(g.a, "V"), ("A", "own", "V")),
        (genn.create_var_ref(g.i, "i"), ("I", "own", "i")),
        (genn.create_var_ref(g.un, "u"), ("UN", "own", "u")),
        (genn.create_psm_var_ref(g.ab, "x"), ("AB", "psm", "x")),
        (genn.create_wu_pre_var_ref(g.ab, "p"), ("AB", "pre", "p")),
        (genn.create_wu_post_var_ref(g.ab, "q"), ("AB", "post", "q")),
        (genn.create_wu_var_ref(g.ab, "g"), ("AB", "synapse", "g")),
        (genn.create_wu_var_ref(g.us, "u"), ("US", "own", "u")),
        (genn.create_wu_var_ref(g.r, "s"), ("R", "synapse", "s")),
        (genn.create_pre_var_ref(g.r, "a"), ("R", "pre", "a")),
        (genn.create_post_var_ref(g.r, "b"), ("R", "post", "b")),
        (genn.create_out_post_var_ref(g.ab), ("AB", "out_post", "")),
        (genn.create_den_delay_var_ref(g.ab), ("AB", "den_delay", "")),
        (genn.create_spike_time_var_ref(g.a), ("A", "spike_time", "")),
        (genn.create_prev_spike_time_var_ref(g.a), ("A", "prev_spike_time", "")),
        (genn.create_src_spike_count_var_ref(g.ab), ("A", "spike_count", "")),
        (genn.create_egp_ref(g.a, "e"), ("A", "egp", "e")),
        (genn.create_egp_ref(g.i, "ce"), ("I", "egp", "ce")),
        (genn.create_egp_ref(g.r, "re"), ("R", "egp", "re")),
        (genn.create_psm_egp_ref(g.ab, "pe"), ("AB", "psm_egp", "pe")),
        (genn.create_wu_egp_ref(g.ab, "we"), ("AB", "egp", "we")),
    ]:
        assert ref.to == Location(*at)
    assert genn.create_wu_var_ref(g.ab, "g", g.ba, "g").transpose == Location("BA", "synapse", "g")


def test_kinds_of_updates(g: Any) -> None:
    assert isinstance(g.un, genn.CustomUpdate)
    assert isinstance(g.us, genn.CustomUpdateWU)
    assert isinstance(g.us, genn.CustomUpdateBase)
    assert not isinstance(g.us, genn.CustomUpdate)
    assert (g.un.num_neurons, g.us.synapse_group, g.r.synapse_group) == (3, g.ab, g.s)
    assert g.un.update_group_name == g.r.update_group_name == "G"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda g: genn.create_var_ref(g.ab, "g"), "not 'AB', a SynapseGroup; try create_wu_var_ref"),
        (lambda g: genn.create_var_ref(g.us, "u"), "not 'US', a CustomUpdateWU; try create_wu_var_ref"),
        (lambda g: genn.create_wu_var_ref(g.a, "V"), "not 'A', a NeuronGroup; try create_var_ref"),
        (lambda g: genn.create_wu_var_ref(g.un, "u"), "not 'UN', a CustomUpdate; try create_var_ref"),
        (lambda g: genn.create_pre_var_ref(g.ab, "p"), "not 'AB', a SynapseGroup; try .*create_wu_pre_var_ref"),
        (lambda g: genn.create_egp_ref(g.ab, "we"), "create_egp_ref refers to .*, not 'AB', a SynapseGroup"),
        (lambda g: genn.create_out_post_var_ref("AB"), "refers to a SynapseGroup, not 'AB'"),
        (lambda g: genn.create_var_ref(g.a, "v"), "'A' has no variable 'v' among its vars; did you mean 'V'"),
        (lambda g: genn.create_wu_pre_var_ref(g.ab, "q"), "'AB' has no variable 'q' among its pre_vars; known: p"),
        (lambda g: genn.create_egp_ref(g.a, "f"), "'A' has no extra global parameter 'f'.*; known: e"),
        (lambda g: genn.create_wu_var_ref(g.ab, "g", g.ba), "needs both a transpose group and the name"),
        (lambda g: genn.create_wu_var_ref(g.ab, "g", transpose_var_name="g"), "needs both a transpose group"),
        (lambda g: genn.create_wu_var_ref(g.us, "u", g.ba, "g"), "'US' is no connection: only"),
        (lambda g: genn.create_wu_var_ref(g.ab, "g", g.ba, "h"), "'BA' has no variable 'h'"),
    ],
)
def test_what_is_not_there(g: Any, make: Any, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        make(g)


def test_groups_of_another_model(g: Any) -> None:
    other = groups("other")
    with pytest.raises(NetworkError, match="reference 'r' is to 'A', no group of this model"):
        g.model.add_custom_update("X", "G", UPDATE, {}, {"u": 0}, {"r": genn.create_var_ref(other.a, "V")})
    with pytest.raises(NetworkError, match="current source 'X': 'A' is no neuron population of this model"):
        g.model.add_current_source("X", SOURCE, other.a, {}, {"i": 0.0})
    with pytest.raises(NetworkError, match="custom connectivity update 'X': 'S' is no connection of this model"):
        g.model.add_custom_connectivity_update("X", "G", other.s, REWIRE, {}, {"s": 0}, {"a": 0}, {"b": 0})


def test_only_sparse_connections_are_rewired(g: Any) -> None:
    with pytest.raises(NetworkError, match="custom connectivity update 'X': can only change SPARSE connectivity"):
        g.model.add_custom_connectivity_update("X", "G", g.ab, REWIRE, {}, {"s": 0}, {"a": 0}, {"b": 0})


def test_an_update_of_two_shapes(g: Any) -> None:
    both = genn.create_custom_update_model("B", var_refs=["r", "s"], update_code="r = s;")
    refs = {"r": genn.create_var_ref(g.a, "V"), "s": genn.create_var_ref(g.b, "V")}
    g.model.add_custom_update("X", "G", both, {}, {}, refs)
    with pytest.raises(NetworkError, match=r"custom update 'X': reference 's': 'B.V' has shape \(2,\), the first"):
        g.model.build()
