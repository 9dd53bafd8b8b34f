"""Emission as a whole: one source, always the same, in which nothing of the user's but checked code appears."""

from __future__ import annotations

from dataclasses import replace

from small_networks import network
from snnlearn.codegen.cpp import emit_cpp
from snnlearn.codegen.plan import build_plan, optimise


def test_the_same_network_gives_the_same_source() -> None:
    assert emit_cpp(optimise(build_plan(network()))) == emit_cpp(optimise(build_plan(network())))


def test_a_models_name_cannot_leave_its_comment() -> None:
    plan = replace(build_plan(network()), name='x\n#include "/etc/passwd"\u2028\\')
    source = emit_cpp(plan)
    assert '\n#include "/etc' not in source
    assert source.isascii()
    assert not any(line.endswith("\\") for line in source.splitlines())


def test_only_light_headers_of_the_standard_library_are_included() -> None:
    included = {line.split()[1] for line in emit_cpp(build_plan(network())).splitlines() if line.startswith("#include")}
    assert included == {"<cstdint>", "<cstdio>", "<cstring>", "<limits>"}, "others take a compiler long to read"


def test_nothing_is_deferred_in_the_plain_source() -> None:
    assert "template <unsigned int WIDTH>" not in emit_cpp(build_plan(network()))
    assert "template <unsigned int WIDTH>" in emit_cpp(optimise(build_plan(network()), ["defer"]))
