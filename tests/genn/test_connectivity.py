"""Sparse connectivity as a user gives, sees and changes it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import snnlearn.genn as genn
from snnlearn.errors import LifecycleError, NetworkError
from snnlearn.genn import GeNNModel

NEURON = genn.create_neuron_model("N", vars=["x"], sim_code="x = Isyn;")
PULSE = genn.create_weight_update_model("W", vars=["g"], synapse_dynamics_code="addToPost(g);")
PRE, POST = [2, 0, 2, 0, 1], [1, 3, 0, 2, 3]
VALUES = [1.0, 2.0, 3.0, 4.0, 5.0]


def connect(matrix_type: Any = "SPARSE", init: Any = None, batch_size: int = 1, g: Any = 0.0) -> Any:
    model = GeNNModel("float", "connect", threads=1)
    model.batch_size = batch_size
    source = model.add_neuron_population("A", 3, NEURON, {}, {"x": 0.0})
    target = model.add_neuron_population("B", 4, NEURON, {}, {"x": 0.0})
    weights = genn.init_weight_update(PULSE, {}, {"g": g})
    return model, model.add_synapse_population(
        "S", matrix_type, source, target, weights, genn.init_postsynaptic("DeltaCurr"), init
    )


def loaded(**changes: Any) -> Any:
    model, synapses = connect(g=VALUES, **changes)
    synapses.set_sparse_connections(PRE, POST)
    model.build()
    model.load()
    return model, synapses


def test_connections_and_values_in_the_users_order() -> None:
    model, s = loaded()
    assert s.connections_set
    assert s.max_connections == 2
    assert s.get_sparse_pre_inds().tolist() == [0, 0, 1, 2, 2]
    assert s.get_sparse_post_inds().tolist() == [2, 3, 3, 0, 1]
    assert s.synapse_order.tolist() == [3, 1, 4, 2, 0]
    assert s.row_lengths.tolist() == [2, 1, 2]
    assert s.ind.tolist() == [2, 3, 3, 0, 1]
    assert s.vars["g"].values.tolist() == [4.0, 2.0, 5.0, 3.0, 1.0]
    model.step_time()
    target = model.neuron_populations["B"].vars["x"]
    target.pull_from_device()
    assert target.view.tolist() == [3.0, 1.0, 4.0, 7.0]


def test_values_are_assigned_without_gaps() -> None:
    model, s = loaded()
    g = s.vars["g"]
    with pytest.raises(NetworkError, match=r"'S.g': the values of SPARSE connectivity are stored with gaps"):
        g.view  # noqa: B018
    with pytest.raises(NetworkError, match=r"'S.g' has 5 synapses; got values of shape \(6,\)"):
        g.values = np.zeros(6)
    g.values = np.arange(5.0)
    g.push_to_device()
    model.step_time()
    g.values = 0.0
    g.pull_from_device()
    assert g.values.tolist() == g.current_values.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]


def test_a_snippet_makes_connections() -> None:
    init = genn.init_sparse_connectivity("FixedProbability", {"prob": 0.5})
    model, s = connect(init=init, g=1.0)
    assert s.sparse_connectivity_initialiser.snippet.name == "FixedProbability"
    assert not s.connections_set
    with pytest.raises(LifecycleError, match="no values until the model is loaded"):
        s.get_sparse_pre_inds()
    with pytest.raises(NetworkError, match="'S' was not given its connections"):
        s.ind  # noqa: B018
    model.seed = 3
    model.build()
    model.load()
    s.pull_connectivity_from_device()
    pre, post = s.get_sparse_pre_inds(), s.get_sparse_post_inds()
    assert pre.size == post.size == s.vars["g"].values.size > 0
    expected = np.bincount(post, minlength=4)
    model.step_time()
    target = model.neuron_populations["B"].vars["x"]
    target.pull_from_device()
    assert target.view.tolist() == expected.tolist()


def test_connections_are_changed_on_the_device() -> None:
    model, s = connect(init=genn.init_sparse_connectivity("OneToOne"), g=1.0)
    model.build()
    model.load()
    assert s.get_sparse_post_inds().tolist() == [0, 1, 2]
    s._ind.view[:] = [3, 3, 3]
    s.push_connectivity_to_device()
    model.step_time()
    target = model.neuron_populations["B"].vars["x"]
    target.pull_from_device()
    assert target.view.tolist() == [0.0, 0.0, 0.0, 3.0]
    s._row_lengths.view[1] = 2
    with pytest.raises(NetworkError, match="'S': row 1 has 2 synapses, but max_connections is 1"):
        s.push_connectivity_to_device()
    s._row_lengths.view[1] = 1
    s._ind.view[1] = 4
    with pytest.raises(NetworkError, match="'S': postsynaptic index 4 is out of range: there are 4"):
        s.push_connectivity_to_device()


@pytest.mark.parametrize(
    ("pre", "post", "message"),
    [
        ([0, 3], [0, 1], r"presynaptic index 3 \(number 1\) is out of range: there are 3 neurons"),
        ([0, 1], [0, -1], r"postsynaptic index -1 \(number 1\) is out of range"),
        ([0, 1, 2], [0, 1], "3 presynaptic but 2 postsynaptic indices"),
        ([0.5], [0], "presynaptic indices must be an array of integers"),
        ([[0]], [[0]], "presynaptic indices must be an array of integers with one dimension"),
    ],
)
def test_connections_refused(pre: Any, post: Any, message: str) -> None:
    _, s = connect()
    with pytest.raises(NetworkError, match=f"^synapse population 'S': {message}"):
        s.set_sparse_connections(pre, post)


def test_a_pair_may_be_connected_twice() -> None:
    model, s = connect(g=[1.0, 2.0])
    s.set_sparse_connections([1, 1], [2, 2])
    model.build()
    model.load()
    model.step_time()
    target = model.neuron_populations["B"].vars["x"]
    target.pull_from_device()
    assert target.view.tolist() == [0.0, 0.0, 3.0, 0.0]


def test_a_connection_without_connections() -> None:
    model, s = connect()
    model.build()
    with pytest.raises(LifecycleError, match=r"'S' has no connections: give init_sparse_connectivity\(...\) or call"):
        model.load()
    with pytest.raises(LifecycleError, match="its connections can only be changed before the model is built"):
        s.set_sparse_connections([0], [0])


def test_as_many_values_as_connections() -> None:
    model, s = connect(g=[1.0, 2.0])
    s.set_sparse_connections(PRE, POST)
    with pytest.raises(NetworkError, match=r"initial value of 'S.g' must have shape \(5,\), not shape \(2,\)"):
        model.build()


def test_room_in_rows() -> None:
    _, s = connect()
    assert (s.max_connections, s.max_source_connections) == (4, 3)
    s.set_sparse_connections(PRE, POST)
    s.max_connections = 3
    assert s.weight_update_var_size == 9
    with pytest.raises(NetworkError, match="max_connections is 1, but the longest row of the connections given has 2"):
        s.max_connections = 1
    _, made = connect(init=genn.init_sparse_connectivity("OneToOne"))
    assert made.max_connections == 1
    with pytest.raises(NetworkError, match="max_connections must be a positive integer, not 0"):
        made.max_connections = 0
    made.max_source_connections = 2
    assert made.max_source_connections == 2


@pytest.mark.parametrize(
    ("matrix_type", "init", "message"),
    [
        ("SPARCE", None, "synapse population 'S': unknown matrix type 'SPARCE'; did you mean 'SPARSE'"),
        ("DENSE", "OneToOne", "DENSE connects all to all, so 'OneToOne' has nothing to say"),
        ("PROCEDURAL", None, "synapse population 'S': PROCEDURAL connectivity needs an initialiser"),
        ("TOEPLITZ", None, "synapse population 'S': TOEPLITZ connectivity needs an initialiser"),
        ("TOEPLITZ", "OneToOne", "initialised by a ToeplitzConnectInit, not SparseConnectInit"),
    ],
)
def test_matrix_types_refused(matrix_type: str, init: Any, message: str) -> None:
    given = genn.init_sparse_connectivity(init) if init else None
    with pytest.raises(NetworkError, match=message):
        connect(matrix_type, given)
    with pytest.raises(NetworkError, match="connectivity_init must be made with init_sparse_connectivity"):
        connect("SPARSE", "OneToOne")


def test_a_bitmask_needs_an_initialiser() -> None:
    model, _ = connect("BITMASK")
    with pytest.raises(NetworkError, match="'S': BITMASK connectivity needs an initialiser"):
        model.build()


def test_what_only_sparse_connections_have() -> None:
    model, s = connect("DENSE", g=1.0)
    for use in (lambda: s.set_sparse_connections([0], [0]), s.get_sparse_pre_inds, s.get_sparse_post_inds):
        with pytest.raises(NetworkError, match="is for SPARSE connectivity, not DENSE"):
            use()
    model.build()
    model.load()
    s.pull_connectivity_from_device()
    s.push_connectivity_to_device()
    assert s.vars["g"].view.shape == (12,)
