"""Few-shot regression: tasks and spikes, the two ways to learn against each other, and the command."""

import csv
import sys
from importlib.util import find_spec
from itertools import islice

import numpy as np
import pytest

from snnlearn import genn
from snnlearn.userproject import few_shot_network as fs
from snnlearn.userproject.few_shot import TEST_SEED, main, share_at
from snnlearn.userproject.few_shot_engine import EngineMeta
from snnlearn.userproject.few_shot_tasks import NUM_INPUT, encode, stream

SETTING = fs.Setting(0.1, 0.01, 0.05)
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed: pip install '.[torch]'")


def test_tasks_are_sinusoids_and_the_same_for_a_seed():
    first, second = islice(stream(5, 3, 10), 2)
    (again,) = islice(stream(5, 3, 10), 1)
    np.testing.assert_array_equal(first.query_y, again.query_y)
    assert not np.array_equal(first.support_x, second.support_x)
    for x, y, more_x, more_y in zip(first.support_x, first.support_y, first.query_x, first.query_y, strict=True):
        # A sinusoid of period 2 pi is a sum of a sine and a cosine: found on the support, it holds on the query.
        basis = np.column_stack([np.sin(x), np.cos(x)])
        parts, *_ = np.linalg.lstsq(basis, y, rcond=None)
        np.testing.assert_allclose(np.column_stack([np.sin(more_x), np.cos(more_x)]) @ parts, more_y, atol=1e-9)
        assert 0.1 <= np.hypot(*parts) <= 5.0


def test_spikes_say_where_a_point_is():
    spikes = encode(np.array([-5.0, 0.1, 5.0]), 20)
    assert spikes.shape == (20, 3, NUM_INPUT)
    counts = spikes.sum(0)
    assert counts.max() == 10  # half a spike a timestep
    centres = np.linspace(-5.0, 5.0, NUM_INPUT)
    means = (counts * centres).sum(1) / counts.sum(1)
    assert abs(means[1] - 0.1) < 0.1
    assert means[0] < -4.5
    assert means[2] > 4.5


@pytest.fixture(scope="module")
def learnt():
    """A learner after its meta-gradients, and its batch."""
    batch = next(stream(7, 2, 10))
    meta = EngineMeta(genn, "synapse", 7, SETTING, 2, 10)
    meta.accumulate(batch, 2)
    yield meta, batch, meta.meta_gradients()
    meta.unload()


@needs_torch
def test_the_engine_has_the_first_order_gradients_of_pytorch(learnt):
    import torch

    from snnlearn.userproject.few_shot_torch import TorchMeta

    torch.set_num_threads(1)
    _, batch, engine = learnt
    reference = TorchMeta("synapse", [7], [SETTING], 2, 10, second_order=False)
    _, gradients = reference.meta_gradients([batch], 2)
    parts = [*engine["weight"].values(), *engine["rate"].values()]
    for ours, theirs in zip(parts, gradients, strict=True):
        expected = -theirs[0].numpy()
        assert np.abs(expected).max() > 1e-3
        # Single precision, and sums in another order.
        np.testing.assert_allclose(ours, expected, rtol=0, atol=2e-4 * np.abs(expected).max())


@needs_torch
def test_second_derivatives_make_a_difference():
    import torch

    from snnlearn.userproject.few_shot_torch import TorchMeta

    torch.set_num_threads(1)
    batch = next(stream(7, 2, 4))
    each = [TorchMeta("layer", [7], [SETTING], 2, 4, second).meta_gradients([batch], 1)[1] for second in (True, False)]
    for exact, cut in zip(*each, strict=True):
        assert exact.shape == cut.shape
    assert float((each[0][0] - each[1][0]).abs().max()) > 1e-3 * float(each[0][0].abs().max())


@pytest.mark.parametrize("rates", ["one", "layer"])
def test_shared_rates_stay_shared(rates):
    meta = EngineMeta(genn, rates, 7, SETTING, 2, 10)
    for batch in islice(stream(7, 2, 10), 3):
        meta.iterate(batch, 1)
    (first,), (second,) = (np.unique(each) for each in meta.rates().values())
    assert first != pytest.approx(0.1)
    assert (first == second) == (rates == "one")
    meta.unload()


def test_the_outer_loop_ends_softly():
    assert share_at(0, 10) == 1.0
    assert share_at(5, 10) == pytest.approx(0.5)
    assert share_at(9, 10) < 0.03


COMMAND = ["--iterations", "8", "--tasks", "2", "--test-tasks", "10", "--seeds", "1", "--steps", "1"]


@needs_torch
def test_eight_iterations_of_the_command(tmp_path, capsys):
    args = [*COMMAND, "--rates", "synapse", "--output-dir", str(tmp_path)]
    assert main(args) == 0
    printed = capsys.readouterr().out
    assert printed.count("first order, 1 step") == printed.count("second order, 1 step") == 1
    rows = list(csv.DictReader((tmp_path / "few_shot.csv").read_text(encoding="utf-8").splitlines()))
    assert [(row["order"], row["rates"]) for row in rows] == [("1", "synapse"), ("2", "synapse")]
    with np.load(tmp_path / "few_shot.npz") as learnt:
        assert len(learnt.files) == 4
        assert np.ptp(learnt["order1/steps1/synapse/seed1/InputHidden"]) > 0.0
    silent = np.mean([batch.query_y**2 for batch in islice(stream(TEST_SEED, 2, 10), 5)])  # the error of answering 0
    assert all(0.0 < float(row["query_mse"]) < silent for row in rows)
    assert (tmp_path / "few_shot.png").read_bytes().startswith(b"\x89PNG")


def test_without_pytorch_the_command_says_so(monkeypatch, capsys, tmp_path):
    for name in [name for name in sys.modules if name == "snnlearn.torch" or name.startswith("snnlearn.torch.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: None)
    assert main([*COMMAND, "--orders", "2", "--output-dir", str(tmp_path)]) == 2
    assert "snnlearn.torch needs PyTorch, which is not installed" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--iterations", "0"], "--iterations must be at least 1, not 0"),
        (["--seeds", "0"], "--seeds must be from 1 to 2**31 - 1, not 0"),
        (["--tasks", "5000"], "--tasks must be at most 1000, not 5000"),
    ],
)
def test_bad_input_is_one_line(args, message, capsys):
    assert main(args) == 2
    assert message in capsys.readouterr().err
