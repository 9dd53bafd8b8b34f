"""What all error messages share."""

import inspect

import pytest

from snnlearn import errors
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
