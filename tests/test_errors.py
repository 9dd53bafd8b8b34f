"""What all error messages share."""

import inspect

import pytest

from snnlearn import errors, genn
from snnlearn.errors import SnnlearnError, did_you_mean

CLASSES = [
    c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, Exception) and not issubclass(c, Warning)
]


@pytest.mark.parametrize("kind", CLASSES, ids=lambda c: c.__name__)
def test_one_base_for_all(kind: type[Exception]) -> None:
    assert issubclass(kind, SnnlearnError)
    assert inspect.getdoc(kind), "says when it is raised"


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [(errors.DialectError, ValueError), (errors.LifecycleError, RuntimeError), (errors.OutputError, OSError)],
)
def test_meaning_shared_with_a_builtin(kind: type[Exception], builtin: type[Exception]) -> None:
    with pytest.raises(builtin, match=r"^text as it stands$"):
        raise kind("text as it stands")


@pytest.mark.parametrize(
    ("name", "known", "tail"),
    [
        ("tauu", ["tau", "C"], "; did you mean 'tau'?"),
        ("vthresh", ["Vrest", "Vthresh"], "; did you mean 'Vthresh'?"),
        ("EXP", ["log", "exp"], "; did you mean 'exp'?"),
        ("x", ["beta", "alpha"], "; known: alpha, beta"),
        ("x", ["beta", "beta"], "; known: beta"),
        ("zz", [f"name{i}" for i in range(8)], "; known: " + ", ".join(f"name{i}" for i in range(8))),
        ("zz", [f"name{i}" for i in range(9)], ""),
        ("x", [], "; there are none"),
    ],
)
def test_did_you_mean(name: str, known: list[str], tail: str) -> None:
    assert did_you_mean(name, known) == tail
    assert did_you_mean(name, iter(known)) == tail


def test_messages_are_cut_and_keep_their_beginning_their_end_and_their_caret():
    for kind in (errors.NetworkError, errors.OutputError, errors.UnknownNameError, errors.BuildError):
        text = str(kind(f"'{'a' * 10_000}' is no name; did you mean 'b'?\n    V = aaa;\n        ^"))
        first, *others = text.split("\n")
        assert len(first) == 500
        assert first.startswith("'aaa")
        assert first.endswith("a' is no name; did you mean 'b'?")
        assert others == ["    V = aaa;", "        ^"]
    lines = str(errors.SnnlearnError("line\n" * 1000)).split("\n")
    assert lines[-2:] == ["line", "… and 978 more lines"]
    usual = "x" * 500
    assert str(errors.SnnlearnError(usual)) == usual
    assert errors.SnnlearnError(3).args == (3,)


def test_a_long_name_makes_no_long_message():
    name = "x" * 100_000
    neuron = genn.create_neuron_model("N", params=[name])
    with pytest.raises(errors.SnnlearnError) as found:
        genn.GeNNModel().add_neuron_population(name, 1, neuron, {}, {})
    assert len(str(found.value)) < 600
