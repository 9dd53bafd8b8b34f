"""Initial values from a kernel, such as a convolution's.

``x = kernel[id_kernel]``, where ``id_kernel`` is the synapse's place in the kernel of the connection.

Arrays
------
``kernel``: as large as the kernel, its last dimension fastest; in the variable's unit.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import VarInitSnippet

Kernel = VarInitSnippet(
    "Kernel", extra_global_params=[("kernel", "scalar*")], var_init_code="value = kernel[id_kernel];"
)
