"""The ledger of sources: complete in both languages, honest about what was checked."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
import yaml
from sources import CITATION, DOCS, PAGES, Source

from theme.extensions.references import LISTING, place

LEDGER: dict[str, Any] = yaml.safe_load((DOCS / "references.yml").read_text("utf-8"))
SOURCES: list[dict[str, Any]] = LEDGER["references"]
BILIBILI = re.compile(r"BV1[1-9A-HJ-NP-Za-km-z]{9}")


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source["key"])
def test_entry(source: dict[str, Any]) -> None:
    assert re.fullmatch(r"[a-z0-9-]+", source["key"])
    assert source["url"].startswith("https://")
    assert source["language"] in ("en", "zh")
    assert source["year"] is None or 1900 < source["year"] <= 2026
    for word in (source["medium"], source["level"], source["checked"]["state"]):
        assert set(LEDGER["labels"][word]) == {"zh", "en"}
    for both in (
        source["good_for"],
        source["checked"]["how"],
        source.get("errata", {"zh": 1, "en": 1}),
    ):
        assert set(both) == {"zh", "en"}
    assert isinstance(source["checked"]["date"], datetime.date)
    if "read" in source["checked"]:
        assert source["checked"]["state"] == "opened"
        assert all(isinstance(section, str) for section in source["checked"]["read"])
    for code in re.findall(r"BV\w+", source["url"]):
        assert BILIBILI.fullmatch(code), f"{code} is no bilibili id"


def test_keys_are_unique() -> None:
    keys = [source["key"] for source in SOURCES]
    assert len(keys) == len(set(keys))


def test_the_article_s_list_is_whole() -> None:
    assert sum(source.get("from_article", False) for source in SOURCES) == 18


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_source_has_one_place_on_the_page(language: str) -> None:
    page = Source(language, "references.md")
    listed = " ".join(match[1] for match in re.finditer(LISTING.pattern, page.text, re.M)).split()
    for source in SOURCES:
        assert listed.count(place(source)) == 1, source["key"]


@pytest.mark.parametrize("name", PAGES)
def test_cited_keys_exist(name: str) -> None:
    keys = {source["key"] for source in SOURCES}
    page = Source("zh", name)
    unknown = [page.at(line) for key, line in page.find(CITATION) if key not in keys]
    assert not unknown, f"citation of an unknown source: {unknown}"


def covered(cited: str, read: list[str]) -> bool:
    """Section 3.2.1 lies in 3.2 and in 3; two places are parted by a comma."""
    return all(
        any(one == section or one.startswith(section + ".") for section in read)
        for one in cited.split(", ")
    )


def test_what_lies_in_a_section() -> None:
    assert covered("2.2, 4.1", ["2", "4.1"])
    for cited, read in (
        ("3", ["3.1"]),
        ("31", ["3"]),
        ("2, 4", ["2"]),
        ("B.2", []),
        ("3", ["1.3"]),
    ):
        assert not covered(cited, read)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_no_place_is_cited_that_was_not_read(language: str) -> None:
    read = {source["key"]: source["checked"].get("read", []) for source in SOURCES}
    pages = [Source(language, name) for name in PAGES]
    unread = [
        f"{page.at(page.prose.count(chr(10), 0, match.start()) + 1)}: {match[0]}"
        for page in pages
        for match in CITATION.finditer(page.prose)
        if match[2] and not covered(match[2], read[match[1]])
    ]
    assert not unread, f"not under `read` in docs/references.yml: {unread}"
