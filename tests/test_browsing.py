"""How the tests in a browser wait: for what moves, not for a clock."""

from __future__ import annotations

import itertools

import browsing
import pytest


def test_until_waits_as_long_as_something_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsing, "PATIENCE", 1)
    clock, moves = itertools.count(), itertools.count()
    monkeypatch.setattr(browsing.time, "monotonic", lambda: next(clock) / 4)
    looks = iter([0] * 50 + ["there"])
    assert browsing.until(lambda: next(looks), lambda: next(moves), lambda: None) == "there"


def test_until_gives_up_when_nothing_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsing, "PATIENCE", 1)
    clock = itertools.count()
    monkeypatch.setattr(browsing.time, "monotonic", lambda: next(clock) / 4)
    with pytest.raises(AssertionError, match="the last that was seen: starting"):
        browsing.until(lambda: None, lambda: "starting", lambda: None)
