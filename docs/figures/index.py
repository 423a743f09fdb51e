"""The figure of the home page: one query, three keys, three values."""

from __future__ import annotations

from docs.examples import values
from docs.figures import self_attention as sentence
from docs.figures.kit import Label, Played, arrow, cells
from qkv_docs.drawing import FULL, SMALL, Drawing, text

PAGE = values("index", "one-minute")
Q, K, V, WEIGHTS, SCALED = (PAGE[name] for name in ("Q", "K", "V", "weights", "scaled"))

TALL, GAP = 32, 4  # height of a cell, and between rows


VERBS = [("吃", "eat"), ("看", "see"), ("起诉", "sue")]


def lookup(t: Label) -> Played:
    """One word asks a sentence of three, whose verb can be changed."""
    words = [("我", "I"), VERBS[0], ("苹果", "apples")]
    given = {
        "sentence": [t(*word) for word in words],
        "verbs": [t(*verb) for verb in VERBS],
        "words": {t(*word): sentence.WORDS[word] for word in [*words, *VERBS]},
        "passed": [t("食物", "food"), t("行动者", "actor")],
        "wq": sentence.W_Q,
        "wk": sentence.W_K,
        "wv": sentence.W_V,
    }
    return Played("lookup", _still(t), given)


def _still(t: Label) -> Drawing:
    """The query of "apples" meets every key; the values are mixed by the attention weights."""
    words = [t("我", "I"), t("吃", "eat"), t("苹果", "apples")]
    rows = [116 + i * (TALL + GAP) for i in range(len(words))]
    end = rows[-1] + TALL
    strongest = max(K.max(), Q.max())
    asking = t("1 提问：“苹果”的查询 q", "1 ask: query q of “apples”")
    parts = [
        cells(56, 0, Q, "q", 28, TALL, limit=strongest),
        text(120, 20.5, asking, "start", bold=True),
        arrow((84, 36), (84, 61)),
        text(104, 84, t("2 对照", "2 compare"), bold=True),
        text(84, 104, t("键 k", "key k")),
        text(136, 104, "q · k"),
        text(206, 84, t("3 分配", "3 share out"), bold=True),
        text(178, 104, "÷ √2"),
        text(228, 104, "softmax", size=SMALL),
        text(312, 84, t("4 取值 v", "4 collect v"), bold=True),
        text(290, 104, t("食物", "food"), size=SMALL),
        text(334, 104, t("行动者", "actor"), size=SMALL),
    ]
    for i, y in enumerate(rows):
        parts += [
            text(50, y + 20.5, words[i], "end"),
            cells(56, y, K[i], "k", 28, TALL, limit=strongest),
            text(136, y + 20.5, f"{(Q @ K.T)[0, i]:g}"),
            text(178, y + 20.5, f"{SCALED[0, i]:.3f}"),
            cells(203, y, WEIGHTS[:, i], "weights", 50, TALL, decimals=3, limit=1),
            text(260, y + 20.5, "×"),
            cells(268, y, V[i], "v", 44, TALL, limit=strongest),
        ]
    parts += [
        arrow((312, end + 4), (312, end + 23)),
        text(256, end + 48, t("加起来，就是输出", "the sum is the output"), "end", bold=True),
        cells(268, end + 27, WEIGHTS @ V, "output", 44, TALL, decimals=3, limit=strongest),
    ]
    label = t("一次查询的全部数字", "every number of one look-up")
    return Drawing(FULL, end + 60, "".join(parts), label)
