"""A constant initial value: ``x = constant``.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import VarInitSnippet

Constant = VarInitSnippet("Constant", params=["constant"], var_init_code="value = constant;")
