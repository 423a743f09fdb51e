"""The figures of the page embedding: rows of a table looked up, and one attention step on them."""

from __future__ import annotations

import numpy as np

from docs.examples import values
from docs.figures.kit import GREY, HEAT, INK, Label, Played, dot, frame, line, path, ring
from qkv_docs import cosine_similarity, embed
from qkv_docs.drawing import FULL, SMALL, Drawing, arrange, cell, heatmap, text

PAGE = values("embedding", "moved-apart")  # numbers and ids are those of both languages
TABLE, COMPANY, FRUIT = (PAGE[name] for name in ("table", "company", "fruit"))
APPLE, RELEASED, _, PHONE = COMPANY
ORANGE = FRUIT[4]
CELL, ROW = 34, 26


def _tokens(t: Label) -> list[str]:
    """The vocabulary of the page in the language of `t`."""
    words: list[str] = values("embedding", "token-ids", t("zh", "en"))["vocabulary"]
    return words


def _row(x: float, y: float, vector: np.ndarray, framed: bool) -> str:
    """The cells of one vector, with a frame where we follow it."""
    row = "".join(
        cell(x + j * CELL, y, CELL, ROW, f"{value:.0f}", fill=GREY, strength=value / 2)
        for j, value in enumerate(vector)
    )
    return row + frame(x, y, CELL * len(vector), ROW) if framed else row


def lookup(t: Label) -> Drawing:
    """The table on the left, the rows of two sentences on the right, a line for each look-up."""
    tokens = _tokens(t)
    left, right, end = 92, 224, 224 + 2 * CELL
    top = 92  # of the table
    rows = [top + i * ROW for i in range(len(TABLE))]
    starts = (48, 204)  # of the two sentences
    parts = [
        text(left + CELL, top - 28, f"{t('嵌入表', 'table')} {TABLE.shape}", bold=True),
        text(16, top - 8, "id"),
        text(left + CELL / 2, top - 8, t("水果", "fruit")),
        text(left + CELL * 1.5, top - 8, t("科技", "tech")),
    ]
    for i, y in enumerate(rows):
        parts += [
            text(16, y + 17.5, str(i)),
            text(left - 6, y + 17.5, tokens[i], "end"),
            _row(left, y, TABLE[i], i == APPLE),
        ]
    titles = (t("句子一", "sentence 1"), t("句子二", "sentence 2"))
    for ids, start, title in zip((COMPANY, FRUIT), starts, titles, strict=True):
        vectors = embed(ids, TABLE)
        parts.append(text(right, start - 10, f"{title} {vectors.shape}", "start", bold=True))
        for i, (token, vector) in enumerate(zip(ids, vectors, strict=True)):
            y = start + i * ROW
            here, there = rows[token] + ROW / 2, y + ROW / 2
            bend = f"C{left + 2 * CELL + 34} {here:g} {right - 34} {there:g} {right - 3} {there:g}"
            followed = token == APPLE
            parts += [
                path(
                    f"M{left + 2 * CELL + 3} {here:g}{bend}",
                    INK if followed else GREY,
                    1.5 if followed else 1,
                ),
                _row(right, y, vector, followed),
                text(end + 6, y + 17.5, tokens[token], "start"),
            ]
    label = t("两个句子从同一张表里取行", "two sentences take their rows from one table")
    return Drawing(FULL, starts[1] + 5 * ROW + 4, "".join(parts), label)


def product(t: Label) -> Played:
    """Sentence 1, one-hot, times the table; another sentence and another table can be tried."""
    tokens = _tokens(t)
    features, ids = [t("水果", "fruit"), t("科技", "tech")], range(len(tokens))
    sentence = [tokens[i] for i in COMPANY]
    hot = heatmap(PAGE["rows"], sentence, ids, title=t("独热 onehot(t)", "onehot(t)"), kind="x",
                  decimals=0)  # fmt: skip
    table = heatmap(TABLE, [f"{i} {token}" for i, token in enumerate(tokens)], features,
                    title="E", kind="x", decimals=0)  # fmt: skip
    x = heatmap(embed(COMPANY, TABLE), sentence, features, title="X", kind="x", decimals=0)
    near = heatmap([cosine_similarity(TABLE[APPLE], TABLE)], [tokens[APPLE]], ids,
                   title=t("余弦相似度", "cosine similarity"), kind="scores", limit=1)  # fmt: skip
    top = hot.height + 14
    below = top + max(table.height, x.height) + 14
    still = arrange([(hot, 0, 0), (table, 0, top), (x, table.width + 24, top), (near, 0, below)])
    given = {
        "words": tokens,
        "features": features,
        "table": TABLE,
        "text": t("苹果发布了手机", "apple released a phone"),
    }
    return Played("embedding", still, given)


def apples(t: Label) -> Drawing:
    """The plane of the two columns: one point for apple before attention, two after it."""
    before = TABLE[APPLE]
    after = PAGE["output"][COMPANY.index(APPLE)], PAGE["output_fruit"][FRUIT.index(APPLE)]
    left, bottom, unit = 44, 268, 112

    def at(vector: np.ndarray) -> np.ndarray:
        point: np.ndarray = np.array([left, bottom]) + unit * vector * [1, -1]
        return point

    def numbers(vector: np.ndarray, decimals: int = 2) -> str:
        return f"({vector[0]:.{decimals}f}, {vector[1]:.{decimals}f})"

    parts = []
    for value in (0, 1, 2):
        x, y = left + unit * value, bottom - unit * value
        opacity = 1 if value == 0 else 0.3
        parts += [
            path(f"M{left} {y}h{2 * unit + 20}M{x} {bottom}v{-2 * unit - 20}", width=1,
                 opacity=opacity),
            text(x, bottom + 18, str(value), size=SMALL),
            text(left - 8, y + 4, str(value), "end", size=SMALL),
        ]  # fmt: skip
    parts += [
        text(left + 2 * unit + 20, bottom + 38, t("水果 →", "fruit →"), "end"),
        text(left, bottom - 2 * unit - 28, t("↑ 科技", "↑ technology"), "start"),
    ]
    tokens = _tokens(t)
    for token, rise in ((PHONE, 6), (RELEASED, 6), (ORANGE, 8)):
        x, y = at(TABLE[token])
        parts += [dot((x, y), 4, GREY), text(x + 8, y - rise, tokens[token], "start")]
    parts += [
        dot((left, bottom), 4, GREY),
        text(left + 8, bottom - 8, t("了、一个、和", "a, an, and"), "start"),
    ]
    for vector in after:
        way = at(vector) - at(before)
        length = np.linalg.norm(way)
        first, last = (at(before) + far / length * way for far in (7, length - 9))
        parts += [
            line(first, last, colour=HEAT, dash="4 3"),
            dot(at(vector), 6, HEAT),
        ]
    x, y = at(before)
    parts += [
        ring((x, y), 6, INK, 2),
        text(x + 12, y - 4, t("两个“苹果”的起点", "both apples, before"), "start", bold=True),
        text(x + 12, y + 13, numbers(before, 0), "start"),
    ]
    whose = (t("句子一的“苹果”", "apple, sentence 1"), t("句子二的“苹果”", "apple, sentence 2"))
    for vector, name, rise in zip(after, whose, (16, -1), strict=True):
        x, y = at(vector)
        parts += [
            text(x + 11, y - rise, name, "start", bold=True),
            text(x + 11, y - rise + 17, numbers(vector), "start"),
        ]
    label = t("注意力把两个“苹果”分开", "attention moves the two apples apart")
    return Drawing(FULL, bottom + 44, "".join(parts), label)
