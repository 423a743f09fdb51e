"""The glossary page, and the explanation of a term where a page first uses it.

Both come from docs/glossary.yml. `<!-- glossary -->` becomes the table; elsewhere the first use of
a term in running text becomes a link to its entry that shows the entry on hover and focus.
"""

from __future__ import annotations

import html as html_
import re
from pathlib import Path
from typing import Any

import yaml
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import Files
from mkdocs.structure.pages import Page
from place import ROOT, is_main, title

# Not running text: a link, code, a heading, a formula, a drawing; and every tag.
ELSEWHERE = re.compile(
    r"<(a|code|pre|h[1-6]|summary|button|figure|article)\b.*?</\1>|"
    r'<(span|div) class="arithmatex">.*?</\2>|<p class="admonition-title">.*?</p>|<[^>]+>',
    re.S,
)
WITHOUT = ("glossary.md", "references.md", "api.md", "index.md")


def terms() -> list[dict[str, Any]]:
    """The entries, in the order of the file."""
    return list(yaml.safe_load((ROOT / "docs/glossary.yml").read_text(encoding="utf-8"))["terms"])


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, **_: Any) -> str:
    if "<!-- glossary -->" not in markdown:
        return markdown
    mine, other = ("zh", "en") if is_main(config) else ("en", "zh")
    head = ("术语", "是什么，符号与形状") if mine == "zh" else ("Term", "What it is, symbol, shape")
    rows = [f"| {' | '.join(head)} |", "| --- | --- |"]
    for term in terms():
        more = f"[{title(Path(config.docs_dir, term['page']))}]({term['page']})"
        both = f'**{term[mine]}**{{ #{term["key"]} }}<br><span lang="{other}">{term[other]}</span>'
        mathematics = [" ".join(f"${term[x]}$" for x in ("symbol", "shape") if x in term)]
        parts = "<br>".join(part for part in (term["about"][mine], *mathematics, more) if part)
        rows.append(f"| {both} | {parts} |")
    return markdown.replace("<!-- glossary -->", "\n".join(rows))


def spelling(term: dict[str, Any], language: str) -> str:
    """A pattern for the term in running text."""
    if language == "en":
        return rf"\b{re.escape(term['en'])}s?\b"
    # A single character stands in many other words: only where its English name follows.
    return re.escape(str(term["zh"])) + ("(?=（)" if len(term["zh"]) == 1 else "")


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    glossary = files.get_file_from_path("glossary.md")
    if page.file.src_uri in WITHOUT or glossary is None:
        return html
    language = "zh" if is_main(config) else "en"
    here = [term for term in terms() if term["page"] != page.file.src_uri]
    here.sort(key=lambda term: -len(term[language]))  # 缩放点积注意力 before 点积
    left = {term["key"]: term for term in here}
    any_term = re.compile(
        "|".join(f"(?P<{t['key'].replace('-', '_')}>{spelling(t, language)})" for t in here),
        re.I,
    )
    target = glossary.url_relative_to(page.file)

    def explain(match: re.Match[str]) -> str:
        key = str(match.lastgroup).replace("_", "-")
        term = left.pop(key, None)
        if term is None:
            return match[0]
        tip = html_.escape(str(term["about"][language]), quote=True)
        return f'<a class="term" href="{target}#{key}" data-tip="{tip}">{match[0]}</a>'

    done, end = [], 0
    for skip in ELSEWHERE.finditer(html):
        done += [any_term.sub(explain, html[end : skip.start()]), skip[0]]
        end = skip.end()
    return "".join([*done, any_term.sub(explain, html[end:])])
