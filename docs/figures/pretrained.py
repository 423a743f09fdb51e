"""The figures of the page pretrained: a word's way through a real model, and one head of it."""

from __future__ import annotations

import numpy as np

from docs.data import packing, read
from docs.data.pretrained import APPLE, APPLE_EN, WORDS
from docs.examples import values
from docs.figures.kit import Label, Played
from qkv_docs import heatmap, line_chart
from qkv_docs.drawing import Drawing, stack


def paths(t: Label) -> Played:
    """Where the word lies after each layer, mean of three sentences of each sense."""
    source = t("pretrained-e5-zh", "pretrained-e5-en")
    data = read(source)
    sentences = [sentence for sentence in data["sentences"] if sentence["word"] == 0]

    def mean(key: str, *senses: int) -> np.ndarray:
        rows = [sentence[key] for sentence in sentences if sentence["sense"] in senses]
        every_second: np.ndarray = np.mean(rows, axis=0)[::2] / 100  # stored in hundredths
        return every_second

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
    return Played("pretrained", still, source=source)


def sentence(t: Label) -> Played:
    """The attention of one head in a recorded sentence; a box for the reader's own."""
    source = t("pretrained-e5-zh", "pretrained-e5-en")
    data = read(source)
    recorded = data["sentences"][3]
    n = len(recorded["pieces"])
    flat = packing.unpack(recorded["weights"], "uint8", deflate=True)
    weights = flat.reshape(data["layers"], data["heads"], n, n)[11, 0] / 100
    names = [piece.lstrip("▁") or piece for piece in recorded["pieces"]]
    still = heatmap(weights, names, names, title="L11H0")
    groups = [
        {"word": word.word, "senses": word.names, "groups": word.groups} for word in WORDS
    ]  # those of the page, for a line between two meanings
    other = t(APPLE_EN.sentences[1][0], APPLE.sentences[1][0])
    return Played("sentence", still, {"groups": groups, "other": other}, source)


def one_head(t: Label) -> Drawing:
    """Weights of the word in two sentences, and how far each token's value pushes it."""
    page, pictures = values("pretrained", "pushes", t("zh", "en")), []
    senses = [t("水果", "fruit"), t("品牌", "brand")]
    for sense, (sentence, word) in zip(senses, page["where"].values(), strict=True):
        row, pushes = page["attend"](sentence)[0][word], page["pushes"](sentence, word, page["u"])
        left = heatmap(row[:, None], sentence.pieces, ["a"], title=sense)
        push = t("推力", "push")  # an empty name of the column, for a row of names as on the left
        right = heatmap(pushes[:, None], None, [""], title=push, kind="scores", limit=0.15)
        pictures.append(stack(left, right, across=True))
    return stack(*pictures, across=True)
