"""The figures of the page NAME. TODO: draw what the page is about."""

from __future__ import annotations

from docs.examples import values
from docs.figures.kit import Label
from qkv_docs import heatmap, softmax
from qkv_docs.drawing import Drawing

SCORES = values("NAME", "first")["scores"]


def first(t: Label) -> Drawing:
    """The attention weights of one query."""
    words = [t("我", "I"), t("吃", "eat"), t("苹果", "apples")]
    return heatmap(softmax(SCORES), columns=words, title=t("注意力权重", "attention weights"))
