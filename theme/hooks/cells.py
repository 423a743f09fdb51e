"""The cells of a notebook, from the Markdown of a page whose snippets are fenced as `pycon`."""

from __future__ import annotations

import ast
import doctest
import re
from collections import Counter
from typing import Any

SNIPPET = re.compile(r"^```pycon\n(.*?)^```\n", re.M | re.S)
HEADING = re.compile(r"^(?=#+ .*\{ #([\w-]+) \}$)", re.M)


def calls(node: ast.AST, names: set[str]) -> bool:
    """Whether a function of one of these names is called somewhere in `node`."""
    found = (one.func for one in ast.walk(node) if isinstance(one, ast.Call))
    return any(isinstance(function, ast.Name) and function.id in names for function in found)


def printers(examples: list[doctest.Example]) -> set[str]:
    """The functions of a page that print, rather than have a value to show."""
    tree = ast.parse("".join(example.source for example in examples))
    defined = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return {"print", *(node.name for node in defined if calls(node, {"print"}))}


def result(example: doctest.Example, count: int, printing: set[str]) -> dict[str, Any]:
    """What the page shows under a statement, as the output of a cell."""
    text = example.want.rstrip("\n")
    if example.exc_msg:
        name, _, value = example.exc_msg.strip().partition(": ")
        return {"output_type": "error", "ename": name, "evalue": value, "traceback": [text]}
    last = ast.parse(example.source).body[-1]
    if not isinstance(last, ast.Expr) or calls(last, printing):
        return {"output_type": "stream", "name": "stdout", "text": f"{text}\n"}
    shown: dict[str, Any] = {"data": {"text/plain": text}, "metadata": {}}
    return {"output_type": "execute_result", "execution_count": count, **shown}


def cells(markdown: str, names: list[str], install: str) -> list[dict[str, Any]]:
    """Text is cut at headings and has their ids; code is cut where the page shows output, and has
    the id of its section. The title comes first, then the cell that installs what is missing."""
    parts = SNIPPET.split(markdown)
    snippets = [doctest.DocTestParser().get_examples(part) for part in parts[1::2]]
    printing = printers([example for snippet in snippets for example in snippet])
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
    for i, part in enumerate(parts):
        if i % 2:
            source = ""
            for example in snippets[i // 2]:
                source += example.source
                if example.want:
                    code(f"code-{names[i // 2]}", source, example)
                    source = ""
            if source:
                code(f"code-{names[i // 2]}", source)
            continue
        first, *more = HEADING.split(part)
        for anchor, text in zip([heading, *more[::2]], [first, *more[1::2]], strict=True):
            heading = anchor
            if text.strip():
                add("markdown", f"text-{heading}", text)
            if len(made) == 1:
                code("install", install)
    return made
