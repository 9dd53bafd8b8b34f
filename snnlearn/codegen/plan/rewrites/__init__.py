"""Optimisations: pure functions from plan to plan, each of which leaves what is computed as it was.

`branchless`, `separate`, `turns`, `defer` and `merge` change no bit. The others round differently: `strength`
everywhere (a product with a reciprocal for a quotient), `linear`, `silent`, `fold` and `contract` in deferred kernels.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from snnlearn.codegen.plan.kernels import Plan
from snnlearn.codegen.plan.rewrites.branchless import branchless
from snnlearn.codegen.plan.rewrites.contract import contract
from snnlearn.codegen.plan.rewrites.defer import defer
from snnlearn.codegen.plan.rewrites.fold import fold
from snnlearn.codegen.plan.rewrites.linear import linear
from snnlearn.codegen.plan.rewrites.merge import merge
from snnlearn.codegen.plan.rewrites.separate import separate
from snnlearn.codegen.plan.rewrites.silent import silent
from snnlearn.codegen.plan.rewrites.strength import strength
from snnlearn.codegen.plan.rewrites.turns import turns
from snnlearn.codegen.plan.verify import verify_plan, verifying
from snnlearn.errors import PreferenceError, did_you_mean

REWRITES: dict[str, Callable[[Plan], Plan]] = {
    "strength": strength,
    "branchless": branchless,
    "separate": separate,
    "turns": turns,
    "defer": defer,
    "linear": linear,
    "silent": silent,
    "fold": fold,
    "contract": contract,
    "merge": merge,
}
DEFAULT: tuple[str, ...] = tuple(REWRITES)
# For machines without a fused multiply-add, where it is a function of the library, and very slow.
DEFAULT_UNFUSED: tuple[str, ...] = tuple(name for name in REWRITES if name != "contract")
CPU_ONLY: tuple[str, ...] = ("turns",)
DEFAULT_GPU: tuple[str, ...] = tuple(name for name in REWRITES if name not in CPU_ONLY)  # every GPU can contract


def optimise(plan: Plan, names: Iterable[str] = DEFAULT) -> Plan:
    """Apply rewrites by name, in the order of `REWRITES`; tests have the plan verified before and behind them.

    Raises
    ------
    PlanError
        For a plan that contradicts itself.
    PreferenceError
        For a name that is not in `REWRITES`.
    """
    wanted = set(names)
    for name in wanted - REWRITES.keys():
        raise PreferenceError(f"unknown optimisation '{name}'{did_you_mean(name, REWRITES)}")
    if verifying():
        verify_plan(plan)
    for name, rewrite in REWRITES.items():
        if name in wanted:
            plan = rewrite(plan)
    return verify_plan(plan) if verifying() and wanted else plan
