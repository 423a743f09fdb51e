"""The notebooks: what is stored is what running them gives, and their pages are light."""

from __future__ import annotations

import html
import re
import runpy
from pathlib import Path

import nbformat
import pytest
from converting import convert
from nbformat import NotebookNode
from sources import DOCS

from theme.extensions.page import Page

MAKE = runpy.run_path(str(DOCS / "notebooks/make.py"))
NUMBER = re.compile(r"-?\d+(?:\.(\d+))?")
DECIMAL = re.compile(r"(?<![\w.])\d+\.\d+(?!\.?\d)")
LANGUAGES = pytest.mark.parametrize("language", ["zh", "en"])
NAMES = pytest.mark.parametrize("name", MAKE["NAMES"])
# What is run: both languages share one run, unless their code differs. The second is slow, and so
# is half a minute's training.
RUNS = [
    pytest.param(
        name,
        languages,
        marks=[pytest.mark.slow] if languages == ("en",) or name == "decoder-only" else [],
    )
    for name in MAKE["NAMES"]
    for languages in ([("zh",), ("en",)] if MAKE["has_words"](name) else [("zh", "en")])
]


def stored(name: str, language: str) -> NotebookNode:
    return nbformat.read(MAKE["stored"](name, language), as_version=4)


def printed(notebook: NotebookNode) -> list[tuple[str, str]]:
    """What each cell printed: its id and the text."""
    return [(cell.id, out.text) for cell in notebook.cells for out in cell.get("outputs", ())]


def agree(text: str, other: str) -> bool:
    """Equal but for decimals, which may differ by one in their last place (another processor)."""
    numbers, others = list(NUMBER.finditer(text)), list(NUMBER.finditer(other))
    return NUMBER.sub("", text) == NUMBER.sub("", other) and all(
        abs(float(a[0]) - float(b[0])) <= (1.01 * 10 ** -len(a[1]) if a[1] else 0)
        for a, b in zip(numbers, others, strict=True)
    )


def test_there_is_a_notebook() -> None:
    assert MAKE["NAMES"]


@pytest.mark.parametrize(("name", "languages"), RUNS)
def test_running_a_notebook_again_gives_what_is_stored(
    name: str, languages: tuple[str, ...]
) -> None:
    import torch.nn  # noqa: F401  (as the notebook does, in a process of its own)

    for language, fresh in MAKE["make"](name, languages).items():
        kept = stored(name, language)
        path = f"docs/{language}/notebooks/{name}.ipynb: run python docs/notebooks/make.py"
        assert fresh.metadata == kept.metadata, path
        for new, old in zip(fresh.cells, kept.cells, strict=True):
            assert (new.id, new.source) == (old.id, old.source), path
            outputs = new.get("outputs", []), old.get("outputs", [])
            assert [o.output_type for o in outputs[0]] == [o.output_type for o in outputs[1]], path
        results = printed(fresh), printed(kept)
        assert results[0], "a notebook prints something"
        for (cell, new_text), (_, old_text) in zip(*results, strict=True):
            assert agree(new_text, old_text), f"{path}, {cell}:\n{new_text}\nstored:\n{old_text}"


def test_what_agrees() -> None:
    assert agree("loss 0.42, 26 kinds", "loss 0.43, 26 kinds")
    assert not agree("loss 0.42, 26 kinds", "loss 0.44, 26 kinds")
    assert not agree("loss 0.42, 26 kinds", "loss 0.42, 25 kinds")
    assert not agree("unchanged: True", "unchanged: False")


@NAMES
def test_both_languages_have_the_same_cells(name: str) -> None:
    zh, en = stored(name, "zh"), stored(name, "en")
    assert [cell.id for cell in zh.cells] == [cell.id for cell in en.cells]
    for mine, other in zip(zh.cells, en.cells, strict=True):
        if mine.cell_type == "code":
            if MAKE["has_words"](name):  # one cell in two languages, and what comes of it
                words = {f"code-{cell}" for cell, of, _ in MAKE["cells_of"](name) if of}
                assert mine.source == other.source or mine.id in words
            else:
                assert mine == other
        else:
            links = [re.findall(r"\]\((.*?)\)", cell.source) for cell in (mine, other)]
            formulas = [re.findall(r"\$.*?\$", cell.source) for cell in (mine, other)]
            assert links[0] == links[1]
            assert formulas[0] == formulas[1]


@NAMES
@LANGUAGES
def test_every_decimal_in_the_prose_was_printed(name: str, language: str) -> None:
    notebook = stored(name, language)
    known = {number for _, text in printed(notebook) for number in DECIMAL.findall(text)}
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert set(DECIMAL.findall(prose)) <= known


def rendered(path: Path, language: str) -> str:
    """The body of the page of a notebook."""
    return convert(Page(f"notebooks/{path.stem}", language, path))


@NAMES
@LANGUAGES
def test_the_page_of_a_notebook(name: str, language: str, caplog: pytest.LogCaptureFixture) -> None:
    notebook = stored(name, language)
    body = rendered(MAKE["stored"](name, language), language)
    assert not caplog.records, caplog.text
    for word in ("<style", "<script", "jp-", "$"):
        assert word not in body

    text = html.unescape(re.sub(r"<[^>]+>", "", body))
    assert len(body) < 8 * len(text)  # what it shows, and the colours of the code
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert cell.source in text
    for _, output in printed(notebook):
        assert output.strip() in text

    headings = [cell.id for cell in notebook.cells if cell.source.startswith("#")]
    assert re.findall(r'<h\d id="([^"]+)"', body) == headings
    assert headings[0] == name


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        (
            nbformat.v4.new_code_cell(
                "1 / 0",
                outputs=[nbformat.v4.new_output("error", ename="E", evalue="e", traceback=["t"])],
            ),
            "an error",
        ),
    ],
    ids=["stored error"],
)
def test_a_faulty_notebook_is_named(
    cell: NotebookNode, complaint: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    metadata = {"kernelspec": MAKE["KERNEL"], "title": "t", "description": "d"}
    path = tmp_path / "faulty.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell], metadata=metadata), path)
    rendered(path, "en")
    assert complaint in caplog.text
    assert "faulty.ipynb:" in caplog.text


def test_a_cell_that_the_prose_leaves_out_is_named(tmp_path: Path) -> None:
    made = runpy.run_path(str(DOCS / "notebooks/make.py"))
    assemble = made["assemble"]
    assemble.__globals__["HERE"] = tmp_path
    (tmp_path / "n.py").write_text("# %% shown\nprint(1)\n\n# %% left\nprint(2)\n", "utf-8")
    prose = '---\ntitle: t\n---\n# T { #n }\n\n```python\n--8<-- "n.py:shown"\n```\n'
    (tmp_path / "n.en.md").write_text(prose, "utf-8")
    with pytest.raises(ValueError, match="leaves out left"):
        assemble("n", "en")
