"""Figures of the page queries-keys-values; the numbers are those of its example file."""

from re import search

import numpy as np

from qkv_docs import softmax
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
    places = [t("陆", "land"), t("水", "water")]

    def column(values, above, below, kind, decimals=0, limit=None):
        return heatmap(values[:, None], animals, [below], column_title=above, kind=kind,
                       decimals=decimals, limit=limit, show_rows=False)  # fmt: skip

    table = [
        heatmap(KEYS, animals, places, column_title=t("键 k", "key k"), kind="k", decimals=0),
        column(scores, t("分数", "score"), "q·k", "scores"),
        column(weights, t("注意力", "attention"), t("权重 a", "weight a"), "weights", 2),
        column(LEGS, t("值 v", "value"), t("腿数", "legs"), "v"),
        column(weights * LEGS, t("相乘", "product"), "a·v", "output", 2, 4),
    ]
    query = heatmap(LAND[None], [t("查询 q", "q")], places, kind="q", decimals=0, limit=2)
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
    return arrange(places)


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


def _left(figure):
    return float(search(r'<rect x="([\d.]+)"', figure)[1]) - 1
