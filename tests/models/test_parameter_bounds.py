"""Parameters of the library that make no sense are refused, by name, wherever they are given."""

from __future__ import annotations

import math
from typing import Any

import pytest

from snnlearn import genn
from snnlearn.errors import NetworkError
from snnlearn.genn import GeNNModel, init_postsynaptic, init_sparse_connectivity, init_var, init_weight_update
from snnlearn.models.normal_clipped import _share

LIF = {"C": 0.5, "TauM": 20.0, "Vrest": -65.0, "Vreset": -70.0, "Vthresh": -50.0, "Ioffset": 0.1, "TauRefrac": 5.0}
CELL = genn.create_neuron_model("Cell", sim_code="")


def model_of(precision: str = "float") -> GeNNModel:
    return GeNNModel(precision, "bounds")


def neuron(name: str, params: dict[str, float], variables: dict[str, Any]) -> Any:
    return model_of().add_neuron_population("P", 3, name, params, variables)


def source(name: str, params: dict[str, float], variables: dict[str, Any]) -> Any:
    model = model_of()
    return model.add_current_source("C", name, model.add_neuron_population("P", 3, CELL), params, variables)


CURRENT = {"weight": 1.0, "tauSyn": 5.0, "rate": 10.0}
STDP = {"tauPlus": 20.0, "tauMinus": 20.0, "Aplus": 0.1, "Aminus": 0.1, "Wmin": 0.0, "Wmax": 1.0}
CASES: list[tuple[Any, str, float, str]] = [
    (lambda x: neuron("Poisson", {"rate": x}, {"timeStepToSpike": 0.0}), "rate", -1.0, r"\[0, inf\), not -1.0"),
    (lambda x: neuron("Poisson", {"rate": x}, {"timeStepToSpike": 0.0}), "rate", -1e-9, r"\[0, inf\), not -1e-09"),
    (lambda x: neuron("Poisson", {"rate": x}, {"timeStepToSpike": 0.0}), "rate", math.inf, r"\[0, inf\), not inf"),
    (lambda x: source("PoissonExp", {**CURRENT, "rate": x}, {"current": 0.0}), "rate", -0.5, r"\[0, inf\)"),
    (lambda x: source("PoissonExp", {**CURRENT, "tauSyn": x}, {"current": 0.0}), "tauSyn", 0.0, r"\(0, inf\]"),
    (lambda x: neuron("LIF", {**LIF, "TauM": x}, {"V": 0.0, "RefracTime": 0.0}), "TauM", -20.0, r"\(0, inf\]"),
    (lambda x: neuron("LIF", {**LIF, "C": x}, {"V": 0.0, "RefracTime": 0.0}), "C", 0.0, r"\(0, inf\]"),
    (lambda x: init_postsynaptic("ExpCurr", {"tau": x}), "tau", -5.0, r"\(0, inf\]"),
    (lambda x: init_weight_update("STDP", {**STDP, "tauMinus": x}, {"g": 0.0}), "tauMinus", -1.0, r"\(0, inf\]"),
    (lambda x: init_sparse_connectivity("FixedProbability", {"prob": x}), "prob", 1.5, r"\[0, 1\], not 1.5"),
    (lambda x: init_sparse_connectivity("FixedProbabilityNoAutapse", {"prob": x}), "prob", -0.1, r"\[0, 1\]"),
    (lambda x: init_var("Binomial", {"n": 10, "p": x}), "p", 1.1, r"\[0, 1\]"),
    (lambda x: init_var("Binomial", {"n": x, "p": 0.5}), "n", -1.0, r"\[0, 4294967295\]"),
    (lambda x: init_var("Gamma", {"a": x, "b": 0.5}), "a", 0.0, r"\(0, inf\]"),
]


@pytest.mark.parametrize(("make", "name", "value", "bounds"), CASES)
def test_refused(make: Any, name: str, value: float, bounds: str) -> None:
    with pytest.raises(NetworkError, match=f"parameter '{name}' must be in {bounds}"):
        make(value)
    with pytest.raises(NetworkError, match=f"parameter '{name}' must be a number, not nan"):
        make(math.nan)


def test_a_dynamic_parameter_keeps_to_its_bounds() -> None:
    model = model_of()
    poisson = model.add_neuron_population("P", 3, "Poisson", {"rate": 5.0}, {"timeStepToSpike": 0.0})
    poisson.set_param_dynamic("rate")
    model.build()
    model.load()
    poisson.set_dynamic_param_value("rate", 0.0)
    for value in (-1.0, math.inf):
        with pytest.raises(NetworkError, match=r"'P': parameter 'rate' must be in \[0, inf\), not"):
            poisson.set_dynamic_param_value("rate", value)
    with pytest.raises(NetworkError, match=r"must be in \[0, inf\), but 1e\+39 is inf in single precision"):
        poisson.set_dynamic_param_value("rate", 1e39)


def test_rounding_does_not_carry_a_parameter_out_of_its_bounds() -> None:
    """In double precision a time constant of 1e-60 ms means "at once"; single precision would make it 0."""
    for precision in ("double", "float"):
        model = model_of(precision)
        cells = model.add_neuron_population("P", 3, CELL)
        inits = (
            init_weight_update("StaticPulse", {}, {"g": init_var("Gamma", {"a": 1e-50, "b": 1.0})}),
            init_postsynaptic("DeltaCurr"),
        )
        current = init_weight_update("StaticPulse", {}, {"g": 1.0}), init_postsynaptic("ExpCurr", {"tau": 1e-60})
        for name, (weight_update, postsynaptic), fault in [
            ("S", inits, r"'Gamma': parameter 'a' must be in \(0, inf\], but 1e-50 is 0 in single precision"),
            ("T", current, r"parameter 'tau' must be in \(0, inf\], but 1e-60 is 0 in single precision"),
        ]:
            if precision == "double":
                model.add_synapse_population(name, "DENSE", cells, cells, weight_update, postsynaptic)
            else:
                with pytest.raises(NetworkError, match=fault):
                    model.add_synapse_population(name, "DENSE", cells, cells, weight_update, postsynaptic)


CLIPPED = pytest.mark.parametrize("name", ["NormalClipped", "NormalClippedDelay"])


@CLIPPED
@pytest.mark.parametrize(
    ("mean", "sd", "low", "high", "message"),
    [
        (1.0, 1.0, 3.0, 2.0, "min must not be above max, but 3 > 2"),
        (0.0, 1.0, 7.0, 9.0, "hardly any number of mean 0 and sd 1 is between min 7 and max 9"),
        (0.0, 1.0, -9.0, -7.0, "is between min -9 and max -7"),
        (0.0, -1.0, 7.0, math.inf, "is between min 7 and max inf"),
        (0.0, 1.0, 1.0, 1.0, "is between min 1 and max 1"),
        (0.0, 1e9, 0.0, 0.5, "is between min 0 and max 0.5"),
        (0.0, 0.0, 1.0, 2.0, "of mean 0 and sd 0 is between"),
        (math.inf, 1.0, 0.0, 1.0, "of mean inf"),
        (0.0, math.inf, 0.0, 1.0, "sd inf"),
    ],
)
def test_limits_that_no_number_meets_are_refused(
    name: str, mean: float, sd: float, low: float, high: float, message: str
) -> None:
    with pytest.raises(NetworkError, match=f"^initialiser '{name}': .*{message}"):
        init_var(name, {"mean": mean, "sd": sd, "min": low, "max": high})


@CLIPPED
@pytest.mark.parametrize(
    ("mean", "sd", "low", "high"),
    [
        (1.0, 2.0, 0.0, 4.0),
        (0.0, 1.0, 6.0, math.inf),
        (0.0, 1.0, -math.inf, -6.0),
        (0.0, 1.0, -math.inf, math.inf),
        (0.5, 0.0, 0.5, 0.5),
        (math.inf, 1.0, 0.0, math.inf),
        (0.0, math.inf, 0.0, math.inf),
    ],
)
def test_limits_that_some_numbers_meet_are_not(name: str, mean: float, sd: float, low: float, high: float) -> None:
    assert init_var(name, {"mean": mean, "sd": sd, "min": low, "max": high}).params["min"] == low


def test_the_share_within_limits() -> None:
    """Against Abramowitz & Stegun (1964), table 26.1: P(1) = 0.841344746..., and table 26.2: -log Q(6) = 9.00586."""
    assert _share(0.0, 1.0, -math.inf, 1.0) == pytest.approx(0.841344746068543, rel=1e-14)
    assert _share(3.0, 2.0, 1.0, 5.0) == pytest.approx(0.682689492137086, rel=1e-14)
    for share in (_share(0.0, 1.0, 6.0, math.inf), _share(0.0, 1.0, -math.inf, -6.0)):
        assert -math.log10(share) == pytest.approx(9.00586, abs=5e-6)
