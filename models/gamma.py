"""Initial values from a gamma distribution.

``x ~ Gamma(a, b)``, of mean ``a b`` and variance ``a b^2``; ``a`` is its shape, ``b`` its scale in the variable's unit.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import VarInitSnippet

Gamma = VarInitSnippet(
    "Gamma", params=[("a", "scalar", "(0, inf]"), "b"], var_init_code="value = b * gennrand_gamma(a);"
)
