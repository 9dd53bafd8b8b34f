"""Input that lasts one timestep: ``I(t) = sum of the weights that arrive at t`` [nA].

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import PostsynapticModel

DeltaCurr = PostsynapticModel(
    "DeltaCurr",
    sim_code="""
    injectCurrent(inSyn);
    inSyn = 0.0;
    """,
)
