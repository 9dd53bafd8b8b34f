"""Connect each postsynaptic neuron to a fixed number of random neurons; some more than once.

Parameters
----------
``num``: synapses of each postsynaptic neuron.

Source
------
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import SparseConnectInitSnippet
from snnlearn.models.binomial_quantile import longest

FixedNumberPreWithReplacement = SparseConnectInitSnippet(
    "FixedNumberPreWithReplacement",
    params=[("num", "unsigned int")],
    col_build_code="""
    // 2^32 modulo num_pre: so many words are passed over, for the rest to be the same number for each neuron.
    const unsigned int excess = (0u - num_pre) % num_pre;
    for (unsigned int c = 0; c < num; c++) {
        unsigned int word;
        do {
            word = gennrand();
        } while (word < excess);
        addSynapse(id_pre_begin + word % num_pre);
    }
    """,
    calc_max_row_len_func=lambda num_pre, num_post, pars: longest(num_pre, int(pars["num"]) * num_post, 1 / num_pre),
    calc_max_col_len_func=lambda num_pre, num_post, pars: int(pars["num"]),
)
