"""Elements of arrays as tensors that broadcast over a kernel's neurons or synapses."""

from __future__ import annotations

from snnlearn.codegen.plan import Array, Kernel, Plan, Synapses
from snnlearn.codegen.plan.domains import Columns, Diagonals, Rows, Sparse, SpikingDomain
from snnlearn.codegen.plan.parts import Index
from snnlearn.codegen.torch.values import ALL, POST, PRE

NONE: frozenset[str] = frozenset()


class Layout:
    """How a kernel's elements lie along the axes of tensors.

    Neurons, and the synapses of sparse connectivity one row behind the other, lie along the last axis. All-to-all
    synapses lie along the last two. The copies of a batch, where there are several, lie along the first.
    """

    def __init__(self, plan: Plan, kernel: Kernel) -> None:
        self.plan, self.domain = plan, kernel.domain
        synaptic = isinstance(self.domain, (Synapses, *SpikingDomain))
        self.sparse: Sparse | None = getattr(self.domain, "sparse", None) if synaptic else None
        self.dense = synaptic and self.sparse is None
        self.copies = kernel.batched and plan.batch_size > 1

    @property
    def shape(self) -> str:
        """The shape of tensors that differ between all of the kernel's elements, as Python source."""
        domain = self.domain
        copies = f"{self.plan.batch_size}, " if self.copies else ""
        if self.sparse is not None:
            return f'({copies}*a["{self.sparse.ind}"].pre.shape,)'
        if self.dense:
            return f"({copies}{domain.pre}, {domain.post})"  # type: ignore[union-attr]
        return f"({copies}{getattr(domain, 'size', 0)},)"

    def slot(self, array: Array, delay: str) -> str:
        """Return an array as it was some timesteps ago; less than 0 are timesteps to come."""
        if array.queue is None:
            return f'a["{array.name}"]'
        queue = f'a["{array.queue}"]'
        newest = queue if delay == "0" else f"({queue} - {delay}) % {array.slots}"
        return f'a["{array.name}"][{newest}]'

    def reads(self, array: Array) -> frozenset[str]:
        """Return which arrays `slot` reads."""
        return frozenset([array.name, *([array.queue] if array.queue is not None else [])])

    def element(self, array: Array, index: Index, delay: str = "0") -> str:
        """Return the elements of an array that belong to the kernel's neurons or synapses."""
        code = self.slot(array, delay)
        if self.sparse is not None and index in ("pre", "post", "kernel"):
            return f"{code}[..., {self.index_of(index)}]"
        if self.dense and index == "pre":
            return f"{code}.unsqueeze(-1)"
        if self.dense and index in ("post", "only") and array.batched:
            return f"{code}.unsqueeze({-2 if index == 'post' else -1})"
        return code

    def index_of(self, index: Index) -> str:
        """Return the neurons, or elements of a kernel, that sparse synapses belong to."""
        assert self.sparse is not None
        if index == "kernel":
            return f'a["{self.sparse.kernel_ind}"]'
        return f'a["{self.sparse.ind}"].{index}'

    def index_arrays(self, index: Index) -> frozenset[str]:
        """Return which arrays `index_of` reads."""
        if self.sparse is None or index not in ("pre", "post", "kernel"):
            return NONE
        name = self.sparse.kernel_ind if index == "kernel" else self.sparse.ind
        return frozenset([name]) if name is not None else NONE

    @staticmethod
    def axes(index: Index) -> frozenset[str]:
        """Return along which of the kernel's axes an element differs."""
        return {"pre": PRE, "post": POST, "only": NONE}.get(index, ALL)

    def built_in(self, name: str) -> tuple[str, frozenset[str]] | None:
        """Return what a built-in name stands for, and its axes; None where the kernel has no such thing."""
        domain = self.domain
        if name == "batch":
            return f"support.arange({self.plan.batch_size}).view({'-1, 1, 1' if self.dense else '-1, 1'})", NONE
        if name == "id":
            return f"support.arange({getattr(domain, 'size', 0)})", ALL
        pre, post = getattr(domain, "pre", 0), getattr(domain, "post", 0)
        if self.sparse is not None:
            rows = f'a["{self.sparse.ind}"]'
            places = {"id_pre": f"{rows}.pre", "id_post": f"{rows}.post", "id_syn": f"{rows}.place"}
            return (places[name], ALL) if name in places else None
        if not self.dense:
            along = {"id_pre": Rows, "id_post": Columns, "id_diag": Diagonals}.get(name)
            sizes = {"id_pre": pre, "id_post": post, "id_diag": getattr(domain, "number", 0)}
            return (f"support.arange({sizes[name]})", ALL) if along is not None and isinstance(domain, along) else None
        table = {
            "id_pre": (f"support.arange({pre}).unsqueeze(-1)", PRE),
            "id_post": (f"support.arange({post})", POST),
            "id_syn": (f"support.arange({pre * post}).view({pre}, {post})", ALL),
        }
        return table.get(name)
