"""Contraction: in deferred kernels a product and a sum become one fused multiply-add, which rounds once.

Explicit, so that the result is the same with every compiler and every CPU that has the instruction; one that has not
would call a slow function, so whoever knows the machine leaves it out there (`snnlearn.runtime.engines`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from snnlearn.codegen.plan.kernels import Kernel, Plan
from snnlearn.codegen.plan.parts import Code
from snnlearn.declare import ValueType
from snnlearn.dialect import tree


def contract(plan: Plan) -> Plan:
    """Return the plan with multiply-adds in deferred kernels fused."""
    return replace(plan, step=tuple(_contract(k) if k.deferral else k for k in plan.step))


def _contract(kernel: Kernel) -> Kernel:
    body = tuple(_contract_code(p) if isinstance(p, Code) else p for p in kernel.body)
    assert kernel.deferral is not None
    form = kernel.deferral.linear
    deferral = replace(kernel.deferral, linear=form.map_codes(_contract_code) if form is not None else None)
    return replace(kernel, body=body, deferral=deferral)


def _contract_code(code: Code) -> Code:
    return replace(code, tree=tree.rewrite(code.tree, _fuse))


def _fuse(node: Any) -> Any:
    if isinstance(node, tree.Assign) and node.op == "+=" and node.type.kind == "float":
        product = _product(node.value, node.type)
        if product is not None:
            return tree.Assign("=", node.target, _fma(product, node.target), node.type)
    if isinstance(node, tree.Binary) and node.op == "+" and node.type.kind == "float":
        # The right operand first: it holds what is known last (see `fold`), which then waits for one operation only.
        for one, other in ((node.right, node.left), (node.left, node.right)):
            product = _product(one, node.type)
            if product is not None:
                return _fma(product, other)
    return node


def _product(e: tree.Expr, vtype: ValueType) -> tree.Binary | None:
    return e if isinstance(e, tree.Binary) and e.op == "*" and e.type == vtype else None


def _fma(product: tree.Binary, other: tree.Expr) -> tree.Call:
    return tree.Call("fma", (product.left, product.right, other), product.type)
