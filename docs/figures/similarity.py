"""The figures of the page similarity: four keys around one query, two rankings, and a bound."""

from __future__ import annotations

import numpy as np

from docs.examples import values
from docs.figures.kit import BLUE, GREY, ORANGE, Label, Played, arrow, dot, line, minus, path
from qkv_docs import cosine_similarity, dot_product, line_chart, softmax
from qkv_docs.drawing import FULL, SMALL, Drawing, text

PAGE = values("similarity", "four-keys")
BOUND = values("similarity", "scale")
QUERY, KEYS = PAGE["q"], PAGE["K"]
NAMES = "abcd"  # of the keys
DOTS, COSINES = dot_product(QUERY, KEYS), cosine_similarity(QUERY, KEYS)
LENGTH = np.linalg.norm(QUERY)
FLIP = np.array([1, -1])  # y grows upwards
AHEAD = QUERY / LENGTH * FLIP  # along q, in the picture
ASIDE = np.array([-AHEAD[1], AHEAD[0]])  # at right angles to it, downwards


def _vector(start: np.ndarray, tip: np.ndarray, colour: str, width: float) -> str:
    return arrow(start, tip, colour=colour, width=width, head=(9, 4.5))


def _coordinates(vector: np.ndarray) -> str:
    return minus(f"({vector[0]:g}, {vector[1]:g})")


def plane(t: Label) -> Drawing:
    """The query and four keys as arrows, with dot product and cosine beside each tip."""
    unit, origin = 21, np.array([146, 236])
    places = {
        "a": (8, -10, "start"),
        "b": (10, 4, "start"),
        "c": (-6, -28, "middle"),
        "d": (14, 16, "start"),
    }
    x, y = origin
    axes = f"M{x - 6 * unit} {y}H{x + 7 * unit}M{x} {y + 4 * unit}V{y - 10.5 * unit}"
    parts = [path(axes, width=1, opacity=0.5)]
    for name, key, product, cosine in zip(NAMES, KEYS, DOTS, COSINES, strict=True):
        tip = origin + unit * key * FLIP
        dx, dy, anchor = places[name]
        x, y = tip[0] + dx, tip[1] + dy
        numbers = minus(f"q·{name} = {product:.0f}, cos = {cosine:.2f}")
        parts += [
            _vector(origin, tip, ORANGE, 2),
            text(x, y, f"{name} = {_coordinates(key)}", anchor, bold=True, fill=ORANGE),
            text(x, y + 16, numbers, anchor),
        ]
    tip = origin + unit * QUERY * FLIP
    heading = f"q = {_coordinates(QUERY)}"
    parts += [
        _vector(origin, tip, BLUE, 3),
        text(tip[0] + 9, tip[1] + 12, heading, "start", bold=True, fill=BLUE),
    ]
    return Drawing(FULL, 338, "".join(parts), t("一个查询和四个键", "one query and four keys"))


def shadows(t: Label) -> Drawing:
    """Keys a and b and their shadows on the line of q: the longer shadow is the larger product."""
    unit, origin = 24, np.array([96, 262])
    parts = [line(origin, origin + 8 * unit * AHEAD, width=1)]
    for name, gap, rise in (("a", 34, 4), ("b", 14, -4)):
        key = NAMES.index(name)
        tip = origin + unit * KEYS[key] * FLIP
        shadow = DOTS[key] / LENGTH
        start, end = (origin + gap * ASIDE + far * unit * AHEAD for far in (0, shadow))
        words = t(f"{name} 的影子：{shadow:g}", f"shadow of {name}: {shadow:g}")
        parts += [
            line(tip, end, width=1, dash="4 3"),
            _vector(origin, tip, ORANGE, 2),
            line(start, end, colour=ORANGE, width=5),
            text(end[0] + 10, end[1] + 9, words, "start"),
            text(tip[0] + 8, tip[1] - rise, name, "start", bold=True, fill=ORANGE),
        ]
    x, y = origin + 8.1 * unit * AHEAD - 6 * ASIDE
    parts += [
        _vector(origin, origin + unit * QUERY * FLIP, BLUE, 3),
        text(x, y, t("q 所在的直线", "line of q"), "start", bold=True, fill=BLUE),
    ]
    label = t("a 和 b 在 q 所在直线上的影子", "the shadows of a and b on the line of q")
    return Drawing(FULL, 306, "".join(parts), label)


def drag(t: Label) -> Played:
    """The query and keys a, b, c, to be dragged. The still: the shadow of b, and all numbers."""
    unit, origin = 21, np.array([170, 233])
    names, keys, dots, cosines = NAMES[:3], KEYS[:3], DOTS[:3], COSINES[:3]
    shadow, tip = dots[1] / LENGTH, origin + unit * keys[1] * FLIP
    start, end = (origin + 9 * ASIDE + far * unit * AHEAD for far in (0, shadow))
    x, y = origin + unit * shadow / 2 * AHEAD + 24 * ASIDE
    parts = [
        path("M2 233H338M170 2V338", width=1, opacity=0.7),
        line(*(origin + unit * far * AHEAD for far in (-8, 9)), colour=BLUE, width=1, opacity=0.45),
        line(tip, end, colour="currentColor", width=1, dash="4 3", opacity=0.6),
        line(start, end, colour=ORANGE, width=6, opacity=0.6),
        text(x, y + 4, f"{shadow:g}"),
    ]
    for name, vector in zip(["q", *names], [QUERY, *keys], strict=True):
        colour = BLUE if name == "q" else ORANGE
        end = origin + unit * vector * FLIP
        x, y = end + 16 * vector / np.linalg.norm(vector) * FLIP
        parts += [
            _vector(origin, end, colour, 3 if name in "qb" else 1.75),
            dot(end, 5, colour),
            text(x, max(12, y + 4.5), name, bold=True, fill=colour),
        ]
    scaled = dots / np.sqrt(len(QUERY))
    table = {
        "": [f"{name} {_coordinates(key)}" for name, key in zip(names, keys, strict=True)],
        t("点积", "dot product"): [f"{x:g}" for x in dots],
        t("点积 ÷ √2", "dot product ÷ √2"): [f"{round(x, 2):g}" for x in scaled],
        t("注意力权重", "attention weight"): [f"{x:.3f}" for x in softmax(scaled)],
        t("长度", "length"): [f"{np.linalg.norm(key):g}" for key in keys],
        t("与 q 的夹角", "angle to q"): [f"{x:.0f}°" for x in np.degrees(np.arccos(cosines))],
        t("余弦", "cosine"): [f"{round(x, 2):g}" for x in cosines],
    }
    for row, (title, cells) in enumerate(table.items()):
        parts.append(text(124, 364 + 22 * row, title, "end"))
        parts += [
            text(162 + 76 * i, 364 + 22 * row, minus(cell), bold=not row)
            for i, cell in enumerate(cells)
        ]
    label = t("一个查询和三个键，尖端可以拖动", "a query and three keys whose tips can be dragged")
    given = {"q": QUERY, **dict(zip("abc", KEYS, strict=False))}
    return Played("vectors", Drawing(FULL, 504, "".join(parts), label), given)


def ranking(t: Label) -> Drawing:
    """The same keys ordered by dot product and by cosine; the lines of a and b cross."""
    left, right, top, row = 120, 240, 64, 34
    parts = [
        text(left, 20, t("按点积", "by dot product"), "end", bold=True),
        text(right, 20, t("按余弦", "by cosine"), "start", bold=True),
        text(left, 38, t("长度也算", "length counts"), "end", size=SMALL),
        text(right, 38, t("只看方向", "direction only"), "start", size=SMALL),
    ]
    by_dot, by_cosine = ((-values).argsort(kind="stable").tolist() for values in (DOTS, COSINES))
    for i, name in enumerate(NAMES):
        y, z = (top + row * order.index(i) for order in (by_dot, by_cosine))
        moved = y != z
        parts += [
            text(left, y + 4.5, minus(f"{name}  {DOTS[i]:.0f}"), "end", bold=moved),
            text(right, z + 4.5, minus(f"{name}  {COSINES[i]:.2f}"), "start", bold=moved),
            line((left + 8, y), (right - 8, z), colour=ORANGE if moved else GREY,
                 width=2.5 if moved else 1.5),
        ]  # fmt: skip
    return Drawing(FULL, top + 3 * row + 16, "".join(parts), t("两种排名", "two rankings"))


def bound(t: Label) -> Drawing:
    """The largest attention weight that scores in [-scale, scale] allow, by number of keys."""
    keys = BOUND["keys"]
    return line_chart(
        keys,
        {
            t("余弦", "cosine") if scale == 1 else t(f"余弦 × {scale}", f"cosine × {scale}"): [
                BOUND["largest_weight"](n, scale) for n in keys
            ]
            for scale in (4, 2, 1)
        },
        x_title=t("键的个数 n", "number of keys n"),
        y_title=t("注意力权重的上限", "largest possible attention weight"),
        log_x=True,
        y_limits=(0, 1),
        width=360,
    )
