"""No initial values: memory that the user fills before the simulation is loaded onto its device.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import VarInitSnippet

Uninitialised = VarInitSnippet("Uninitialised")
