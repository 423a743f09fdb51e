"""The figures of the page embedding: rows of a table looked up, and one attention step on them.

The vocabulary and the hand-made table are those of docs/examples/embedding.pycon.
"""

import json
from html import escape

import numpy as np

from qkv_docs import cosine_similarity, embed, one_hot, scaled_dot_product_attention
from qkv_docs.drawing import COLOURS, arrange, heatmap, size

TABLE = np.array([[0, 0], [0, 0], [0, 0], [1, 1], [2, 0], [0, 2], [0, 1]], dtype=float)
COMPANY, FRUIT = [3, 6, 0, 5], [1, 3, 2, 1, 4]
APPLE, ORANGE, PHONE, RELEASED = 3, 4, 5, 6

CELL, ROW = 34, 26
GREY, HEAT = COLOURS["x"], COLOURS["weights"]
BOLD = ' font-weight="600"'


def _tokens(t):
    return [
        t("了", "a"),
        t("一个", "an"),
        t("和", "and"),
        t("苹果", "apple"),
        t("橙子", "orange"),
        t("手机", "phone"),
        t("发布", "released"),
    ]


def _text(x, y, text, anchor="middle", more=""):
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _svg(height, label, parts):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="qkv-figure" width="360" height="{height}" '
        f'viewBox="0 0 360 {height}" role="img" aria-label="{escape(label)}" fill="currentColor" '
        'font-family="inherit" font-size="13" font-variant="tabular-nums">'
        f"{''.join(parts)}</svg>"
    )


def _row(x, y, values, framed):
    """The cells of one vector, with a frame where we follow it."""
    parts = []
    for j, value in enumerate(values):
        parts.append(
            f'<rect x="{x + j * CELL + 1:g}" y="{y + 1:g}" width="{CELL - 2}" height="{ROW - 2}" '
            f'rx="3" fill="{GREY}" fill-opacity="{0.05 + 0.2 * value:.2f}"/>'
            + _text(x + (j + 0.5) * CELL, y + 17.5, f"{value:.0f}")
        )
    if framed:
        parts.append(
            f'<rect x="{x:g}" y="{y:g}" width="{CELL * len(values)}" height="{ROW}" rx="4" '
            'fill="none" stroke="currentColor" stroke-width="1.5"/>'
        )
    return "".join(parts)


def lookup(t):
    """The table on the left, the rows of two sentences on the right, a line for each look-up."""
    tokens = _tokens(t)
    left, right, end = 92, 224, 224 + 2 * CELL
    top = 92  # of the table
    rows = [top + i * ROW for i in range(len(TABLE))]
    starts = (48, 204)  # of the two sentences
    parts = [
        _text(left + CELL, top - 28, t("嵌入表 (7, 2)", "table (7, 2)"), more=BOLD),
        _text(16, top - 8, "id"),
        _text(left + CELL / 2, top - 8, t("水果", "fruit")),
        _text(left + CELL * 1.5, top - 8, t("科技", "tech")),
    ]
    for i, y in enumerate(rows):
        parts += [
            _text(16, y + 17.5, str(i)),
            _text(left - 6, y + 17.5, tokens[i], "end"),
            _row(left, y, TABLE[i], i == APPLE),
        ]
    titles = (t("句子一 (4, 2)", "sentence 1 (4, 2)"), t("句子二 (5, 2)", "sentence 2 (5, 2)"))
    for ids, start, title in zip((COMPANY, FRUIT), starts, titles, strict=True):
        parts.append(_text(right, start - 10, title, "start", BOLD))
        for i, (token, vector) in enumerate(zip(ids, embed(ids, TABLE), strict=True)):
            y = start + i * ROW
            followed = token == APPLE
            here, there = rows[token] + ROW / 2, y + ROW / 2
            colour, width = ("currentColor", 1.5) if followed else (GREY, 1)
            parts += [
                f'<path d="M{left + 2 * CELL + 3} {here:g}C{left + 2 * CELL + 34} {here:g} '
                f'{right - 34} {there:g} {right - 3} {there:g}" fill="none" stroke="{colour}" '
                f'stroke-width="{width}"/>',
                _row(right, y, vector, followed),
                _text(end + 6, y + 17.5, tokens[token], "start"),
            ]
    label = t("两个句子从同一张表里取行", "two sentences take their rows from one table")
    return _svg(starts[1] + 5 * ROW + 4, label, parts)


def product(t):
    """Sentence 1, one-hot, times the table; another sentence and another table can be tried."""
    tokens = _tokens(t)
    features = [t("水果", "fruit"), t("科技", "tech")]
    names = [tokens[i] for i in COMPANY]
    hot = heatmap(one_hot(COMPANY, 7), names, range(7), title=t("独热 onehot(t)", "onehot(t)"),
                  kind="x", decimals=0)  # fmt: skip
    table = heatmap(TABLE, [f"{i} {token}" for i, token in enumerate(tokens)], features,
                    title="E", kind="x", decimals=0)  # fmt: skip
    x = heatmap(embed(COMPANY, TABLE), names, features, title="X", kind="x", decimals=0)
    near = heatmap([cosine_similarity(TABLE[APPLE], TABLE)], [tokens[APPLE]], range(7),
                   title=t("余弦相似度", "cosine similarity"), kind="scores", limit=1)  # fmt: skip
    top = size(hot)[1] + 14
    below = top + max(size(table)[1], size(x)[1]) + 14
    still = arrange([(hot, 0, 0), (table, 0, top), (x, size(table)[0] + 24, top), (near, 0, below)])
    given = {
        "words": tokens,
        "features": features,
        "table": TABLE.astype(int).tolist(),
        "text": t("苹果发布了手机", "apple released a phone"),
    }
    given = json.dumps(given, ensure_ascii=False, separators=(",", ":"))
    return f"<qkv-embedding data-given='{given}'>{still}</qkv-embedding>"


def apples(t):
    """The plane of the two columns: one point for apple before attention, two after it."""
    x_company, x_fruit = embed(COMPANY, TABLE), embed(FRUIT, TABLE)
    company, _ = scaled_dot_product_attention(x_company, x_company, x_company)
    fruit, _ = scaled_dot_product_attention(x_fruit, x_fruit, x_fruit)
    before = TABLE[APPLE]
    ends = (company[COMPANY.index(APPLE)], fruit[FRUIT.index(APPLE)])

    left, bottom, unit = 44, 268, 112

    def across(vector):
        return left + unit * float(vector[0])

    def down(vector):
        return bottom - unit * float(vector[1])

    def numbers(vector):
        return f"({vector[0]:.2f}, {vector[1]:.2f})"

    parts = []
    for value in (0, 1, 2):
        faint = 1 if value == 0 else 0.3
        parts += [
            f'<path d="M{left} {bottom - unit * value}h{2 * unit + 20}M{left + unit * value} '
            f'{bottom}v{-2 * unit - 20}" stroke="{GREY}" stroke-opacity="{faint}"/>',
            _text(left + unit * value, bottom + 18, str(value), more=' font-size="12"'),
            _text(left - 8, bottom - unit * value + 4, str(value), "end", ' font-size="12"'),
        ]
    parts += [
        _text(left + 2 * unit + 20, bottom + 38, t("水果 →", "fruit →"), "end"),
        _text(left, bottom - 2 * unit - 28, t("↑ 科技", "↑ technology"), "start"),
    ]
    names = _tokens(t)
    for token, dx, dy in ((PHONE, 8, -6), (RELEASED, 8, -6), (ORANGE, 8, -8)):
        x, y = across(TABLE[token]), down(TABLE[token])
        parts += [
            f'<circle cx="{x:g}" cy="{y:g}" r="4" fill="{GREY}"/>',
            _text(x + dx, y + dy, names[token], "start"),
        ]
    parts += [
        f'<circle cx="{left}" cy="{bottom}" r="4" fill="{GREY}"/>',
        _text(left + 8, bottom - 8, t("了、一个、和", "a, an, and"), "start"),
    ]
    for end in ends:
        step = end - before
        tip = before + step * (1 - 9 / (unit * np.sqrt((step**2).sum())))
        first = before + step * (7 / (unit * np.sqrt((step**2).sum())))
        parts += [
            f'<path d="M{across(first):.1f} {down(first):.1f}L{across(tip):.1f} {down(tip):.1f}" '
            f'stroke="{HEAT}" stroke-width="1.5" stroke-dasharray="4 3"/>',
            f'<circle cx="{across(end):.1f}" cy="{down(end):.1f}" r="6" fill="{HEAT}"/>',
        ]
    x, y = across(before), down(before)
    parts += [
        f'<circle cx="{x:g}" cy="{y:g}" r="6" fill="none" stroke="currentColor" stroke-width="2"/>',
        _text(x + 12, y - 4, t("两个“苹果”，之前", "both apples, before"), "start", BOLD),
        _text(x + 12, y + 13, "(1, 1)", "start"),
        _text(
            across(ends[0]) + 11,
            down(ends[0]) - 16,
            t("句子一的“苹果”", "apple, sentence 1"),
            "start",
            BOLD,
        ),
        _text(across(ends[0]) + 11, down(ends[0]) + 1, numbers(ends[0]), "start"),
        _text(
            across(ends[1]) + 11,
            down(ends[1]) + 1,
            t("句子二的“苹果”", "apple, sentence 2"),
            "start",
            BOLD,
        ),
        _text(across(ends[1]) + 11, down(ends[1]) + 18, numbers(ends[1]), "start"),
    ]
    label = t("注意力把两个“苹果”分开", "attention moves the two apples apart")
    return _svg(bottom + 44, label, parts)
