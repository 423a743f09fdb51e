"""Figures of the page pretrained: a word's way through a real model, and one head of it."""

import json
from pathlib import Path

import numpy as np

from qkv_docs import heatmap, line_chart, pretrained_head, scaled_dot_product_attention
from qkv_docs.drawing import stack

DATA = Path(__file__).parents[1] / "data"


def paths(t):
    """Where the word lies after each layer, mean of three sentences of each sense."""
    name = t("pretrained-e5-zh.json", "pretrained-e5-en.json")
    data = json.loads((DATA / name).read_text(encoding="utf-8"))
    sentences = [sentence for sentence in data["sentences"] if sentence["word"] == 0]

    def mean(key, *senses):
        rows = [sentence[key] for sentence in sentences if sentence["sense"] in senses]
        return np.mean(rows, axis=0)[::2] / 100  # stored in hundredths; every second layer

    still = line_chart(
        range(0, data["layers"] + 1, 2),
        {
            t("水果", "fruit"): mean("path", 0),
            t("品牌", "brand"): mean("path", 1),
            t("只看自己", "alone"): mean("alone", 0, 1),
        },
        x_title=t("走过的层数", "layers passed"),
        y_title=t("坐标：1 水果，−1 品牌", "place: 1 fruit, −1 brand"),
        y_limits=(-1, 1),
    )
    return f'<qkv-pretrained data-src="{name}">{still}</qkv-pretrained>'


def one_head(t):
    """Weights of 苹果 in two sentences, and how far each token's value pushes it."""
    head = pretrained_head()
    u, pictures = head.directions["zh"], []
    for sentence in head.sentences["zh"]:
        q, k, v = (
            sentence.x @ w + b
            for w, b in ((head.w_q, head.b_q), (head.w_k, head.b_k), (head.w_v, head.b_v))
        )
        _, weights = scaled_dot_product_attention(q, k, v)
        row = weights[sentence.pieces.index("苹果")]
        left = heatmap(row[:, None], sentence.pieces, title="a")
        pushes = (row * (v @ head.w_o @ u))[:, None]
        right = heatmap(pushes, title=t("推力", "push"), kind="scores", limit=0.15)
        pictures.append(stack(left, right, across=True))
    return stack(*pictures, across=True)
