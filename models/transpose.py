"""Copy a connection's variable, transposed, into another connection.

The reference ``variable`` is made with ``create_wu_var_ref(forward, "w", back, "w")``; after the update
``back.w[j, i] = forward.w[i, j]``.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import CustomUpdateModel, VarAccessMode

Transpose = CustomUpdateModel("Transpose", var_refs=[("variable", "scalar", VarAccessMode.READ_ONLY)])
