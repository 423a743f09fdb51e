"""Prompts are read by one piece of JavaScript and one of Python, which agree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripts import engine

from docs import examples

PAGES = sorted(path.stem for path in examples.FOLDER.glob("*.pycon"))


@pytest.fixture(scope="module")
def parse() -> Iterator[Any]:
    with engine("prompts.mjs") as call:
        yield lambda text: call("parse(text)", text=text)


def in_python(text: str) -> dict[str, str]:
    statements = examples.Section("x", text, 1).statements
    code = "".join(one.source for one in statements)
    want = "".join(one.want for one in statements)
    return {"code": code.removesuffix("\n"), "want": want.removesuffix("\n")}


@pytest.mark.parametrize("language", examples.LANGUAGES)
@pytest.mark.parametrize("page", PAGES)
def test_every_example(parse: Any, page: str, language: str) -> None:
    for section in examples.sections(page, language).values():
        assert parse(section.text) == in_python(section.text), section.name


def test_no_example_of_the_package_shows_an_empty_line() -> None:
    """Doctest needs a word for one; on the API page the output would end before it."""
    sources = (examples.FOLDER.parents[1] / "qkv_docs").glob("*.py")
    assert not [path.name for path in sources if "<BLANK" + "LINE>" in path.read_text("utf-8")]


LINES = [
    ">>> x = 1",
    ">>> if x:",
    "...     y = '>>> no prompt'",
    "... ",
    "...",
    ">>>",
    ">>> f('''",
    "... '''  )",
    "1",
    "  indented output",
    "... like a prompt, but output",
    ">>>x",
    "",
    "   ",
    "Traceback (most recent call last):",
    "    ...",
    "ValueError: no",
    "prose",
    "√ 汉字 \u2028 \x85",
]


@given(st.lists(st.sampled_from(LINES), max_size=9).map("\n".join))
def test_awkward_sessions(parse: Any, text: str) -> None:
    """Where doctest has an opinion; it knows no prompt without a space after it."""
    if ">>>x" in text:
        return
    bare = "\n".join(line for line in text.split("\n") if line.strip() != ">>>")
    assert parse(bare) == in_python(bare)


@pytest.mark.parametrize(
    ("text", "code", "want"),
    [
        ("", "", ""),
        ("no session", "", ""),
        ("    >>> x = [\n    ...   1]\n    >>> x\n    [1]\n", "x = [\n  1]\nx", "[1]"),
        (">>> # a note stays in the code\n>>> 1\n1", "# a note stays in the code\n1", "1"),
        (">>> 1\n1\n\nprose after an empty line\n>>> 2\n2", "1\n2", "1\n2"),
    ],
)
def test_what_is_code_and_what_is_shown(parse: Any, text: str, code: str, want: str) -> None:
    assert parse(text) == {"code": code, "want": want}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [(">>> 1", True), ("  >>> 1\n  1", True), (">>>", True), ("1 >>> 2", False), ("x = 1", False)],
)
def test_what_is_pasted_as_a_session(text: str, wanted: bool) -> None:
    with engine("prompts.mjs") as call:
        assert call("prompted(text)", text=text) is wanted
