"""The figures of the page cross-attention; the numbers are those of its example file."""

import json
from html import escape

import numpy as np

from qkv_docs import causal_mask, scaled_dot_product_attention
from qkv_docs.drawing import COLOURS, heatmap

READ = ["我", "昨天", "喝", "了", "茶"]
WRITTEN = ["I", "drank", "tea", "yesterday"]
X = np.eye(4)
C = np.array([[1, 0, 0, 0, 0], [0, 0, 0, 1, 0], [0, 1, 0, 0, 0], [0, 1, 0, 0, 1], [0, 0, 1, 0, 0]])
W_Q, W_K, W_V = 10 * np.eye(4), np.eye(5, 4), np.eye(5)
Q, K, V = X @ W_Q, C @ W_K, C @ W_V
OUTPUT, WEIGHTS = scaled_dot_product_attention(Q, K, V)

ROW = 22


def _text(x, y, text, anchor="middle", more=""):
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _grid(x, y, values, cell, kind, name, rows=(), decimals=0):
    """A matrix whose title carries its shape; the row of "drank" or its two sources framed."""
    n_rows, n_columns = values.shape
    title = f'<tspan font-weight="600">{escape(name)}</tspan> ({n_rows}, {n_columns})'
    parts = [
        f'<text x="{x + n_columns * cell / 2:g}" y="{y - 7}" text-anchor="middle">{title}</text>'
    ]
    parts += [
        _text(x - 5, y + i * ROW + 15.5, row, "end", ' font-size="12"')
        for i, row in enumerate(rows)
    ]
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            strength = 0.05 + 0.4 * abs(value) / np.abs(values).max()
            left, top = x + j * cell, y + i * ROW
            parts.append(
                f'<rect x="{left + 1}" y="{top + 1}" width="{cell - 2}" height="{ROW - 2}" rx="3" '
                f'fill="{COLOURS[kind]}" fill-opacity="{strength:.2f}"/>'
                + _text(
                    left + cell / 2, top + 15.5, f"{value:.{decimals}f}", more=' font-size="12"'
                )
            )
    first, count = (2, 2) if n_rows == 5 else (1, 1)  # 喝 and 了, or drank
    parts.append(
        f'<rect x="{x}" y="{y + first * ROW}" width="{n_columns * cell}" height="{count * ROW}" '
        'rx="4" fill="none" stroke="currentColor" stroke-width="1.5"/>'
    )
    return "".join(parts)


def _arrow(*points):
    """A path whose last stretch ends in an arrow head."""
    (x0, y0), (x1, y1) = points[-2:]
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
    for side in (1, -1):
        path += f"M{x1:g} {y1:g}L{x1 - 6 * dx + side * 4 * dy:.1f} "
        path += f"{y1 - 6 * dy - side * 4 * dx:.1f}"
    return f'<path d="{path}" fill="none" stroke="{COLOURS["x"]}" stroke-width="1.5"/>'


def _times(x, y, letter, kind, anchor="start"):
    index = f'<tspan dy="3" font-size="12">{letter}</tspan>'
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{COLOURS[kind]}">× W{index}</text>'


def sides(t):
    """Every number from the two sides to the output; the row of "drank" framed."""
    bold = ' font-weight="600"'
    parts = [
        _text(104, 14, t("写的一边：提问", "writes: asks"), more=bold),
        _text(272, 14, t("被读的一边", "is read"), more=bold),
        _grid(64, 44, X, 20, "x", "X", WRITTEN),
        _grid(222, 44, C, 20, "x", "C", READ),
        _arrow((104, 136), (104, 186)),
        _times(112, 164, "Q", "q"),
        _arrow((252, 158), (226, 186)),
        _times(232, 176, "K", "k", "end"),
        _arrow((292, 158), (310, 186)),
        _times(310, 176, "V", "v"),
        _grid(64, 214, Q, 20, "q", "Q", WRITTEN),
        _grid(172, 214, K, 20, "k", "K"),
        _grid(260, 214, V, 20, "v", "V"),
        _arrow((104, 306), (124, 362)),
        _arrow((212, 328), (188, 362)),
        _grid(64, 390, WEIGHTS, 36, "weights", t("注意力权重", "attention weights"), WRITTEN, 2),
        _arrow((154, 482), (154, 520)),
        _arrow((310, 328), (310, 544), (250, 560)),
        _grid(64, 548, OUTPUT, 36, "output", t("输出", "output"), WRITTEN, 2),
    ]
    label = t("交叉注意力的全部数字", "every number of a cross-attention")
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" class="qkv-figure" width="362" height="640" '
        f'viewBox="0 0 362 640" role="img" aria-label="{escape(label)}" fill="currentColor" '
        'font-family="inherit" font-size="13" font-variant="tabular-nums">'
        f"{''.join(parts)}</svg>"
    )


def _map(t, weights):
    return heatmap(
        weights,
        WRITTEN,
        READ,
        row_title=t("要写 ↓", "to write ↓"),
        column_title=t("被读 →", "is read →"),
    )


def alignment(t):
    """Which word of the source each word of the translation is made from."""
    return _map(t, WEIGHTS)


def causal(t):
    """The same with a causal mask, which does not belong here."""
    return _map(t, scaled_dot_product_attention(Q, K, V, causal_mask(4, 5))[1])


def drank(t):
    """What "drank" receives, word by word; to be tried with the sides swapped."""
    columns = [t("谁", "who"), t("动作", "action"), t("东西", "thing"), t("时间", "time")]
    columns.append(t("过去", "past"))
    still = heatmap(
        np.vstack([WEIGHTS[1][:, None] * V, OUTPUT[1]]),
        [*READ, t("合计", "sum")],
        columns,
        row_title="drank",
        kind="output",
        limit=1,
    )
    given = json.dumps({"en": WRITTEN, "zh": READ, "features": columns}, ensure_ascii=False)
    return f"<qkv-cross data-given='{given}'>{still}</qkv-cross>"
