"""The figures of the page flash-attention: the tiles as they are read, one after the other."""

from __future__ import annotations

from typing import Any

import numpy as np

from docs import data
from docs.examples import values
from docs.figures.kit import GREEN, GREY, HEAT, Label, Played, frame, names
from qkv_docs import (
    FlashTile,
    causal_mask,
    flash_attention,
    line_chart,
    scaled_dot_product_attention,
)
from qkv_docs.drawing import FULL, SMALL, Drawing, cell, number, text

PAGE = values("flash-attention", "moved")
MEASURED = data.read("flash-attention")
TILES: list[FlashTile] = PAGE["tiles"]
WORDS = [("你", "you"), ("卖", "sell"), ("米饭", "rice"), ("我", "I"), ("吃", "eat")]
WORDS += [("苹果", "apples")]
SHOWN = 2  # the tile in the still: the first that raises a maximum
WIDE, HIGH, LEFT, TOP = 37, 26, 50, 56


def written_out(q: np.ndarray, k: np.ndarray, v: np.ndarray) -> int:
    """The bytes moved where scores and weights are written and read as whole tables."""
    tables = 4 * len(q) * len(k)
    moved: int = q.size + k.size + v.size + len(q) * v.shape[1] + tables
    return moved * q.itemsize


def traced(size: int, causal: bool) -> dict[str, object]:
    """What `flash_attention` tells of the page's sentence, and whether its output is right."""
    told: list[FlashTile] = []
    q, k, v = (PAGE[name] for name in "QKV")
    mask = causal_mask(6) if causal else None
    output = flash_attention(q, k, v, mask, rows=size, columns=size, watch=told.append)
    whole, _ = scaled_dot_product_attention(q, k, v, mask)
    return {"tiles": [_plain(one) for one in told], "same": bool(np.allclose(output, whole))}


def _plain(tile: FlashTile) -> dict[str, object]:
    """A tile as JSON has it; a hidden score is null."""
    rounded = [
        [x if np.isfinite(x) else None for x in row] for row in tile.scores.round(6).tolist()
    ]
    return {
        "queries": [tile.queries.start, tile.queries.stop],
        "keys": [tile.keys.start, tile.keys.stop],
        "scores": rounded,
        "maximum": tile.maximum.round(6).tolist(),
        "total": tile.total.round(6).tolist(),
        "added": tile.added.round(6).tolist(),
        "moved": tile.moved,
    }


def tiles(t: Label) -> Played:
    """The tiles one after the other: the table of scores, and what is kept for each query."""
    given = {
        "words": [t(*word) for word in WORDS],
        "whole": written_out(PAGE["Q"], PAGE["K"], PAGE["V"]),
        "traces": {
            f"{size},{int(causal)}": traced(size, causal)
            for size in (1, 2, 3)
            for causal in (False, True)
        },
    }
    return Played("tiles", _still(t), given)


def _still(t: Label) -> Drawing:
    """The table of scores of which one tile exists, and what is kept for each query."""
    last = TILES[SHOWN]
    words = [t(*word) for word in WORDS]
    read = {
        (i, j) for one in TILES[: SHOWN + 1] for i in _range(one.queries) for j in _range(one.keys)
    }
    rows, columns = _range(last.queries), _range(last.keys)
    parts = [
        text(LEFT + 3 * WIDE, 16, t("缩放后的分数", "scaled scores"), bold=True, light=" (6, 6)"),
        names(LEFT - 5, TOP, words, HIGH),
    ]
    for j, word in enumerate(words):
        parts.append(text(LEFT + (j + 0.5) * WIDE, TOP - 6, word, size=SMALL))
    for i, j in np.ndindex(6, 6):
        x, y = LEFT + j * WIDE, TOP + i * HIGH
        if i in rows and j in columns:
            score = last.scores[i - rows[0], j - columns[0]]
            parts.append(cell(x, y, WIDE, HIGH, number(score, 2), fill=HEAT, strength=score / 4))
        elif (i, j) in read:
            parts.append(cell(x, y, WIDE, HIGH, "·", fill=GREY, strength=0.3))
        else:
            parts.append(cell(x, y, WIDE, HIGH, "", fill=GREY))
    parts.append(frame(LEFT + columns[0] * WIDE, TOP, len(columns) * WIDE, len(rows) * HIGH))
    right = LEFT + 6 * WIDE
    kept = ((t("最大", "max"), last.maximum), (t("总和", "sum"), last.total))
    for at, (name, numbers) in enumerate(kept):
        x = right + 4 + at * WIDE
        parts.append(text(x + WIDE / 2, TOP - 6, name, bold=True, size=SMALL))
        for i, value in zip(rows, numbers, strict=True):
            y = TOP + i * HIGH
            parts.append(cell(x, y, WIDE, HIGH, number(value, 2), fill=HEAT, size=SMALL))
    below = TOP + 6 * HIGH + 34
    title = t("输出，一列一个词", "output, a column a word")
    parts.append(text(LEFT + 3 * WIDE, below - 8, title, bold=True))
    output = last.added / last.total[:, None]
    for (i, j), value in np.ndenumerate(output):
        x, y = LEFT + (rows[i]) * WIDE, below + j * HIGH
        parts.append(cell(x, y, WIDE, HIGH, number(value, 2), fill=GREEN, strength=value))
    for i in range(len(rows), 6):
        for j in range(2):
            parts.append(cell(LEFT + i * WIDE, below + j * HIGH, WIDE, HIGH, "", fill=GREY))
    for i, word in enumerate(words):
        parts.append(text(LEFT + (i + 0.5) * WIDE, below + 2 * HIGH + 14, word, size=SMALL))
    bottom = below + 2 * HIGH + 30
    most = written_out(PAGE["Q"], PAGE["K"], PAGE["V"])
    for at, (name, moved) in enumerate(
        ((t("分块，到此", "tiles so far"), last.moved), (t("整张写出", "written out"), most))
    ):
        y = bottom + at * 26
        parts.append(text(86, y + 15, name, "end", size=SMALL))
        parts.append(
            f'<rect x="92" y="{y + 3}" width="{moved / most * 180:g}" height="16" rx="3" '
            f'fill="{HEAT}" fill-opacity="0.5"/>'
        )
        parts.append(
            text(
                98 + moved / most * 180,
                y + 15,
                f"{moved} {t('字节', 'bytes')}",
                "start",
                size=SMALL,
            )
        )
    label = t("一块一块读的注意力", "attention read tile by tile")
    return Drawing(FULL, bottom + 58, "".join(parts), label)


def _range(one: slice) -> range:
    return range(one.start, one.stop)


def _curves(rows: list[dict[str, Any]], ways: dict[str, str]) -> dict[str, list[float]]:
    """A way's median at every length, nan where it was not measured."""
    return {
        name: [row[way]["median"] if way in row else np.nan for row in rows]
        for name, way in ways.items()
        if any(way in row for row in rows)
    }


def time(t: Label) -> Drawing:
    """How long each way takes, as a multiple of PyTorch's flash kernel; one thread."""
    ways = {
        t("两个乘积", "2 products"): "products",
        t("本页", "this page"): "tiles",
        t("教科书", "textbook"): "textbook",
        t("PyTorch 整表", "PyTorch table"): "math",
    }
    rows = [row for row in MEASURED["time"] if row["threads"] == 1]
    curves = _curves(rows, ways)
    most = max(np.nanmax(curve) for curve in curves.values())
    return line_chart(
        [row["n"] for row in rows],
        curves,
        x_title=t("词元数", "tokens"),
        y_title=t("PyTorch flash 的几倍", "in multiples of PyTorch's flash kernel"),
        title=t("时间，一个线程", "time, one thread"),
        log_x=True,
        log_y=True,
        y_limits=(0.5, max(10, 1.1 * most)),
    )


def memory(t: Label) -> Drawing:
    """What each way needs beside its inputs, in outputs: flat where it grows with n."""
    ways = {
        t("PyTorch flash", "PyTorch flash"): "flash",
        t("本页", "this page"): "tiles",
        t("教科书", "textbook"): "textbook",
        t("PyTorch 整表", "PyTorch table"): "math",
    }
    rows = MEASURED["memory"]
    lengths = sorted({row["n"] for row in rows})
    size = MEASURED["about"]["setting"]
    output = size["heads"] * size["d"] * 4 / 2**20  # MiB for one token, float32
    found = {(row["way"], row["n"]): row["mib"] / (output * row["n"]) for row in rows}
    curves = {
        name: [found.get((way, n), np.nan) for n in lengths]
        for name, way in ways.items()
        if any((way, n) in found for n in lengths)
    }
    return line_chart(
        lengths,
        curves,
        x_title=t("词元数", "tokens"),
        y_title=t("输出大小的几倍", "in multiples of the output's size"),
        title=t("输入之外还要的内存", "extra memory, beside the inputs"),
        log_x=True,
        log_y=True,
    )
