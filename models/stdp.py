"""Spike-timing-dependent plasticity: additive, pairs of nearest neighbours, hard bounds.

Equation
--------
A presynaptic spike at t sends ``g`` and then, if the last postsynaptic one was earlier, at ``st_post < t``, changes
it by ``-Aminus exp(-(t - st_post) / tauMinus)``; a postsynaptic spike likewise by
``+Aplus exp(-(t - st_pre) / tauPlus)``. ``Wmin <= g <= Wmax`` holds after every change; a NaN passes through the
bounds, to be seen. A pair in the same timestep changes nothing.

Parameters
----------
``tauPlus``, ``tauMinus`` [ms]: time constants. ``Aplus``, ``Aminus``: how much a pair without distance would change.
``Wmin``, ``Wmax``: bounds. All four in the weight's unit.

Variables
---------
``g``: weight, in the unit of the postsynaptic model's input.

Source
------
Bi & Poo (1998), Journal of Neuroscience 18(24); Song, Miller & Abbott (2000), Nature Neuroscience 3(9).
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import WeightUpdateModel

STDP = WeightUpdateModel(
    "STDP",
    params=[("tauPlus", "scalar", "(0, inf]"), ("tauMinus", "scalar", "(0, inf]"), "Aplus", "Aminus", "Wmin", "Wmax"],
    vars=["g"],
    pre_spike_syn_code="""
    addToPost(g);
    const scalar since = t - st_post;
    if (since > 0.0) {
        // fmin and fmax would turn a NaN into a bound
        const scalar moved = g - Aminus * exp(-since / tauMinus);
        g = (moved > Wmax) ? Wmax : ((moved < Wmin) ? Wmin : moved);
    }
    """,
    post_spike_syn_code="""
    const scalar since = t - st_pre;
    if (since > 0.0) {
        const scalar moved = g + Aplus * exp(-since / tauPlus);
        g = (moved > Wmax) ? Wmax : ((moved < Wmin) ? Wmin : moved);
    }
    """,
)
