"""The figures of the page multi-head: one sentence through two heads, with all its numbers."""

from __future__ import annotations

import numpy as np

from docs.examples import values
from docs.figures.kit import INK, Label, Played, arrow, grid, names, path
from qkv_docs import split_heads
from qkv_docs.drawing import COLOURS, FULL, SMALL, Drawing, heatmap, stack, text

PAGE = values("multi-head", "blocks")
X, W_Q, W_K, W_V, W_O = (PAGE[name] for name in ("X", "W_Q", "W_K", "W_V", "W_O"))
Q, K, V = (split_heads(X @ w, 2) for w in (W_Q, W_K, W_V))  # (2, 3, 2)
HEADS, WEIGHTS, OUTPUT = (PAGE["head_1"], PAGE["head_2"]), PAGE["weights"], PAGE["output"]

EAT = 1  # the row that is followed
FOLLOWED = range(EAT, EAT + 1)


def _words(t: Label) -> list[str]:
    return [t("我", "I"), t("吃", "eat"), t("苹果", "apples")]


def _features(t: Label) -> list[str]:
    return [t("人", "person"), t("动作", "action"), t("食物", "food"), t("公司", "company")]


def _heads(t: Label) -> list[str]:
    return [t("头 1", "head 1"), t("头 2", "head 2")]


def flow(t: Label) -> Drawing:
    """X, the heads' Q, K and V, their weights, side by side, and the output."""
    top, tall = [24, 182, 312, 436, 562], 72
    parts = [
        text(188, 17, "X (3, 4)", bold=True),
        grid(140, top[0], X, "x", 24, framed=FOLLOWED),
        arrow((176, top[0] + tall + 4), (122, top[1] - 46)),
        arrow((200, top[0] + tall + 4), (274, top[1] - 46)),
        text(130, 122, t("× W 的左两列", "× left half of each W"), "end", size=SMALL),
        text(264, 122, t("× W 的右两列", "× right half"), "start", size=SMALL),
    ]
    for h, (x, name) in enumerate(zip((52, 208), _heads(t), strict=True)):
        middle, index = x + 71, "₁₂"[h]
        parts.append(text(middle, top[1] - 28, name, bold=True))
        for i, (letter, matrix) in enumerate({"Q": Q[h], "K": K[h], "V": V[h]}.items()):
            left, kind = x + i * 50, letter.lower()
            parts += [
                text(left + 21, top[1] - 8, letter + index, bold=True, fill=COLOURS[kind]),
                grid(left, top[1], matrix, kind, 21, framed=FOLLOWED),
            ]
        parts += [
            arrow((x + 46, top[1] + tall + 4), (x + 58, top[2] - 8)),
            grid(x + 8, top[2], WEIGHTS[h], "weights", 42, framed=FOLLOWED, decimals=3),
            arrow((middle, top[2] + tall + 4), ((146, 230)[h], top[3] - 24)),
            text((112, 270)[h], top[3] - 30, f"× V{index}", ("end", "start")[h], size=SMALL),
        ]
    parts += [
        text(188, top[1] + tall + 30, t("分数 → softmax", "scores → softmax"), size=SMALL),
        text(188, top[3] - 8, t("并排：头 1 | 头 2", "side by side: head 1 | head 2"), bold=True),
        grid(104, top[3], np.hstack(HEADS), "output", 42, framed=FOLLOWED, decimals=3),
        path(f"M188 {top[3] - 3}v{tall + 6}", INK),
        arrow((188, top[3] + tall + 6), (188, top[4] - 26)),
        text(198, top[3] + tall + 24, "× W_O", "start"),
        text(188, top[4] - 9, t("输出 (3, 4)", "output (3, 4)"), bold=True),
        grid(104, top[4], OUTPUT, "x", 42, framed=FOLLOWED, decimals=3),
    ]
    parts += [
        names(x, y, _words(t)) for x, y in zip((134, 47, 55, 99, 99), top, strict=True)
    ]  # fmt: skip
    label = t("两个头的全部数字", "every number of two heads")
    return Drawing(FULL, top[4] + tall + 4, "".join(parts), label)


def two_heads(t: Label) -> Drawing:
    """The attention weights of both heads, side by side."""
    parts = [names(46, 44, _words(t))]
    for x, name, weights in zip((52, 212), _heads(t), WEIGHTS, strict=True):
        parts += [
            text(x + 72, 14, name, bold=True),
            grid(x, 44, weights, "weights", 48, framed=FOLLOWED, decimals=3),
            *(text(x + 48 * i + 24, 36, word, size=SMALL) for i, word in enumerate(_words(t))),
        ]
    label = t("两个头的注意力权重", "the attention weights of two heads")
    return Drawing(FULL, 118, "".join(parts), label)


def slices(t: Label) -> Drawing:
    """W_Q whole, and what is left of it when the embedding is cut first."""
    columns = [t("头 1", "h 1"), t("头 1", "h 1"), t("头 2", "h 2"), t("头 2", "h 2")]
    whole = heatmap(W_Q, _features(t), columns, title="W_Q", kind="q", decimals=0)
    cut = heatmap(
        PAGE["blocks"],
        _features(t),
        columns,
        title=t("先切嵌入，W_Q 只剩", "W_Q if X is cut first"),
        kind="q",
        decimals=0,
        limit=W_Q.max(),
        show_rows=False,
    )
    return stack(whole, cut, across=True, gap=20)


def sum_over_heads(t: Label) -> Played:
    """What each head adds to the output of "eat"; to be tried with other numbers of heads."""
    adds = [HEADS[h][EAT] @ W_O[2 * h : 2 * h + 2] for h in range(2)]  # each (4,)
    still = heatmap(
        [*adds, OUTPUT[EAT]],
        [*_heads(t), t("合计", "sum")],
        _features(t),
        kind="output",
        decimals=3,
        limit=2,
    )
    given = {
        "words": _words(t),
        "features": _features(t),
        "x": X,
        "w_q": W_Q,
        "w_k": W_K,
        "w_v": W_V,
        "w_o": W_O,
    }
    return Played("heads", still, given)
