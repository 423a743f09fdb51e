"""The figures of the page backpropagation: one query there and back, a Jacobian, one sentence.

The numbers are those of docs/examples/backpropagation.pycon.
"""

import json
from html import escape

import numpy as np

from qkv_docs import scaled_dot_product_attention, softmax, softmax_backward
from qkv_docs.drawing import COLOURS, heatmap

X = np.array([[1.0, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]])
W_Q = np.array([[0.0, 1], [2, 0], [0, 1], [0, 1]])
W_K = np.array([[1.0, 0], [0, 1], [1, 1], [1, 0]])
W_V = np.array([[0.0, 1], [0, 0], [1, 0], [0, 1]])
TARGETS = np.array([[0.0, 1], [1, 0], [1, 0]])
Q, K, V = X @ W_Q, X @ W_K, X @ W_V

ROW, WIDE, NARROW = 24, 43, 54  # height of a cell, width of one of two and of a single one
LEFT = {"K": 44, "s": 139, "a": 203, "V": 271}
TOP = {"q": 36, "there": 122, "o": 232, "grad_o": 318, "back": 410, "grad_q": 510}


def _words(t):
    return [t("我", "I"), t("吃", "eat"), t("苹果", "apples")]


def _text(x, y, text, anchor="middle", more=""):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _number(value, decimals):
    text = f"{abs(value):.{decimals}f}"
    return f"−{text}" if value < 0 and float(text) else text


def _cells(x, y, values, colour, name, decimals=3):
    """A matrix, or a vector in the direction it has here, under its name and shape."""
    rows = values.reshape(-1, 2 if x in (LEFT["K"], LEFT["V"]) else 1)
    cell = WIDE if rows.shape[1] == 2 else NARROW
    middle = x + rows.shape[1] * cell / 2
    parts = [
        _text(middle, y - 21, name, more=' font-weight="600"'),
        _text(middle, y - 6, str(values.shape)),
    ]
    strongest = np.abs(rows).max()
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            left, top = x + j * cell, y + i * ROW
            fill = colour if value > 0 else COLOURS["x"]  # as in every heat map
            parts.append(
                f'<rect x="{left + 1}" y="{top + 1}" width="{cell - 2}" height="{ROW - 2}" rx="3" '
                f'fill="{fill}" fill-opacity="{0.05 + 0.4 * abs(value) / strongest:.2f}"/>'
                + _text(left + cell / 2, top + 16.5, _number(value, decimals))
            )
    return "".join(parts)


def _arrow(x0, y0, x1, y1):
    """A line from the first point to the second, which ends in an arrow head."""
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    path = f"M{x0} {y0}L{x1} {y1}"
    for side in (1, -1):
        path += f"M{x1} {y1}L{x1 - 5 * dx + side * 4 * dy:.1f} {y1 - 5 * dy - side * 4 * dx:.1f}"
    return f'<path d="{path}" fill="none" stroke="currentColor" stroke-width="1.5"/>'


def there_and_back(t):
    """One query, two keys: numbers to the right above, gradients to the left below."""
    q, k, v = Q[2], K[1:], V[1:]
    s = k @ q / 2**0.5
    a = softmax(s)
    o = a @ v
    grad_o = o - TARGETS[2]
    loss = (grad_o**2).sum() / 2
    grad_a = v @ grad_o
    grad_s = softmax_backward(grad_a, a)
    grad_k, grad_q = np.outer(grad_s, q) / 2**0.5, grad_s @ k / 2**0.5
    blue, orange, green, heat = (COLOURS[name] for name in ("q", "k", "v", "weights"))
    x, y = LEFT, TOP
    there, back, bold = y["there"] + ROW, y["back"] + ROW, ' font-weight="600"'
    parts = [
        _text(358, y["q"] + 16.5, t("前向 →", "forward →"), "end", bold),
        _cells(x["K"], y["q"], q, blue, "q", 0),
        _cells(x["K"], y["there"], k, orange, "K", 0),
        _cells(x["s"], y["there"], s, heat, "s"),
        _cells(x["a"], y["there"], a, heat, "a"),
        _cells(x["V"], y["there"], v, green, "V", 0),
        _arrow(x["K"] + 88, y["q"] + 16, x["s"] + 22, y["there"] - 34),
        _arrow(x["K"] + 87, there, x["s"], there),
        _arrow(x["s"] + 55, there, x["a"], there),
        _arrow(x["a"] + 28, there + 28, x["V"] + 6, y["o"] - 34),
        _arrow(x["V"] + 43, there + 28, x["V"] + 43, y["o"] - 34),
        _cells(x["V"], y["o"], o, green, "o"),
        _arrow(x["V"] - 4, y["o"] + 14, 216, y["o"] + 30),
        _text(212, y["o"] + 38, f"L = ½ ‖o − target‖² = {loss:.3f}", "end"),
        _text(212, y["o"] + 55, "target = (1, 0)", "end"),
        _arrow(216, y["o"] + 50, x["V"] - 4, y["grad_o"] + 8),
        _cells(x["V"], y["grad_o"], grad_o, green, "grad_o"),
        _arrow(x["V"] + 43, y["grad_o"] + 28, x["V"] + 43, y["back"] - 34),
        _arrow(x["V"] + 6, y["grad_o"] + 28, x["a"] + 28, y["back"] - 34),
        _cells(x["V"], y["back"], np.outer(a, grad_o), green, "grad_V"),
        _cells(x["a"], y["back"], grad_a, heat, "grad_a"),
        _cells(x["s"], y["back"], grad_s, heat, "grad_s"),
        _cells(x["K"], y["back"], grad_k, orange, "grad_K"),
        _arrow(x["a"], back, x["s"] + 55, back),
        _arrow(x["s"], back, x["K"] + 87, back),
        _arrow(x["s"] + 22, back + 28, x["K"] + 88, y["grad_q"] + 8),
        _cells(x["K"], y["grad_q"], grad_q, blue, "grad_q"),
        _text(358, y["grad_q"] + 16.5, t("← 反向", "← backward"), "end", bold),
    ]
    _, eat, apples = _words(t)
    named = [("q", 0, apples), ("grad_q", 0, apples)]
    named += [(band, i, word) for band in ("there", "back") for i, word in enumerate((eat, apples))]
    parts += [_text(39, y[band] + i * ROW + 16.5, word, "end") for band, i, word in named]
    label = t("一个查询、两个键的前向与反向", "one query and two keys, forward and backward")
    still = (
        '<svg xmlns="http://www.w3.org/2000/svg" class="qkv-figure" width="360" height="538" '
        f'viewBox="0 0 360 538" role="img" aria-label="{escape(label)}" fill="currentColor" '
        'font-family="inherit" font-size="12" font-variant="tabular-nums">'
        f"{''.join(parts)}</svg>"
    )
    given = {"words": [eat, apples], "q": q, "k": k, "v": v, "t": TARGETS[2]}
    given = json.dumps(given, default=lambda array: array.astype(int).tolist(), ensure_ascii=False)
    return f"<qkv-gradient data-given='{given}'>{still}</qkv-gradient>"


def jacobian(t):
    """What one score does to each attention weight, for the query of apples."""
    row = softmax(Q[2] @ K.T / 2**0.5)
    return heatmap(
        np.diag(row) - np.outer(row, row),
        _words(t),
        _words(t),
        title="J",
        row_title=t("a 动多少 ↓", "a moves ↓"),
        column_title=t("推一下 s →", "push s →"),
        decimals=3,
        kind="scores",
    )


def scores(t):
    """The gradient of every score of the sentence."""
    output, weights = scaled_dot_product_attention(Q, K, V)
    return heatmap(
        softmax_backward((output - TARGETS) @ V.T, weights),
        _words(t),
        _words(t),
        title="grad_S",
        row_title=t("查询 ↓", "query ↓"),
        column_title=t("键 →", "key →"),
        decimals=3,
        kind="scores",
    )
