"""Connect each neuron to the one of the same index.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import SparseConnectInitSnippet

OneToOne = SparseConnectInitSnippet(
    "OneToOne",
    row_build_code="""
    if (id_pre < num_post) {
        addSynapse(id_pre);
    }
    """,
    calc_max_row_len_func=lambda num_pre, num_post, pars: 1,
    calc_max_col_len_func=lambda num_pre, num_post, pars: 1,
)
