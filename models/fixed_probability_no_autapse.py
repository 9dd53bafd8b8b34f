"""Connect each pair of different neurons of a population with the same probability, independently.

As `snnlearn.models.FixedProbability`, but a synapse onto the neuron itself is passed over; the other pairs'
probability is not changed by that.

Parameters
----------
``prob``: the probability.

Source
------
Devroye (1986), Non-Uniform Random Variate Generation, Springer, section X.2.
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
There a gap that ends at the neuron itself is drawn again, which makes the pairs next to it a little likelier.
"""

from snnlearn.declare import SparseConnectInitSnippet
from snnlearn.models.fixed_probability import NEXT_TARGET, FixedProbability

FixedProbabilityNoAutapse = SparseConnectInitSnippet(
    "FixedProbabilityNoAutapse",
    params=FixedProbability.params,
    derived_params=FixedProbability.derived_params,
    row_build_code=f"""
    for (unsigned int j = 0; j < num_post; j++) {{
        {NEXT_TARGET}
        if (id_post_begin + j != id_pre) {{
            addSynapse(id_post_begin + j);
        }}
    }}
    """,
    calc_max_row_len_func=FixedProbability.calc_max_row_len_func,
    calc_max_col_len_func=FixedProbability.calc_max_col_len_func,
)
