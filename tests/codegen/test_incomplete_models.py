"""Models of which any part is missing: they mean what is left, or are refused where they are made or built."""

from __future__ import annotations

import random
from typing import Any

import pytest

from snnlearn import genn
from snnlearn.codegen.cpp import emit_cpp
from snnlearn.codegen.cuda.emit import emit_cuda
from snnlearn.codegen.plan import build_plan, optimise
from snnlearn.errors import SnnlearnError
from snnlearn.genn.describe import describe

NOTHING = ("", None, "  \n\t", "// only a comment", "/* two */ // comments", ";", "{}")
SYNAPSE_CODE = (
    "addToPost(w);",
    "addToPre(w);",
    "w += st_pre;",
    "w += set_pre + prev_set_post;",
    "atomic_add_w(p + q);",
)
SIDES = (("pre", "p"), ("post", "q"))


class Author:
    """Writes models of every kind, and leaves out any of their code strings."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def some(self, code: str) -> str | None:
        return code if self.rng.random() < 0.5 else self.rng.choice(NOTHING)

    def condition(self, code: str) -> str | None:
        return code if self.rng.random() < 0.8 else self.rng.choice(NOTHING[:5])

    def rule(self) -> Any:
        codes = {
            f"{when}_code": self.some(self.rng.choice(SYNAPSE_CODE))
            for when in ("pre_event_syn", "pre_spike_syn", "post_event_syn", "post_spike_syn", "synapse_dynamics")
        }
        for side, trace in SIDES:
            codes[f"{side}_spike_code"] = self.some(f"{trace} += 1.0;")
            codes[f"{side}_dynamics_code"] = self.some(f"{trace} *= 0.5;")
            test = self.rng.choice([f"{trace} > 1.0", "t - set > 1.0", "true;"])
            codes[f"{side}_event_threshold_condition_code"] = self.condition(test)
        return genn.create_weight_update_model("Rule", vars=["w"], pre_vars=["p"], post_vars=["q"], **codes)

    def neuron(self) -> Any:
        return genn.create_neuron_model(
            "Neuron",
            vars=["V"],
            sim_code=self.some("V += Isyn;"),
            threshold_condition_code=self.condition("V > 1.0"),
            reset_code=self.some("V = 0.0;"),
            auto_refractory_required=self.rng.random() < 0.5,
        )

    def connectivity(self, kind: str) -> Any:
        if kind == "DENSE":
            return None
        bound = self.rng.choice([None, lambda num_pre, num_post, params: 1])
        rows, columns = self.some("addSynapse(id_pre);"), self.some("addSynapse(id_post);")
        snippet = genn.create_sparse_connect_init_snippet(
            "Connect", row_build_code=rows, col_build_code=columns, calc_max_row_len_func=bound
        )
        return genn.init_sparse_connectivity(snippet, {})

    def model(self) -> Any:
        model = genn.GeNNModel("float", "incomplete")
        model.batch_size = self.rng.choice([1, 2])
        a = model.add_neuron_population("A", 4, self.neuron(), {}, {"V": 0.0})
        kind = self.rng.choice(["DENSE", "SPARSE", "PROCEDURAL"])
        first = genn.create_var_init_snippet("First", var_init_code=self.some("value = 1.0;"))
        rule = genn.init_weight_update(self.rule(), {}, {"w": genn.init_var(first)}, {"p": 0.0}, {"q": 0.0})
        psm = genn.create_postsynaptic_model("Post", sim_code=self.some("injectCurrent(inSyn);"))
        s = model.add_synapse_population("S", kind, a, a, rule, genn.init_postsynaptic(psm), self.connectivity(kind))
        s.pre_spike_event_recording_enabled, s.post_spike_event_recording_enabled = self.rng.choices([True, False], k=2)
        s.axonal_delay_steps, s.back_prop_delay_steps = self.rng.choices(range(3), k=2)
        current = genn.create_current_source_model("Current", injection_code=self.some("injectCurrent(1.0);"))
        model.add_current_source("I", current, a)
        update = genn.create_custom_update_model("Update", var_refs=["V"], update_code=self.some("V = 0.0;"))
        model.add_custom_update("U", "U", update, var_refs={"V": genn.create_var_ref(a, "V")})
        if kind == "SPARSE":
            change = genn.create_custom_connectivity_update_model(
                "Change",
                pre_vars=["b"],
                row_update_code=self.some("for_each_synapse { remove_synapse(); }"),
                host_update_code=self.some("pullbFromDevice();"),
            )
            model.add_custom_connectivity_update("C", "U", s, change, pre_vars={"b": 0.0})
        return model


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_left_out_has_a_plan_or_an_error_of_ours(seed: int) -> None:
    planned = 0
    for number in range(30):
        author = Author(1000 * seed + number)
        try:
            plan = build_plan(describe(author.model()))
        except SnnlearnError:
            continue
        planned += 1
        assert emit_cpp(plan)
        assert emit_cpp(optimise(plan))
        assert emit_cuda(plan).source
    assert planned > 5
