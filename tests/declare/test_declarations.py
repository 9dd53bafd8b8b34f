"""Whole declarations: frozen, complete, and free of names used twice."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from snnlearn.declare import (
    ArrayPart,
    CurrentSourceModel,
    CustomConnectivityUpdateModel,
    CustomUpdateModel,
    Model,
    NeuronModel,
    Param,
    PostsynapticModel,
    SparseConnectInitSnippet,
    ToeplitzConnectInitSnippet,
    Var,
    VarInitSnippet,
    VarRef,
    WeightUpdateModel,
)
from snnlearn.errors import DeclarationError

KINDS = [
    NeuronModel,
    WeightUpdateModel,
    PostsynapticModel,
    CurrentSourceModel,
    CustomUpdateModel,
    CustomConnectivityUpdateModel,
    VarInitSnippet,
    SparseConnectInitSnippet,
    ToeplitzConnectInitSnippet,
]
FIELD_LISTS = [
    (kind, field.name)
    for kind in KINDS
    for field in dataclasses.fields(kind)
    if field.name not in ("name", "auto_refractory_required", "array_parts", "time_type")
    and not field.name.endswith(("_code", "_func"))
]
FUNCTIONS = [(kind, f.name) for kind in KINDS for f in dataclasses.fields(kind) if f.name.endswith("_func")]
CODES = [(kind, f.name) for kind in KINDS for f in dataclasses.fields(kind) if f.name.endswith("_code")]


def entry(attribute: str, name: str) -> Any:
    return {
        "derived_params": (name, lambda params, dt: dt),
        "extra_global_params": (name, "scalar*"),
        "extra_global_param_refs": (name, "scalar*"),
    }.get(attribute, name)


@pytest.mark.parametrize(("kind", "attribute"), FIELD_LISTS)
def test_shorthand_is_taken_everywhere(kind: type[Model], attribute: str) -> None:
    model = kind("m", **{attribute: [entry(attribute, "a"), entry(attribute, "b")]})
    assert [f.name for f in getattr(model, attribute)] == ["a", "b"]
    assert [(a, f.name) for a, f in model.named_fields()] == [(attribute, "a"), (attribute, "b")]


@pytest.mark.parametrize(("kind", "attribute"), FIELD_LISTS)
def test_no_name_is_declared_twice(kind: type[Model], attribute: str) -> None:
    with pytest.raises(DeclarationError, match=f"model 'm' declares 'a' twice: in {attribute} and in {attribute}"):
        kind("m", **{attribute: [entry(attribute, "a"), entry(attribute, "a")]})
    if attribute != "params":
        with pytest.raises(DeclarationError, match=f"model 'm' declares 'a' twice: in params and in {attribute}"):
            kind("m", params=["a"], **{attribute: [entry(attribute, "a")]})


@pytest.mark.parametrize(("kind", "attribute"), CODES)
def test_codes_are_strings(kind: type[Model], attribute: str) -> None:
    with pytest.raises(DeclarationError, match=f"model 'm', {attribute}: code must be a string, not int"):
        kind("m", **{attribute: 3})
    assert kind("m", **{attribute: None}).codes() == {}
    assert kind("m", **{attribute: "  \n "}).codes() == {}
    condition = (
        {attribute.replace("syn", "threshold_condition"): "true"} if attribute.endswith("event_syn_code") else {}
    )
    model = kind("m", **{attribute: "    a;\n      b;"}, **condition)
    assert model.codes() == {attribute: "a;\n  b;"} | condition, "indentation is taken off"


@pytest.mark.parametrize(("kind", "attribute"), FUNCTIONS)
def test_functions_can_be_called(kind: type[Model], attribute: str) -> None:
    with pytest.raises(DeclarationError, match=f"model 'm', {attribute}: needs a function, not 3"):
        kind("m", **{attribute: 3})
    assert getattr(kind("m", **{attribute: max}), attribute) is max
    assert getattr(kind("m"), attribute) is None


def test_a_model_is_a_frozen_value() -> None:
    one, two = (NeuronModel("m", params=["a"], vars=["V"], sim_code="V = a;") for _ in range(2))
    assert one == two
    assert hash(one) == hash(two)
    assert one != dataclasses.replace(two, sim_code="V = 2 * a;")
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        one.name = "n"


def test_a_model_made_from_fields_equals_its_shorthand() -> None:
    short = PostsynapticModel("m", params=["a"], vars=[("x", "int")], neuron_var_refs=["V"])
    full = PostsynapticModel("m", params=(Param("a"),), vars=(Var("x", "int"),), neuron_var_refs=(VarRef("V"),))
    assert short == full


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["", "two words", "a-b", 3, "../x", "τ"])
def test_model_names_are_identifiers(kind: type[Model], name: Any) -> None:
    with pytest.raises(DeclarationError, match=r"^model name "):
        kind(name)


def test_a_model_may_have_any_name_that_is_one() -> None:
    assert [NeuronModel(name).name for name in ("num_neurons", "t", "double")] == ["num_neurons", "t", "double"]


def test_the_base_is_abstract() -> None:
    with pytest.raises(DeclarationError, match="abstract: declare a NeuronModel"):
        Model("m")


def test_an_initialiser_cannot_declare_the_name_of_its_result() -> None:
    with pytest.raises(DeclarationError, match="declares 'value' twice: in what its code sees anyway and in params"):
        VarInitSnippet("m", params=["value"])
    assert NeuronModel("m", params=["value"]).params == (Param("value"),)


@pytest.mark.parametrize("side", ["pre", "post"])
def test_event_code_needs_its_condition(side: str) -> None:
    code, condition = f"{side}_event_syn_code", f"{side}_event_threshold_condition_code"
    for nothing in ("", " \n", "// t > 1.0", "/* t > 1.0 */"):
        with pytest.raises(DeclarationError, match=f"model 'm' has {code}, but no {condition}"):
            WeightUpdateModel("m", **{code: "addToPost(1.0);", condition: nothing})
    both = WeightUpdateModel("m", **{code: "addToPost(1.0);", condition: "t > 1.0"})
    assert set(both.codes()) == {code, condition}
    assert set(WeightUpdateModel("m", **{condition: "t > 1.0"}).codes()) == {condition}
    assert WeightUpdateModel("m", **{code: "// addToPost(1.0);"}).codes() == {}


@pytest.mark.parametrize(("kind", "code"), CODES)
def test_code_that_is_all_comments_is_no_code(kind: type[Model], code: str) -> None:
    assert kind("m", **{code: "// V = 1;\n /* V = 2; \n // */ \t"}).codes() == {}
    if "event_syn" not in code:
        assert set(kind("m", **{code: 'printf("//");'}).codes()) == {code}


TIMED = {
    "vars": [("since", "timepoint"), "V"],
    "params": [("start", "timepoint")],
    "extra_global_params": [("times", "timepoint *"), ("table", "scalar*")],
    "sim_code": "since = t - start;",
}


def test_timepoint_is_scalar_unless_times_have_a_precision_of_their_own() -> None:
    model: Any = NeuronModel("m", **TIMED)  # type: ignore[arg-type]
    assert [v.type for v in model.vars] == ["timepoint", "scalar"]
    assert model.with_times("scalar") is model
    timed = model.with_times("double")
    assert [v.type for v in timed.vars] == ["double", "scalar"]
    assert [p.type for p in timed.params] == ["double"]
    assert [e.type for e in timed.extra_global_params] == ["double *", "scalar*"]
    assert timed != model
    assert timed.sim_code == model.sim_code
    assert timed.with_times("double") is timed


def test_parts_of_arrays() -> None:
    places = [("begin", "unsigned int"), ("end", "int"), "x"]
    arrays = [("times", "timepoint*")]

    def declare(*part: Any) -> Any:
        return NeuronModel("m", vars=places, extra_global_params=arrays, array_parts=[part])  # type: ignore[arg-type]

    assert declare("times", "begin", "end").array_parts == (ArrayPart("times", "begin", "end"),)
    assert declare("times", "begin", "end").with_times("double").array_parts == (ArrayPart("times", "begin", "end"),)
    for part, message in [
        (("time", "begin", "end"), r"'m', array_parts: there is no array 'time'; did you mean 'times'"),
        (("times", "begins", "end"), r"there is no integer variable 'begins'; did you mean 'begin'"),
        (("times", "begin", "x"), r"there is no integer variable 'x'"),
        (("times", "begin"), r"does not describe a ArrayPart"),
    ]:
        with pytest.raises(DeclarationError, match=message):
            declare(*part)
