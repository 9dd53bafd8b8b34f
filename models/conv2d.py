"""Connect layers of neurons as a two-dimensional convolution does.

Equation
--------
Neurons are numbered by row, column and channel, the channel fastest. Input (r, c, channel) reaches output
(R, C, channel') through the kernel's element (r + padh - R sh, c + padw - C sw, channel, channel'), where there is
one.

Parameters
----------
``conv_kh``, ``conv_kw``: height and width of the kernel; ``conv_sh``, ``conv_sw``: of its stride; ``conv_padh``,
``conv_padw``: of the empty margin around the input. ``conv_ih``, ``conv_iw``, ``conv_ic``: height, width and channels
of the input; ``conv_oh``, ``conv_ow``, ``conv_oc``: of the output.

Source
------
LeCun, Bottou, Bengio & Haffner (1998), Proceedings of the IEEE 86(11).
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from snnlearn.declare import SparseConnectInitSnippet


def _longest_row(num_pre: int, num_post: int, pars: Mapping[str, float]) -> int:
    rows, columns = (math.ceil(pars[f"conv_k{side}"] / pars[f"conv_s{side}"]) for side in "hw")
    return rows * columns * int(pars["conv_oc"])


Conv2D = SparseConnectInitSnippet(
    "Conv2D",
    params=[
        (f"conv_{name}", "int") for name in ("kh", "kw", "sh", "sw", "padh", "padw", "ih", "iw", "ic", "oh", "ow", "oc")
    ],
    row_build_code="""
    const int inChan = (int)id_pre % conv_ic;
    const int row = (int)id_pre / conv_ic / conv_iw + conv_padh;
    const int col = (int)id_pre / conv_ic % conv_iw + conv_padw;
    // The first output whose kernel reaches so far, and the last that begins before.
    const int firstRow = row < conv_kh ? 0 : (row - conv_kh) / conv_sh + 1;
    const int firstCol = col < conv_kw ? 0 : (col - conv_kw) / conv_sw + 1;
    const int lastRow = min(row / conv_sh, conv_oh - 1);
    const int lastCol = min(col / conv_sw, conv_ow - 1);
    for (int outRow = firstRow; outRow <= lastRow; outRow++) {
        for (int outCol = firstCol; outCol <= lastCol; outCol++) {
            for (int outChan = 0; outChan < conv_oc; outChan++) {
                const int target = (outRow * conv_ow + outCol) * conv_oc + outChan;
                addSynapse(target, row - outRow * conv_sh, col - outCol * conv_sw, inChan, outChan);
            }
        }
    }
    """,
    calc_max_row_len_func=_longest_row,
    calc_kernel_size_func=lambda pars: tuple(int(pars[f"conv_{name}"]) for name in ("kh", "kw", "ic", "oc")),
)
