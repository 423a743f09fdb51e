"""The ledger of sources: complete in both languages, honest about what was checked."""

from __future__ import annotations

import datetime
import re
from typing import Any

import pytest
import yaml
from sources import CITATION, DOCS, PAGES, Source

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
    for code in re.findall(r"BV\w+", source["url"]):
        assert BILIBILI.fullmatch(code), f"{code} is no bilibili id"


def test_keys_are_unique() -> None:
    keys = [source["key"] for source in SOURCES]
    assert len(keys) == len(set(keys))


def test_the_article_s_list_is_whole() -> None:
    assert sum(source.get("from_article", False) for source in SOURCES) == 18


def test_every_medium_has_its_place_on_the_page() -> None:
    listed = " ".join(
        re.findall(r"<!-- references: ([\w ]+) -->", Source("zh", "references.md").text)
    )
    assert {source["medium"] for source in SOURCES} <= set(listed.split())


@pytest.mark.parametrize("name", PAGES)
def test_cited_keys_exist(name: str) -> None:
    keys = {source["key"] for source in SOURCES}
    page = Source("zh", name)
    unknown = [page.at(line) for key, line in page.find(CITATION) if key not in keys]
    assert not unknown, f"citation of an unknown source: {unknown}"
