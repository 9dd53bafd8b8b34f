"""Connect each presynaptic neuron to a fixed number of random neurons; some more than once.

The targets of a row are uniform, and made in ascending order: of ``c`` uniform numbers above x, the least is
``1 - (1 - x) u^(1/c)``. In double precision whatever the model's: in single precision a step of a long row would be
lost in rounding.

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
from snnlearn.models.open_uniform import OPEN_UNIFORM

# What a row does with the number of its synapses; `snnlearn.models.FixedNumberTotalWithReplacement` shares it.
ASCENDING_TARGETS = f"""
    double beyond = 1.0;  // 1 - x
    for (unsigned int c = count; c > 0; c--) {{
        beyond *= exp(log({OPEN_UNIFORM}) / c);
        addSynapse(id_post_begin + min((unsigned int)((1.0 - beyond) * num_post), num_post - 1));
    }}
    """

FixedNumberPostWithReplacement = SparseConnectInitSnippet(
    "FixedNumberPostWithReplacement",
    params=[("num", "unsigned int")],
    row_build_code="    const unsigned int count = num;" + ASCENDING_TARGETS,
    calc_max_row_len_func=lambda num_pre, num_post, pars: int(pars["num"]),
    calc_max_col_len_func=lambda num_pre, num_post, pars: longest(num_post, int(pars["num"]) * num_pre, 1 / num_post),
)
