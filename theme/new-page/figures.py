"""The figures of the page NAME. TODO: draw what the page is about.

The numbers are those of docs/examples/NAME.pycon.
"""

import numpy as np

from qkv_docs import heatmap, softmax

SCORES = np.array([2.0, 1.0, 0.0])


def first(t):
    """The attention weights of one query."""
    words = [t("我", "I"), t("吃", "eat"), t("苹果", "apples")]
    return heatmap(softmax(SCORES), columns=words, title=t("注意力权重", "attention weights"))
