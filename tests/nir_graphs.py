"""Graphs of NIR's, of every kind of node and of the shapes that its own tests have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

nir = pytest.importorskip("nir", reason="NIR's library is not installed: pip install '.[nir]'")

Array = NDArray[Any]


def drawn(*shape: int, seed: int = 0) -> Array:
    return np.random.default_rng([seed, *shape]).normal(1.0, 2.0, shape)


def each(n: int | tuple[int, ...], value: float) -> Array:
    """Return values around one, of each neuron's own."""
    size = int(np.prod(n))
    return (value * np.linspace(0.9, 1.1, size) if size > 1 else np.array([value])).reshape(n)


def lif(n: int | tuple[int, ...], **values: Any) -> Any:
    given = {"tau": each(n, 0.01), "r": each(n, 1.5), "v_leak": each(n, 0.1), "v_threshold": each(n, 1.0)}
    return nir.LIF(**{**given, "v_reset": each(n, -0.2), **values})


def cuba(n: int, kind: str = "CubaLIF") -> Any:
    given = {"tau_mem": each(n, 0.01), "tau_syn": each(n, 0.004), "r": each(n, 1.5), "v_leak": each(n, 0.1)}
    more = {"v_threshold": each(n, 1.0), "v_reset": each(n, -0.2)} if kind == "CubaLIF" else {}
    return getattr(nir, kind)(**given, **more, w_in=each(n, 2.0))


def integrate_and_fire(n: int | tuple[int, ...]) -> Any:
    return nir.IF(r=each(n, 200.0), v_threshold=each(n, 1.0), v_reset=each(n, 0.1))


def li(n: int) -> Any:
    return nir.LI(tau=each(n, 0.02), r=each(n, 1.5), v_leak=each(n, 0.1))


def affine(n_in: int, n_out: int) -> Any:
    return nir.Affine(weight=drawn(n_out, n_in), bias=drawn(n_out))


def linear(n_in: int, n_out: int) -> Any:
    return nir.Linear(weight=drawn(n_out, n_in))


def conv2d(shape: tuple[int, int, int], out: int, **values: Any) -> Any:
    """Return one with uneven sides."""
    given = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2), "groups": 1, **values}
    weight = drawn(out, shape[0] // given["groups"], 3, 2)
    return nir.Conv2d(input_shape=shape[1:], weight=weight, bias=drawn(out), **given)


def graph(edges: str, **nodes: Any) -> Any:
    """Return a graph: edges are written ``"a>b>c a>d"``."""
    pairs = [pair for chain in edges.split() for pair in zip(chain.split(">")[:-1], chain.split(">")[1:], strict=True)]
    return nir.NIRGraph(nodes=nodes, edges=pairs, type_check=False)


def ends(n_in: Any, n_out: Any) -> dict[str, Any]:
    return {"input": nir.Input(np.atleast_1d(n_in)), "output": nir.Output(np.atleast_1d(n_out))}


def recurrent(n: int) -> Any:
    """Return a graph for within another, as snnTorch's recurrent layers become."""
    return graph("input>lif>w_rec>lif lif>output", **ends(n, n), lif=lif(n), w_rec=linear(n, n))


def graphs() -> dict[str, Any]:
    delay = nir.Delay(delay=np.array([0.005, 0.001, 0.002]))
    single = {"tau": np.float32(0.005), "r": np.float32(0.7), "v_leak": np.float32(0.0), "v_threshold": np.float32(0.3)}
    shape = (2, 7, 6)
    pictures = {"c1": conv2d(shape, 4), "if": integrate_and_fire((4, 4, 8)), "c2": conv2d((4, 2, 4), 2, groups=2)}
    return {
        "sequential": graph("input>a>d>b>c>output", **ends(2, 2), a=affine(2, 3), d=delay, b=lif(3), c=affine(3, 2)),
        "loop on the first": graph("input>a>i>a i>output", **ends(2, 2), a=affine(2, 2), i=nir.I(r=each(2, -3.0))),
        "loop on the second": graph("input>a>b>i>b i>c>output", **ends(2, 2), a=affine(2, 2), b=affine(2, 2),
                                    i=lif(2), c=affine(2, 2)),
        "branches": graph("input>a>b>d>e>output input>c>d a>d", **ends(2, 2), a=linear(2, 3), b=lif(3),
                          c=linear(2, 3), d=cuba(3), e=linear(3, 2)),
        "residual": graph("input>a>b>c>d>e>f>output a>e", **ends(2, 2), a=affine(2, 2), b=lif(2), c=affine(2, 2),
                          d=lif(2), e=affine(2, 2), f=lif(2)),
        "nested": graph("input>rnn>fc>deep>output", **ends(3, 2), rnn=recurrent(3), fc=linear(3, 2),
                        deep=graph("i>rnn>o", i=nir.Input(np.array([2])), o=nir.Output(np.array([2])),
                                   rnn=recurrent(2))),
        "without ends": graph("a>b", a=affine(2, 2), b=lif(2)),
        "pictures": graph("input>c1>if>pool>c2>flat>fc>output", **ends(shape, 3), **pictures,
                          pool=nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])),
                          flat=nir.Flatten({"input": np.array([2, 1, 6])}, 0, -1), fc=affine(12, 3)),
        "lines": graph("input>c>s>t>output", **ends((2, 9), (3, 5)), t=nir.Threshold(threshold=each((3, 5), 0.5)),
                       c=nir.Conv1d(9, drawn(3, 2, 3), 2, 1, 1, 1, drawn(3)), s=nir.Scale(scale=each((3, 5), 2.0))),
        "potentials": graph("input>a>li>b>cuba>c>ci>output", **ends(2, 2), a=linear(2, 2), li=li(2), b=linear(2, 3),
                            cuba=cuba(3), c=linear(3, 2), ci=cuba(2, "CubaLI")),
        "single precision": graph("input>a>b>output", **ends(3, 4), a=nir.Linear(drawn(4, 3).astype(np.float32)),
                                  b=nir.LIF(**{k: np.asarray(v) for k, v in single.items()}, v_reset=np.asarray(
                                      np.float32(0.0)))),
    }  # fmt: skip


def assert_equal(found: Any, expected: Any, within: str = "") -> None:
    """Compare two graphs: nodes, edges, each number and its type."""
    assert list(found.nodes) == list(expected.nodes), within
    assert found.edges == expected.edges, within
    for name, node in expected.nodes.items():
        other = found.nodes[name]
        assert type(other) is type(node), f"{within}{name}"
        if isinstance(node, nir.NIRGraph):
            assert_equal(other, node, f"{within}{name}.")
            continue
        for key, value in vars(node).items():
            new, where = getattr(other, key), f"{within}{name}.{key}"
            if isinstance(value, dict):
                assert value.keys() == new.keys(), where
                assert all(np.array_equal(value[k], new[k]) for k in value), where
            else:
                np.testing.assert_array_equal(np.asarray(new), np.asarray(value), where, strict=True)
