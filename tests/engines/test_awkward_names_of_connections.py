"""Names that the source for sparse, delayed and changing connections would take for its own, renamed."""

from __future__ import annotations

from typing import Any

import numpy as np

from agreement import assert_same, trace

# Names of the templates, of the simulation's members, of arrays that the plan adds.
_WORDS = """connect d s i j n value_1 value_2 kernel last count spikes spike first queue den_queue sparse row_length_
column_start column_synapses add remove check error within host_x pool copy V_kept spike_time out_post den_delay
out_pre S_ind S_w S_row_length A_queue S_den_queue A_spikes seed timestep calls recording candidate_ size kept begin end
lane block vector pass warning first_lane shared batch_ slot"""
WORDS = _WORDS.split()
PLAIN = [f"plain{number}" for number in range(len(WORDS))]


def network(words: list[str]) -> Any:
    """Return a network whose variables, parameters, arrays and locals have these names."""
    cached: dict[str, Any] = {}

    def build(g: Any, model: Any) -> Any:
        if not cached:
            cached.update(models(g, words))
        half = len(words) // 2
        zeros = dict.fromkeys(words[:half], 0.0)
        a = model.add_neuron_population("A", 9, cached["neuron"], {}, {**zeros, "V": 0.0})
        init = g.init_weight_update(
            cached["rule"],
            {},
            {**zeros, "w": 1.0, "delay": 1},
            dict.fromkeys(words[half:], 0.0),
            {},
            {},
            {"V": g.create_var_ref(a, "V")},
        )
        params = {word: number + 1.0 for number, word in enumerate(words[half:])}
        made = g.init_sparse_connectivity(cached["connect"], params)
        s = model.add_synapse_population("S", "SPARSE", a, a, init, g.init_postsynaptic("DeltaCurr"), made)
        s.axonal_delay_steps, s.max_dendritic_delay_timesteps = 2, 3
        refs = {word: g.create_wu_var_ref(s, word) for word in words[:half]}
        update = model.add_custom_connectivity_update(
            "U", "U", s, cached["update"], {}, {}, dict.fromkeys(words[half:], 0.0), {}, refs
        )
        update.extra_global_params["array"].set_init_values(np.zeros(2))
        return lambda timestep: model.custom_update("U") if timestep % 3 == 0 else None

    return build


def models(g: Any, words: list[str]) -> dict[str, Any]:
    half = len(words) // 2
    one, two = words[:half], words[half:]
    scalars = [(word, "scalar") for word in one]
    add = " ".join(f"{word} += {number + 1}.0;" for number, word in enumerate(one))
    return {
        "neuron": g.create_neuron_model(
            "Neuron",
            vars=[*scalars, ("V", "scalar")],
            sim_code=f"V = fmod(V + id + 1.0 + Isyn, 20.0); {add}",
            threshold_condition_code="V > 12.0",
        ),
        "rule": g.create_weight_update_model(
            "Rule",
            vars=[*scalars, ("w", "scalar"), ("delay", "uint8_t")],
            pre_vars=[(word, "scalar") for word in two],
            post_neuron_var_refs=[("V", "scalar")],
            pre_spike_syn_code=f"addToPostDelay(1.0, delay); w += V[delay]; {add}",
            post_spike_syn_code=f"w += {' + '.join(two)};",
            pre_spike_code=" ".join(f"{word} += 1.0;" for word in two),
        ),
        "connect": g.create_sparse_connect_init_snippet(
            "Connect",
            params=[(word, "scalar") for word in two],
            row_build_code="".join(f"scalar {word} = 1.0; " for word in one)
            + f"unsigned int to = (unsigned int)({' + '.join(words)}); "
            "for(unsigned int k = 0; k < 4; k++) { addSynapse((to + id_pre * 2 + k) % num_post); }",
            calc_max_row_len_func=lambda num_pre, num_post, pars: 4,
        ),
        "update": g.create_custom_connectivity_update_model(
            "Update",
            pre_vars=[(word, "scalar") for word in two],
            var_refs=scalars,
            extra_global_params=[("array", "scalar*")],
            row_update_code=f"""
            for_each_synapse {{
                if((id_post + id_pre) % 5 == 0) {{
                    remove_synapse();
                }}
                else {{
                    {add}
                }}
            }}
            {" ".join(f"{word} += 2.0;" for word in two)}
            if(row_length < 3) {{
                add_synapse(id_pre, {", ".join(f"{number}.0" for number in range(half))});
            }}
            """,
        ),
    }


def test_renaming_changes_nothing(engine: Any) -> None:
    found, expected = trace(engine, network(WORDS), 20), trace(engine, network(PLAIN), 20)
    renamed = {}
    for name, values in expected.items():
        group, _, last = name.rpartition(".")
        renamed[f"{group}.{WORDS[PLAIN.index(last)]}" if last in PLAIN else name] = values
    assert expected["S synapses"][0].shape != expected["S synapses"][-1].shape
    assert_same(found, renamed)
