"""Initial values from a uniform distribution.

``x ~ U[min, max)``; ``min``, ``max`` in the variable's unit. What would round to ``max`` becomes ``min``:
integers of ``max`` 256 fit into ``uint8_t``.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import VarInitSnippet

Uniform = VarInitSnippet(
    "Uniform",
    params=["min", "max"],
    var_init_code="""
    const scalar scale = max - min;
    const scalar x = min + (gennrand_uniform() * scale);
    value = x == max ? min : x;
    """,
)
