"""Stills draw what the pages compute: no numbers are typed in docs/figures, and data is escaped."""

from __future__ import annotations

import ast
import json
import os
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sources import DOCS, ROOT

from docs import examples
from docs.figures import NoFigure, draw, html
from docs.figures.kit import Played
from qkv_docs import heatmap
from qkv_docs.drawing import SMALL, _width

MODULES = [*sorted((DOCS / "figures").glob("*.py")), ROOT / "theme/new-page/figures.py"]
LITERALS = (ast.List, ast.Tuple, ast.Set)
IN_A_STRING = re.compile(r"[-\d.,;\s]+")  # the paths of SVG have letters


def numbers(node: ast.AST) -> list[float]:
    """The numbers of a literal that holds nothing else; else none."""
    try:
        return np.ravel(ast.literal_eval(node)).astype(float).tolist()
    except (ValueError, TypeError, SyntaxError):
        return []


def is_data(row: list[float]) -> bool:
    """Unlike a place on the sheet, whose lengths are at least ten, and a direction of ones."""
    return len(row) > 5 or (len(row) > 1 and any(x < 10 and abs(x) != 1 for x in row))


def typed(source: str) -> Iterator[str]:
    """`line: what` for all data that is written down in a program.

    A tuple of up to five numbers may be lengths, or what a loop goes through; as a row of something
    larger it is data.
    """
    for node in ast.walk(ast.parse(source)):
        held = getattr(node, "elts", getattr(node, "values", []))
        rows = [one for one in held if isinstance(one, LITERALS)]
        if isinstance(node, (ast.List, ast.Set)) or len(numbers(node)) > 5:
            rows.append(node)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "").endswith("array"):
            rows += node.args
        found = [numbers(row) for row in rows if is_data(numbers(row))]
        match node:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=str(text)) if IN_A_STRING.fullmatch(text):
                found += [text.split()] if len(text.split()) > 2 else []
            case ast.Constant(value=float() | int() as value):
                digits = str(value).replace(".", "").strip("0")
                found += [[value]] if len(digits) > (3 if value % 1 else 4) else []
        yield from (f"{node.lineno}: {row}" for row in found)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_no_numbers_are_typed(module: Path) -> None:
    assert list(typed(module.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    "line",
    [
        "X = np.array([[1, 0], [0, 1]])",
        "q = np.array([4.0, 3.0])",
        "q = numpy.asarray((0, 2))",
        "K = [[1, 0], [1, 2]]",
        "K = ((1, 0), (1, 2))",
        "KEYS = {'a': [3, 4], 'b': [0, 10]}",
        "WORDS = {'I': (1, 0, 0, 0)}",
        "heatmap([0.53, 0.47])",
        "curve = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6)",
        "Q = np.fromstring('4 3 1 0', sep=' ')",
        "rows = '1 0; 0 1'",
        "mean = 0.4471",
    ],
)
def test_typed_numbers_are_found(line: str) -> None:
    assert list(typed(f"def still(t):\n    {line}\n"))


# The arrays that pages type and draw.
TYPED = {
    "backpropagation": "q K V target X W_Q W_K W_V T",
    "cross-attention": "C",
    "embedding": "table",
    "index": "Q K V",
    "masks": "X W_Q W_K W_V",
    "multi-head": "X W_Q1 W_K1 W_V1 W_Q2 W_K2 W_V2 W_O",
    "position": "X W_Q W_K W_V q k",
    "queries-keys-values": "keys land values X W_Q W_K W_V",
    "self-attention": "X W_Q W_K W_V",
    "similarity": "q K",
}


def drawings(page: str) -> dict[str, str]:
    text = (DOCS / f"zh/{page}.md").read_text("utf-8")
    return {name: str(draw(page, name, "zh")) for name in re.findall(r"\(figure:([\w-]+)", text)}


@pytest.mark.parametrize("page", TYPED)
def test_drawings_follow_the_page(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, at_first = (DOCS / f"examples/{page}.pycon").read_text("utf-8"), drawings(page)
    monkeypatch.setattr(examples, "FOLDER", tmp_path)

    def change(at: int) -> bool:
        """Whether something else is drawn when that digit of the example file is raised."""
        text = f"{source[:at]}{int(source[at]) + 1}{source[at + 1 :]}"
        (tmp_path / f"{page}.pycon").write_text(text, "utf-8")
        os.utime(tmp_path / f"{page}.pycon", (0, at))  # another time for every change
        return drawings(page) != at_first

    for name in TYPED[page].split():
        literal = re.search(rf"^>>> {name} = np\.array\((.+\n(?:\.\.\. .+\n)*)", source, re.M)
        assert literal, name
        digits = [literal.start(1) + digit.start() for digit in re.finditer("[1-9]", literal[1])]
        assert any(map(change, digits)), f"{name} is not what is drawn"
    monkeypatch.undo()
    assert drawings(page) == at_first


PAGES = sorted(
    path.stem for path in (DOCS / "zh").glob("*.md") if "(figure:" in path.read_text("utf-8")
)


@pytest.mark.parametrize("page", PAGES)
def test_text_is_legible_and_inside(page: str) -> None:
    for name in re.findall(r"\(figure:([\w-]+)", (DOCS / f"zh/{page}.md").read_text("utf-8")):
        for language in ("zh", "en"):
            drawn = draw(page, name, language)
            still = drawn.still if isinstance(drawn, Played) else drawn
            assert not re.search(r"<style|<script| id=| style=|href|url\(", still), name
            assert not re.search('(fill|stroke)="#', still), f"{name}: a colour of its own"
            for x, size, node in texts(ET.fromstring(still)):
                words = "".join(node.itertext())
                wide = _width(words, size)
                left = x - {"start": 0, "middle": 0.5, "end": 1}[node.attrib["text-anchor"]] * wide
                assert size >= SMALL, f"{name}: {words}"
                assert -4 <= left <= left + wide <= still.width + 4, f"{name}: {words}"


def texts(
    node: ET.Element, x: float = 0, size: float = 0
) -> Iterator[tuple[float, float, ET.Element]]:
    """Every text, where it stands across the drawing and how large it is."""
    x += sum(map(float, re.findall(r"translate\((\S+)", node.get("transform", ""))))
    size = float(node.get("font-size", size))
    if node.tag.endswith("}text"):
        yield x + float(node.attrib["x"]), size, node
    for child in node:
        yield from texts(child, x, size)


def test_what_is_handed_to_a_script_arrives() -> None:
    given = {"q": np.array([[1.0, 2.0], [0.5, -1.0]]), "text": """it's "q" < k & 'v' > 0"""}
    played = Played("name", heatmap([0.5]), given, "x")
    root = ET.fromstring(played.html("a < \"b\" & 'c'", "../data/"))
    assert root.tag == "qkv-name"
    assert root.attrib["data-src"] == "../data/x.json"
    arrived = json.loads(root.attrib["data-given"])
    assert arrived == {"q": [[1, 2], [0.5, -1]], "text": given["text"]}
    assert root[0].attrib["aria-label"] == "a < \"b\" & 'c'"


def test_a_figure_is_a_function_of_its_page() -> None:
    for language, word in (("zh", "查询"), ("en", "query")):
        svg = html("self-attention", "wrong-axis", language, label="what is seen", data_url="")
        assert ET.fromstring(svg).attrib["aria-label"] == "what is seen"
        assert word in svg
    for page, figure in (("no-page", "walk"), ("masks", "no-figure"), ("masks", "heatmap"),
                         ("masks", "PAGE")):  # fmt: skip
        with pytest.raises(NoFigure, match=figure):
            draw(page, figure, "en")
