"""A neuron that spikes at given times.

Each neuron owns ``spikeTimes[startSpike:endSpike]`` [ms], ascending, and spikes in the first timestep with
``t >= spikeTimes[startSpike]``; at most once a timestep. ``startSpike`` moves on with each spike: to play
the train again, rewind it (`snnlearn.models.SourceReset`).

A time that is a timestep's but for rounding counts as that timestep's: one behind ``t`` by up to a ten-thousandth of a
timestep or two units in the last place of ``t``, whichever is more, but never by more than a quarter of a timestep. The
units are those of single precision for a time that single precision holds, whatever precision times have. A time
further behind ``t`` is the next timestep's.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name, which compares without regard to rounding.
"""

from snnlearn.declare import ArrayPart, NeuronModel, VarAccess

# `now` is the latest time of a spike in this timestep. What a time of it may be off by: dt, its product with the
# number of the timestep and what became of that in `t` or in the list are rounded, by half a unit in the last place
# each; steps are added up, and files have few decimals. `unit` is the unit in the last place of 1, in the precision
# that times have. `nowInSingle` is `now` for a time that was in single precision once, where the unit is 2^-23.
NOW = """
const timepoint fourThirds = 4.0 / (timepoint)3.0;
const timepoint unit = fabs(3.0 * (fourThirds - 1.0) - 1.0);
const timepoint now = t + fmin(fmax(2.0 * unit * t, 1e-4 * dt), 0.25 * dt);
const timepoint nowInSingle = t + fmin(fmax(2.384185791015625e-07 * t, 1e-4 * dt), 0.25 * dt);
"""


def has_come(times: str, index: str, end: str) -> str:
    """Return the condition, behind `NOW`, that an element of a list is there and is a time that has come."""
    time = f"{times}[{index}]"
    # `<`, not GeNN's `!=`: where a state puts an index behind the end, nothing beyond the array is read.
    # Where times are in single precision, `unit` tells the compiler that the two are one.
    return f"{index} < {end} && {time} <= (unit > 1e-10 ? now : ((float){time} == {time} ? nowInSingle : now))"


SpikeSourceArray = NeuronModel(
    "SpikeSourceArray",
    vars=[("startSpike", "unsigned int"), ("endSpike", "unsigned int", VarAccess.READ_ONLY_DUPLICATE)],
    extra_global_params=[("spikeTimes", "timepoint*")],
    array_parts=[ArrayPart("spikeTimes", "startSpike", "endSpike")],
    sim_code=NOW,
    threshold_condition_code=has_come("spikeTimes", "startSpike", "endSpike"),
    reset_code="startSpike++;",
)
