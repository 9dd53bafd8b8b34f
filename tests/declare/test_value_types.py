"""Value types: names, synonyms, meaning in C and NumPy."""

import numpy as np
import pytest

from snnlearn.declare import element_type, value_type
from snnlearn.declare.types import TYPE_NAMES
from snnlearn.errors import DeclarationError


@pytest.mark.parametrize(
    ("synonym", "name"),
    [
        ("int32_t", "int"),
        ("signed", "int"),
        ("signed int", "int"),
        ("int signed", "int"),
        ("unsigned", "unsigned int"),
        ("  unsigned   int ", "unsigned int"),
        ("int unsigned", "unsigned int"),
        ("uint32_t", "unsigned int"),
        ("char", "int8_t"),
        ("signed char", "int8_t"),
        ("unsigned char", "uint8_t"),
        ("short int", "int16_t"),
        ("signed short", "int16_t"),
        ("unsigned short int", "uint16_t"),
        ("long", "int64_t"),
        ("long long int", "int64_t"),
        ("signed long int", "int64_t"),
        ("long unsigned int", "uint64_t"),
        ("unsigned long long", "uint64_t"),
        ("size_t", "uint64_t"),
        ("timepoint", "scalar"),
    ],
)
def test_synonyms(synonym: str, name: str) -> None:
    assert value_type(synonym) == value_type(name)
    assert value_type(synonym).name == name


@pytest.mark.parametrize(
    "name", ["half", "signed signed", "signed unsigned", "signed bool", "long double", "void", "", "scalar*", None, 3]
)
def test_unknown_types(name: object) -> None:
    with pytest.raises(DeclarationError, match="unknown type"):
        value_type(name)


def test_the_nearest_type_is_named() -> None:
    with pytest.raises(DeclarationError, match=r"unknown type 'Scalar'; did you mean 'scalar'\?"):
        value_type("Scalar")


@pytest.mark.parametrize("precision", ["float", "double"])
@pytest.mark.parametrize("name", TYPE_NAMES)
def test_dtype_has_the_kind_and_width_that_the_c_type_has(name: str, precision: str) -> None:
    vtype = value_type(name)
    dtype = np.dtype(vtype.dtype_for(precision))
    assert {"b": "bool", "i": "int", "u": "int", "f": "float"}[dtype.kind] == vtype.kind
    ctype = vtype.ctype_for(precision)
    width = {"bool": 1, "int": 4, "unsigned int": 4, "float": 4, "double": 8}
    assert dtype.itemsize == (width[ctype] if ctype in width else int(ctype.strip("uint_")) // 8)
    assert (dtype.kind == "u") == ctype.startswith("u")


def test_scalar_follows_the_precision_and_nothing_else_does() -> None:
    changing = {n for n in TYPE_NAMES if value_type(n).dtype_for("float") != value_type(n).dtype_for("double")}
    assert changing == {"scalar", "timepoint"}
    assert value_type("scalar").ctype_for("double") == "double"


@pytest.mark.parametrize("name", ["scalar*", "scalar *", " unsigned int* "])
def test_element_types(name: str) -> None:
    assert element_type(name) == value_type(name.replace("*", " "))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("scalar", r"type 'scalar' must end in '\*'"),
        ("scalar**", r"unknown type 'scalar\*'"),
        ("*", "unknown type ''"),
        (None, r"must end in '\*'"),
    ],
)
def test_element_types_refused(name: str, message: str) -> None:
    with pytest.raises(DeclarationError, match=message):
        element_type(name)
