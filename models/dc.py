"""A constant current.

Parameters
----------
``amp`` [nA].

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import CurrentSourceModel

DC = CurrentSourceModel("DC", params=["amp"], injection_code="injectCurrent(amp);")
