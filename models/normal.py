"""Initial values from a normal distribution.

``x ~ N(mean, sd^2)``; ``mean``, ``sd`` in the variable's unit.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import VarInitSnippet

Normal = VarInitSnippet(
    "Normal",
    params=["mean", "sd"],
    var_init_code="value = mean + (gennrand_normal() * sd);",
)
