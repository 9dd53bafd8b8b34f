"""A current that is drawn anew for each neuron in each timestep: ``I ~ N(mean, sd^2)``.

The noise is white only in steps of dt: its power at low frequencies is proportional to ``sd^2 dt``.

Parameters
----------
``mean``, ``sd`` [nA].

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import CurrentSourceModel

GaussianNoise = CurrentSourceModel(
    "GaussianNoise", params=["mean", "sd"], injection_code="injectCurrent(mean + sd * gennrand_normal());"
)
