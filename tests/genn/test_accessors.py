"""``get_<field>()`` for every field of a declaration."""

import copy
import pickle

import pytest

import snnlearn.genn  # noqa: F401  (which offers them)
from snnlearn.declare import NeuronModel, SparseConnectInitSnippet, VarInitSnippet


def test_each_field_has_a_function() -> None:
    model = NeuronModel("num_neurons", params=["p"], vars=["V"], sim_code="V = p;", auto_refractory_required=True)
    assert model.get_params() == list(model.params)
    assert [v.name for v in model.get_vars()] == ["V"]
    assert (model.get_sim_code(), model.get_reset_code()) == ("V = p;", "")
    assert model.is_auto_refractory_required() is True
    assert VarInitSnippet("v", var_init_code="value = 1;").get_code() == "value = 1;"
    sparse = SparseConnectInitSnippet("s", calc_max_row_len_func=lambda num_pre, num_post, params: 3)
    assert sparse.get_calc_max_row_length_func()(1, 2, {}) == 3
    assert sparse.get_calc_max_col_length_func() is None


def test_other_names_are_unknown() -> None:
    model = NeuronModel("N")
    for name in ("get_", "get_pre_vars", "vars_", "get_code"):
        with pytest.raises(AttributeError, match=f"NeuronModel has no attribute '{name}'"):
            getattr(model, name)


def test_models_are_still_values() -> None:
    model = NeuronModel("N", vars=["V"])
    assert pickle.loads(pickle.dumps(model)) == copy.deepcopy(model) == model
