"""The figures of the page position: who bites whom, and the three ways to say where a word is.

The sentence and the parameters are those of docs/examples/position.pycon.
"""

from html import escape

import numpy as np

from qkv_docs import (
    alibi_bias,
    rope,
    scaled_dot_product_attention,
    sinusoidal_positions,
    softmax,
)
from qkv_docs.drawing import COLOURS, heatmap, line_chart

X = np.array([[1, 0, 0, 1], [0, 0, 1, 0], [0, 1, 0, 1]], dtype=float)
W_Q = np.array([[0, 0], [0, 0], [2, 0], [0, 2]])
W_K = np.array([[0, 0], [0, 0], [0, 1], [1, 1]])
W_V = np.array([[1, 0], [0, 1], [0, 0], [0, 0]])
ORDER = [2, 1, 0]

BLUE, ORANGE, GREY = COLOURS["q"], COLOURS["k"], COLOURS["x"]
BOLD = ' font-weight="600"'


def _bites(x, positions):
    """What the word in the middle collects."""
    q, k, v = x @ W_Q, x @ W_K, x @ W_V
    return scaled_dot_product_attention(rope(q, positions), rope(k, positions), v)[0][1]


def who(t):
    """The output of "bites" in both sentences, without positions and with RoPE."""
    everywhere_0, places = [0, 0, 0], [0, 1, 2]
    rows = {
        t("无位置：狗咬人", "none: dog bites man"): _bites(X, everywhere_0),
        t("无位置：人咬狗", "none: man bites dog"): _bites(X[ORDER], everywhere_0),
        t("RoPE：狗咬人", "RoPE: dog bites man"): _bites(X, places),
        t("RoPE：人咬狗", "RoPE: man bites dog"): _bites(X[ORDER], places),
    }
    return heatmap(
        list(rows.values()),
        list(rows),
        [t("狗", "dog"), t("人", "man")],
        title=t("“咬”的输出", "output of “bites”"),
        decimals=3,
        kind="output",
    )


def sinusoids(t):
    """Eight positions, six columns: a sine and a cosine for each of three speeds."""
    return heatmap(
        sinusoidal_positions(8, 6),
        range(8),
        [f"{name} {i}" for i in range(3) for name in ("sin", "cos")],
        title=t("正弦位置编码", "sinusoidal positions"),
        row_title=t("位置", "position"),
        column_title=t("第几对 →", "pair →"),
        kind="scores",
    )


def _text(x, y, text, anchor="middle", more=""):
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


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


def _plane(x, y, m, n, t):
    """One query at position m and one key at position n, turned, with their dot product."""
    unit, middle = 32, np.array([x + 85, y + 124])
    q, k = rope([[2.0, 0.0]], [m])[0], rope([[1.0, 1.0]], [n])[0]
    product = f"{round(float(q @ k), 3):g}".replace("-", "−")
    parts = [
        _text(x + 85, y + 16, t(f"q 在 {m}，k 在 {n}", f"q at {m}, k at {n}"), more=BOLD),
        _text(x + 85, y + 34, f"q·k = {product}"),
        f'<path d="M{x + 8} {middle[1]}H{x + 162}M{middle[0]} {y + 46}V{y + 202}" '
        f'stroke="{GREY}" stroke-opacity=".5"/>',
    ]
    for name, vector, colour, width in (("k", k, ORANGE, 2), ("q", q, BLUE, 3)):
        tip = middle + unit * vector * [1, -1]
        label = middle + (unit * vector + 12 * vector / np.linalg.norm(vector)) * [1, -1]
        parts += [
            _arrow(middle, tip, colour, width),
            _text(label[0], label[1] + 4.5, name, more=f'{BOLD} fill="{colour}"'),
        ]
    return "".join(parts)


def turn(t):
    """The same query and key at four pairs of positions."""
    places = [(0, 0), (1, 0), (3, 2), (0, 1)]
    parts = [
        _plane((0, 185)[index % 2], (0, 212)[index // 2], m, n, t)
        for index, (m, n) in enumerate(places)
    ]
    label = t("同一对查询和键，站在四组位置上", "one query and one key at four pairs of positions")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" class="qkv-figure" width="360" height="420" '
        f'viewBox="0 0 360 420" role="img" aria-label="{escape(label)}" fill="currentColor" '
        f'font-family="inherit" font-size="13" font-variant="tabular-nums">{"".join(parts)}</svg>'
    )


def pairs(t):
    """Four pairs of a query and a key turning, and the score over distance. Still: 3 and 2."""
    q_0, k_0 = np.tile([2.0, 0.0], 4), np.tile([1.0, 1.0], 4)
    q, k = rope([q_0], [3])[0], rope([k_0], [2])[0]
    adds = (q * k).reshape(4, 2).sum(axis=-1)
    grey = f'stroke="{GREY}" stroke-opacity=".4"'
    parts = []
    for i in range(4):
        middle = np.array([45 + 90 * i, 66])

        def to(row, i=i, middle=middle):
            return middle + 17 * row[2 * i : 2 * i + 2] * [1, -1]

        parts += [
            _text(middle[0], 14, t(f"第 {i} 对", f"pair {i}")),
            f'<circle cx="{middle[0]}" cy="66" r="34" fill="none" {grey}/>',
            *(
                f'<path d="M{middle[0]} 66L{to(row)[0]:g} {to(row)[1]:g}" '
                'stroke="currentColor" stroke-opacity=".3" stroke-dasharray="2 3"/>'
                for row in (q_0, k_0)
            ),
            _arrow(middle, to(k), ORANGE, 2),
            _arrow(middle, to(q), BLUE, 3),
            _text(middle[0], 118, f"θ = {10.0**-i:g}"),
            _text(middle[0], 136, f"{adds[i]:.3f}".replace("-", "−"), more=BOLD),
        ]
    far = np.arange(-40, 40.1, 0.25)
    scores = rope(np.tile(q_0, (len(far), 1)), far) @ k_0

    def place(x, y):
        return f"{34 + 3.9 * (x + 40):.1f} {240 - 5 * y:.1f}"

    points = "L".join(place(x, y) for x, y in zip(far, scores, strict=True))
    axes = f"M34 180V300M34 240H346M{place(0, 12)}V300"
    title = t("点积 q·k，横轴是位置之差 m − n", "dot product q·k over the difference m − n")
    parts += [
        _text(0, 168, title, "start", BOLD),
        f'<path d="{axes}" stroke="{GREY}" stroke-opacity=".7"/>',
        *(_text(29, 244 - 5 * y, f"{y}".replace("-", "−"), "end") for y in (12, 0, -12)),
        *(_text(34 + 3.9 * (x + 40), 320, f"{x}".replace("-", "−")) for x in range(-40, 41, 20)),
        f'<path d="M{place(1, 12)}V300" stroke="currentColor" stroke-dasharray="4 3"/>',
        f'<path d="M{points}" fill="none" stroke="{COLOURS["scores"]}" stroke-width="2"/>',
        f'<circle cx="{34 + 3.9 * 41:g}" cy="{240 - 5 * adds.sum():.1f}" r="5" '
        f'fill="{COLOURS["scores"]}" stroke="currentColor"/>',
    ]
    label = t("四对分量各转各的，点积只看位置之差", "four pairs turn, each at its own speed")
    return (
        '<qkv-positions><svg xmlns="http://www.w3.org/2000/svg" class="qkv-figure" width="360" '
        f'height="328" viewBox="0 0 360 328" role="img" aria-label="{escape(label)}" '
        'fill="currentColor" font-family="inherit" font-size="12" font-variant="tabular-nums">'
        f"{''.join(parts)}</svg></qkv-positions>"
    )


def distance(t):
    """A vector against itself, further and further away."""
    distances = np.linspace(0, 60, 241)  # quarters of a position, for a smooth curve
    curves = {}
    for d in (64, 8, 2):
        x = np.ones((len(distances), d)) / np.sqrt(d)
        curves[f"d = {d}"] = rope(x, distances) @ x[0]
    return line_chart(
        distances,
        curves,
        x_title=t("相隔几个位置", "positions apart"),
        y_title=t("同一向量的 q·k", "q·k of a vector with itself"),
        y_limits=(-1, 1),
        width=360,
    )


def penalty(t):
    """The ALiBi bias of the first of eight heads."""
    return heatmap(
        alibi_bias(8, 6)[0],
        range(6),
        range(6),
        title=t("第 1 个头的偏置", "bias of the first head"),
        row_title=t("查询 ↓", "query ↓"),
        column_title=t("键 →", "key →"),
        decimals=1,
        kind="scores",
    )


def slope(t):
    """Bias and attention weights of the last of five tokens, a head at a time. Still: head 1."""
    bias = alibi_bias(8, 5)[0][4:]
    still = heatmap(
        np.concatenate([bias, softmax(bias)]),
        [t("偏置", "bias"), t("注意力权重", "attention weights")],
        range(5),
        title=t("第 1 个头，位置 4 的查询", "head 1, query at position 4"),
        column_title=t("键 →", "key →"),
        decimals=3,
        kind="scores",
    )
    return f"<qkv-alibi>{still}</qkv-alibi>"
