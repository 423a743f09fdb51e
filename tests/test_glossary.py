"""One word for one thing: the glossary is whole, and no page uses another word."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from sources import DOCS, PAGES, Source

TERMS: list[dict[str, Any]] = yaml.safe_load((DOCS / "glossary.yml").read_text("utf-8"))["terms"]


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term["key"])
def test_entry(term: dict[str, Any]) -> None:
    assert term["page"] in PAGES
    assert set(term["about"]) == set(term["avoid"]) == {"zh", "en"}
    assert term["about"]["zh"].endswith("。")
    assert term["about"]["en"].endswith(".")


def test_no_word_stands_for_two_things() -> None:
    for language in ("zh", "en"):
        words = [term[language] for term in TERMS]
        assert len(words) == len(set(words))
        assert not set(words) & {word for term in TERMS for word in term["avoid"][language]}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", PAGES)
def test_pages_use_the_fixed_word(name: str, language: str) -> None:
    page = Source(language, name)
    start, end = (r"\b", r"s?\b") if language == "en" else ("", "")
    wrong = [
        f"{page.at(line)}: {word!r}, here called {term[language]!r}"
        for term in TERMS
        for word in term["avoid"][language]
        for _, line in page.find(re.compile(f"{start}{re.escape(word)}{end}", re.I))
    ]
    assert not wrong, "\n".join(wrong)
