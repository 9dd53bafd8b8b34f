"""Which names are taken for misspellings, and which are names of their own."""

from __future__ import annotations

import numpy as np
import pytest

from snnlearn.spelling import distance, misspelt

_MODEL = """precision time_precision dt seed batch_size timing_enabled default_var_location fuse_postsynaptic_models
    default_sparse_connectivity_location backend_name timestep threads optimise flush_denormals portable
    strategy"""
MODEL = _MODEL.split()
NEURONS = ["spike_recording_enabled", "spike_event_recording_enabled", "spike_time_location"]
_SYNAPSES = """axonal_delay_steps back_prop_delay_steps max_dendritic_delay_timesteps post_target_var pre_target_var
    max_connections narrow_sparse_ind_enabled parallelism_hint"""
SYNAPSES = _SYNAPSES.split()
ARRAY = ["view", "values"]

MISSPELT = {
    "seed": "sed Seed SEED ssed sede seeed sead seef see",
    "batch_size": "batchsize batchSize BatchSize batch_sise batch_siz batc_size abtch_size size_batch batch_xize",
    "timing_enabled": "timing_enable timingEnabled enable_timing timming_enabled timing_nabled",
    "precision": "presicion precison",
    "dt": "dT DT Dt",
    "timestep": "time_step timestp",
    "default_var_location": "default_var_loc default_variable_location",
    "threads": "thread treads",
    "optimise": "optimize optimse",
    "spike_recording_enabled": """spike_recording_enable spikeRecordingEnabled recording_enabled spike_recording
        spike_recordings_enabled spike_recording_enabeld spike_rec_enabled enable_spike_recording
        spike_ecording_enabled spike_erecording_enabled spikee_recording_enabled""",
    "spike_event_recording_enabled": "spike_eevent_recording_enabled spike_vent_recording_enabled",
    "axonal_delay_steps": "axonal_delay_step axonal_delay delay_steps axonal_dealy_steps",
    "max_connections": "max_connection max_conn maxConnections max_conections max_onnections max_ocnnections",
    "max_dendritic_delay_timesteps": "max_dendritic_delay max_dendritic_delay_steps",
    "post_target_var": "post_target post_target_variable",
    "values": "value val vals valeus vaules",
    "view": "veiw View viw",
}


@pytest.mark.parametrize(
    ("given", "meant"), [(given, meant) for meant, names in MISSPELT.items() for given in names.split()]
)
def test_misspelt(given: str, meant: str) -> None:
    known = next(known for known in (MODEL, NEURONS, SYNAPSES, ARRAY) if meant in known)
    assert misspelt(given, known) == meant


_OWN = """my_data layer layers label labels network patch_size batch batches batch_time batch_idx names speed seen
    seeds rng_seed random_seed N T x y coords positions colour delay delays weight weights spikes
    spike_times_list recorder history time steps num_steps duration connectivity connections sources
    targets device devices precisions lr stats states mode rnn params_dict cell_type trial_length
    stimulus description config vals_list view_angle values_list time_constant loss logger debug verbose
    threshold size shape video optimiser optimizer seeding seeded viewer"""
OWN = _OWN.split()


@pytest.mark.parametrize("name", OWN)
def test_names_of_a_programs_own(name: str) -> None:
    for known in (MODEL, NEURONS, SYNAPSES, ARRAY):
        assert misspelt(name, known) is None, known


@pytest.mark.parametrize(
    ("a", "b", "errors"),
    [("", "abc", 3), ("abc", "", 3), ("ab", "ba", 1), ("ca", "abc", 3), ("kitten", "sitting", 3), ("seed", "sede", 1)],
)
def test_distance(a: str, b: str, errors: int) -> None:
    assert distance(a, b) == distance(b, a) == errors


def test_distance_is_least() -> None:
    """Compared with the definition's recursion, for all words of three letters over two."""

    def least(a: str, b: str) -> int:
        if not a or not b:
            return len(a) + len(b)
        costs = [least(a[1:], b) + 1, least(a, b[1:]) + 1, least(a[1:], b[1:]) + (a[0] != b[0])]
        if len(a) > 1 and len(b) > 1 and a[0] == b[1] and a[1] == b[0]:
            costs.append(least(a[2:], b[2:]) + 1)
        return min(costs)

    words = ["".join("ab"[bit] for bit in bits) for n in range(4) for bits in np.ndindex(*[2] * n)]
    for a in words:
        for b in words:
            assert distance(a, b) == least(a, b), (a, b)
