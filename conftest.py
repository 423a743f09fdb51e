"""How examples are run: compared to half a unit of the last printed digit, and an example file
once in each language where it has sections of one.
"""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import pytest

from docs import examples
from theme.numbers.outputs import HalfAUnit


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items[:] = [one for item in items for one in in_each_language(item)]
    for item in items:
        runner = getattr(item, "runner", None)
        if isinstance(runner, doctest.DocTestRunner):
            runner._checker = HalfAUnit()  # type: ignore[attr-defined]  # pytest offers no way to bring one's own


def in_each_language(item: Any) -> list[Any]:
    """An example file once, or once a language with the sections that the language has."""
    test = getattr(item, "dtest", None)
    if test is None or not str(test.filename).endswith(".pycon"):
        return [item]
    sections = examples.parse(Path(test.filename).read_text(encoding="utf-8"))
    languages = [x for x in examples.LANGUAGES if any(x == one.language for one in sections)]

    def only(language: str) -> Any:
        starts = [one.line - 1 for one in sections] + [10**9]
        kept = [
            example
            for section, start, end in zip(sections, starts, starts[1:], strict=False)
            for example in test.examples
            if start <= example.lineno < end and section.language in (None, language)
        ]
        about = (test.globs, f"{test.name}[{language}]", test.filename, 0, test.docstring)
        part = doctest.DocTest(kept, *about)
        return type(item).from_parent(item.parent, name=part.name, runner=item.runner, dtest=part)

    return [only(language) for language in languages] if languages else [item]
