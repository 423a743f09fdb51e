"""The figures of the page masks: what a mask leaves of the weights, and the shapes of masks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from docs.examples import values
from docs.figures.kit import GREY, HEAT, Label, Played
from qkv_docs import causal_mask, heatmap, padding_mask, sliding_window_mask
from qkv_docs.drawing import FULL, SMALL, Drawing, cell, stack, text

PAGE = values("masks", "polarity")
X, W_Q, W_K, W_V, MASK = (PAGE[name] for name in ("X", "W_Q", "W_K", "W_V", "mask"))

# The sentences to paint a mask for, and what their last word is replaced by
PERSON, ACTION, FOOD, COMPANY = np.eye(4)
ME, YOU, EAT, SELL = ("我", "I"), ("你", "you"), ("吃", "eat"), ("卖", "sell")
APPLES, RICE, PHONES = ("苹果", "apples"), ("米饭", "rice"), ("手机", "phones")
VECTORS = {ME: X[0], EAT: X[1], APPLES: X[2], YOU: X[0], SELL: ACTION + COMPANY}
VECTORS |= {RICE: FOOD, PHONES: COMPANY}
SENTENCES = (([ME, EAT, APPLES], RICE), ([ME, EAT, APPLES, YOU, SELL, RICE], PHONES))


def _words(t: Label) -> list[str]:
    return [t("我", "I"), t("吃", "eat"), t("苹果", "apples")]


def _weights(mask: np.ndarray | None = None) -> np.ndarray:
    weights: np.ndarray = PAGE["attend"](X, mask)[1]
    return weights


def _grid(
    x: float,
    y: float,
    mask: np.ndarray,
    texts: Sequence[Sequence[str]],
    strengths: np.ndarray,
    wide: float,
    high: float,
) -> str:
    """An allowed cell is filled, a hidden one has a dashed edge and holds 0."""
    parts = []
    for i, j in np.ndindex(mask.shape):
        left, top = x + j * wide, y + i * high
        if mask[i, j]:
            parts.append(
                cell(left, top, wide, high, texts[i][j], fill=HEAT, strength=float(strengths[i, j]))
            )
        else:
            parts.append(
                f'<rect x="{left + 1.5:g}" y="{top + 1.5:g}" width="{wide - 3:g}" '
                f'height="{high - 3:g}" rx="3" fill="none" stroke="{GREY}" stroke-dasharray="3 3"/>'
                + text(left + wide / 2, top + high / 2 + 4.5, "0")
            )
    return "".join(parts)


def four(t: Label) -> Drawing:
    """The attention weights of one sentence under no mask and under three masks."""
    masks = {
        t("不遮", "no mask"): np.ones((3, 3), dtype=bool),
        t("因果", "causal"): MASK,
        t("填充，真词元 2 个", "padding, 2 real"): np.broadcast_to(padding_mask(2, 3), (3, 3)),
        t("窗口，2 个键", "window, 2 keys"): sliding_window_mask(3, window=2),
    }
    parts = []
    for index, (name, mask) in enumerate(masks.items()):
        x, y = (48, 232)[index % 2], (0, 150)[index // 2]
        weights = _weights(mask)
        texts = [[f"{weight:.3f}" for weight in row] for row in weights]
        parts += [
            text(x + 63, y + 14, name, bold=True),
            _grid(x, y + 44, mask, texts, weights, 42, 30),
        ]
        for i, word in enumerate(_words(t)):
            parts += [
                text(x + 42 * i + 21, y + 37, word, size=SMALL),
                text(x - 5, y + 64 + 30 * i, word, "end", size=SMALL),
            ]
    label = t("四种规定下的注意力权重", "attention weights under four rules")
    return Drawing(FULL, 286, "".join(parts), label)


def minus_infinity(t: Label) -> Played:
    """Scores, the hidden ones replaced by −∞, and what softmax makes of them; to be painted."""
    still = stack(
        heatmap(
            PAGE["masked"],
            _words(t),
            _words(t),
            title=t("缩放后的分数，已遮住", "scaled scores, masked"),
            row_title=t("查询 ↓", "query ↓"),
            column_title=t("键 →", "key →"),
            kind="scores",
        ),
        heatmap(
            PAGE["weights"],
            _words(t),
            _words(t),
            title=t("注意力权重", "attention weights"),
            row_title=t("查询 ↓", "query ↓"),
            column_title=t("键 →", "key →"),
            decimals=3,
        ),
    )

    def row(word: tuple[str, str]) -> list[object]:
        return [t(*word), VECTORS[word]]

    sentences = [
        {"words": [row(word) for word in words], "last": row(last)} for words, last in SENTENCES
    ]
    return Played("mask", still, {"sentences": sentences, "w_q": W_Q, "w_k": W_K, "w_v": W_V})


def patterns(t: Label) -> Drawing:
    """The masks themselves for six tokens: 1 = may attend."""
    causal, real = causal_mask(6), np.broadcast_to(padding_mask(4, 6), (6, 6))
    masks = {
        t("因果", "causal"): causal,
        t("填充，真词元 4 个", "padding, 4 real"): real,
        t("滑动窗口，3 个键", "window, 3 keys"): sliding_window_mask(6, window=3),
        t("因果 & 填充", "causal & padding"): causal & real,
    }
    wide, high = 27, 25
    parts = []
    for i, (name, mask) in enumerate(masks.items()):
        x, y = (4, 194)[i % 2], (0, 186)[i // 2]
        parts += [
            text(x + 3 * wide, y + 14, name, bold=True),
            _grid(x, y + 22, mask, [["1"] * 6] * 6, np.ones((6, 6)), wide, high),
        ]
    label = t("六个词元的四种掩码", "four masks for six tokens")
    return Drawing(FULL, 360, "".join(parts), label)


def after(t: Label) -> Drawing:
    """Masked after the softmax: the rows no longer sum to 1."""
    late = PAGE["late"]
    rows = [f"{word} Σ={row.sum():.2f}" for word, row in zip(_words(t), late, strict=True)]
    return heatmap(
        late,
        rows,
        _words(t),
        title=t("错：先 softmax，后遮", "wrong: softmax, then mask"),
        row_title=t("查询 ↓", "query ↓"),
        decimals=3,
    )


def flipped(t: Label) -> Drawing:
    """The causal mask the wrong way round."""
    return heatmap(
        PAGE["flipped"],
        _words(t),
        _words(t),
        title=t("错：True 与 False 弄反", "wrong: True and False swapped"),
        row_title=t("查询 ↓", "query ↓"),
        column_title=t("键 →", "key →"),
    )
