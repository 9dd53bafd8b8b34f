"""Connect layers as NIR's convolutions do: channels first, with dilation and groups.

Equation
--------
Elements are numbered by channel, row and column, the column fastest. Input (i, r, c) of a group reaches output
(o, R, C) of the same group through the kernel's element (o, i, k, l), where ``r + padh = R sh + k dh`` and
``c + padw = C sw + l dw``.

Source
------
LeCun, Bottou, Bengio & Haffner (1998), Proceedings of the IEEE 86(11).
Pedersen et al. (2024), Nature Communications 15, 8122.
"""

from __future__ import annotations

from snnlearn.declare import Param, SparseConnectInitSnippet
from snnlearn.exchange.nir.windows import Window

_NAMES = ("kh", "kw", "sh", "sw", "dh", "dw", "padh", "padw", "ih", "iw", "ic", "oh", "ow", "oc", "groups")

ChannelsFirst = SparseConnectInitSnippet(
    "ChannelsFirst",
    params=tuple(Param(f"conv_{name}", "int") for name in _NAMES),
    row_build_code="""
    const int inOfGroup = conv_ic / conv_groups;
    const int outOfGroup = conv_oc / conv_groups;
    const int channel = (int)id_pre / (conv_ih * conv_iw);
    const int row = (int)id_pre / conv_iw % conv_ih + conv_padh;
    const int column = (int)id_pre % conv_iw + conv_padw;
    for (int k = 0; k < conv_kh; k++) {
        const int r = row - k * conv_dh;
        for (int l = 0; l < conv_kw; l++) {
            const int c = column - l * conv_dw;
            if (r >= 0 && c >= 0 && r % conv_sh == 0 && c % conv_sw == 0
                && r / conv_sh < conv_oh && c / conv_sw < conv_ow) {
                for (int o = 0; o < outOfGroup; o++) {
                    const int out = channel / inOfGroup * outOfGroup + o;
                    const int target = (out * conv_oh + r / conv_sh) * conv_ow + c / conv_sw;
                    addSynapse(target, out, channel % inOfGroup, k, l);
                }
            }
        }
    }
    """,
    calc_max_row_len_func=lambda num_pre, num_post, pars: int(
        pars["conv_kh"] * pars["conv_kw"] * pars["conv_oc"] / pars["conv_groups"]
    ),
    calc_kernel_size_func=lambda pars: (
        int(pars["conv_oc"]),
        int(pars["conv_ic"] / pars["conv_groups"]),
        int(pars["conv_kh"]),
        int(pars["conv_kw"]),
    ),
)


def parameters(window: Window) -> dict[str, int]:
    """Return the snippet's parameters."""
    pairs = (window.size, window.stride, window.dilation, window.margin, window.taken)
    values = [x for pair in pairs for x in pair]
    numbers = (*values, window.channels[0], *window.given, window.channels[1], window.groups)
    return {f"conv_{name}": value for name, value in zip(_NAMES, numbers, strict=True)}
