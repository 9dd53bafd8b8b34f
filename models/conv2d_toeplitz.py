"""Connect layers of neurons as a two-dimensional convolution of stride 1 does, without storing the connections.

Equation
--------
Neurons are numbered by row, column and channel, the channel fastest. Each diagonal stands for one place (k, l) and
one output channel of the kernel: input (r, c, channel) reaches output (r + k - bh, c + l - bw, channel') through the
kernel's element (kh - 1 - k, kw - 1 - l, channel, channel'), where there is such an output. The margins ``bh`` and
``bw`` make the output's size right.

Parameters
----------
``conv_kh``, ``conv_kw``: height and width of the kernel. ``conv_ih``, ``conv_iw``, ``conv_ic``: height, width and
channels of the input; ``conv_oh``, ``conv_ow``, ``conv_oc``: of the output.

Source
------
LeCun, Bottou, Bengio & Haffner (1998), Proceedings of the IEEE 86(11).
GeNN 5 (Knight, Komissarov & Nowotny 2021), built-in model of the same name.
"""

from snnlearn.declare import ToeplitzConnectInitSnippet

Conv2DToeplitz = ToeplitzConnectInitSnippet(
    "Conv2D",
    params=[(f"conv_{name}", "int") for name in ("kh", "kw", "ih", "iw", "ic", "oh", "ow", "oc")],
    derived_params=[
        ("conv_bw", lambda pars, dt: int((pars["conv_iw"] + pars["conv_kw"] - 1 - pars["conv_ow"]) / 2)),
        ("conv_bh", lambda pars, dt: int((pars["conv_ih"] + pars["conv_kh"] - 1 - pars["conv_oh"]) / 2)),
    ],
    diagonal_build_code="""
    const int outChan = (int)id_diag % conv_oc;
    const int k = (int)id_diag / conv_oc / conv_kw;
    const int l = (int)id_diag / conv_oc % conv_kw;
    for_each_synapse {
        const int inChan = (int)id_pre % conv_ic;
        const int outRow = (int)id_pre / conv_ic / conv_iw + k - (int)conv_bh;
        const int outCol = (int)id_pre / conv_ic % conv_iw + l - (int)conv_bw;
        if (outRow >= 0 && outRow < conv_oh && outCol >= 0 && outCol < conv_ow) {
            const int target = (outRow * conv_ow + outCol) * conv_oc + outChan;
            addSynapse(target, conv_kh - 1 - k, conv_kw - 1 - l, inChan, outChan);
        }
    }
    """,
    calc_max_row_len_func=lambda num_pre, num_post, pars: int(pars["conv_kh"] * pars["conv_kw"] * pars["conv_oc"]),
    calc_kernel_size_func=lambda pars: tuple(int(pars[f"conv_{name}"]) for name in ("kh", "kw", "ic", "oc")),
)
