"""The cells of a notebook, from the Markdown of a page and the sections of its example files."""

from __future__ import annotations

import ast
import doctest
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from docs import examples
from theme.extensions.page import Page
from theme.extensions.snippets import SNIPPET

HEADING = re.compile(r"^(?=#+ .*\{ #([\w-]+)[^}\n]*\}$)", re.M)
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
INSTALL = """\
try:
    import qkv_docs
except ModuleNotFoundError:
    %pip install --quiet numpy {}"""
NEEDS = {
    "zh": "代码要用 NumPy 和本站的配套包 `qkv_docs`，没有的话由下一格装上。",
    "en": "The code needs NumPy and this site's package `qkv_docs`; the next cell installs them "
    "where they are missing.",
}
PLACED = {
    "zh": "这份笔记本不知道网站的地址（生成网站时没有设 `SITE_URL`），里面的链接和配套包的路径"
    "都从它在网站文件夹里的位置算起。",
    "en": " This notebook does not know the address of the site, which was built without "
    "`SITE_URL`: its links and the path of the package start from its own place in the site's "
    "folder.",
}


def calls(node: ast.AST, names: set[str]) -> bool:
    """Whether a function of one of these names is called somewhere in `node`."""
    found = (one.func for one in ast.walk(node) if isinstance(one, ast.Call))
    return any(isinstance(function, ast.Name) and function.id in names for function in found)


def printers(statements: list[doctest.Example]) -> set[str]:
    """The functions of a page that print, rather than have a value to show."""
    tree = ast.parse("".join(one.source for one in statements))
    defined = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return {"print", *(node.name for node in defined if calls(node, {"print"}))}


def result(statement: doctest.Example, count: int, printing: set[str]) -> dict[str, Any]:
    """What the page shows under a statement, as the output of a cell."""
    text = statement.want.rstrip("\n")
    if statement.exc_msg:
        name, _, value = statement.exc_msg.strip().partition(": ")
        return {"output_type": "error", "ename": name, "evalue": value, "traceback": [text]}
    last = ast.parse(statement.source).body[-1]
    if not isinstance(last, ast.Expr) or calls(last, printing):
        return {"output_type": "stream", "name": "stdout", "text": f"{text}\n"}
    shown: dict[str, Any] = {"data": {"text/plain": text}, "metadata": {}}
    return {"output_type": "execute_result", "execution_count": count, **shown}


def parts(markdown: str, language: str) -> Iterator[str | examples.Section]:
    """Text and snippets in the order of the page."""
    end = 0
    for match in SNIPPET.finditer(markdown):
        yield markdown[end : match.start()]
        name = match["file"].removesuffix(".pycon")
        section = examples.sections(name, language).get(match["name"])
        yield section or match[0]  # what is not there was complained about
        end = match.end()
    yield markdown[end:]


def needs(language: str, wheel: str) -> str:
    """What the code needs, and where it looks for it."""
    return NEEDS[language] + ("" if wheel.startswith("http") else PLACED[language])


def installation(language: str, wheel: str) -> list[dict[str, Any]]:
    """The cells that say what the code of a notebook of our own needs, and install it."""
    code: dict[str, Any] = {"execution_count": None, "outputs": [], "source": INSTALL.format(wheel)}
    return [
        {"cell_type": "markdown", "id": "needs", "metadata": {}, "source": needs(language, wheel)},
        {"cell_type": "code", "id": "install", "metadata": {}, **code},
    ]


def has_code(markdown: str) -> bool:
    return SNIPPET.search(markdown) is not None


def notebook(markdown: str, page: Page, wheel: str, plain: Callable[[str], str]) -> dict[str, Any]:
    """Text is cut at headings and has their ids; code is cut where the page shows output, and has
    the id of its section. The title comes first, then the cell that installs what is missing."""
    pieces = list(parts(markdown, page.language))
    snippets = [one for one in pieces if isinstance(one, examples.Section)]
    printing = printers([statement for one in snippets for statement in one.statements])
    made: list[dict[str, Any]] = []
    used: Counter[str] = Counter()

    def add(kind: str, name: str, source: str, **more: Any) -> None:
        used[name] += 1
        number = f"-{used[name]}" if used[name] > 1 else ""
        about = {"cell_type": kind, "id": name + number, "metadata": {}}
        made.append({**about, "source": source.strip(), **more})

    def code(name: str, source: str, shown: doctest.Example | None = None) -> None:
        count = 1 + sum(cell["cell_type"] == "code" for cell in made)
        outputs = [result(shown, count, printing)] if shown else []
        add("code", name, source, execution_count=count, outputs=outputs)
        if shown and shown.exc_msg:
            made[-1]["metadata"]["tags"] = ["raises-exception"]

    heading = ""
    for piece in pieces:
        if isinstance(piece, examples.Section):
            source = ""
            for statement in piece.statements:
                source += statement.source
                if statement.want:
                    code(f"code-{piece.name}", source, statement)
                    source = ""
            if source:
                code(f"code-{piece.name}", source)
            continue
        first, *more = HEADING.split(piece)
        for anchor, text in zip([heading, *more[::2]], [first, *more[1::2]], strict=True):
            heading = anchor
            if text.strip():
                add("markdown", f"text-{heading}", plain(text))
            if len(made) == 1:
                code("install", INSTALL.format(wheel))
    kind = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": KERNEL}}
    return {**kind, "cells": made}
