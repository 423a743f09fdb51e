"""The figure of the home page: one query, three keys, three values.

The numbers are those of docs/examples/index.pycon: the word "apples" of the page self-attention.
"""

from html import escape

import numpy as np

from qkv_docs import scaled_dot_product_attention

Q = np.array([[0, 2]], dtype=float)
K = np.array([[1, 0], [1, 2], [2, 1]], dtype=float)
V = np.array([[0, 1], [1, 0], [1, 1]], dtype=float)
OUTPUT, WEIGHTS = scaled_dot_product_attention(Q, K, V)

LINE, HEAT = "var(--qkv-line, #8a8f98)", "var(--qkv-heat, #5b4bb7)"
BLUE, ORANGE, GREEN = (
    "var(--qkv-q, #0061b5)",
    "var(--qkv-k, #a84300)",
    "var(--qkv-v, #007a57)",
)
ROW = 32


def _text(x, y, text, anchor="middle", more=""):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _cells(x, y, values, width, colour, decimals=0, strongest=2.0):
    parts = []
    for j, value in enumerate(values):
        parts.append(
            f'<rect x="{x + j * width + 1}" y="{y + 1}" width="{width - 2}" height="{ROW - 2}" '
            f'rx="3" fill="{colour}" fill-opacity="{0.05 + 0.4 * value / strongest:.2f}"/>'
            + _text(x + (j + 0.5) * width, y + 20.5, f"{value:.{decimals}f}")
        )
    return "".join(parts)


def _path(path):
    return f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.5"/>'


def lookup(t):
    """The query of "apples" meets every key; the values are mixed by the attention weights."""
    words = [t("我", "I"), t("吃", "eat"), t("苹果", "apples")]
    rows = [116 + i * (ROW + 4) for i in range(3)]
    end = rows[-1] + ROW
    bold = ' font-weight="600"'
    parts = [
        _cells(56, 0, Q[0], 28, BLUE),
        _text(120, 20.5, t("“苹果”的查询 q", "query q of “apples”"), "start", bold),
        _path("M84 36V60M80 55l4 6l4 -6"),
        _text(84, 84, t("键 k", "key k"), more=bold),
        _text(150, 84, t("分数", "score"), more=bold),
        _text(150, 104, "q · k"),
        _text(217, 84, t("注意力", "attention"), more=bold),
        _text(217, 104, t("权重", "weight"), more=bold),
        _text(312, 84, t("值 v", "value v"), more=bold),
        _text(290, 104, t("食物", "food"), more=' font-size="12"'),
        _text(334, 104, t("行动者", "actor"), more=' font-size="12"'),
    ]
    for i, y in enumerate(rows):
        parts += [
            _text(50, y + 20.5, words[i], "end"),
            _cells(56, y, K[i], 28, ORANGE),
            _text(150, y + 20.5, str(int(Q[0] @ K[i]))),
            _cells(190, y, WEIGHTS[0, i : i + 1], 54, HEAT, 3, 1.0),
            _text(256, y + 20.5, "×"),
            _cells(268, y, V[i], 44, GREEN),
        ]
    parts += [
        _path(f"M312 {end + 4}V{end + 22}M308 {end + 17}l4 6l4 -6"),
        _text(256, end + 48, t("加起来，就是输出", "the sum is the output"), "end", bold),
        _cells(268, end + 27, OUTPUT[0], 44, GREEN, 3, 2.0),
    ]
    label = t("一次查询的全部数字", "every number of one look-up")
    height = end + 60
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="qkv-figure" width="360" height="{height}" '
        f'viewBox="0 0 360 {height}" role="img" aria-label="{escape(label)}" fill="currentColor" '
        'font-family="inherit" font-size="13" font-variant="tabular-nums">'
        f"{''.join(parts)}</svg>"
    )
