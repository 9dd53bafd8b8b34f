"""Every decay against its closed form, and what is no decay."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from snnlearn.errors import TrainingError
from snnlearn.training.decay import DecayType, describe_decay, resolve_decay

START, END = 0.2, 0.05

# The formulas, with i and n; written out by hand, for numbers.
FORMS = {
    "no": (DecayType.NO, lambda s, e, i, n: s),
    "linear": (DecayType.LINEAR, lambda s, e, i, n: s + (e - s) * i / n),
    "cosine": (DecayType.COSINE, lambda s, e, i, n: e + (s - e) / 2 * (1 + math.cos(math.pi * i / n))),
    "exponential": (DecayType.EXPONENTIAL, lambda s, e, i, n: s * (e / s) ** (i / n)),
    "power 2": ((DecayType.POLYNOMIAL, 2), lambda s, e, i, n: e + (s - e) * (1 - i / n) ** 2),
    "power 0.5": ((DecayType.POLYNOMIAL, 0.5), lambda s, e, i, n: e + (s - e) * math.sqrt(1 - i / n)),
}
DECAYS = pytest.mark.parametrize(("decay", "form"), FORMS.values(), ids=list(FORMS))


def test_every_decay_is_here_and_in_the_documentation():
    assert {form[0][0] if isinstance(form[0], tuple) else form[0] for form in FORMS.values()} == set(DecayType)
    page = (Path(__file__).parents[2] / "docs" / "training.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `\(?DecayType\.(\w+)", page, re.MULTILINE)) == {kind.name for kind in DecayType}


@DECAYS
@pytest.mark.parametrize("i", [0, 1, 25, 50, 98, 99])
def test_decays_follow_their_closed_forms(decay, form, i):
    value = resolve_decay(decay)(START, END, i / 100)
    assert value == pytest.approx(form(START, END, i, 100), rel=1e-14)


@DECAYS
def test_decays_work_on_arrays_of_rates_and_of_fractions(decay, form):
    function = resolve_decay(decay)
    starts, ends = np.array([0.2, 3.0]), np.array([0.05, 7.0])
    by_rate = function(starts, ends, 0.3)
    np.testing.assert_allclose(by_rate, [form(s, e, 3, 10) for s, e in zip(starts, ends, strict=True)], rtol=1e-14)
    by_fraction = function(START, END, np.arange(10) / 10)
    np.testing.assert_allclose(by_fraction, [form(START, END, i, 10) for i in range(10)], rtol=1e-14)


@pytest.mark.parametrize("decay", [form[0] for name, form in FORMS.items() if name != "no"], ids=str)
def test_decays_go_from_start_to_end_and_never_back(decay):
    values = resolve_decay(decay)(START, END, np.linspace(0.0, 1.0, 101))
    assert values[0] == pytest.approx(START, rel=1e-15)
    assert values[-1] == pytest.approx(END, rel=1e-14)
    assert np.all(np.diff(values) < 0.0)


def test_known_values_halfway():
    halfway = {name: resolve_decay(decay)(1.0, 0.25, 0.5) for name, (decay, _) in FORMS.items()}
    expected = {"no": 1.0, "linear": 0.625, "cosine": 0.625, "exponential": 0.5, "power 2": 0.4375}
    assert {name: halfway[name] for name in expected} == pytest.approx(expected)


def test_a_function_is_a_decay():
    def staircase(start, end, fraction):
        return start if fraction < 0.5 else end

    assert resolve_decay(staircase) is staircase
    assert describe_decay(staircase) == "staircase"


def test_decays_in_words():
    assert describe_decay(DecayType.COSINE) == "cosine"
    assert describe_decay((DecayType.POLYNOMIAL, 0.5)) == "polynomial, power 0.5"
    assert repr(DecayType.COSINE) == "DecayType.COSINE"


@pytest.mark.parametrize(
    ("decay", "message"),
    [
        (DecayType.POLYNOMIAL, r"POLYNOMIAL needs its power, as in \(DecayType.POLYNOMIAL, 2\)"),
        ((DecayType.POLYNOMIAL, 0), "the power of POLYNOMIAL must be positive and finite, not 0"),
        ((DecayType.POLYNOMIAL, -1.5), "the power of POLYNOMIAL must be positive and finite, not -1.5"),
        ((DecayType.POLYNOMIAL, math.nan), "the power of POLYNOMIAL must be positive and finite, not nan"),
        ((DecayType.POLYNOMIAL, math.inf), "the power of POLYNOMIAL must be positive and finite, not inf"),
        ((DecayType.POLYNOMIAL, "2"), "the power of POLYNOMIAL must be a number, not '2'"),
        ((DecayType.POLYNOMIAL, True), "the power of POLYNOMIAL must be a number, not True"),
        ((DecayType.COSINE, 2), "COSINE takes no power, only POLYNOMIAL does; got 2"),
        ((DecayType.POLYNOMIAL,), "a pair with a power is"),
        (("cosine", 2), "a pair with a power is"),
        ("cosine", "'cosine' is no decay; did you mean DecayType.COSINE"),
        ("EXPONENTAL", "did you mean DecayType.EXPONENTIAL"),
        ("zigzag", "'zigzag' is no decay; give a DecayType, .* or a function"),
        (None, "None is no decay; give a DecayType"),
        (float, "is no decay; give a DecayType"),
    ],
)
def test_what_is_no_decay_is_an_error(decay, message):
    with pytest.raises(TrainingError, match=f"^lr_decay: .*{message}"):
        resolve_decay(decay, "lr_decay")
