"""Skips: listed with their reason; where QKV_NO_SKIP is set (as in .ci/run) a skip is a failure."""

from __future__ import annotations

import importlib.util
import os
import sys
import types
from collections.abc import Iterator
from typing import Any

# Two busy cores are slower with more threads, and sums come in another order. Read when NumPy and
# PyTorch load, so before the imports; child processes (builds, notebooks) inherit it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

# `make pages` gets by without what follows (pyproject.toml: the extra `pages`).
if importlib.util.find_spec("hypothesis"):
    from hypothesis import settings

    # No database: a run leaves nothing behind.
    settings.register_profile(
        "fixed", derandomize=True, deadline=None, max_examples=60, database=None
    )
    settings.load_profile("fixed")


class Absent(types.ModuleType):
    """In the place of PyTorch, which some machines cannot have: what uses it is skipped, when it
    does, and the rest of the same file is tested."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name != "__path__":  # which `import torch.nn` asks for
            raise AttributeError(name)
        pytest.skip("there is no PyTorch on this machine", allow_module_level=True)


if importlib.util.find_spec("torch") is None:
    sys.modules["torch"] = Absent("torch")

if importlib.util.find_spec("playwright"):
    from browsing import (  # noqa: F401
        anywhere,
        browser,
        once,
        phone,
        revisit,
        root,
        serve,
        served,
        site,
        visit,
    )

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(node: Any) -> None:
        """Of pytest-xdist: a process is about to be started."""
        node.workerinput["served"] = serve(node.config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    report = yield
    if report.skipped and os.environ.get("QKV_NO_SKIP"):
        report.outcome, report.longrepr = (
            "failed",
            f"skipped where no skip is allowed: {report.longrepr}",
        )
    return report
