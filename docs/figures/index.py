"""The figure of the home page: one query, three keys, three values."""

from __future__ import annotations

from docs.examples import values
from docs.figures.kit import Label, arrow, cells
from qkv_docs.drawing import FULL, SMALL, Drawing, text

PAGE = values("index", "one-minute")
Q, K, V, WEIGHTS = (PAGE[name] for name in ("Q", "K", "V", "weights"))

TALL, GAP = 32, 4  # height of a cell, and between rows


def lookup(t: Label) -> Drawing:
    """The query of "apples" meets every key; the values are mixed by the attention weights."""
    words = [t("我", "I"), t("吃", "eat"), t("苹果", "apples")]
    rows = [116 + i * (TALL + GAP) for i in range(len(words))]
    end = rows[-1] + TALL
    strongest = max(K.max(), Q.max())
    parts = [
        cells(56, 0, Q, "q", 28, TALL, limit=strongest),
        text(120, 20.5, t("“苹果”的查询 q", "query q of “apples”"), "start", bold=True),
        arrow((84, 36), (84, 61)),
        text(84, 84, t("键 k", "key k"), bold=True),
        text(150, 84, t("分数", "score"), bold=True),
        text(150, 104, "q · k"),
        text(217, 84, t("注意力", "attention"), bold=True),
        text(217, 104, t("权重", "weight"), bold=True),
        text(312, 84, t("值 v", "value v"), bold=True),
        text(290, 104, t("食物", "food"), size=SMALL),
        text(334, 104, t("行动者", "actor"), size=SMALL),
    ]
    for i, y in enumerate(rows):
        parts += [
            text(50, y + 20.5, words[i], "end"),
            cells(56, y, K[i], "k", 28, TALL, limit=strongest),
            text(150, y + 20.5, f"{(Q @ K.T)[0, i]:g}"),
            cells(190, y, WEIGHTS[:, i], "weights", 54, TALL, decimals=3, limit=1),
            text(256, y + 20.5, "×"),
            cells(268, y, V[i], "v", 44, TALL, limit=strongest),
        ]
    parts += [
        arrow((312, end + 4), (312, end + 23)),
        text(256, end + 48, t("加起来，就是输出", "the sum is the output"), "end", bold=True),
        cells(268, end + 27, WEIGHTS @ V, "output", 44, TALL, decimals=3, limit=strongest),
    ]
    label = t("一次查询的全部数字", "every number of one look-up")
    return Drawing(FULL, end + 60, "".join(parts), label)
