"""A constant initial value: ``x = constant``."""

from snnlearn.declare import VarInitSnippet

Constant = VarInitSnippet("Constant", params=["constant"], var_init_code="value = constant;")
