"""The figures of the page masks: what a mask leaves of the weights, and the shapes of masks.

The sentence and the parameters are those of docs/examples/masks.pycon.
"""

import json
from html import escape

import numpy as np

from qkv_docs import (
    causal_mask,
    padding_mask,
    scaled_dot_product_attention,
    sliding_window_mask,
)
from qkv_docs.drawing import heatmap, stack

X = np.array([[1, 0, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]], dtype=float)
W_Q = np.array([[0, 1], [2, 0], [0, 1], [0, 1]])
W_K = np.array([[1, 0], [0, 1], [1, 1], [1, 0]])
W_V = np.array([[0, 1], [0, 0], [1, 0], [0, 1]])
Q, K, V = X @ W_Q, X @ W_K, X @ W_V
SCORES = Q @ K.T / np.sqrt(2)
HEAT, LINE = "var(--qkv-heat, #5b4bb7)", "var(--qkv-line, #8a8f98)"
BOLD = ' font-weight="600"'


# The sentences to paint a mask for, and what their last word is replaced by.
ME, YOU, EAT, SELL = ("我", "I"), ("你", "you"), ("吃", "eat"), ("卖", "sell")
APPLES, RICE, PHONES = ("苹果", "apples"), ("米饭", "rice"), ("手机", "phones")
VECTORS = {ME: X[0], EAT: X[1], APPLES: X[2], YOU: X[0], SELL: np.array([0, 1, 0, 1])}
VECTORS |= {RICE: np.array([0, 0, 1, 0]), PHONES: np.array([0, 0, 0, 1])}
SENTENCES = (([ME, EAT, APPLES], RICE), ([ME, EAT, APPLES, YOU, SELL, RICE], PHONES))


def _words(t):
    return [t("我", "I"), t("吃", "eat"), t("苹果", "apples")]


def _weights(mask=None):
    return scaled_dot_product_attention(Q, K, V, mask)[1]


def _text(x, y, text, anchor="middle", more=""):
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _grid(x, y, mask, texts, strengths, cell, row, title):
    """A titled grid: an allowed cell is filled, a hidden one has a dashed edge and holds 0."""
    parts = []
    if title:
        parts.append(_text(x + mask.shape[1] * cell / 2, y + 14, title, more=BOLD))
    for i, j in np.ndindex(mask.shape):
        left, top = x + j * cell, y + 22 + i * row
        paint = (
            f'fill="{HEAT}" fill-opacity="{0.05 + 0.4 * strengths[i, j]:.2f}"'
            if mask[i, j]
            else f'fill="none" stroke="{LINE}" stroke-dasharray="3 3"'
        )
        parts.append(
            f'<rect x="{left + 1.5:g}" y="{top + 1.5:g}" width="{cell - 3}" height="{row - 3}" '
            f'rx="3" {paint}/>'
            + _text(left + cell / 2, top + row / 2 + 4.5, texts[i][j] if mask[i, j] else "0")
        )
    return "".join(parts)


def _sheet(height, label, parts):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="qkv-figure" width="360" height="{height}" '
        f'viewBox="0 0 360 {height}" role="img" aria-label="{escape(label)}" fill="currentColor" '
        f'font-family="inherit" font-size="13" font-variant="tabular-nums">{"".join(parts)}</svg>'
    )


def four(t):
    """The attention weights of one sentence under no mask and under three masks."""
    masks = {
        t("不遮", "no mask"): np.ones((3, 3), dtype=bool),
        t("因果", "causal"): causal_mask(3),
        t("填充，真词 2 个", "padding, 2 real"): np.broadcast_to(padding_mask(2, 3), (3, 3)),
        t("窗口，2 个键", "window, 2 keys"): sliding_window_mask(3, window=2),
    }
    parts = []
    for index, (name, mask) in enumerate(masks.items()):
        x, y = (48, 232)[index % 2], (0, 150)[index // 2]
        weights = _weights(mask)
        texts = [[f"{weight:.3f}" for weight in row] for row in weights]
        parts.append(_grid(x, y + 22, mask, texts, weights, 42, 30, ""))
        parts.append(_text(x + 63, y + 14, name, more=BOLD))
        for i, word in enumerate(_words(t)):
            parts.append(_text(x + 42 * i + 21, y + 37, word, more=' font-size="12"'))
            parts.append(_text(x - 5, y + 64 + 30 * i, word, "end", ' font-size="12"'))
    return _sheet(286, t("四种规定下的注意力权重", "attention weights under four rules"), parts)


def minus_infinity(t):
    """Scores, the hidden ones replaced by −∞, and what softmax makes of them; to be painted."""
    masked = np.where(causal_mask(3), SCORES, -np.inf)
    still = stack(
        heatmap(
            masked,
            _words(t),
            _words(t),
            title=t("遮住之后的分数", "scores, masked"),
            row_title=t("查询 ↓", "query ↓"),
            column_title=t("键 →", "key →"),
            kind="scores",
        ),
        heatmap(
            _weights(causal_mask(3)),
            _words(t),
            _words(t),
            title=t("注意力权重", "attention weights"),
            row_title=t("查询 ↓", "query ↓"),
            column_title=t("键 →", "key →"),
            decimals=3,
        ),
    )

    def row(word):
        return [t(*word), VECTORS[word].astype(int).tolist()]

    given = {
        "sentences": [
            {"words": [row(word) for word in words], "last": row(last)} for words, last in SENTENCES
        ],
        "w_q": W_Q.tolist(),
        "w_k": W_K.tolist(),
        "w_v": W_V.tolist(),
    }
    return f"<qkv-mask data-given='{json.dumps(given, ensure_ascii=False)}'>{still}</qkv-mask>"


def patterns(t):
    """The masks themselves for six tokens: 1 = may attend."""
    causal, real = causal_mask(6), np.broadcast_to(padding_mask(4, 6), (6, 6))
    masks = {
        t("因果", "causal"): causal,
        t("填充，真词元 4 个", "padding, 4 real"): real,
        t("滑动窗口，3 个键", "window, 3 keys"): sliding_window_mask(6, window=3),
        t("因果 & 填充", "causal & padding"): causal & real,
    }
    ones = np.ones((6, 6))
    texts = [["1"] * 6] * 6
    parts = [
        _grid((4, 194)[i % 2], (0, 186)[i // 2], mask, texts, ones, 27, 25, name)
        for i, (name, mask) in enumerate(masks.items())
    ]
    return _sheet(360, t("六个词元的四种掩码", "four masks for six tokens"), parts)


def after(t):
    """Masked after the softmax: the rows no longer sum to 1."""
    late = _weights() * causal_mask(3)
    rows = [f"{word} Σ={row.sum():.2f}" for word, row in zip(_words(t), late, strict=True)]
    return heatmap(
        late,
        rows,
        _words(t),
        title=t("错：先 softmax，后遮", "wrong: softmax, then mask"),
        row_title=t("查询 ↓", "query ↓"),
        decimals=3,
    )


def flipped(t):
    """The causal mask the wrong way round."""
    return heatmap(
        _weights(~causal_mask(3)),
        _words(t),
        _words(t),
        title=t("错：True 与 False 弄反", "wrong: True and False swapped"),
        row_title=t("查询 ↓", "query ↓"),
        column_title=t("键 →", "key →"),
    )
