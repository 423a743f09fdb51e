"""Skips: listed with their reason; where QKV_NO_SKIP is set (as in .ci/run) a skip is a failure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

# Two busy cores are slower with more threads, and sums come in another order. Read when NumPy
# loads, so before the imports; child processes (builds, notebooks) inherit it.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest
import torch
from browsing import browser, root, site, visit  # noqa: F401  (fixtures)
from hypothesis import settings

torch.set_num_threads(1)
# No database: a run leaves nothing behind.
settings.register_profile("fixed", derandomize=True, deadline=None, max_examples=60, database=None)
settings.load_profile("fixed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    report = yield
    if report.skipped and os.environ.get("QKV_NO_SKIP"):
        report.outcome, report.longrepr = (
            "failed",
            f"skipped where no skip is allowed: {report.longrepr}",
        )
    return report
