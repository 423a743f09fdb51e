"""The figures of the page transformer: a block with its numbers, and where the norms stand."""

from __future__ import annotations

from docs.examples import values
from docs.figures.kit import (
    BLUE,
    GREEN,
    GREY,
    HEAT,
    INK,
    ORANGE,
    Label,
    arrow,
    cells,
    line,
    path,
    ring,
)
from qkv_docs import softmax
from qkv_docs.drawing import FULL, SMALL, Drawing, text

PAGE = values("transformer", "logits")
FOLLOWED = 2  # the row of "apples"
STEPS = {name: step[FOLLOWED] for name, step in PAGE["steps"].items()}
LOGITS = PAGE["logits"][FOLLOWED]
P = softmax(LOGITS)

STREAM, SIDE = 92, 274  # the middles of the residual stream and of what reads from it
WIDE, NARROW, HIGH = 44, 40, 24  # of a cell


def _box(x: float, y: float, words: str, colour: str = GREY, width: float = 160) -> str:
    """A part of the block, `x` its middle and `y` its top."""
    outline = path(f"M{x - width / 2:g} {y:g}h{width:g}v{HIGH}h{-width:g}z", colour)
    return outline + text(x, y + 16.5, words, size=SMALL)


def _row(x: float, y: float, step: str, kind: str, wide: float) -> str:
    """The row that is followed after a step, `x` its middle."""
    row = STEPS[step]
    decimals = 0 if step == "X" else 2
    left = x - len(row) * wide / 2
    return cells(left, y, row, kind, wide, HIGH, decimals=decimals, size=SMALL)


def _plus(x: float, y: float) -> str:
    """Where something is added to the residual stream."""
    across = line((x - 8, y), (x + 8, y), colour=INK)
    return ring((x, y), 8, INK, 1.5) + across + line((x, y - 8), (x, y + 8), colour=INK)


def _stream(x: float, top: float, bottom: float) -> str:
    return line((x, top), (x, bottom), colour=INK, width=3)


def block(t: Label) -> Drawing:
    """From three tokens to the logits, with the row of "apples" after every step."""
    features = [t("人", "person"), t("动作", "action"), t("食物", "food"), t("公司", "company")]
    words = [
        t("我", "I"),
        t("吃", "eat"),
        t("苹果", "apples"),
        t("梨", "pears"),
        t("手机", "phones"),
    ]
    columns = (SIDE - 52, SIDE, SIDE + 52)
    parts = [
        text(STREAM, 14, t("我 吃 苹果 (3,)", "I eat apples (3,)"), bold=True),
        arrow((STREAM, 20), (STREAM, 38)),
        text(STREAM + 10, 34, t("查嵌入表 E", "look up in E"), "start", size=SMALL),
        *(text(STREAM + (i - 1.5) * WIDE, 52, name, size=SMALL) for i, name in enumerate(features)),
        _row(STREAM, 58, "X", "x", WIDE),
        text(SIDE, 68, t("画出的是“苹果”一行", "the row of “apples”"), size=SMALL),
        # Attention reads the stream and writes to it.
        _stream(STREAM, 82, 264),
        text(STREAM - 8, 150, t("残差流", "residual"), "end", size=SMALL),
        text(STREAM - 8, 166, t("(3, 4)", "stream (3, 4)"), "end", size=SMALL),
        arrow((STREAM, 98), (SIDE, 98), (SIDE, 110)),
        _box(SIDE, 110, t("归一化 (3, 4)", "norm (3, 4)")),
    ]
    for x, name, colour in zip(columns, ("Q", "K", "V"), (BLUE, ORANGE, GREEN), strict=True):
        parts += [
            arrow((x, 134), (x, 148), colour=colour),
            _box(x, 148, f"{name} (3, 4)", colour, 50),
            arrow((x, 172), (x, 186), colour=colour),
        ]
    parts += [
        _box(SIDE, 186, t("注意力：行与行交流", "attention: between rows"), HEAT),
        arrow((SIDE, 210), (SIDE, 232)),
        text(SIDE + 8, 223, "× W_O", "start", size=SMALL),
        _row(SIDE, 232, "attn", "output", NARROW),
        arrow((SIDE - 2 * NARROW, 244), (STREAM + 10, 244)),
        _plus(STREAM, 244),
        _row(STREAM, 264, "X'", "x", WIDE),
        # So does the MLP.
        _stream(STREAM, 288, 448),
        arrow((STREAM, 306), (SIDE, 306), (SIDE, 318)),
        _box(SIDE, 318, t("归一化 (3, 4)", "norm (3, 4)")),
        arrow((SIDE, 342), (SIDE, 356)),
        _box(SIDE, 356, t("MLP：每行各算各的", "MLP: each row alone")),
        arrow((SIDE, 380), (SIDE, 416)),
        text(SIDE - 8, 402, t("中间层 (3, 2)", "hidden (3, 2)"), "end", size=SMALL),
        _row(SIDE, 416, "mlp", "output", NARROW),
        arrow((SIDE - 2 * NARROW, 428), (STREAM + 10, 428)),
        _plus(STREAM, 428),
        _row(STREAM, 448, "X''", "x", WIDE),
        # The way out.
        path(f"M2 88h{FULL - 4}v354h{4 - FULL}z", GREY, dash="4 4"),
        text(10, 104, t("一块", "one block"), "start", bold=True, size=SMALL),
        text(SIDE, 464, t("GPT-2 small：共 12 块", "× 12 in GPT-2 small"), size=SMALL),
        _stream(STREAM, 472, 486),
        _box(STREAM, 486, t("最后的归一化 (3, 4)", "last norm (3, 4)"), GREY, 176),
        arrow((STREAM, 510), (STREAM, 538)),
        text(STREAM + 10, 528, t("× E 的转置 → logits (3, 5)", "× E transposed → logits (3, 5)"),
             "start", size=SMALL),
    ]  # fmt: skip
    wide = 56
    for i, word in enumerate(words):
        parts.append(text(70 + (i + 0.5) * wide, 553, word, size=SMALL))
    for y, name, row, kind in ((560, "logits", LOGITS, "x"), (588, "softmax", P, "weights")):
        parts += [
            text(64, y + 16.5, name, "end", size=SMALL),
            cells(70, y, row, kind, wide, HIGH, decimals=2, size=SMALL),
        ]
    label = t("一个 Transformer 块，和“苹果”一行的数", "a Transformer block, the row of “apples”")
    return Drawing(FULL, 616, "".join(parts), label)


def norms(t: Label) -> Drawing:
    """Pre-norm and post-norm: the norm stands on the branch, or on the stream itself."""
    parts, bottom = [], 318
    norm, inner = t("归一化", "norm"), (t("注意力", "attention"), "MLP")
    for left, title, pre in (
        (0, t("前置归一化", "pre-norm"), True),
        (188, t("后置归一化", "post-norm"), False),
    ):
        stream, side, begin = left + 40, left + 124, 24
        parts.append(text(left + 86, 14, title, bold=True))
        for top, name in zip((34, 176), inner, strict=True):
            first = top + (14 if pre else 30)
            last = first + (38 if pre else 0)
            parts += [
                arrow((stream, top), (side, top), (side, first)),
                _box(side, last, name, GREY, 84),
                arrow((side, last + HIGH), (side, top + 92), (stream + 10, top + 92)),
                _plus(stream, top + 92),
            ]
            if pre:
                parts += [
                    _box(side, first, norm, HEAT, 84),
                    arrow((side, first + HIGH), (side, last)),
                ]
            else:
                parts += [
                    _stream(stream, begin, top + 104),
                    _box(stream, top + 104, norm, HEAT, 76),
                ]
                begin = top + 104 + HIGH
        parts.append(_stream(stream, begin, bottom))
    label = t("归一化放在哪里：前置与后置", "where the norm stands: pre-norm and post-norm")
    return Drawing(FULL, bottom, "".join(parts), label)
