"""Code is written once and included: `--8<-- "file:section"`, alone on a line inside a fence.

* `why-sqrt-dk.pycon:variance`: a section of docs/examples/why-sqrt-dk.pycon, from the line
  `[variance]` to the next such line; alone in a `pycon` fence it is a snippet (snippets.py).
* `qkv_docs/attention.py:softmax`: the function of that name, without its docstring.

This is the marker of pymdownx.snippets; its own version can neither name the line of a missing
section nor show a function without its docstring.
"""

from __future__ import annotations

import ast
import re

from markdown import Markdown
from markdown.preprocessors import Preprocessor

from docs import examples
from theme.extensions.page import ROOT, Page, PageExtension

INCLUDE = re.compile(r'^([ ]*)--8<-- "([^":]+):([^"]+)"$', re.M)


def function(text: str, name: str) -> str:
    """The source of the top-level function `name`, its docstring taken out."""
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            lines = text.splitlines()
            body = node.body[1:] if ast.get_docstring(node) else node.body
            head = lines[node.lineno - 1 : node.body[0].lineno - 1]
            return "\n".join(head + lines[body[0].lineno - 1 : node.end_lineno])
    raise KeyError(name)


def included(path: str, section: str, page: Page) -> str | None:
    """The code that a marker stands for; None, with a warning, where there is none."""
    try:
        if path.endswith(".pycon"):
            return examples.sections(path.removesuffix(".pycon"), page.language)[section].text
        return function((ROOT / path).read_text(encoding="utf-8"), section)
    except (OSError, KeyError):
        marker = f'--8<-- "{path}:{section}"'
        page.complain(marker, f"nothing to include: there is no {path}:{section}")
        return None


def expand(markdown: str, page: Page) -> str:
    """Markdown with the code in the place of its markers."""

    def put(match: re.Match[str]) -> str:
        indent, path, section = match.groups()
        code = included(path, section, page)
        if code is None:
            return match[0]
        return "\n".join((indent + line).rstrip() for line in code.splitlines())

    return INCLUDE.sub(put, markdown)


class Includes(PageExtension):
    def extendMarkdown(self, md: Markdown) -> None:
        step = Expand(md)
        step.page = self.page
        md.preprocessors.register(step, "includes", 26)  # before the fences are read


class Expand(Preprocessor):
    page: Page

    def run(self, lines: list[str]) -> list[str]:
        return expand("\n".join(lines), self.page).split("\n")
