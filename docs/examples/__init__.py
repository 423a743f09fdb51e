"""The snippets of a page, read and run: docs/examples/<page>.pycon.

A line `[name]` starts a section, which runs to the next such line. Where the words themselves are
the subject there is one for each language, `[name.zh]` and `[name.en]`; both are the section
`name` of their language. Sections share their variables, top to bottom. Prompts are parsed here,
by `doctest`, and nowhere else in Python.
"""

from __future__ import annotations

import contextlib
import doctest
import functools
import io
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
LANGUAGES = ("zh", "en")
HEAD = re.compile(r"^\[([a-z][a-z0-9-]*)(?:\.(zh|en))?\]\n", re.M)


@dataclass(frozen=True)
class Section:
    """A snippet: its name, its text with prompts and output, and the line where the text starts."""

    name: str
    text: str
    line: int
    language: str | None = None  # None: both

    @functools.cached_property
    def statements(self) -> list[doctest.Example]:
        return doctest.DocTestParser().get_examples(self.text + "\n", self.name)

    @property
    def output(self) -> list[str]:
        """The lines that the snippet shows, those of all its statements one after the other."""
        return [line for one in self.statements for line in one.want.splitlines()]


@functools.lru_cache(maxsize=256)
def parse(text: str) -> tuple[Section, ...]:
    """Every section of the text of an example file, in order."""
    heads = list(HEAD.finditer(text))
    found: list[Section] = []
    ends = [*(head.start() for head in heads[1:]), len(text)]
    for head, end in zip(heads, ends, strict=True):
        body = text[head.end() : end]
        line = text.count("\n", 0, head.end()) + 1 + len(body) - len(body.lstrip("\n"))
        found.append(Section(head[1], body.strip("\n"), line, head[2]))
    return tuple(found)


def sections(page: str, language: str) -> dict[str, Section]:
    """The sections that `page` has in `language`, by name, in order.

    FileNotFoundError where the page has no example file.
    """
    text = (FOLDER / f"{page}.pycon").read_text(encoding="utf-8")
    return {one.name: one for one in parse(text) if one.language in (None, language)}


def values(page: str, section: str, language: str = "zh") -> dict[str, Any]:
    """The variables of a page's snippets when `section` has run, after all those before it.

    KeyError where the page has no such section.

    >>> values("masks", "mask")["mask"].shape
    (3, 3)
    """
    return dict(_run(page, upto(page, section, language)))


def upto(page: str, section: str, language: str = "zh") -> tuple[str, ...]:
    """The text of a section, after those of all sections before it; KeyError as above."""
    parts = sections(page, language)
    if section not in parts:
        raise KeyError(f"docs/examples/{page}.pycon has no section [{section}]")
    return tuple(parts[name].text for name in list(parts)[: list(parts).index(section) + 1])


@functools.cache
def _run(page: str, texts: tuple[str, ...]) -> dict[str, Any]:
    """The names that are bound after these snippets; what they print is thrown away."""
    names = dict(_run(page, texts[:-1])) if texts[:-1] else {"__name__": "__main__"}
    for one in Section(page, texts[-1], 1).statements:
        code = compile(one.source, f"docs/examples/{page}.pycon", "single")
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                exec(code, names)
            except Exception:
                if one.exc_msg is None:  # else the snippet shows this error
                    raise
    return names


__all__ = ["FOLDER", "HEAD", "LANGUAGES", "Section", "parse", "sections", "upto", "values"]
