"""A neuron that spikes at given times.

Each neuron owns ``spikeTimes[startSpike:endSpike]`` [ms], ascending, and spikes in the first timestep with
``t >= spikeTimes[startSpike]``; at most once a timestep. ``startSpike`` moves on with each spike: to play
the train again, rewind it (`snnlearn.models.SourceReset`).

A time that is a timestep's but for rounding counts as that timestep's: one behind ``t`` by up to a hundred-thousandth
of a timestep or two units in the last place of ``t``, whichever is more; and one that is ``t`` rounded to single
precision; none of them by more than a quarter of a timestep. A time further behind ``t`` is the next timestep's.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name, which compares without regard to rounding.
"""

from snnlearn.declare import ArrayPart, NeuronModel, VarAccess

# `now` is the latest time of a spike in this timestep. What a time of it may be off by: dt, its product with the
# number of the timestep and what became of that in `t` or in the list are rounded, by half a unit in the last place
# each; and files have few decimals. `unit` is the unit in the last place of 1, in the precision that times have.
# `single` is the time as a list has it that was in single precision once.
NOW = """
const timepoint fourThirds = 4.0 / (timepoint)3.0;
const timepoint unit = fabs(3.0 * (fourThirds - 1.0) - 1.0);
const timepoint now = t + fmin(fmax(2.0 * unit * t, 1e-5 * dt), 0.25 * dt);
const timepoint single = (float)t - t < 0.25 * dt ? (float)t : t;
"""


def has_come(times: str, index: str, end: str) -> str:
    """Return the condition, behind `NOW`, that an element of a list is there and is a time that has come."""
    return f"{index} != {end} && now >= ({times}[{index}] == single ? t : {times}[{index}])"


SpikeSourceArray = NeuronModel(
    "SpikeSourceArray",
    vars=[("startSpike", "unsigned int"), ("endSpike", "unsigned int", VarAccess.READ_ONLY_DUPLICATE)],
    extra_global_params=[("spikeTimes", "timepoint*")],
    array_parts=[ArrayPart("spikeTimes", "startSpike", "endSpike")],
    sim_code=NOW,
    threshold_condition_code=has_come("spikeTimes", "startSpike", "endSpike"),
    reset_code="startSpike++;",
)
