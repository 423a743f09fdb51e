"""The figures of the page queries-keys-values: a soft dictionary, and four tokens seen thrice."""

from __future__ import annotations

import numpy as np

from docs.examples import values
from docs.figures.kit import Label, Played, arrow
from qkv_docs import heatmap
from qkv_docs.drawing import COLOURS, Drawing, arrange, text

SOFT = values("queries-keys-values", "soft-lookup")
PAGE = values("queries-keys-values", "answer")
TOKENS = ["a7", "b2", "c5", "b?"]


def soft_lookup(t: Label) -> Played:
    """One query, four keys: scores, attention weights, and the weighted mean of the values."""
    keys, scores, weights, legs = (SOFT[name] for name in ("keys", "scores", "weights", "values"))
    animals = [t("猫", "cat"), t("母鸡", "hen"), t("青蛙", "frog"), t("鱼", "fish")]
    axes = [t("陆", "land"), t("水", "water")]

    def column(
        values: np.ndarray, above: str, below: str, kind: str, decimals: int = 0,
        limit: float | None = None,
    ) -> Drawing:  # fmt: skip
        return heatmap(values[:, None], animals, [below], column_title=above, kind=kind,
                       decimals=decimals, limit=limit, show_rows=False)  # fmt: skip

    table = [
        heatmap(keys, animals, axes, column_title=t("键 k", "key k"), kind="k", decimals=0),
        column(scores, t("分数", "score"), "q·k", "scores"),
        column(weights, t("注意力", "attention"), t("权重 a", "weight a"), "weights", 2),
        column(legs, t("值 v", "value"), t("腿数", "legs"), "v"),
        column(weights * legs, t("相乘", "product"), "a × v", "output", 2, legs.max()),
    ]
    query = heatmap(SOFT["land"][None], [t("查询 q", "q")], axes, kind="q", decimals=0, limit=2)
    output = heatmap([[weights @ legs]], [t("相加，得到输出", "their sum, the output")],
                     kind="output", limit=legs.max())  # fmt: skip

    # The query stands above the keys, cell above cell: both end where their cells end.
    end = max(query.width, table[0].width)
    top, x, places = query.height + 14, end - table[0].width, [(query, end - query.width, 0.0)]
    for part in table:
        places.append((part, x, top))
        x += part.width + 3
    places.append((output, x - 3 - output.width, top + table[0].height + 8))
    given = {"names": animals, "places": axes, "keys": keys, "values": legs}
    return Played("dictionary", arrange(places), given)


def three_views(t: Label) -> Drawing:
    """Four tokens go through three matrices: as askers, as labels, as contents."""
    digit = t("数字", "digit")
    inputs = heatmap(PAGE["X"], TOKENS, ["a", "b", "c", "?", digit], title="X", kind="x",
                     decimals=0, limit=3)  # fmt: skip
    top = inputs.height + 50
    places, arrows, x = [(inputs, 0.0, 0.0)], [], 0.0
    for letter, columns in {"Q": "abc", "K": "abc", "V": [digit]}.items():
        view = heatmap(PAGE[letter], TOKENS, columns, title=letter, kind=letter.lower(),
                       decimals=0, show_rows=letter == "Q")  # fmt: skip
        places.append((view, x, top))
        middle, colour = x + (34 if letter == "Q" else 8), COLOURS[letter.lower()]
        arrows += [
            arrow((middle, top - 40), (middle, top - 12), colour=colour, width=2),
            text(middle + 10, top - 21, f"W_{letter}", "start", fill=colour),
        ]
        x += view.width + 22
    whole = arrange(places)
    return Drawing(whole.width, whole.height, whole.body + "".join(arrows), whole.label)


def ask(t: Label) -> Played:
    """What b? finds; to be walked through with other cards, questions and matrices."""
    row, digit = TOKENS.index("b?"), t("数字", "digit")
    letters, features = "abc", ["a", "b", "c", "?", digit]
    v, output, weights = PAGE["V"], PAGE["output"][[row]], PAGE["weights"][[row]]
    given = {
        "words": {
            f"{letter}{end}": [
                *(int(letter == other) for other in letters),
                int(end == "?"),
                0 if end == "?" else int(end),
            ]
            for letter in letters
            for end in "0123456789?"
        },
        "features": features,
        "asked": list(letters),
        "passed": [digit],
        "text": " ".join(TOKENS),
        "row": row,
        "wq": PAGE["W_Q"],
        "wk": PAGE["W_K"],
        "wv": PAGE["W_V"],
        "decimals": 2,
        "one": True,
    }
    asks = heatmap(weights, TOKENS[row:], TOKENS, title=t("注意力权重", "attention weights"))
    places, x = [(asks, 0.0, 0.0)], 0.0
    for part in (
        heatmap(v, TOKENS, [digit], title="V", kind="v", decimals=0),
        heatmap(
            weights.T * v, TOKENS, [digit], title=t("各乘权重", "each × its weight"), kind="output"
        ),
        heatmap(output, TOKENS[row:], [digit], title=t("输出", "output"), kind="output"),
    ):
        places.append((part, x, asks.height + 14))
        x += part.width + 14
    return Played("attention", arrange(places), given)
