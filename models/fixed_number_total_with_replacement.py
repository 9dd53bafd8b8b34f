"""Connect a fixed number of random pairs of neurons; some more than once.

How many of the synapses fall to each row is multinomial, and drawn on the host; their targets are uniform.

Parameters
----------
``num``: synapses of the whole connection.

Arrays
------
``preCalcRowLength``: synapses of each row; made by the model.

Source
------
Devroye (1986), Non-Uniform Random Variate Generation, Springer, section V.3 (order statistics).
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from snnlearn.declare import SparseConnectInitSnippet
from snnlearn.errors import DeclarationError
from snnlearn.models.binomial_quantile import longest
from snnlearn.models.fixed_number_post_with_replacement import ASCENDING_TARGETS

_MOST = np.iinfo(np.uint16).max


def row_lengths(
    num_pre: int, num_post: int, pars: Mapping[str, float], random: np.random.Generator
) -> dict[str, np.ndarray]:
    """Return how many synapses fall to each row: shape (num_pre,), dtype uint16."""
    lengths = random.multinomial(int(pars["num"]), np.full(num_pre, 1.0 / num_pre))
    if lengths.max() > _MOST:
        raise DeclarationError(
            f"FixedNumberTotalWithReplacement: a row of {lengths.max()} synapses; at most {_MOST} fit"
        )
    return {"preCalcRowLength": lengths.astype(np.uint16)}


FixedNumberTotalWithReplacement = SparseConnectInitSnippet(
    "FixedNumberTotalWithReplacement",
    params=[("num", "unsigned int")],
    extra_global_params=[("preCalcRowLength", "uint16_t*")],
    row_build_code="    const unsigned int count = preCalcRowLength[id_pre * num_threads + id_thread];"
    + ASCENDING_TARGETS,
    calc_max_row_len_func=lambda num_pre, num_post, pars: longest(num_pre, int(pars["num"]), 1 / num_pre),
    calc_max_col_len_func=lambda num_pre, num_post, pars: longest(num_post, int(pars["num"]), 1 / num_post),
    host_init_func=row_lengths,
)
