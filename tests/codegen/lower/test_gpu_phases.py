"""Phases of a timestep."""

from __future__ import annotations

from snnlearn.codegen.lower.gpu.phases import Phase, Work, conflict, phases_of


def work(name: str, reads: str = "", writes: str = "", adds: str = "", stage: str = "synapses") -> Work:
    return Work(name, 2, stage, "timer", frozenset(reads.split()), frozenset(writes.split()), frozenset(adds.split()))


def names(phases: list[Phase]) -> list[list[str]]:
    return [[w.function for w in phase.works] for phase in phases]


def test_what_touches_nothing_in_common_is_one_phase() -> None:
    assert names(phases_of([work("a", "x", "y"), work("b", "x", "z")])) == [["a", "b"]]


def test_who_reads_what_another_writes_waits_for_it_and_the_other_way_round() -> None:
    assert names(phases_of([work("a", "", "x"), work("b", "x", "y")])) == [["a"], ["b"]]
    assert names(phases_of([work("a", "x", "y"), work("b", "", "x")])) == [["a"], ["b"]]
    assert names(phases_of([work("a", "", "x"), work("b", "", "x")])) == [["a"], ["b"]]


def test_order_is_kept_beside_a_conflict() -> None:
    works = [work("a", "", "x"), work("b", "x"), work("c", "", "y")]
    assert names(phases_of(works)) == [["a"], ["b", "c"]]


def test_two_may_add_to_the_same_sums_but_not_while_a_third_reads_them() -> None:
    a, b = work("a", "", "sum", "sum"), work("b", "", "sum", "sum")
    assert not conflict(a, b)
    assert conflict(a, work("c", "sum"))
    assert conflict(a, work("d", "", "sum"))


def test_neurons_never_share_a_phase_with_synapses() -> None:
    phases = phases_of([work("a"), work("n", stage="neurons"), work("m", stage="neurons")])
    assert names(phases) == [["a"], ["n", "m"]]
    assert [phase.begins_neurons for phase in phases] == [False, True]
    assert [phase.parts for phase in phases] == [2, 4]


def test_only_the_first_phase_of_neurons_begins_them() -> None:
    phases = phases_of([work("n", "", "x", stage="neurons"), work("m", "x", stage="neurons")])
    assert [phase.begins_neurons for phase in phases] == [True, False]
