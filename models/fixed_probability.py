"""Connect each pair of neurons with the same probability, independently.

The gaps between the synapses of a row are geometric: each is drawn at once, as the whole part of an exponential
number, in double precision where it may be long, whatever the model's. A row, or column, is given room for as many
synapses as it needs with a chance of 0.9999 for all of them; where a row has more, it is made larger when the model is
loaded.

Parameters
----------
``prob``: the probability.

Source
------
Devroye (1986), Non-Uniform Random Variate Generation, Springer, section X.2.
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from snnlearn.declare import DerivedParam, SparseConnectInitSnippet
from snnlearn.models.binomial_quantile import longest
from snnlearn.models.open_uniform import OPEN_UNIFORM


def prob_log_recip(pars: Mapping[str, float], dt: float) -> float:
    """Return ``1 / log(1 - prob)``, or its limits for no connection and for all."""
    prob = float(pars["prob"])
    if prob in (0.0, 1.0):
        return -math.inf if prob == 0.0 else -0.0
    return 1.0 / math.log1p(-prob)


# How many neurons are passed over before the next synapse; `snnlearn.models.FixedProbabilityNoAutapse` shares it.
NEXT_TARGET = f"""
        // Short gaps need no more than the model's precision. One may be infinite: no farther than the end of the row.
        if (probLogRecip > -1000.0) {{
            j += (unsigned int)fmin(log(gennrand_uniform()) * (scalar)probLogRecip, (scalar)num_post);
        }} else {{
            j += (unsigned int)fmin(log({OPEN_UNIFORM}) * probLogRecip, (double)num_post);
        }}
        if (j >= num_post) {{
            break;
        }}
    """

FixedProbability = SparseConnectInitSnippet(
    "FixedProbability",
    params=[("prob", "scalar", "[0, 1]")],
    derived_params=[DerivedParam("probLogRecip", prob_log_recip, "double")],
    row_build_code=f"""
    for (unsigned int j = 0; j < num_post; j++) {{
        {NEXT_TARGET}
        addSynapse(id_post_begin + j);
    }}
    """,
    calc_max_row_len_func=lambda num_pre, num_post, pars: longest(num_pre, num_post, pars["prob"]),
    calc_max_col_len_func=lambda num_pre, num_post, pars: longest(num_post, num_pre, pars["prob"]),
)
