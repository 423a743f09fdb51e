"""The figures of the page multi-head: one sentence through two heads, with all its numbers.

The sentence and the parameters are those of docs/examples/multi-head.pycon.
"""

import json
from html import escape

import numpy as np

from qkv_docs import multi_head_attention, scaled_dot_product_attention, split_heads
from qkv_docs.drawing import heatmap, stack

X = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], dtype=float)
W_Q = np.array([[0, 1, 2, 0], [2, 0, 2, 0], [0, 1, 0, 0], [0, 1, 0, 2]], dtype=float)
W_K = np.array([[1, 0, 2, 0], [0, 1, 0, 0], [1, 1, 0, 0], [1, 0, 0, 2]], dtype=float)
W_V = np.array([[0, 1, 1, 0], [0, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 1]], dtype=float)
W_O = np.array([[0, 0, 1, 0], [1, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]], dtype=float)
Q, K, V = (split_heads(X @ w, 2) for w in (W_Q, W_K, W_V))  # (2, 3, 2)
HEADS, WEIGHTS = scaled_dot_product_attention(Q, K, V)
OUTPUT, _ = multi_head_attention(X, W_Q, W_K, W_V, W_O, n_heads=2)

LINE, HEAT = "var(--qkv-line, #8a8f98)", "var(--qkv-heat, #5b4bb7)"
BLUE, ORANGE, GREEN = (
    "var(--qkv-q, #0061b5)",
    "var(--qkv-k, #a84300)",
    "var(--qkv-v, #007a57)",
)
ROW = 24
BOLD, SMALL = ' font-weight="600"', ' font-size="12"'


def _words(t):
    return [t("我", "I"), t("吃", "eat"), t("苹果", "apples")]


def _text(x, y, text, anchor="middle", more=""):
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _grid(x, y, values, cell, colour, decimals=0):
    """A matrix whose second row is outlined: the row of the word that we follow."""
    strongest = np.abs(values).max()
    parts = []
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            left, top = x + j * cell, y + i * ROW
            opacity = 0.05 + 0.4 * abs(value) / strongest
            parts.append(
                f'<rect x="{left + 1}" y="{top + 1}" width="{cell - 2}" height="{ROW - 2}" rx="3" '
                f'fill="{colour}" fill-opacity="{opacity:.2f}"/>'
                + _text(left + cell / 2, top + 16.5, f"{value:.{decimals}f}")
            )
    width = values.shape[1] * cell
    parts.append(
        f'<rect x="{x}" y="{y + ROW}" width="{width}" height="{ROW}" rx="4" fill="none" '
        'stroke="currentColor" stroke-width="1.5"/>'
    )
    return "".join(parts)


def _arrow(x0, y0, x1, y1):
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    path = f"M{x0} {y0}L{x1} {y1}"
    for side in (1, -1):
        path += f"M{x1} {y1}L{x1 - 6 * dx + side * 4 * dy:.1f} {y1 - 6 * dy - side * 4 * dx:.1f}"
    return f'<path d="{path}" fill="none" stroke="{LINE}" stroke-width="1.5"/>'


def _sheet(height, label, parts):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="qkv-figure" width="360" height="{height}" '
        f'viewBox="0 0 360 {height}" role="img" aria-label="{escape(label)}" fill="currentColor" '
        f'font-family="inherit" font-size="13" font-variant="tabular-nums">{"".join(parts)}</svg>'
    )


def flow(t):
    """X, the heads' Q, K and V, their weights, side by side, and the output."""
    tall = 3 * ROW
    top = [24, 182, 312, 436, 562]
    parts = [
        _text(188, 17, "X (3, 4)", more=BOLD),
        _grid(140, top[0], X, 24, LINE),
        _arrow(176, top[0] + tall + 4, 122, top[1] - 46),
        _arrow(200, top[0] + tall + 4, 274, top[1] - 46),
        _text(136, 122, t("× W 的左两列", "× left half of each W"), "end", SMALL),
        _text(252, 122, t("× W 的右两列", "× right half"), "start", SMALL),
    ]
    for h, (x, name) in enumerate(((52, t("头 1", "head 1")), (208, t("头 2", "head 2")))):
        middle = x + 71
        index = "₁₂"[h]
        parts.append(_text(middle, top[1] - 28, name, more=BOLD))
        for i, (letter, matrix, colour) in enumerate(
            (("Q", Q[h], BLUE), ("K", K[h], ORANGE), ("V", V[h], GREEN))
        ):
            left = x + i * 50
            paint = f' font-weight="600" fill="{colour}"'
            parts.append(_text(left + 21, top[1] - 8, letter + index, more=paint))
            parts.append(_grid(left, top[1], matrix, 21, colour))
        parts += [
            _arrow(x + 46, top[1] + tall + 4, x + 58, top[2] - 8),
            _grid(x + 8, top[2], WEIGHTS[h], 42, HEAT, 3),
            _arrow(middle, top[2] + tall + 4, (146, 230)[h], top[3] - 24),
            _text((116, 262)[h], top[3] - 30, f"× V{index}", ("end", "start")[h], SMALL),
        ]
    parts += [
        _text(188, top[1] + tall + 30, t("分数 → softmax", "scores → softmax"), more=SMALL),
        _text(188, top[3] - 8, t("并排：头 1 | 头 2", "side by side: head 1 | head 2"), more=BOLD),
        _grid(104, top[3], np.hstack(list(HEADS)), 42, GREEN, 3),
        f'<path d="M188 {top[3] - 3}v{tall + 6}" stroke="currentColor" stroke-width="1.5"/>',
        _arrow(188, top[3] + tall + 6, 188, top[4] - 26),
        f'<text x="198" y="{top[3] + tall + 24}" font-size="13">× W<tspan dy="3" font-size="12">O'
        "</tspan></text>",
        _text(188, top[4] - 9, t("输出 (3, 4)", "output (3, 4)"), more=BOLD),
        _grid(104, top[4], OUTPUT, 42, LINE, 3),
    ]
    for x, y in ((134, top[0]), (47, top[1]), (55, top[2]), (99, top[3]), (99, top[4])):
        parts += [
            _text(x, y + i * ROW + 16.5, word, "end", SMALL) for i, word in enumerate(_words(t))
        ]
    height = top[4] + tall + 4
    label = t("两个头的全部数字", "every number of two heads")
    return _sheet(height, label, parts)


def two_heads(t):
    """The attention weights of both heads, side by side."""
    parts = []
    for h, (x, name) in enumerate(((52, t("头 1", "head 1")), (212, t("头 2", "head 2")))):
        parts += [_text(x + 72, 14, name, more=BOLD), _grid(x, 44, WEIGHTS[h], 48, HEAT, 3)]
        for i, word in enumerate(_words(t)):
            parts.append(_text(x + 48 * i + 24, 36, word, more=SMALL))
            if h == 0:
                parts.append(_text(x - 6, 60.5 + i * ROW, word, "end", SMALL))
    return _sheet(118, t("两个头的注意力权重", "the attention weights of two heads"), parts)


def slices(t):
    """W_Q whole, and what is left of it when the embedding is cut first."""
    rows = [t("人", "person"), t("动作", "action"), t("食物", "food"), t("公司", "company")]
    columns = [t("头 1", "h 1"), t("头 1", "h 1"), t("头 2", "h 2"), t("头 2", "h 2")]
    blocks = W_Q.copy()
    blocks[:2, 2:] = blocks[2:, :2] = 0
    return stack(
        heatmap(W_Q, rows, columns, title="W_Q", kind="q", decimals=0),
        heatmap(
            blocks,
            rows,
            columns,
            title=t("先切嵌入，只剩", "X cut first"),
            kind="q",
            decimals=0,
            limit=2,
            show_rows=False,
        ),
        across=True,
        gap=20,
    )


def sum_over_heads(t):
    """What each head adds to the output of "eat"; to be tried with other numbers of heads."""
    words, eat = _words(t), 1
    features = [t("人", "person"), t("动作", "action"), t("食物", "food"), t("公司", "company")]
    parts = [HEADS[h] @ W_O[2 * h : 2 * h + 2] for h in range(2)]  # each (3, 4)
    still = heatmap(
        np.vstack([parts[0][eat], parts[1][eat], OUTPUT[eat]]),
        [t("头 1", "head 1"), t("头 2", "head 2"), t("合计", "sum")],
        features,
        kind="output",
        decimals=3,
        limit=2,
    )
    given = {
        "words": words,
        "features": features,
        "w_q": W_Q.tolist(),
        "w_k": W_K.tolist(),
        "w_v": W_V.tolist(),
        "w_o": W_O.tolist(),
    }
    return f"<qkv-heads data-given='{json.dumps(given, ensure_ascii=False)}'>{still}</qkv-heads>"
