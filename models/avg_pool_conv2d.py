"""Connect layers of neurons as average pooling and then a convolution of stride 1 do, storing nothing.

Equation
--------
Neurons are numbered by row, column and channel, the channel fastest. An input that some pool covers counts as the
pool's own place, (r / sh, c / sw) in whole numbers; from there it goes on as in `snnlearn.models.Conv2DToeplitz`.
Kernels hold weights that are already divided by the pool's size. A pool that the input's edge cuts off does not count
in the output's size, but the inputs in it do reach outputs beside it, as in GeNN.

Parameters
----------
``conv_kh``, ``conv_kw``: height and width of the kernel. ``pool_kh``, ``pool_kw``: of a pool; ``pool_sh``,
``pool_sw``: of its stride, no less than its size. ``pool_ih``, ``pool_iw``, ``pool_ic``: height, width and channels
of the input; ``conv_oh``, ``conv_ow``, ``conv_oc``: of the output.

Source
------
LeCun, Bottou, Bengio & Haffner (1998), Proceedings of the IEEE 86(11).
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from snnlearn.declare import ToeplitzConnectInitSnippet


def _margin(pars: Mapping[str, float], *, height: bool) -> int:
    """Return by how much the convolution's output begins before its input, which is the pools."""
    side = "h" if height else "w"
    pools = math.ceil((pars[f"pool_i{side}"] - pars[f"pool_k{side}"] + 1) / pars[f"pool_s{side}"])
    return int((pools + pars[f"conv_k{side}"] - 1 - pars[f"conv_o{side}"]) / 2)


_CONV, _POOL = ("kh", "kw"), ("kh", "kw", "sh", "sw", "ih", "iw", "ic")

AvgPoolConv2D = ToeplitzConnectInitSnippet(
    "AvgPoolConv2D",
    params=[
        *((f"conv_{name}", "int") for name in _CONV),
        *((f"pool_{name}", "int") for name in _POOL),
        *((f"conv_{name}", "int") for name in ("oh", "ow", "oc")),
    ],
    derived_params=[
        ("conv_bw", lambda pars, dt: _margin(pars, height=False)),
        ("conv_bh", lambda pars, dt: _margin(pars, height=True)),
    ],
    diagonal_build_code="""
    const int outChan = (int)id_diag % conv_oc;
    const int k = (int)id_diag / conv_oc / conv_kw;
    const int l = (int)id_diag / conv_oc % conv_kw;
    for_each_synapse {
        const int inChan = (int)id_pre % pool_ic;
        const int row = (int)id_pre / pool_ic / pool_iw;
        const int col = (int)id_pre / pool_ic % pool_iw;
        const bool pooled = row % pool_sh < pool_kh && col % pool_sw < pool_kw;
        const int outRow = row / pool_sh + k - (int)conv_bh;
        const int outCol = col / pool_sw + l - (int)conv_bw;
        if (pooled && outRow >= 0 && outRow < conv_oh && outCol >= 0 && outCol < conv_ow) {
            const int target = (outRow * conv_ow + outCol) * conv_oc + outChan;
            addSynapse(target, conv_kh - 1 - k, conv_kw - 1 - l, inChan, outChan);
        }
    }
    """,
    calc_max_row_len_func=lambda num_pre, num_post, pars: int(pars["conv_kh"] * pars["conv_kw"] * pars["conv_oc"]),
    calc_kernel_size_func=lambda pars: tuple(int(pars[name]) for name in ("conv_kh", "conv_kw", "pool_ic", "conv_oc")),
)
