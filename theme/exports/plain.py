"""Markdown that needs none of this site's extensions: a page's twin, the text of its notebook."""

from __future__ import annotations

import ast
import base64
import inspect
import pydoc
import re
import textwrap
from collections.abc import Callable
from typing import cast

from theme.extensions import (
    citations,
    figures,
    formulas,
    glossary,
    includes,
    predictions,
    references,
    times,
)
from theme.extensions.page import Page
from theme.numbers import source

Step = Callable[[str, Page], str]
FIGURE = {"zh": "图", "en": "Figure"}
ADMONITION = re.compile(r'^(!!!|\?\?\?\+?) \w+ "(.*)"\n((?:(?: {4}.*)?\n)+)', re.M)
OBJECT = re.compile(r"^::: (\S+)$", re.M)
LINK = re.compile(r"(?<=\]\()(?!https?:)[^)\s]+")
PIECE = re.compile(
    r"(?P<ticks>`+).*?(?P=ticks)"  # code: left alone
    r"|(?P<tex>\$\$.+?\$\$|(?<![\\$])\$[^$\n]+\$)"
    r'|!\[(?P<alt>[^\n]*?)\]\(figure:(?P<figure>[\w-]+)(?: "(?P<caption>[^"\n]*)")?\)'
    rf"|(?P<link>{LINK.pattern})"
    r'|(?P<mark> ?\{ ?(?:(?:[#.][\w-]+|[\w-]+=(?:"[^"\n]*"|\w+)) ?)+\}'
    r"|</?(?:article|span)\b[^>]*>|<p><button\b.*?</p>)",
    re.S,
)
PAPER = '<svg style="background:#fff;color:#1d2129;font-family:sans-serif"'


def objects(markdown: str, page: Page) -> str:
    """An object of the API page: its source, the bodies of functions left out."""

    def put(match: re.Match[str]) -> str:
        (tree,) = ast.parse(inspect.getsource(cast(type, pydoc.locate(match[1])))).body
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                node.body = node.body[: 1 if ast.get_docstring(node) else 0] or [ast.Pass()]
        return f"### {match[1]}\n\n```python\n{ast.unparse(tree)}\n```"

    return OBJECT.sub(put, markdown)


def admonitions(markdown: str, page: Page) -> str:
    """An admonition or a question: its title, bold, then its text; quoted where nothing breaks."""

    def put(match: re.Match[str]) -> str:
        kind, title, body = match.groups()
        text = f"**{title}**\n\n{textwrap.dedent(body).strip()}"
        if kind == "!!!" and not re.search(r"```|\$\$", text):
            text = "\n".join(f"> {line}".rstrip() for line in text.splitlines())
        return f"{text}\n\n"

    return ADMONITION.sub(put, markdown)


def numbers(markdown: str, page: Page) -> str:
    return source.plain(markdown)


# Each takes Markdown of the site and leaves less of what is the site's own.
STEPS: list[Step] = [
    predictions.plain,
    numbers,
    times.expand,
    references.expand,
    glossary.expand,
    citations.linked,
    objects,
    citations.plain,  # what the docstrings brought
    admonitions,
]


def expanded(markdown: str, page: Page) -> str:
    """Without what stands for text: listings, citations, objects, boxes; includes are left."""
    for step in STEPS:
        markdown = step(markdown, page)
    return markdown


def plain(
    markdown: str, page: Page, address: Callable[[str], str], drawn_from: str | None = None
) -> str:
    """Without what is left: code included, figures in words or, with their `figures.sources()`,
    drawn, links with an address."""

    def figure(name: str, alt: str, caption: str) -> str:
        if drawn_from is None:
            return f"> **{FIGURE[page.language]}** {caption}\n>\n> {alt}"
        drawn = figures.draw(name, page, alt, drawn_from) or ""
        svg = drawn[drawn.find("<svg") : drawn.rfind("</svg>") + 6].replace("<svg", PAPER, 1)
        data = base64.b64encode(svg.encode()).decode()
        return f"![{alt}](data:image/svg+xml;base64,{data})\n\n{caption}"

    def put(match: re.Match[str]) -> str:
        if match["figure"]:
            return figure(match["figure"], match["alt"], match["caption"] or "")
        if match["link"]:
            return address(match["link"])
        if match["tex"]:
            return formulas.without_macros(match["tex"])
        return "" if match["mark"] else match[0]

    return PIECE.sub(put, includes.expand(markdown, page))
