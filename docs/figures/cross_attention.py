"""The figures of the page cross-attention: one sentence is written, another one is read."""

from __future__ import annotations

import numpy as np

from docs.examples import values
from docs.figures.kit import Label, Played, arrow, grid
from qkv_docs import heatmap
from qkv_docs.drawing import COLOURS, SMALL, Drawing, text

PAGE = values("cross-attention", "weights")
X, C, Q, K, V = (PAGE[name] for name in ("X", "C", "Q", "K", "V"))
WEIGHTS, OUTPUT = PAGE["weights"], PAGE["output"]
READ = ["我", "昨天", "喝", "了", "茶"]
WRITTEN = ["I", "drank", "tea", "yesterday"]

DRANK, SOURCES = range(1, 2), range(2, 4)  # the row that is followed, and where it comes from


def _times(x: float, y: float, letter: str, anchor: str = "start") -> str:
    return text(x, y, f"× W_{letter}", anchor, fill=COLOURS[letter.lower()])


def sides(t: Label) -> Drawing:
    """Every number from the two sides to the output; the row of "drank" framed."""

    def written(x: float, y: float, values: np.ndarray, kind: str, title: str) -> str:
        wide, decimals = (20, 0) if kind in "xq" else (36, 2)
        return grid(x, y, values, kind, wide, 22, title=title, rows=WRITTEN, framed=DRANK,
                    decimals=decimals, size=SMALL)  # fmt: skip

    def read(x: float, y: float, values: np.ndarray, kind: str, title: str) -> str:
        rows = () if kind == "v" else READ  # its neighbour has them
        return grid(x, y, values, kind, 18, 22, title=title, rows=rows, framed=SOURCES, size=SMALL)

    parts = [
        text(112, 14, t("写的一边：提问", "writes: asks"), bold=True),
        text(267, 14, t("被读的一边", "is read"), bold=True),
        written(72, 44, X, "x", "X"),
        read(222, 44, C, "x", "C"),
        arrow((112, 136), (112, 186)),
        _times(120, 164, "Q"),
        arrow((252, 158), (232, 186)),
        _times(234, 172, "K", "end"),
        arrow((286, 158), (306, 186)),
        _times(306, 172, "V"),
        written(72, 214, Q, "q", "Q"),
        read(190, 214, K, "k", "K"),
        read(268, 214, V, "v", "V"),
        arrow((112, 306), (132, 362)),
        arrow((222, 328), (200, 362)),
        written(72, 390, WEIGHTS, "weights", t("注意力权重", "attention weights")),
        arrow((162, 482), (162, 520)),
        arrow((313, 328), (313, 544), (258, 560)),
        written(72, 548, OUTPUT, "output", t("输出", "output")),
    ]
    label = t("交叉注意力的全部数字", "every number of a cross-attention")
    return Drawing(362, 640, "".join(parts), label)


def _map(t: Label, weights: np.ndarray) -> Drawing:
    return heatmap(
        weights,
        WRITTEN,
        READ,
        row_title=t("要写 ↓", "to write ↓"),
        column_title=t("被读 →", "is read →"),
    )


def alignment(t: Label) -> Drawing:
    """Which word of the source each word of the translation is made from."""
    return _map(t, WEIGHTS)


def causal(t: Label) -> Drawing:
    """The same with a causal mask, which does not belong here."""
    return _map(t, values("cross-attention", "no-causal-mask")["hidden"])


def drank(t: Label) -> Played:
    """What "drank" receives, word by word; to be tried with the sides swapped."""
    columns = [t("谁", "who"), t("动作", "action"), t("东西", "thing"), t("时间", "time")]
    columns.append(t("过去", "past"))
    row = DRANK[0]
    still = heatmap(
        np.vstack([WEIGHTS[row][:, None] * V, OUTPUT[row]]),
        [*READ, t("合计", "sum")],
        columns,
        row_title="drank",
        kind="output",
        limit=1,
    )
    given = {"en": WRITTEN, "zh": READ, "features": columns, "x": X, "c": C}
    return Played("cross", still, given)
