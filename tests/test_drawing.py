"""Figures: every number is there as text, every label survives, text stays legible."""

import copy
import pickle
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from qkv_docs.drawing import (
    COLOURS,
    FULL,
    STRONGEST,
    Drawing,
    arrange,
    heatmap,
    line_chart,
    stack,
    text,
)

SVG = "{http://www.w3.org/2000/svg}"
WEIGHTS = np.array([[0.53, 0.31, 0.16], [0.2, 0.7, 0.1]])


def texts(svg: str) -> list[str]:
    return ["".join(node.itertext()) for node in ET.fromstring(svg).iter(f"{SVG}text")]


def titles(svg: str) -> list[str]:
    return [node.text or "" for node in ET.fromstring(svg).iter(f"{SVG}title")]


def opacities(svg: str) -> list[float]:
    return [float(node.attrib["fill-opacity"]) for node in ET.fromstring(svg).iter(f"{SVG}rect")]


# Heat maps


def test_a_heat_map_has_one_cell_and_one_number_for_every_entry():
    svg = heatmap(WEIGHTS)
    assert len(opacities(svg)) == len(titles(svg)) == WEIGHTS.size
    assert texts(svg) == ["0.53", "0.31", "0.16", "0.20", "0.70", "0.10"]


def test_labels_titles_and_the_shape_are_written():
    svg = heatmap(
        WEIGHTS, ["猫", "鱼"], ["a", "b", "c"], row_title="查询", column_title="键", title="权重"
    )
    assert {"猫", "鱼", "a", "b", "c", "查询", "键", "权重 (2, 3)"} <= set(texts(svg))
    assert titles(svg)[1] == "猫 → b: 0.31 [0, 1]"


def test_labels_are_escaped_everywhere():
    svg = heatmap([[1.0]], ["<s>&\"'"], ["a<b"], title="R & <K>")
    assert {"<s>&\"'", "a<b", "R & <K> (1, 1)"} <= set(texts(svg))
    assert titles(svg) == ["<s>&\"' → a<b: 1.00 [0, 0]"]
    assert "<s>&\"' 1.00" in ET.fromstring(svg).attrib["aria-label"]


def test_the_text_alternative_holds_the_numbers_or_what_the_author_says():
    alone = ET.fromstring(heatmap(WEIGHTS, ["猫", "鱼"], title="A")).attrib
    assert alone["role"] == "img"
    assert alone["aria-label"] == "A (2, 3): 猫 0.53 0.31 0.16; 鱼 0.20 0.70 0.10"
    assert ET.fromstring(heatmap(WEIGHTS, label="x < y")).attrib["aria-label"] == "x < y"


def test_masked_scores_and_nan_are_written_as_text_without_colour():
    svg = heatmap([[-np.inf, np.inf, np.nan, 2.0]], kind="scores")
    assert texts(svg) == ["−∞", "∞", "nan", "2.00"]
    assert opacities(svg)[:3] == [0.05] * 3
    assert texts(heatmap([[np.nan, np.nan]])) == ["nan", "nan"]


def test_sign_is_written_and_coloured_apart_and_no_zero_is_negative():
    svg = heatmap([[-1.5, 1.5, -0.001]], kind="k")
    fills = [node.attrib["fill"] for node in ET.fromstring(svg).iter(f"{SVG}rect")]
    assert texts(svg) == ["−1.50", "1.50", "0.00"]
    assert fills[1] == COLOURS["k"] != fills[0]


def test_strength_grows_with_size_and_weights_have_a_fixed_scale():
    assert opacities(heatmap([0.0, 0.5, 1.0])) == pytest.approx([0.05, 0.25, STRONGEST])
    assert opacities(heatmap([[0.25]])) == opacities(heatmap([[0.25, 1.0]]))[:1]
    assert opacities(heatmap([-4.0, 2.0], kind="v"))[0] == pytest.approx(STRONGEST)
    assert opacities(heatmap([2.0], kind="v", limit=4.0)) == pytest.approx([0.25])


def test_vectors_and_booleans():
    assert texts(heatmap([0.5, 0.5], title="w")) == ["w (2,)", "0.50", "0.50"]
    assert texts(heatmap([[True, False]])) == ["1", "0"]
    assert texts(heatmap([[0.125]], decimals=1)) == ["0.1"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": WEIGHTS, "rows": ["a"]}, r"shape \(2, 3\) need 2 row labels, got 1"),
        ({"values": WEIGHTS, "columns": "ab"}, r"shape \(2, 3\) need 3 column labels, got 2"),
        ({"values": np.zeros((2, 2, 2))}, r"got shape \(2, 2, 2\)"),
        ({"values": np.zeros((0, 2))}, r"got shape \(0, 2\)"),
        ({"values": WEIGHTS, "kind": "Q"}, "kind must be one of x, q, k, v"),
        ({"values": [[-0.5, 1.0]]}, r"lie in \[0, 1\], got -0.5"),
        ({"values": [[0.5, 1.5]]}, r"lie in \[0, 1\], got 1.5"),
    ],
)
def test_errors_restate_what_came(arguments, message):
    with pytest.raises(ValueError, match=message):
        heatmap(**arguments)


def test_a_wide_matrix_gives_narrow_columns_only_where_it_must():
    def width(n: int, names: list[str]) -> float:
        return float(ET.fromstring(heatmap(np.zeros((1, n)), columns=names)).attrib["width"])

    assert width(8, list("abcdefgh")) <= FULL
    assert width(2, ["Transformer", "a"]) > width(2, ["b", "a"])
    assert width(3, ["一二三四五"] * 3) > width(3, ["abcde"] * 3)  # Han characters are wider


def test_row_labels_can_be_left_to_the_matrix_beside():
    svg = heatmap(WEIGHTS, ["猫", "鱼"], show_rows=False)
    assert "猫" not in texts(svg)
    assert titles(svg)[3] == "鱼 → 0: 0.20 [1, 0]"
    assert float(ET.fromstring(svg).attrib["width"]) < float(
        ET.fromstring(heatmap(WEIGHTS, ["猫", "鱼"])).attrib["width"]
    )


@pytest.mark.parametrize("title", ["一个很长很长很长很长的标题在这里", "w", None])
def test_text_stays_inside_the_picture(title):
    for matrix, columns in ((WEIGHTS, ["x", "y", "z"]), (WEIGHTS[:, :1], ["x"])):
        svg = heatmap(matrix, ["查询的行", "b"], columns, title=title, column_title="被看的键们")
        root = ET.fromstring(svg)
        for node in root.iter(f"{SVG}text"):
            wide = sum(13 if letter > "⺀" else 7 for letter in "".join(node.itertext()))
            shift = {"start": 0, "middle": 0.5, "end": 1}[node.attrib["text-anchor"]]
            left = float(node.attrib["x"]) - shift * wide
            assert -1 <= left <= left + wide <= float(root.attrib["width"]) + 1
            assert 0 <= float(node.attrib["y"]) <= float(root.attrib["height"])


# Contrast: the text colour and the strongest cell, on both backgrounds of the site


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(a, b):
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def rgb(code: str) -> np.ndarray:
    if len(code) == 4:
        code = "#" + "".join(2 * digit for digit in code[1:])
    return np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)])


FALL_BACKS = sorted({re.search("#[0-9a-f]{6}", colour)[0] for colour in COLOURS.values()})
STYLES = Path(__file__).parents[1] / "theme/templates/assets/stylesheets/site.css"
SCHEMES = [
    dict(re.findall(r"--([\w-]+): (#[0-9a-f]{3,6});", block))
    for block in re.findall(r"\{[^}]*--qkv-q: #[^}]*\}", STYLES.read_text("utf-8"))
]


def reached(colour: str, ground: str, ink: str) -> float:
    cell = STRONGEST * rgb(colour) + (1 - STRONGEST) * rgb(ground)
    return contrast(cell, rgb(ink))


@pytest.mark.parametrize("colour", FALL_BACKS)
def test_text_on_the_strongest_cell_reaches_4_5_to_1_on_white(colour):
    assert reached(colour, "#ffffff", "#1f2328") >= 4.5


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
@pytest.mark.parametrize("name", ["qkv-q", "qkv-k", "qkv-v", "qkv-heat", "qkv-line"])
def test_text_on_the_strongest_cell_reaches_4_5_to_1_on_the_site(scheme, name):
    assert reached(scheme[name], scheme["ground"], scheme["ink"]) >= 4.5


TEXT = ["ink", "ink-soft", "accent", "qkv-q", "qkv-k", "qkv-v", "code", "code-quiet", "code-word"]
TEXT += ["code-name", "code-text", "code-number", "code-special"]


@pytest.mark.parametrize("scheme", SCHEMES, ids=["light", "dark"])
@pytest.mark.parametrize("name", TEXT)
def test_every_colour_of_text_reaches_4_5_to_1(scheme, name):
    for ground in ("ground", "ground-soft"):
        assert contrast(rgb(scheme[name]), rgb(scheme[ground])) >= 4.5, ground


# Line charts


def test_curves_are_named_at_their_ends_and_differ_without_colour():
    svg = line_chart([1, 2], {"a<b": [0, 1], "缩放": [1, 0]}, x_title="d_k", y_title="R & D")
    assert {"a<b", "缩放", "d_k", "R & D"} <= set(texts(svg))
    lines: dict[str, int] = {}  # a curve, and the piece of it before its name
    for path in ET.fromstring(svg).iter(f"{SVG}path"):
        look = f"{path.attrib['stroke']} {path.attrib.get('stroke-dasharray')}"
        lines[look] = lines.get(look, 0) + 1
    assert list(lines.values()) == [2, 2]
    assert "a<b: 2, 1" in titles(svg)


def test_labels_that_would_touch_are_kept_apart_and_inside():
    same = {name: [0.0, 1.0] for name in "abcd"}
    for flip in (1, -1):
        curves = {name: flip * np.array(curve) for name, curve in same.items()}
        root = ET.fromstring(line_chart([0, 1], curves, x_title="x", y_title="y"))
        ends = [node for node in root.iter(f"{SVG}text") if (node.text or "") in same]
        levels = sorted(float(node.attrib["y"]) for node in ends)
        assert min(np.diff(levels)) >= 15.9
        assert levels[0] > 0
        assert levels[-1] < float(root.attrib["height"])


def test_points_sit_where_the_axes_say():
    svg = line_chart([1, 10, 100], {"a": [1, 10, 100]}, x_title="x", y_title="y", log_x=True,
                     log_y=True)  # fmt: skip
    points = [(float(c.attrib["cx"]), float(c.attrib["cy"]))
              for c in ET.fromstring(svg).iter(f"{SVG}circle")]  # fmt: skip
    assert points[1] == pytest.approx(np.mean([points[0], points[2]], axis=0), abs=0.02)
    assert points[0][0] < points[2][0]
    assert points[0][1] > points[2][1]  # larger is higher


def test_a_missing_value_interrupts_the_curve():
    svg = line_chart([1, 2, 3, 4], {"a": [1, np.nan, 2, 3]}, x_title="x", y_title="y")
    path = next(ET.fromstring(svg).iter(f"{SVG}path")).attrib["d"]
    assert re.sub("[^ML]", "", path) == "MML"


def test_ticks_are_round_and_cover_the_data():
    svg = line_chart(range(30), {"loss": np.linspace(0.03, 0.87, 30)}, x_title="x", y_title="y")
    assert {"0", "0.5", "1"} <= set(texts(svg)) or {"0", "0.2", "1"} <= set(texts(svg))
    assert len([text for text in texts(svg) if text.startswith("0.")]) <= 6
    tiny = line_chart([1, 2], {"g": [3.3e-5, 0.3]}, x_title="x", y_title="y", log_y=True)
    assert {"10⁻⁵", "0.01", "1"} <= set(texts(tiny))
    flat = line_chart([3], {"a": [2.0]}, x_title="x", y_title="y")
    assert "2" in texts(flat)
    # 128 to 65,536: no tick below, none above
    lengths = [2**power for power in range(7, 17)]
    long = line_chart(lengths, {"t": lengths}, x_title="n", y_title="y", log_x=True)
    circles = [float(one.attrib["cx"]) for one in ET.fromstring(long).iter(f"{SVG}circle")]
    ticks = {"1000", "10,000", "100", "100,000"}
    places = {
        one.text: float(one.attrib["x"]) for one in ET.fromstring(long).iter(f"{SVG}text")
        if one.text in ticks and one.attrib.get("text-anchor") != "end"
    }  # fmt: skip
    assert set(places) == {"1000", "10,000"}
    assert min(circles) < places["1000"] < places["10,000"] < max(circles)


@pytest.mark.parametrize(
    ("x", "series", "options", "message"),
    [
        ([1, 2], {"a": [1, 2, 3]}, {}, r"'a' has shape \(3,\), x has shape \(2,\)"),
        ([1], {}, {}, "one to 4 curves, got 0"),
        ([1], {name: [1] for name in "abcde"}, {}, "one to 4 curves, got 5"),
        ([1], {"a": [np.nan]}, {}, "'a' has no finite value"),
        ([np.nan], {"a": [1]}, {}, "x has a value that is not finite"),
        ([0, 1], {"a": [1, 2]}, {"log_x": True}, "log_x needs positive values, got 0"),
        ([1, 2], {"a": [-1, 2]}, {"log_y": True}, "log_y needs positive values, got -1"),
        ([1], {"a": [1]}, {"kinds": {"b": "q"}}, "no curve 'b'"),
    ],
)
def test_chart_errors_restate_what_came(x, series, options, message):
    with pytest.raises(ValueError, match=message):
        line_chart(x, series, x_title="x", y_title="y", **options)


# Together


def shifts(svg: str) -> list[list[float]]:
    """Where the figures directly inside a figure stand."""
    return [[float(n) for n in re.findall(r"[\d.]+", part.attrib["transform"])]
            for part in ET.fromstring(svg)]  # fmt: skip


def test_a_stack_holds_its_drawings_apart():
    one, two = heatmap(WEIGHTS, title="A & B"), heatmap([[1.0]])
    for axis, sides in enumerate((("width", "height"), ("height", "width"))):
        both = stack(one, two, across=axis == 0, gap=5)
        first, second = shifts(both)
        assert first == [0, 0]
        along, aside = ([getattr(drawing, side) for drawing in (one, two, both)] for side in sides)
        assert second[axis] == pytest.approx(along[0] + 5, abs=0.01)
        assert second[1 - axis] == 0
        assert along[2] == along[0] + 5 + along[1]
        assert aside[2] == max(aside[:2])
        assert len(opacities(both)) == WEIGHTS.size + 1
        root = ET.fromstring(both)
        assert root.attrib["aria-label"].startswith("A & B (2, 3)")
        assert both.count('role="img"') == both.count("<svg") == 1
    assert len(opacities(stack(stack(one, two), two))) == WEIGHTS.size + 2
    with pytest.raises(ValueError, match="no drawing"):
        stack()


def test_drawings_stand_where_they_are_put():
    one = heatmap(WEIGHTS)
    both = arrange([(one, 0, 0), (one, 12.5, 100)], label="a < b")
    assert shifts(both) == [[0, 0], [12.5, 100]]
    assert (both.width, both.height) == (one.width + 12.5, one.height + 100)
    assert ET.fromstring(both).attrib["aria-label"] == both.label == "a < b"


def test_a_drawing_is_text_that_knows_its_parts():
    drawing = Drawing(20.2, 10, "<g/>", 'a "dot" < b')
    root = ET.fromstring(drawing)
    extent = [root.attrib[name] for name in ("width", "height", "viewBox")]
    assert extent == ["21", "10", "0 0 21 10"]
    assert root.attrib["aria-label"] == drawing.label
    assert len(root) == 1
    assert type(str(drawing)) is str
    assert drawing._repr_html_() == str(drawing) == drawing.svg() == drawing
    other = ET.fromstring(drawing.svg(label="'&'"))
    assert other.attrib.pop("aria-label") == "'&'"
    assert root.attrib.items() >= other.attrib.items()
    for twin in (copy.deepcopy(drawing), pickle.loads(pickle.dumps(drawing))):
        assert (twin, twin.width, twin.label) == (drawing, 20.2, drawing.label)


def test_figures_obey_the_rules_of_the_page():
    for svg in (
        stack(heatmap(WEIGHTS), heatmap(WEIGHTS - 0.5, kind="q")),
        line_chart([1, 2], {"a": [1, 2]}, x_title="x", y_title="y"),
    ):
        assert not re.search(r"<style|<script| id=| style=|href|url\(", svg)
        sizes = [float(size) for size in re.findall(r'font-size="([\d.]+)"', svg)]
        assert min(sizes) >= 12
        assert float(ET.fromstring(svg).attrib["width"]) <= FULL
        assert not re.search('fill="#|stroke="#', svg)


def test_the_same_numbers_give_the_same_picture():
    assert heatmap(WEIGHTS, title="A") == heatmap(WEIGHTS.tolist(), title="A")
    x, y = np.arange(5), np.arange(5) ** 2
    assert line_chart(x, {"a": y}, x_title="x", y_title="y") == line_chart(
        x.tolist(), {"a": y.tolist()}, x_title="x", y_title="y"
    )


@pytest.mark.parametrize(
    ("words", "light", "low"),
    [
        ("W_Q", " (4, 4)", "Q"),
        ("÷ √d_k", "", "k"),
        ("W_Q and W_K, then x", " (1,)", "QK"),
        ("grad_V n_q_1 <b", " (1,)", ""),
        ("k_proj c_attn, d_project", "", "project"),
    ],
)
def test_an_index_is_low_and_nothing_after_it(words: str, light: str, low: str) -> None:
    """How far down each letter stands: what moves it is added up, as a browser does."""
    root = ET.fromstring(text(0, 0, words, light=light))
    down, found = 0, [(letter, 0) for letter in root.text or ""]
    for part in root:
        down += int(part.get("dy", 0))
        found += [(letter, down) for letter in part.text or ""]
        found += [(letter, down) for letter in part.tail or ""]
    assert "".join(letter for letter, _ in found) == words + light
    assert "".join(letter for letter, place in found if place) == low
