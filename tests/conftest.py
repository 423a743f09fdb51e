"""Skips: listed with their reason; where QKV_NO_SKIP is set (as in .ci/run) a skip is a failure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from browsing import browser, root, site, visit  # noqa: F401  (fixtures)
from hypothesis import settings

# One thread: two busy cores are slower with more. No database: a run leaves nothing behind.
torch.set_num_threads(1)
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
