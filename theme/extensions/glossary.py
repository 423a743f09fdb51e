"""`<!-- glossary -->` becomes the table of all terms in docs/glossary.yml."""

from __future__ import annotations

from typing import Any

from markdown import Markdown
from markdown.preprocessors import Preprocessor

from theme.extensions.page import Page, PageExtension, ledger, title

MARKER = "<!-- glossary -->"
HEAD = {
    "zh": "| 术语 | 是什么，符号与形状 |",
    "en": "| Term | What it is, symbol, shape |",
}


def terms() -> list[dict[str, Any]]:
    """The entries, in the order of the file."""
    return list(ledger("glossary")["terms"])


def table(page: Page) -> str:
    mine, other = page.language, {"zh": "en", "en": "zh"}[page.language]
    rows = [HEAD[mine], "| --- | --- |"]
    for term in terms():
        more = f"[{title(page.path.with_name(term['page']))}]({term['page']})"
        both = f'**{term[mine]}**{{ #{term["key"]} }}<br><span lang="{other}">{term[other]}</span>'
        mathematics = [" ".join(f"${term[x]}$" for x in ("symbol", "shape") if x in term)]
        parts = "<br>".join(part for part in (term["about"][mine], *mathematics, more) if part)
        rows.append(f"| {both} | {parts} |")
    return "\n".join(rows)


def expand(markdown: str, page: Page) -> str:
    return markdown.replace(MARKER, table(page)) if MARKER in markdown else markdown


class Glossary(PageExtension):
    def extendMarkdown(self, md: Markdown) -> None:
        step = Table(md)
        step.page = self.page
        md.preprocessors.register(step, "glossary", 28)  # before HTML blocks are taken out


class Table(Preprocessor):
    page: Page

    def run(self, lines: list[str]) -> list[str]:
        return expand("\n".join(lines), self.page).split("\n")
