"""Code is written once and included: `--8<-- "file:section"`, alone on a line inside a fence.

* `why-sqrt-dk.pycon:variance`: a section of docs/examples/why-sqrt-dk.pycon, from the line
  `[variance]` to the next such line.
* `qkv_docs/attention.py:softmax`: the function of that name, without its docstring.

This is the marker of pymdownx.snippets; its own version can neither name the line of a missing
section nor show a function without its docstring.
"""

from __future__ import annotations

import ast
import re
from typing import Any

from mkdocs.structure.pages import Page
from place import ROOT, complain

INCLUDE = re.compile(r'^([ ]*)--8<-- "([^":]+):([^"]+)"$', re.M)
SECTION = re.compile(r"^\[([a-z][a-z0-9-]*)\]\n", re.M)


def sections(text: str) -> dict[str, str]:
    """The named sections of a .pycon file, in order."""
    parts = SECTION.split(text)[1:]
    return {name: body.strip("\n") for name, body in zip(parts[::2], parts[1::2], strict=True)}


def function(text: str, name: str) -> str:
    """The source of the top-level function `name`, its docstring taken out."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            lines = text.splitlines()
            body = node.body[1:] if ast.get_docstring(node) else node.body
            head = lines[node.lineno - 1 : node.body[0].lineno - 1]
            return "\n".join(head + lines[body[0].lineno - 1 : node.end_lineno])
    raise KeyError(name)


def included(path: str, section: str) -> str:
    """The code a marker stands for; OSError or KeyError where there is none."""
    if path.endswith(".pycon"):
        return sections((ROOT / "docs/examples" / path).read_text(encoding="utf-8"))[section]
    return function((ROOT / path).read_text(encoding="utf-8"), section)


def expand(markdown: str, page: Page) -> str:
    def put(match: re.Match[str]) -> str:
        indent, path, section = match.groups()
        try:
            code = included(path, section)
        except (OSError, KeyError):
            complain(page, match[0].strip(), f"nothing to include: there is no {path}:{section}")
            return match[0]
        return "\n".join((indent + line).rstrip() for line in code.splitlines())

    return INCLUDE.sub(put, markdown)


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    return expand(markdown, page)
