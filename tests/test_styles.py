"""The reduced style sheet is what `make styles` makes of the installed Material."""

from __future__ import annotations

import pytest

from theme import styles
from theme.styles import __main__ as reduce


def test_the_file_is_what_the_command_makes() -> None:
    assert styles.is_current(), f"not made of {styles.sources_now()}: make styles"
    assert styles.REDUCED.read_text("utf-8") == reduce.made(), "make styles"


def test_what_is_not_used_is_cut_and_nothing_else() -> None:
    css = reduce.Reduced(
        "a,.md-tabs a:is(b,c){color:red}.md-tag{x:y}@media print{.footnote{a:b}}"
        "@media screen{p,.md-tabs{--md-path-icon:url('data:a;b');color:blue}}"
    ).css
    assert css.split("\n") == ["a{color:red}", "@media screen{p{color:blue}}"]


def test_an_upgrade_that_breaks_an_assumption_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reduce, "UNUSED", [*reduce.UNUSED, r"\.md-gone"])
    with pytest.raises(SystemExit, match=r"Material's style sheet no longer has .*md-gone"):
        reduce.made()
