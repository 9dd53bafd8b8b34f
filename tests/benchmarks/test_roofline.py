"""The work of a small network's kernels, counted by hand."""

from __future__ import annotations

import pytest
from roofline import Bytes, Work, work_of

from small_networks import network
from snnlearn.codegen.plan import build_plan, optimise

A, B, DEPTH = 64, 128, 64
SPIKES = {"A": 2.0, "B": 3.0}


def work(*rewrites: str) -> dict[str, Work]:
    return work_of(optimise(build_plan(network(sizes=(A, B))), rewrites), SPIKES)


def test_operations() -> None:
    flops = {name: of.flops.total for name, of in work().items()}
    assert flops["synapse_dynamics_S"] == 5 * A * B, "e += (z * V - e / tau) * dt"
    assert flops["synapse_dynamics_R"] == A * B, "addToPost(w)"
    assert flops["presynaptic_update_S"] == SPIKES["A"] * B
    assert flops["postsynaptic_update_S"] == SPIKES["B"] * A


@pytest.mark.parametrize(("rewrites", "passes"), [((), 1.0), (("defer",), 1.0 / DEPTH)])
def test_traffic(rewrites: tuple[str, ...], passes: float) -> None:
    found = work(*rewrites)
    assert found["synapse_dynamics_S"].traffic == Bytes(read=4.0 * (A + B), update=8.0 * A * B * passes)
    assert found["synapse_dynamics_R"].traffic == Bytes(read=4.0 * A * B, update=8.0 * A)
    # What a deferred kernel touches in a block: e, and two blocks of each of the vectors that are kept for it.
    touched = 4 * A * B + 2 * 4 * DEPTH * (A + B)
    assert not rewrites or found["synapse_dynamics_S"].footprint >= touched


def test_a_linear_recurrence_is_one_product_for_each_synapse_and_timestep() -> None:
    plain, linear = (work("defer", *rewrites)["synapse_dynamics_S"] for rewrites in ((), ("linear",)))
    products, after_the_block = 2 * A * B, 2 * A * B / DEPTH  # sum += f r; x = P x + sum
    assert products + after_the_block < linear.flops.total < products + after_the_block + 8 * B
    assert linear.traffic == plain.traffic
