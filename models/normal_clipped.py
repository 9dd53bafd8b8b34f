"""Initial values from a normal distribution without its tails.

``x ~ N(mean, sd^2)``, drawn again until ``min <= x <= max``; all in the variable's unit.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import VarInitSnippet

NormalClipped = VarInitSnippet(
    "NormalClipped",
    params=["mean", "sd", "min", "max"],
    var_init_code="""
    scalar normal;
    do {
        normal = mean + (gennrand_normal() * sd);
    } while (normal > max || normal < min);
    value = normal;
    """,
)
