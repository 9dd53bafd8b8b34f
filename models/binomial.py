"""Initial values from a binomial distribution.

``x ~ B(n, p)``: how many of ``n`` trials succeed, each with probability ``p``.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import VarInitSnippet

Binomial = VarInitSnippet(
    "Binomial",
    params=[("n", "scalar", "[0, 4294967295]"), ("p", "scalar", "[0, 1]")],
    var_init_code="value = gennrand_binomial(n, p);",
)
