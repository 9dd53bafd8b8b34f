"""Connect each presynaptic neuron to a fixed number of random neurons; some more than once.

The targets of a row are uniform, and made in ascending order: of ``c`` uniform numbers above x, the least is
``x + (1 - x) (1 - u^(1/c))``.

Parameters
----------
``num``: synapses of each presynaptic neuron.

Source
------
Devroye (1986), Non-Uniform Random Variate Generation, Springer, section V.3 (order statistics).
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import SparseConnectInitSnippet
from snnlearn.models.binomial_quantile import longest

# What a row does with the number of its synapses; `snnlearn.models.FixedNumberTotalWithReplacement` shares it.
ASCENDING_TARGETS = """
    scalar x = 0.0;
    for (unsigned int c = count; c > 0; c--) {
        x += (1.0 - x) * (1.0 - pow(gennrand_uniform(), 1.0 / c));
        addSynapse(id_post_begin + min((unsigned int)(x * num_post), num_post - 1));
    }
    """

FixedNumberPostWithReplacement = SparseConnectInitSnippet(
    "FixedNumberPostWithReplacement",
    params=[("num", "unsigned int")],
    row_build_code="    const unsigned int count = num;" + ASCENDING_TARGETS,
    calc_max_row_len_func=lambda num_pre, num_post, pars: int(pars["num"]),
    calc_max_col_len_func=lambda num_pre, num_post, pars: longest(num_post, int(pars["num"]) * num_pre, 1 / num_post),
)
