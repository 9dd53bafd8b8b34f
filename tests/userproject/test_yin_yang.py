"""That the classifier learns, and what it refuses."""

import pytest

from snnlearn.userproject.yin_yang import main


def test_learns_a_little_in_a_second(capsys):
    assert main(["--epochs", "4", "--num-train", "600", "--num-valid", "300", "--quiet"]) == 0
    accuracy = float(capsys.readouterr().out.split()[-1].rstrip("%"))
    # A linear classifier gets 64 %, and 300 patterns tell that to 2.8 % (one sigma).
    assert accuracy > 64 + 3 * 2.8


def test_learns_a_little_by_times_of_spikes(capsys):
    numbers = ["--epochs", "4", "--num-train", "600", "--num-valid", "300", "--num-hidden", "60"]
    assert main(["--rule", "eventprop", *numbers, "--quiet"]) == 0
    assert float(capsys.readouterr().out.split()[-1].rstrip("%")) > 64 + 3 * 2.8


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--epochs", "0"], "epochs must be positive"),
        (["--num-train", "0"], "--num-train must be at least 20, not 0"),
        (["--num-hidden", "-1"], "--num-hidden must be at least 1, not -1"),
        (["--seed", "-4"], "--seed must be at least 1, not -4"),
        (["--seed", str(2**64)], "--seed must be at most"),
        (["--num-train", str(10**12)], "--num-train must be at most 1000000, not 1000000000000"),
        (["--epochs", "1" + 400 * "0"], "epochs must be positive and finite, not inf"),
        (["--backend", "cuda"], "backend 'cuda' is not available"),
        (["--rule", "eventprop", "--num-valid", "30"], "--num-valid must be a multiple of 20 with --rule eventprop"),
    ],
)
def test_bad_arguments(args, message, capsys):
    assert main(args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("yin_yang: error: ")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_reaches_85_per_cent(seed, capsys):
    assert main(["--epochs", "10", "--seed", seed, "--quiet"]) == 0
    assert float(capsys.readouterr().out.split()[-1].rstrip("%")) >= 85.0


@pytest.mark.slow
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_reaches_95_per_cent_by_times_of_spikes(seed, capsys):
    assert main(["--rule", "eventprop", "--epochs", "20", "--num-valid", "5000", "--seed", seed, "--quiet"]) == 0
    assert float(capsys.readouterr().out.split()[-1].rstrip("%")) >= 95.0
