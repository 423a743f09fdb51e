"""The figures of the page similarity: four keys around one query, two rankings, and a bound.

The vectors are those of docs/examples/similarity.pycon.
"""

from html import escape

import numpy as np

from qkv_docs import cosine_similarity, dot_product, softmax
from qkv_docs.drawing import COLOURS, line_chart

QUERY = np.array([4, 3])
KEYS = {"a": [3, 4], "b": [0, 10], "c": [-3, 4], "d": [-4, -3]}
NAMES = list(KEYS)
DOTS = dot_product(QUERY, list(KEYS.values()))
COSINES = cosine_similarity(QUERY, list(KEYS.values()))

GREY, BLUE, ORANGE = COLOURS["x"], COLOURS["q"], COLOURS["k"]
BOLD = ' font-weight="600"'


def _text(x, y, text, anchor="middle", more=""):
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _svg(height, label, parts):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="qkv-figure" width="360" height="{height}" '
        f'viewBox="0 0 360 {height}" role="img" aria-label="{escape(label)}" fill="currentColor" '
        'font-family="inherit" font-size="13" font-variant="tabular-nums">'
        f"{''.join(parts)}</svg>"
    )


def _minus(text):
    return text.replace("-", "−")


def _arrow(start, end, colour, width):
    """A straight line in picture coordinates with an arrow head at its end."""
    start, end = np.array(start, dtype=float), np.array(end, dtype=float)
    ahead = (end - start) / np.sqrt(((end - start) ** 2).sum())
    side = np.array([-ahead[1], ahead[0]])
    path = f"M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}"
    for turn in (1, -1):
        back = end - 9 * ahead + turn * 4.5 * side
        path += f"M{end[0]:.1f} {end[1]:.1f}L{back[0]:.1f} {back[1]:.1f}"
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def plane(t):
    """The query and four keys as arrows, with dot product and cosine beside each tip."""
    unit, x0, y0 = 21, 146, 236
    places = {
        "a": (8, -10, "start"),
        "b": (10, 4, "start"),
        "c": (-6, -28, "middle"),
        "d": (14, 16, "start"),
    }
    parts = [
        f'<path d="M{x0 - 6 * unit} {y0}H{x0 + 7 * unit}M{x0} {y0 + 4 * unit}V{y0 - 10.5 * unit}" '
        f'stroke="{GREY}" stroke-opacity=".5"/>'
    ]
    for (name, vector), dot, cosine in zip(KEYS.items(), DOTS, COSINES, strict=True):
        tip = (x0 + unit * vector[0], y0 - unit * vector[1])
        dx, dy, anchor = places[name]
        heading = f"{name} = ({vector[0]}, {vector[1]})"
        numbers = f"q·{name} = {dot:.0f}, cos = {cosine:.2f}"
        parts += [
            _arrow((x0, y0), tip, ORANGE, 2),
            _text(tip[0] + dx, tip[1] + dy, _minus(heading), anchor, f'{BOLD} fill="{ORANGE}"'),
            _text(tip[0] + dx, tip[1] + dy + 16, _minus(numbers), anchor),
        ]
    x, y = x0 + unit * QUERY[0], y0 - unit * QUERY[1]
    parts += [
        _arrow((x0, y0), (x, y), BLUE, 3),
        _text(x + 9, y + 12, f"q = ({QUERY[0]}, {QUERY[1]})", "start", f'{BOLD} fill="{BLUE}"'),
    ]
    label = t("一个查询和四个键", "one query and four keys")
    return _svg(338, label, parts)


def shadows(t):
    """Keys a and b and their shadows on the line of q: the longer shadow is the larger product."""
    unit, origin = 24, np.array([96.0, 262.0])
    ahead = QUERY / np.sqrt(QUERY @ QUERY) * [1, -1]  # along q, in the picture
    below = np.array([-ahead[1], ahead[0]])

    def line(start, end, colour, width, dashes=""):
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        return (
            f'<path d="M{start[0]:.1f} {start[1]:.1f}L{end[0]:.1f} {end[1]:.1f}" '
            f'stroke="{colour}" stroke-width="{width}"{dashed}/>'
        )

    bold = f'{BOLD} fill="{ORANGE}"'
    parts = [line(origin, origin + 8 * unit * ahead, GREY, 1)]
    for name, gap in (("a", 34), ("b", 14)):
        tip = origin + unit * np.array(KEYS[name]) * [1, -1]
        shadow = float(DOTS[NAMES.index(name)] / np.sqrt(QUERY @ QUERY))
        foot = origin + unit * shadow * ahead
        start, end = origin + gap * below, foot + gap * below
        parts += [
            line(tip, end, GREY, 1, "4 3"),
            _arrow(origin, tip, ORANGE, 2),
            line(start, end, ORANGE, 5),
            _text(
                end[0] + 10,
                end[1] + 9,
                t(f"{name} 的影子：{shadow:g}", f"shadow of {name}: {shadow:g}"),
                "start",
            ),
        ]
        parts.append(_text(tip[0] + 8, tip[1] + 4 - 8 * (name == "a"), name, "start", bold))
    parts += [
        _arrow(origin, origin + unit * QUERY * [1, -1], BLUE, 3),
        _text(
            *(origin + unit * 8.1 * ahead - 6 * below),
            t("q 所在的直线", "line of q"),
            "start",
            f'{BOLD} fill="{BLUE}"',
        ),
    ]
    label = t("a 和 b 在 q 所在直线上的影子", "the shadows of a and b on the line of q")
    return _svg(306, label, parts)


def drag(t):
    """The query and keys a, b, c, to be dragged. The still: the shadow of b, and all numbers."""
    unit, origin = 21, np.array([170, 233])
    names, flip = ["a", "b", "c"], np.array([1, -1])
    keys = np.array([KEYS[name] for name in names])
    dots, cosines = DOTS[:3], COSINES[:3]
    length = np.sqrt((keys**2).sum(axis=-1))
    size = float(np.sqrt(QUERY @ QUERY))
    ahead, shadow = QUERY / size, float(dots[1]) / size
    foot, tip = origin + unit * shadow * ahead * flip, origin + unit * keys[1] * flip
    below = np.array([ahead[1], ahead[0]])  # at right angles to q, away from b
    middle = origin + unit * shadow / 2 * ahead * flip + 24 * below + [0, 4]
    start, end = origin + 9 * below, foot + 9 * below
    ends = [origin + unit * far * ahead * flip for far in (-8, 9)]
    parts = [
        f'<path d="M2 233H338M170 2V338" stroke="{GREY}" stroke-opacity=".7"/>',
        f'<path d="M{ends[0][0]:g} {ends[0][1]:g}L{ends[1][0]:g} {ends[1][1]:g}" '
        f'stroke="{BLUE}" stroke-opacity=".45"/>',
        f'<path d="M{tip[0]} {tip[1]}L{end[0]:g} {end[1]:g}" stroke="currentColor" '
        'stroke-opacity=".6" stroke-dasharray="4 3"/>',
        f'<path d="M{start[0]:g} {start[1]:g}L{end[0]:g} {end[1]:g}" stroke="{ORANGE}" '
        'stroke-width="6" stroke-opacity=".6"/>',
        _text(*middle, f"{shadow:g}"),
    ]
    for name, vector in {"q": QUERY, "a": keys[0], "b": keys[1], "c": keys[2]}.items():
        colour = BLUE if name == "q" else ORANGE
        end = origin + unit * vector * flip
        out = end + 16 * vector / np.sqrt(vector @ vector) * flip
        parts += [
            _arrow(origin, end, colour, 3 if name in "qb" else 1.75),
            f'<circle cx="{end[0]}" cy="{end[1]}" r="5" fill="{colour}"/>',
            _text(out[0], max(12, out[1] + 4.5), name, more=f'{BOLD} fill="{colour}"'),
        ]
    scaled = dots / np.sqrt(2)
    table = [
        (t("点积", "dot product"), [f"{x:g}" for x in dots]),
        (t("点积 ÷ √2", "dot product ÷ √2"), [f"{round(x, 2):g}" for x in scaled]),
        (t("注意力权重", "attention weight"), [f"{x:.3f}" for x in softmax(scaled)]),
        (t("长度", "length"), [f"{x:g}" for x in length]),
        (
            t("与 q 的夹角", "angle to q"),
            [f"{x:.0f}°" for x in np.degrees(np.arccos(cosines))],
        ),
        (t("余弦", "cosine"), [f"{round(x, 2):g}" for x in cosines]),
    ]
    heads = [f"{name} ({key[0]}, {key[1]})" for name, key in zip(names, keys, strict=True)]
    for row, (title, cells) in enumerate([("", heads), *table]):
        y = 364 + 22 * row
        parts.append(_text(124, y, title, "end"))
        parts += [
            _text(162 + 76 * i, y, _minus(cell), "middle", "" if row else BOLD)
            for i, cell in enumerate(cells)
        ]
    label = t("一个查询和三个键，尖端可以拖动", "a query and three keys whose tips can be dragged")
    return f"<qkv-vectors>{_svg(504, label, parts)}</qkv-vectors>"


def ranking(t):
    """The same keys ordered by dot product and by cosine; the lines of a and b cross."""
    left, right, top, row = 120, 240, 64, 34
    parts = [
        _text(left, 20, t("按点积", "by dot product"), "end", BOLD),
        _text(right, 20, t("按余弦", "by cosine"), "start", BOLD),
        _text(left, 38, t("长度也算", "length counts"), "end", ' font-size="12"'),
        _text(right, 38, t("只看方向", "direction only"), "start", ' font-size="12"'),
    ]
    by_dot = sorted(range(4), key=lambda i: -DOTS[i])
    by_cosine = sorted(range(4), key=lambda i: -COSINES[i])
    for i, name in enumerate(NAMES):
        y, z = (top + row * order.index(i) for order in (by_dot, by_cosine))
        moved = y != z
        parts += [
            _text(left, y + 4.5, _minus(f"{name}  {DOTS[i]:.0f}"), "end", BOLD if moved else ""),
            _text(
                right, z + 4.5, _minus(f"{name}  {COSINES[i]:.2f}"), "start", BOLD if moved else ""
            ),
            f'<path d="M{left + 8} {y}L{right - 8} {z}" stroke="{ORANGE if moved else GREY}" '
            f'stroke-width="{2.5 if moved else 1.5}"/>',
        ]
    label = t("两种排名", "two rankings")
    return _svg(top + 3 * row + 16, label, parts)


def bound(t):
    """The largest attention weight that scores in [-scale, scale] allow, by number of keys."""
    keys = np.array([2, 8, 32, 128, 512])
    series = {
        t("余弦", "cosine") if scale == 1 else t(f"余弦 × {scale}", f"cosine × {scale}"): [
            softmax(scale * np.array([1] + [-1] * (n - 1)))[0] for n in keys
        ]
        for scale in (4, 2, 1)
    }
    return line_chart(
        keys,
        series,
        x_title=t("键的个数 n", "number of keys n"),
        y_title=t("注意力权重的上限", "largest possible attention weight"),
        log_x=True,
        y_limits=(0, 1),
        width=360,
    )
