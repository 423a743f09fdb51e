"""The figures of the page self-attention: one sentence of three words, step by step."""

from __future__ import annotations

import numpy as np

from docs.examples import values
from docs.figures.kit import Label, Played, arrow, grid
from qkv_docs.drawing import COLOURS, FULL, SMALL, Drawing, arrange, heatmap, stack, text

PAGE = values("self-attention", "output")
X, W_Q, W_K, W_V = (PAGE[name] for name in ("X", "W_Q", "W_K", "W_V"))
Q, K, V = (PAGE[name] for name in ("Q", "K", "V"))
SCORES, WEIGHTS, OUTPUT = (PAGE[name] for name in ("scores", "weights", "output"))

# What the sentence may be changed to, and the features of each word
PERSON, ACTION, FOOD, COMPANY = np.eye(4)
ME, EAT, APPLES = X
WORDS = {
    ("我", "I"): ME,
    ("她", "she"): PERSON,
    ("农民", "farmers"): PERSON + FOOD,
    ("工程师", "engineers"): PERSON + COMPANY,
    ("吃", "eat"): EAT,
    ("种", "grow"): ACTION + FOOD,
    ("看", "see"): ACTION,
    ("喜欢", "like"): ACTION,
    ("起诉", "sue"): ACTION + COMPANY,
    ("投资", "fund"): ACTION + COMPANY,
    ("苹果", "apples"): APPLES,
    ("小米", "blackberries"): FOOD + COMPANY,
    ("橙子", "oranges"): FOOD,
    ("面包", "bread"): FOOD,
    ("手机", "phones"): COMPANY,
    ("股票", "shares"): COMPANY,
    ("和", "and"): 0 * ME,
    ("不", "not"): 0 * ME,
}


def _words(t: Label) -> list[str]:
    return [t("我", "I"), t("吃", "eat"), t("苹果", "apples")]


def _features(t: Label) -> list[str]:
    return [t("人", "person"), t("动作", "action"), t("食物", "food"), t("公司", "company")]


def _times(x: float, letter: str, anchor: str) -> str:
    """The label of an arrow: × W with an index."""
    return text(x, 122, f"× W_{letter}", anchor, size=14, fill=COLOURS[letter.lower()])


def steps(t: Label) -> Drawing:
    """X, Q/K/V, scores and weights, output: all the numbers on one sheet."""
    words, apples = _words(t), range(2, 3)
    top, tall = [24, 166, 308, 450], 72  # of the four storeys
    parts = [
        grid(132, top[0], X, "x", 24, title="X", rows=words, framed=apples),
        arrow((132, top[0] + tall + 4), (84, top[1] - 28)),
        arrow((180, top[0] + tall + 4), (180, top[1] - 28)),
        arrow((228, top[0] + tall + 4), (314, top[1] - 28)),
        _times(86, "Q", "end"),
        _times(188, "K", "start"),
        _times(300, "V", "start"),
        grid(46, top[1], Q, "q", 24, title="Q", rows=words, framed=apples),
        grid(156, top[1], K, "k", 24, title="K", framed=apples),
        grid(310, top[1], V, "v", 24, title="V", framed=apples),
        arrow((70, top[1] + tall + 4), (70, top[2] - 28)),
        arrow((180, top[1] + tall + 4), (98, top[2] - 28)),
        text(168, 268, "Q Kᵀ", "start"),
        grid(46, top[2], SCORES, "scores", 24, title=t("分数", "scores"), rows=words,
             framed=apples),
        arrow((124, top[2] + tall / 2), (172, top[2] + tall / 2)),
        text(148, top[2] + 27, "÷ √2"),
        text(148, top[2] + 55, "softmax", size=SMALL),
        grid(178, top[2], WEIGHTS, "weights", 42, title=t("注意力权重", "attention weights"),
             framed=apples, decimals=3),
        arrow((241, top[2] + tall + 4), (241, top[3] - 28)),
        arrow((334, top[1] + tall + 4), (334, top[3] - 50), (276, top[3] - 28)),
        grid(199, top[3], OUTPUT, "output", 42, title=t("输出", "output"), rows=words,
             framed=apples, decimals=3),
    ]  # fmt: skip
    label = t(
        "从 X 到输出的全部数字，第三行（苹果）加了框",
        "every number from X to the output, the third row (apples) framed",
    )
    return Drawing(FULL, top[3] + tall + 4, "".join(parts), label)


def walk(t: Label) -> Played:
    """The last step; to be walked through with other words and other matrices."""
    passed = [t("食物", "food"), t("行动者", "actor")]
    shares, passes = weights(t), heatmap(V, None, passed, title="V", decimals=0, kind="v")
    places = [(shares, 0, 0), (passes, shares.width + 24, 0), (output(t), 0, shares.height + 14)]
    given = {
        "words": {t(*word): vector for word, vector in WORDS.items()},
        "features": _features(t),
        "asked": [t("名词", "noun"), t("动词", "verb")],
        "passed": passed,
        "text": t("我吃苹果", "I eat apples"),
        "row": 2,
        "wq": W_Q,
        "wk": W_K,
        "wv": W_V,
        "decimals": 3,
    }
    return Played("attention", arrange(places), given)


def sentence(t: Label) -> Drawing:
    """X: one row per word."""
    return heatmap(X, _words(t), _features(t), title="X", decimals=0, kind="x")


def projections(t: Label) -> Drawing:
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


def scores(t: Label) -> Drawing:
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


def weights(t: Label) -> Drawing:
    """Every row sums to 1."""
    return heatmap(
        WEIGHTS,
        _words(t),
        _words(t),
        title=t("注意力权重", "attention weights"),
        row_title=t("查询 ↓", "query ↓"),
        column_title=t("键 →", "key →"),
        decimals=3,
    )


def wrong_axis(t: Label) -> Drawing:
    """Softmax down the columns: the rows no longer sum to 1."""
    wrong = PAGE["wrong"]
    rows = [f"{word} Σ={row.sum():.3f}" for word, row in zip(_words(t), wrong, strict=True)]
    return heatmap(
        wrong,
        rows,
        _words(t),
        title=t("错：softmax(…, axis=0)", "wrong: softmax(…, axis=0)"),
        row_title=t("查询 ↓", "query ↓"),
        decimals=3,
    )


def output(t: Label) -> Drawing:
    """One row per word: a weighted sum of the rows of V."""
    columns = [t("食物", "food"), t("行动者", "actor")]
    return heatmap(OUTPUT, _words(t), columns, title=t("输出", "output"), decimals=3, kind="output")
