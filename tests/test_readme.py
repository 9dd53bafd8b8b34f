"""What the README shows works as it stands."""

import re
from pathlib import Path

import pytest

from snnlearn.declare import NeuronModel
from snnlearn.dialect import check_model
from snnlearn.errors import DialectError

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def test_the_library_example_runs_and_spikes():
    names = {}
    exec(blocks("python")[0], names)
    assert sorted(set(names["ids"].tolist())) == list(range(10))
    assert names["times"].min() > 1.0


def test_the_error_shown_is_the_error_raised():
    shown = re.search(r"^DialectError: .*?(?=^```)", TEXT, re.DOTALL | re.MULTILINE)
    assert shown is not None
    with pytest.raises(DialectError) as caught:
        check_model(
            NeuronModel(
                "lif",
                params=["decay"],
                vars=["V"],
                sim_code="V = V * dcay + Isyn * (1.0 - decay);",
            )
        )
    assert f"DialectError: {caught.value}".split() == shown[0].split()


def test_phases_of_the_example_are_phases():
    code = blocks("python")[1].split("learner.fit_opt_sched")[0]
    names = {}
    exec(code, names)
    assert [phase.epochs for phase in names["phases"]] == [1, 2.5]
    assert [phase.lr for phase in names["phases"]] == [(1e-3, 1e-2), (1e-2, 1e-3)], "a start and an end each"


@pytest.mark.parametrize("link", re.findall(r"\]\((docs/[^)]+)\)", TEXT))
def test_links_lead_somewhere(link):
    page, _, anchor = link.partition("#")
    assert (ROOT / page).is_file()
    if anchor:
        headings = re.findall(r"^#+ (.*)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
        assert anchor in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]


def test_the_learner_of_the_docs_learns(capsys):
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    names = {}
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(blocks[0], names)
    last = names["learner"].epochs[-1]
    assert last.validation_loss < 1e-6
    assert last.epoch < 19, "stopped early"
    assert "EpochResult" in capsys.readouterr().out
    exec(next(block for block in blocks if "present_batch" in block), names)
    names["Batches"](5, seed=3)
    names["BatchError"]()
    exec(next(block for block in blocks if "EarlyStopping" in block), names)
    stopping, epochs = names["stopping"], names["learner"].epochs
    assert (stopping.stopped_epoch, stopping.best_epoch) == (epochs[-1].epoch, epochs[-4].epoch)
    assert len((names["folder"] / "log.csv").read_text().splitlines()) == len(epochs) + 1
    assert (names["folder"] / "best.npz").is_file()


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
def test_pages_are_finished_and_their_pictures_there(page):
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"FIGURE|\b[A-Z]{4,}TABLE\b|_TABLE", text)
    for target in re.findall(r"\]\(([^)#]+?)\)", text):
        assert target.startswith("http") or (page.parent / target).is_file(), target
