"""What ``pytest --nvrtc`` does: every CUDA source that the networks of the tests make is compiled, beside the tests.

Whatever engine a test takes, each network that it builds is emitted for a GPU as well, by its own rewrites and by none,
and compiled for one of three generations of GPUs. What differs between these is in the support; the networks of
tests/codegen/cuda/test_compiles.py, which use every line of the schedule, are compiled for all three. Tests that are
the same but for the engine run on the first one only.
"""

from __future__ import annotations

import functools
import os
from concurrent.futures import Future
from typing import Any

import pytest

from nvrtc_pool import NvrtcPool
from snnlearn.codegen.cuda.emit import emit_cuda
from snnlearn.codegen.plan import build_plan, optimise
from snnlearn.errors import CompilerNotFoundError
from snnlearn.genn import GeNNModel
from snnlearn.genn.describe import describe

_ENGINES = {"engine", "other", "any_engine"}  # parameters of tests


class EverySource:
    """The plugin.

    Raises
    ------
    pytest.UsageError
        Where there is no NVRTC.
    """

    def __init__(self) -> None:
        try:
            self._pool = NvrtcPool()
        except CompilerNotFoundError:
            raise pytest.UsageError('--nvrtc needs NVRTC: pip install -e ".[test-cuda]"') from None
        self._compiled: dict[
            str, tuple[str, dict[str, Future[str | None]]]
        ] = {}  # by source: the test, what came of it
        self._patch = pytest.MonkeyPatch()

    def pytest_sessionstart(self) -> None:
        """Look at every model that is built from now on."""
        build = GeNNModel.build

        @functools.wraps(build)
        def watched(model: GeNNModel, *args: Any, **kwargs: Any) -> None:
            build(model, *args, **kwargs)
            self.take(model)

        self._patch.setattr(GeNNModel, "build", watched)

    def take(self, model: GeNNModel) -> None:
        """Emit a model that has been built, and have what is new compiled."""
        plan = build_plan(describe(model))
        for rewrites in (model.preferences.rewrites("cuda"), ()):
            source = emit_cuda(optimise(plan, rewrites)).source
            if source not in self._compiled:
                test = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
                self._compiled[source] = test, self._pool.submit_for_one(source)

    def pytest_collection_modifyitems(
        self, session: pytest.Session, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        """Leave out what is there for another engine, and end with an item that waits for the compiler."""
        kept: dict[Any, pytest.Item] = {}
        for item in items:
            indices = getattr(getattr(item, "callspec", None), "indices", {})
            others = tuple((name, n) for name, n in sorted(indices.items()) if name not in _ENGINES)
            kept.setdefault((item.nodeid.partition("[")[0], others), item)
        chosen = set(kept.values())
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = [*kept.values(), Verdict.from_parent(session, name="nvrtc", sources=self)]

    def failures(self) -> list[str]:
        """Wait for the compiler and return what it says against each source, with the test that made it first."""
        found = []
        for test, results in self._compiled.values():
            errors = [f"{target}: {error}" for target, result in results.items() if (error := result.result())]
            found += [f"{test}\n    " + "\n    ".join(errors)] if errors else []
        return found

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say how much has been compiled."""
        number, targets = len(self._compiled), ", ".join(self._pool.targets)
        terminalreporter.write_line(f"NVRTC: {number} CUDA sources, each for one of {targets}")

    def pytest_unconfigure(self) -> None:
        """End the compiler."""
        self._patch.undo()
        self._pool.close()


class Verdict(pytest.Item):
    """The last item of a session: whether every source compiles."""

    def __init__(self, *, sources: EverySource, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.sources = sources

    def runtest(self) -> None:
        """Fail with all sources that do not compile."""
        failures = self.sources.failures()
        if failures:
            pytest.fail(
                "CUDA sources that NVRTC does not take, by the tests that make them:\n" + "\n".join(failures), False
            )

    def reportinfo(self) -> tuple[Any, None, str]:
        """Return what it is called."""
        return self.path, None, "every CUDA source is compiled by NVRTC"
