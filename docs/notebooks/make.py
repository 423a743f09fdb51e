"""Write docs/{zh,en}/notebooks/*.ipynb: the code once, the prose of each language, the outputs.

    python docs/notebooks/make.py

A notebook comes from three files of this folder: NAME.py holds its code, in cells that begin with
`# %% cell`; NAME.zh.md and NAME.en.md hold the prose and say where a cell goes, with the marker
that the pages use. `# %% cell.zh` and `# %% cell.en` are one cell, where words are the subject.
The code is run once, and once a language where cells differ; an error ends it all. This needs
PyTorch; the site only needs what is written here, and tests/test_notebook.py runs it again and
compares.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import nbformat
import yaml
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

HERE = Path(__file__).parent
NAMES = sorted(path.name.removesuffix(".zh.md") for path in HERE.glob("*.zh.md"))
CELL = re.compile(r"^# %% ([a-z-]+)(?:\.(zh|en))?\n", re.M)
INCLUDE = re.compile(r'^```python\n--8<-- "[^":]+:([a-z-]+)"\n```\n', re.M)
HEADING = re.compile(r"\A(#+ .*?) \{ #([\w-]+) \}$", re.M)
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def cells_of(name: str) -> list[tuple[str, str, str]]:
    """The cells of the code: name, language (or nothing), text."""
    parts = CELL.split((HERE / f"{name}.py").read_text(encoding="utf-8"))[1:]
    return [(a, b or "", c) for a, b, c in zip(*(parts[i::3] for i in range(3)), strict=True)]


def assemble(name: str, language: str) -> NotebookNode:
    """The notebook of one language, without outputs.

    Every heading begins a cell whose id is the heading's, so that a page made from the notebook
    has the same anchors in both languages.
    """
    code = {cell: text for cell, of, text in cells_of(name) if of in ("", language)}
    _, front, body = (HERE / f"{name}.{language}.md").read_text(encoding="utf-8").split("---\n", 2)
    cells = []
    for i, part in enumerate(INCLUDE.split(body)):
        if i % 2:
            cells.append(new_code_cell(code.pop(part).strip(), id=f"code-{part}"))
            continue
        for j, text in enumerate(re.split(r"(?m)^(?=#)", part)):
            heading = HEADING.match(text)
            text = HEADING.sub(r"\1", text).strip()
            if text:
                cells.append(new_markdown_cell(text, id=heading[2] if heading else f"text-{i}-{j}"))
    if code:
        raise ValueError(f"{name}.{language}.md leaves out {', '.join(code)}")
    return new_notebook(cells=cells, metadata={"kernelspec": KERNEL, **yaml.safe_load(front)})


def has_words(name: str) -> bool:
    """Whether the two languages run different code."""
    return any(of for _, of, _ in cells_of(name))


def outputs(notebook: NotebookNode) -> dict[str, list[NotebookNode]]:
    """Run a copy of the notebook; what each code cell gave, by its id."""
    copy = nbformat.from_dict(notebook)
    NotebookClient(copy, timeout=600, record_timing=False, coalesce_streams=True).execute()
    return {cell.id: cell.outputs for cell in copy.cells if cell.cell_type == "code"}


def make(name: str, languages: Sequence[str] = ("zh", "en")) -> dict[str, NotebookNode]:
    """The notebooks of these languages, with outputs."""
    notebooks = {language: assemble(name, language) for language in languages}
    results: dict[str, list[NotebookNode]] = {}
    for notebook in notebooks.values():
        if not results or has_words(name):
            results = outputs(notebook)
        for count, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), 1):
            cell.outputs, cell.execution_count = results[cell.id], count
    return notebooks


def stored(name: str, language: str) -> Path:
    return HERE.parent / language / "notebooks" / f"{name}.ipynb"


if __name__ == "__main__":
    for name in NAMES:
        for language, notebook in make(name).items():
            path = stored(name, language)
            path.parent.mkdir(exist_ok=True)
            nbformat.write(notebook, path)
            print(path.relative_to(HERE.parents[1]))
