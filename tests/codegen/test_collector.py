"""Emitting does without the garbage collector, which is on again afterwards."""

from __future__ import annotations

import gc

import pytest

from snnlearn.codegen.collector import without_collection


@without_collection
def whether_on(error: bool = False) -> bool:
    if error:
        raise KeyError
    return gc.isenabled()


def test_it_is_off_meanwhile_and_on_again() -> None:
    assert gc.isenabled()
    assert not whether_on()
    assert gc.isenabled()
    with pytest.raises(KeyError):
        whether_on(error=True)
    assert gc.isenabled()


def test_who_has_it_off_keeps_it_off() -> None:
    gc.disable()
    try:
        assert not whether_on()
        assert not gc.isenabled()
    finally:
        gc.enable()
