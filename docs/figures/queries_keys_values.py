"""Figures of the page queries-keys-values; the numbers are those of its example file."""

import json
from re import search

import numpy as np

from qkv_docs import scaled_dot_product_attention, softmax
from qkv_docs.drawing import COLOURS, arrange, heatmap, size

# The soft dictionary: how much each animal lives on land and in water, and its legs
KEYS = np.array([[3, 0], [2, 0], [2, 2], [0, 3]])
LEGS = np.array([4, 2, 4, 0])
LAND = np.array([1, 0])

# Four tokens, described by the features a, b, c, "?" and the digit
TOKENS = ["a7", "b2", "c5", "b?"]
X = np.array([[1, 0, 0, 0, 7], [0, 1, 0, 0, 2], [0, 0, 1, 0, 5], [0, 1, 0, 1, 0]])
W_Q = np.array([[9, 0, 0], [0, 9, 0], [0, 0, 9], [0, 0, 0], [0, 0, 0]])
W_K = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [-1, -1, -1], [0, 0, 0]])
W_V = np.array([[0], [0], [0], [0], [1]])


def soft_lookup(t):
    """One query, four keys: scores, attention weights, and the weighted mean of the values."""
    scores = KEYS @ LAND
    weights = softmax(scores)
    animals = [t("猫", "cat"), t("母鸡", "hen"), t("青蛙", "frog"), t("鱼", "fish")]
    axes = [t("陆", "land"), t("水", "water")]

    def column(values, above, below, kind, decimals=0, limit=None):
        return heatmap(values[:, None], animals, [below], column_title=above, kind=kind,
                       decimals=decimals, limit=limit, show_rows=False)  # fmt: skip

    table = [
        heatmap(KEYS, animals, axes, column_title=t("键 k", "key k"), kind="k", decimals=0),
        column(scores, t("分数", "score"), "q·k", "scores"),
        column(weights, t("注意力", "attention"), t("权重 a", "weight a"), "weights", 2),
        column(LEGS, t("值 v", "value"), t("腿数", "legs"), "v"),
        column(weights * LEGS, t("相乘", "product"), "a·v", "output", 2, 4),
    ]
    query = heatmap(LAND[None], [t("查询 q", "q")], axes, kind="q", decimals=0, limit=2)
    output = heatmap(weights[None] @ LEGS[:, None], [t("相加，得到输出", "their sum, the output")],
                     kind="output", limit=4)  # fmt: skip

    indent = max(0, _left(query) - _left(table[0]))  # the query stands above the keys
    top, x, places = size(query)[1] + 14, indent, []
    for part in table:
        places.append((part, x, top))
        x += size(part)[0] + 3
    places.append((query, indent + _left(table[0]) - _left(query), 0))
    end = places[4][1] + size(table[4])[0]
    places.append((output, end - size(output)[0], top + size(table[0])[1] + 8))
    given = {"names": animals, "places": axes, "keys": KEYS.tolist(), "values": LEGS.tolist()}
    given = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
    return f"<qkv-dictionary data-given='{given}'>{arrange(places)}</qkv-dictionary>"


def three_views(t):
    """Four tokens go through three matrices: as askers, as labels, as contents."""
    features = ["a", "b", "c", "?", t("数字", "digit")]
    inputs = heatmap(X, TOKENS, features, title="X", kind="x", decimals=0, limit=3)
    top = size(inputs)[1] + 50
    places, arrows, x = [(inputs, 0, 0)], [], 0
    for letter, parameters, names in (
        ("Q", W_Q, "abc"),
        ("K", W_K, "abc"),
        ("V", W_V, [t("数字", "digit")]),
    ):
        view = heatmap(X @ parameters, TOKENS, names, title=letter, kind=letter.lower(),
                       decimals=0, show_rows=letter == "Q")  # fmt: skip
        places.append((view, x, top))
        middle, colour = x + (34 if letter == "Q" else 8), COLOURS[letter.lower()]
        arrows.append(
            f'<path d="M{middle} {top - 40}v28m-4 -6l4 6l4 -6" fill="none" stroke="{colour}" '
            f'stroke-width="2"/><text x="{middle + 10}" y="{top - 21}" fill="{colour}">'
            f'W<tspan dy="3" font-size="12">{letter}</tspan></text>'
        )
        x += size(view)[0] + 22
    return arrange(places).removesuffix("</svg>") + "".join(arrows) + "</svg>"


def ask(t):
    """What b? finds; to be walked through with other cards, questions and matrices."""
    letters = {letter: [int(letter == other) for other in "abc"] for letter in "abc"}
    digit = t("数字", "digit")
    given = {
        "words": {
            f"{letter}{end}": [*row, int(end == "?"), 0 if end == "?" else int(end)]
            for letter, row in letters.items()
            for end in "0123456789?"
        },
        "features": ["a", "b", "c", "?", digit],
        "asked": ["a", "b", "c"],
        "passed": [digit],
        "text": " ".join(TOKENS),
        "row": 3,
        "wq": W_Q.tolist(),
        "wk": W_K.tolist(),
        "wv": W_V.tolist(),
        "decimals": 2,
        "one": True,
    }
    q, k, v = X @ W_Q, X @ W_K, X @ W_V
    output, weights = scaled_dot_product_attention(q[3:] * 1.0, k * 1.0, v * 1.0)
    asks = heatmap(weights, TOKENS[3:], TOKENS, title=t("注意力权重", "attention weights"))
    top = size(asks)[1] + 14
    places, x = [(asks, 0, 0)], 0
    for part in (
        heatmap(v, TOKENS, [digit], title="V", kind="v", decimals=0),
        heatmap(weights.T * v, TOKENS, [digit], title="a·V", kind="output"),
        heatmap(output, TOKENS[3:], [digit], title=t("输出", "output"), kind="output"),
    ):
        places.append((part, x, top))
        x += size(part)[0] + 14
    given = json.dumps(given, separators=(",", ":"), ensure_ascii=False)
    return f"<qkv-attention data-given='{given}'>{arrange(places)}</qkv-attention>"


def _left(figure):
    return float(search(r'<rect x="([\d.]+)"', figure)[1]) - 1
