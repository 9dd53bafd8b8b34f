"""State that stays with the block that updates it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from small_networks import network
from snnlearn.codegen.lower.gpu.residency import resident_arrays
from snnlearn.codegen.plan import Neurons, Plan, build_plan, optimise

ROOM = 1 << 16


def plan(*rewrites: str, sizes: tuple[int, int] = (3, 5)) -> Plan:
    return optimise(build_plan(network(sizes=sizes)), rewrites)


def places(*rewrites: str) -> dict[str, Mapping[str, int]]:
    return {name: resident.places for name, resident in resident_arrays(plan(*rewrites), ROOM).items()}


def test_what_no_other_kernel_touches_stays() -> None:
    found = places()
    # Synapse dynamics read V of B and the presynaptic trace z, which neurons change; nobody looks at V of A.
    assert "v_A_V" in found["neuron_update_A"]
    assert "v_S_z" not in found["neuron_update_A"]
    assert "v_B_V" not in found.get("neuron_update_B", {})
    assert not any("out_post" in name for places in found.values() for name in places)


def test_what_is_kept_for_deferred_kernels_does_not_stay() -> None:
    found = places("defer")
    assert "v_S_z" not in found["neuron_update_A"]
    assert "v_B_V" not in found.get("neuron_update_B", {})


def test_places_do_not_overlap_and_are_aligned() -> None:
    p = plan(sizes=(33, 5))
    for kernel, resident in resident_arrays(p, ROOM).items():
        ends = 0
        for name, start in sorted(resident.places.items(), key=lambda item: item[1]):
            size = p.array(name).size
            assert size is not None
            assert start % 16 == 0, kernel
            assert start >= ends, kernel
            ends = start + 4 * size
        assert resident.nbytes >= ends


def test_what_has_no_room_stays_in_the_memory_of_all() -> None:
    assert resident_arrays(plan(), 15) == {}
    assert "neuron_update_A" in resident_arrays(plan(), 16)


def test_large_populations_have_no_block_of_their_own() -> None:
    p = plan()
    step = tuple(replace(k, domain=Neurons(5000)) if isinstance(k.domain, Neurons) else k for k in p.step)
    assert resident_arrays(replace(p, step=step), 1 << 30) == {}
