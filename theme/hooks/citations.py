"""Citations and the references page, both from docs/references.yml.

* `[@vaswani2017]` or `[@vaswani2017, 3.2.1]` on a page links to the entry of that key.
* `<!-- references: paper -->` on the references page becomes the entries of that medium, each
  with links back to the pages that cite it.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.pages import Page
from mkdocs.utils import meta
from place import ROOT, complain

CITATION = re.compile(r"\[@([\w-]+)(?:, ([^\]]+))?\]")
LISTING = re.compile(r"<!-- references: ([\w ]+) -->")
LEDGER = ROOT / "docs/references.yml"


@functools.cache
def ledger(changed: float) -> dict[str, Any]:
    return dict(yaml.safe_load(LEDGER.read_text(encoding="utf-8")))


def load() -> dict[str, Any]:
    """The ledger, read anew when its file changed."""
    return ledger(LEDGER.stat().st_mtime)


def cited_on(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """For each key the (file name, title) of the pages in `folder` that cite it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(folder.glob("*.md")):
        text, front = meta.get_data(path.read_text(encoding="utf-8"))
        for key in dict.fromkeys(match[1] for match in CITATION.finditer(text)):
            found.setdefault(key, []).append((path.name, front["title"]))
    return found


def entry(source: dict[str, Any], pages: list[tuple[str, str]], language: str) -> str:
    def say(word: str) -> str:
        return str(load()["labels"][word][language])

    checked, year = source["checked"], source["year"] or say("year-unknown")
    about = [source["authors"], year, *(say(source[x]) for x in ("medium", "language", "level"))]
    rows = [
        f"**[{source['title']}]({source['url']})**{{ lang={source['language']} }}",
        " · ".join(str(part) for part in about),
        source["good_for"][language],
    ]
    if "errata" in source:
        rows.append(f"**{say('errata')}** {source['errata'][language]}")
    if pages:
        links = say("comma").join(f"[{title}]({name})" for name, title in pages)
        rows.append(f"{say('used-on')} {links}")
    rows.append(
        f"{say(checked['state'])} {checked['date']}{say('colon')}{checked['how'][language]}"
    )
    body = "\n\n".join(rows)
    return f'<article class="reference" id="{source["key"]}" markdown>\n\n{body}\n\n</article>'


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    language = Path(config.docs_dir).name
    sources = {source["key"]: source for source in load()["references"]}

    def cite(match: re.Match[str]) -> str:
        key, where = match.groups()
        if key not in sources:
            complain(page, f"[@{key}", f"no source '{key}' in docs/references.yml")
            return match[0]
        spot = f", {'§' if where[0].isdigit() else ''}{where}" if where else ""
        return f"[{sources[key]['short']}{spot}](references.md#{key}){{ .citation }}"

    def listing(match: re.Match[str]) -> str:
        pages = cited_on(Path(config.docs_dir))
        chosen = [s for s in sources.values() if s["medium"] in match[1].split()]
        return "\n\n".join(entry(s, pages.get(s["key"], []), language) for s in chosen)

    return CITATION.sub(cite, LISTING.sub(listing, markdown))
