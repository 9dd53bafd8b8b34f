"""No synapses: those of a sparse connection are set by the user.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import SparseConnectInitSnippet

UninitialisedSparse = SparseConnectInitSnippet("Uninitialised")
