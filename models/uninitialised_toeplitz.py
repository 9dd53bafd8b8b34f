"""No synapses: what a connection that is not of the Toeplitz kind has in that place.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import ToeplitzConnectInitSnippet

UninitialisedToeplitz = ToeplitzConnectInitSnippet("Uninitialised")
