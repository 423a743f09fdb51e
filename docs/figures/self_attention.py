"""The figures of the page self-attention: one sentence of three words, step by step.

The input and the parameters are those of docs/examples/self-attention.pycon.
"""

import json
from html import escape

import numpy as np

from qkv_docs import scaled_dot_product_attention, softmax
from qkv_docs.drawing import arrange, heatmap, size, stack

X = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], dtype=float)
W_Q = np.array([[0, 1], [2, 0], [0, 1], [0, 1]])
W_K = np.array([[1, 0], [0, 1], [1, 1], [1, 0]])
W_V = np.array([[0, 1], [0, 0], [1, 0], [0, 1]])
Q, K, V = X @ W_Q, X @ W_K, X @ W_V
SCORES = Q @ K.T
SCALED = SCORES / np.sqrt(2)
OUTPUT, WEIGHTS = scaled_dot_product_attention(Q, K, V)

# What the sentence may be changed to: person, action, food, company, by hand like the rest
WORDS = {
    ("我", "I"): (1, 0, 0, 0),
    ("她", "she"): (1, 0, 0, 0),
    ("农民", "farmers"): (1, 0, 1, 0),
    ("工程师", "engineers"): (1, 0, 0, 1),
    ("吃", "eat"): (0, 1, 1, 0),
    ("种", "grow"): (0, 1, 1, 0),
    ("看", "see"): (0, 1, 0, 0),
    ("喜欢", "like"): (0, 1, 0, 0),
    ("发布", "launch"): (0, 1, 0, 1),
    ("投资", "fund"): (0, 1, 0, 1),
    ("苹果", "apples"): (0, 0, 1, 1),
    ("小米", "blackberries"): (0, 0, 1, 1),
    ("橙子", "oranges"): (0, 0, 1, 0),
    ("面包", "bread"): (0, 0, 1, 0),
    ("手机", "phones"): (0, 0, 0, 1),
    ("股票", "shares"): (0, 0, 0, 1),
    ("和", "and"): (0, 0, 0, 0),
    ("不", "not"): (0, 0, 0, 0),
}

COLOURS = {
    "x": "var(--qkv-line, #8a8f98)",
    "q": "var(--qkv-q, #0061b5)",
    "k": "var(--qkv-k, #a84300)",
    "v": "var(--qkv-v, #007a57)",
    "heat": "var(--qkv-heat, #5b4bb7)",
}
ROW = 24  # height of a cell of the overview


def _words(t):
    return [t("我", "I"), t("吃", "eat"), t("苹果", "apples")]


def _features(t):
    return [t("人", "person"), t("动作", "action"), t("食物", "food"), t("公司", "company")]


def _text(x, y, text, anchor="middle", more=""):
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _grid(x, y, values, cell, colour, name, decimals=0):
    """A titled matrix whose last row is outlined: the row of the word that we follow."""
    rows, columns = values.shape
    strongest = np.abs(values).max()
    title = f'<tspan font-weight="600">{escape(name)}</tspan> ({rows}, {columns})'
    parts = [f'<text x="{x + columns * cell / 2}" y="{y - 7}" text-anchor="middle">{title}</text>']
    for i, row in enumerate(values):
        for j, value in enumerate(row):
            left, top = x + j * cell, y + i * ROW
            opacity = 0.05 + 0.4 * abs(value) / strongest
            parts.append(
                f'<rect x="{left + 1}" y="{top + 1}" width="{cell - 2}" height="{ROW - 2}" rx="3" '
                f'fill="{colour}" fill-opacity="{opacity:.2f}"/>'
                + _text(left + cell / 2, top + 16.5, f"{value:.{decimals}f}")
            )
    parts.append(
        f'<rect x="{x}" y="{y + (rows - 1) * ROW}" width="{columns * cell}" height="{ROW}" rx="4" '
        f'fill="none" stroke="currentColor" stroke-width="1.5"/>'
    )
    return "".join(parts)


def _times(x, letter, colour, anchor):
    """The label of an arrow: × W with an index."""
    index = f'<tspan dy="3" font-size="12">{letter}</tspan>'
    return (
        f'<text x="{x}" y="122" text-anchor="{anchor}" font-size="14" fill="{colour}">'
        f"× W{index}</text>"
    )


def _arrow(*points):
    """A path whose last stretch ends in an arrow head."""
    (x0, y0), (x1, y1) = points[-2:]
    length = ((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
    for side in (1, -1):
        path += f"M{x1:.1f} {y1:.1f}L{x1 - 6 * dx + side * 4 * dy:.1f} "
        path += f"{y1 - 6 * dy - side * 4 * dx:.1f}"
    return f'<path d="{path}" fill="none" stroke="{COLOURS["x"]}" stroke-width="1.5"/>'


def steps(t):
    """X, Q/K/V, scores and weights, output: all the numbers on one sheet."""
    words = _words(t)
    q, k, v, heat = (COLOURS[name] for name in ("q", "k", "v", "heat"))
    tall = 3 * ROW
    top = [24, 166, 308, 450]  # of the four storeys
    parts = [
        _grid(132, top[0], X, 24, COLOURS["x"], "X"),
        _arrow((132, top[0] + tall + 4), (84, top[1] - 28)),
        _arrow((180, top[0] + tall + 4), (180, top[1] - 28)),
        _arrow((228, top[0] + tall + 4), (314, top[1] - 28)),
        _times(98, "Q", q, "end"),
        _times(188, "K", k, "start"),
        _times(288, "V", v, "start"),
        _grid(46, top[1], Q, 24, q, "Q"),
        _grid(156, top[1], K, 24, k, "K"),
        _grid(310, top[1], V, 24, v, "V"),
        _arrow((70, top[1] + tall + 4), (70, top[2] - 28)),
        _arrow((180, top[1] + tall + 4), (98, top[2] - 28)),
        _text(158, 264, "Q Kᵀ", "start"),
        _grid(46, top[2], SCORES, 24, heat, t("分数", "scores")),
        _arrow((124, top[2] + tall / 2), (172, top[2] + tall / 2)),
        _text(148, top[2] + 27, "÷ √2"),
        _text(148, top[2] + 55, "softmax", more=' font-size="12"'),
        _grid(178, top[2], WEIGHTS, 42, heat, t("注意力权重", "attention weights"), 3),
        _arrow((241, top[2] + tall + 4), (241, top[3] - 28)),
        _arrow((334, top[1] + tall + 4), (334, top[3] - 50), (276, top[3] - 28)),
        _grid(199, top[3], OUTPUT, 42, v, t("输出", "output"), 3),
    ]
    for x, y in ((126, top[0]), (41, top[1]), (41, top[2]), (193, top[3])):
        parts += [
            _text(x, y + i * ROW + 16.5, word, "end", ' font-size="12"')
            for i, word in enumerate(words)
        ]
    label = t(
        "从 X 到输出的全部数字，第三行（苹果）加了框",
        "every number from X to the output, the third row (apples) framed",
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" class="qkv-figure" width="360" height="526" '
        f'viewBox="0 0 360 526" role="img" aria-label="{escape(label)}" fill="currentColor" '
        'font-family="inherit" font-size="13" font-variant="tabular-nums">'
        f"{''.join(parts)}</svg>"
    )


def walk(t):
    """The last step; to be walked through with other words and other matrices."""
    given = {
        "words": {t(*word): vector for word, vector in WORDS.items()},
        "features": _features(t),
        "asked": [t("名词", "noun"), t("动词", "verb")],
        "passed": [t("食物", "food"), t("行动者", "actor")],
        "text": t("我吃苹果", "I eat apples"),
        "row": 2,
        "wq": W_Q.tolist(),
        "wk": W_K.tolist(),
        "wv": W_V.tolist(),
        "decimals": 3,
    }
    shares, values = weights(t), heatmap(V, None, given["passed"], title="V", decimals=0, kind="v")
    right = size(shares)[0] + 24
    still = arrange([(shares, 0, 0), (values, right, 0), (output(t), 0, size(shares)[1] + 14)])
    given = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
    return f"<qkv-attention data-given='{given}'>{still}</qkv-attention>"


def sentence(t):
    """X: one row per word."""
    return heatmap(X, _words(t), _features(t), title="X", decimals=0, kind="x")


def projections(t):
    """Q, K and V side by side."""
    asked = [t("名词", "noun"), t("动词", "verb")]
    passed = [t("食物", "food"), t("行动者", "actor")]
    return stack(
        heatmap(Q, _words(t), asked, title="Q", decimals=0, kind="q"),
        heatmap(K, None, asked, title="K", decimals=0, kind="k"),
        heatmap(V, None, passed, title="V", decimals=0, kind="v"),
        across=True,
        gap=14,
    )


def scores(t):
    """How well each query meets each key."""
    return heatmap(
        SCORES,
        _words(t),
        _words(t),
        title=t("分数 Q Kᵀ", "scores Q Kᵀ"),
        row_title=t("查询 ↓", "query ↓"),
        column_title=t("键 →", "key →"),
        decimals=0,
        kind="scores",
    )


def weights(t):
    """Every row sums to 1."""
    return heatmap(
        WEIGHTS,
        _words(t),
        _words(t),
        title=t("注意力权重", "attention weights"),
        row_title=t("查询 ↓", "query ↓"),
        column_title=t("键 →", "key →"),
        decimals=3,
        kind="weights",
    )


def wrong_axis(t):
    """Softmax down the columns: the rows no longer sum to 1."""
    wrong = softmax(SCALED, axis=0)
    rows = [f"{word} Σ={row.sum():.3f}" for word, row in zip(_words(t), wrong, strict=True)]
    return heatmap(
        wrong,
        rows,
        _words(t),
        title=t("错：softmax(…, axis=0)", "wrong: softmax(…, axis=0)"),
        row_title=t("查询 ↓", "query ↓"),
        decimals=3,
        kind="weights",
    )


def output(t):
    """One row per word: a weighted sum of the rows of V."""
    columns = [t("食物", "food"), t("行动者", "actor")]
    return heatmap(OUTPUT, _words(t), columns, title=t("输出", "output"), decimals=3, kind="output")
