"""Initial values from an exponential distribution.

``x = lambda e``, where e is exponential with mean 1: ``lambda`` is the mean of x, in the variable's unit.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import VarInitSnippet

Exponential = VarInitSnippet("Exponential", params=["lambda"], var_init_code="value = lambda * gennrand_exponential();")
