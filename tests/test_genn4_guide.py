"""The guide from GeNN 4: what it shows now runs and is right, and what it shows of GeNN 4 says what to write."""

from __future__ import annotations

import builtins
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snnlearn.errors import BackendError, SnnlearnError
from snnlearn.genn import VarAccess, VarAccessMode, genn_model, obsolete

TEXT = (Path(__file__).resolve().parents[1] / "docs" / "genn4.md").read_text(encoding="utf-8")
OLD = re.findall(r"```py\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def ported() -> dict[str, Any]:
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL):
        exec(block, names)
    return names


def test_the_ported_program_is_right(ported: dict[str, Any]) -> None:
    potential = 0.5 * np.arange(4)
    summed = np.zeros(4)
    for step in range(5):
        if step > 0:  # source k spikes at k ms, and reaches its two targets one timestep later
            summed[[(step - 1 + 1) % 4, (step - 1 + 2) % 4]] += 1.0
        potential = np.exp(-1.0 / 20.0) * potential + summed
        summed *= 0.5
    np.testing.assert_allclose(ported["cells"].vars["V"].view, potential, rtol=1e-6)
    assert (ported["times"].tolist(), ported["ids"].tolist()) == ([0.0, 1.0, 2.0, 3.0], [0, 1, 2, 3])
    assert ported["synapses"].vars["g"].values.tolist() == [0.5] * 8
    assert ported["synapses"].get_sparse_post_inds().tolist() == [1, 2, 2, 3, 3, 0, 0, 1]


class OldNames(dict[str, Any]):
    """The names of a program whose ``from pygenn.genn_model import *`` has been left to the moment of use."""

    def __missing__(self, name: str) -> Any:
        if hasattr(builtins, name):
            raise KeyError(name)
        return getattr(genn_model, name)


@pytest.mark.parametrize("block", OLD, ids=lambda block: block.strip().splitlines()[0][:40])
@pytest.mark.filterwarnings("ignore:init_connectivity is deprecated")
def test_what_is_shown_of_genn_4_says_what_to_write(block: str, ported: dict[str, Any]) -> None:
    names = OldNames(ported)
    names |= {"NO_DELAY": 0, "VarAccess_READ_ONLY": VarAccess.READ_ONLY}
    names |= {"VarAccessMode_READ_WRITE": VarAccessMode.READ_WRITE}
    block = re.sub(r"from pygenn\b", "from snnlearn.genn", block)
    for statement in re.split(r"\n(?=\w)", block.strip()):
        with pytest.raises(SnnlearnError) as caught:
            exec(statement, {}, names)
        if not isinstance(caught.value, BackendError):
            assert "docs/genn4.md" in str(caught.value)
        if "import" not in statement:
            break  # what follows builds upon what failed


@pytest.mark.parametrize("table", ["GROUP", "MODEL", "MATRIX_TYPES", "BUILT_IN_MODELS", "FUNCTIONS"])
def test_texts_name_what_there_is(table: str) -> None:
    """Functions and attributes that the texts send to exist."""
    texts = " ".join(getattr(obsolete, table).values())
    for name in re.findall(r"\b(?:create_\w+_(?:model|snippet)|init_(?!values)\w+)\b", texts):
        assert hasattr(genn_model, name), name
