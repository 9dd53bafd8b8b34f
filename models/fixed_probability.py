"""Connect each pair of neurons with the same probability, independently.

The gaps between the synapses of a row are geometric: each is drawn at once, as the whole part of an exponential
number. A row, or column, is given room for as many synapses as it needs with a chance of 0.9999 for all of them.

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

from snnlearn.declare import SparseConnectInitSnippet
from snnlearn.models.binomial_quantile import longest


def prob_log_recip(pars: Mapping[str, float], dt: float) -> float:
    """Return ``1 / log(1 - prob)``, or its limits for no connection and for all."""
    prob = float(pars["prob"])
    if prob in (0.0, 1.0):
        return -math.inf if prob == 0.0 else -0.0
    return 1.0 / math.log1p(-prob)


FixedProbability = SparseConnectInitSnippet(
    "FixedProbability",
    params=["prob"],
    derived_params=[("probLogRecip", prob_log_recip)],
    row_build_code="""
    unsigned int j = 0;
    while (true) {
        // A gap may be infinite, and is nothing if it is 0/0: no farther than the end of the row.
        j += (unsigned int)fmin(log(gennrand_uniform()) * probLogRecip, (scalar)num_post);
        if (j >= num_post) {
            break;
        }
        addSynapse(id_post_begin + j);
        j++;
    }
    """,
    calc_max_row_len_func=lambda num_pre, num_post, pars: longest(num_pre, num_post, pars["prob"]),
    calc_max_col_len_func=lambda num_pre, num_post, pars: longest(num_post, num_pre, pars["prob"]),
)
