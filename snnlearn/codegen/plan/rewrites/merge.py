"""Have kernels of one structure compiled as one, which runs with a table of arguments.

Which these are shows when they are printed: see `snnlearn.codegen.clike.alike`.
"""

from __future__ import annotations

from dataclasses import replace

from snnlearn.codegen.plan.kernels import Plan


def merge(plan: Plan) -> Plan:
    """Return the plan with leave to merge its kernels."""
    return replace(plan, merged=True)
