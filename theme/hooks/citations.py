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
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from place import ROOT, complain, title

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
        text = path.read_text(encoding="utf-8")
        for key in dict.fromkeys(match[1] for match in CITATION.finditer(text)):
            found.setdefault(key, []).append((path.name, title(path)))
    return found


def entry(source: dict[str, Any], pages: list[tuple[str, str]], language: str) -> str:
    def say(word: str) -> str:
        return str(load()["labels"][word][language])

    checked, year = source["checked"], source["year"] or say("year-unknown")
    about = [source["authors"], year, *(say(source[x]) for x in ("medium", "language", "level"))]
    about += [say("from-article")] if source.get("from_article") else []
    rows = [
        f"**[{source['title']}]({source['url']})**{{ lang={source['language']} }}",
        " · ".join(str(part) for part in about),
        source["good_for"][language],
    ]
    if "errata" in source:
        rows.append(f"**{say('errata')}**{say('colon')}{source['errata'][language]}")
    if pages:
        links = say("comma").join(f"[{title}]({name})" for name, title in pages)
        rows.append(f"{say('used-on')} {links}")
    rows.append(
        f"{say(checked['state'])} {checked['date']}{say('colon')}{checked['how'][language]}"
    )
    body = "\n\n".join(rows)
    return f'<article class="reference" id="{source["key"]}" markdown>\n\n{body}\n\n</article>'


def cited(match: re.Match[str], page: Page) -> tuple[str, str, str] | None:
    """A citation's key, text and tip; None, with a warning, where there is no such source."""
    key, where = match.groups()
    sources = {source["key"]: source for source in load()["references"]}
    if key not in sources:
        complain(page, f"[@{key}", f"no source '{key}' in docs/references.yml")
        return None
    spot = f", {'§' if where[0].isdigit() else ''}{where}" if where else ""
    tip = f"{sources[key]['authors']}: {sources[key]['title']}"
    return key, f"{sources[key]['short']}{spot}", tip.replace('"', "”")


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    def cite(match: re.Match[str]) -> str:
        link = cited(match, page)
        return (
            f'[{link[1]}](references.md#{link[0]}){{ .citation data-tip="{link[2]}" }}'
            if link
            else match[0]
        )

    def listing(match: re.Match[str]) -> str:
        pages = cited_on(Path(config.docs_dir))
        chosen = [s for s in load()["references"] if s["medium"] in match[1].split()]
        language = Path(config.docs_dir).name
        return "\n\n".join(entry(s, pages.get(s["key"], []), language) for s in chosen)

    return CITATION.sub(cite, LISTING.sub(listing, markdown))


def on_page_content(html: str, page: Page, files: Files, **_: Any) -> str:
    """The citations that docstrings brought to the page after its Markdown was read."""
    ledger_page = files.get_file_from_path("references.md")
    target = ledger_page.url_relative_to(page.file) if ledger_page else ""

    def cite(match: re.Match[str]) -> str:
        link = cited(match, page)
        return f'<a class="citation" href="{target}#{link[0]}">{link[1]}</a>' if link else match[0]

    return CITATION.sub(cite, html)
