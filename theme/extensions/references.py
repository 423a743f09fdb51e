"""`<!-- references: paper -->` becomes the entries of docs/references.yml that belong there.

A source that was opened belongs under its medium, another under the state of its check. Each entry
links back to the pages that cite it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from markdown import Markdown
from markdown.preprocessors import Preprocessor

from theme.extensions.citations import CITATION
from theme.extensions.page import Page, PageExtension, ledger, title

LISTING = re.compile(r"^<!-- references: ([\w -]+) -->$")


def place(source: dict[str, Any]) -> str:
    """The word of the listing that a source stands in."""
    state = str(source["checked"]["state"])
    return str(source["medium"]) if state == "opened" else state


def cited_on(folder: Path) -> dict[str, list[tuple[str, str]]]:
    """For each key the (file name, title) of the pages in `folder` that cite it."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in sorted(folder.glob("*.md")):
        text = path.read_text(encoding="utf-8")
        for key in dict.fromkeys(match[1] for match in CITATION.finditer(text)):
            found.setdefault(key, []).append((path.name, title(path)))
    return found


def entry(source: dict[str, Any], pages: list[tuple[str, str]], language: str) -> str:
    """The Markdown of one source."""

    def say(word: str) -> str:
        return str(ledger("references")["labels"][word][language])

    checked, year = source["checked"], source["year"] or say("year-unknown")
    about = [source["authors"], year, *(say(source[x]) for x in ("medium", "language", "level"))]
    about += [say("from-article")] if source.get("from_article") else []
    rows = [
        f"**[{source['title']}]({source['url']})**{{ lang={source['language']} }}",
        "&nbsp;· ".join([about[0], *(f'<span class="glue">{part}</span>' for part in about[1:])]),
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


def listing(line: str, page: Page) -> str:
    """What stands for a line: entries where it asks for them, else the line itself."""
    match = LISTING.match(line)
    if match is None:
        return line
    pages = cited_on(page.path.parent)
    sources = ledger("references")["references"]
    chosen = [source for source in sources if place(source) in match[1].split()]
    return "\n\n".join(entry(one, pages.get(one["key"], []), page.language) for one in chosen)


def expand(markdown: str, page: Page) -> str:
    return "\n".join(listing(line, page) for line in markdown.split("\n"))


class References(PageExtension):
    def extendMarkdown(self, md: Markdown) -> None:
        step = Listings(md)
        step.page = self.page
        md.preprocessors.register(step, "references", 28)  # before HTML blocks are taken out


class Listings(Preprocessor):
    page: Page

    def run(self, lines: list[str]) -> list[str]:
        return expand("\n".join(lines), self.page).split("\n")
