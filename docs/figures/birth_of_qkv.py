"""The figures of the page birth-of-qkv, drawn from the runs that docs/data recorded."""

from __future__ import annotations

import numpy as np

from docs.data import read
from docs.data.birth_of_qkv import restored
from docs.figures.kit import GREEN, GREY, HEAT, ORANGE, Label, Played, path, ring
from qkv_docs.drawing import FULL, Drawing, text
from qkv_docs.lookup import LETTERS

SHADES = 6


def _cells(
    values: np.ndarray, limit: float, colour: str, x: float, y: float, width: float, height: float
) -> str:
    """A table too fine for numbers: cells of one shade are one path. Negative ones are grey."""
    shades = np.ceil(np.minimum(np.abs(values) / limit, 1) * SHADES - 0.5).astype(int)
    parts = []
    for shade in range(1, SHADES + 1):
        for sign, fill in ((1, colour), (-1, GREY)):
            places = np.argwhere((shades == shade) & (np.sign(values) == sign))
            outline = "".join(
                f"M{x + j * width:g} {y + i * height:g}h{width - 1}v{height - 1}h-{width - 1}z"
                for i, j in places.tolist()
            )
            if outline:
                opacity = 0.04 + 0.92 * (shade / SHADES) ** 0.7  # as birth.mjs paints it
                parts.append(f'<path d="{outline}" fill="{fill}" fill-opacity="{opacity:.2f}"/>')
    return "".join(parts)


def birth(t: Label) -> Played:
    """What questions find and what values say, for every letter and digit, before and after."""
    source = "birth-of-qkv-snapshots"
    recorded = read(source)
    models = restored(recorded["matrices"], recorded["scale"])
    before, after = models[0], models[-1]
    most_asked, most_said = (
        np.abs(table).max() for table in (after.question_scores(), after.value_logits())
    )
    width, height, gap = 9, 6, 5
    digits = LETTERS * width + gap  # where the digits' columns begin
    parts, y = [], 0
    for when, model in ((t("训练前", "Before training"), before),
                        (t("训练后", "After training"), after)):  # fmt: skip
        parts.append(text(0, y + 14, when, "start", bold=True))
        y += 20
        for rows, what, table, limit, colour in (
            (t("问 a?–z? ↓", "ask a?–z? ↓"), t("键", "key"), model.question_scores(), most_asked,
             HEAT),
            (t("答 0–9 ↓", "answer 0–9 ↓"), t("值", "value"), model.value_logits().T, most_said,
             GREEN),
        ):  # fmt: skip
            parts += [
                text(0, y + 14, f"{rows}  {what} a–z →", "start"),
                text(digits, y + 14, f"{what} 0–9", "start"),
                _cells(table[:, :LETTERS], limit, colour, 0, y + 20, width, height),
                _cells(table[:, LETTERS:], limit, colour, digits, y + 20, width, height),
            ]
            y += 28 + len(table) * height
        y += 14
    label = t("两张表，训练前后", "two tables, before and after training")
    still = Drawing(36 * width + gap, y - 20, "".join(parts), label)
    return Played("birth", still, source=source)


def plane(t: Label) -> Drawing:
    """d_k = 2: where the 26 keys came to lie, and which of them their own question finds."""
    data = read("birth-of-qkv")["plane"]
    keys = np.array([data["keys_x"], data["keys_y"]]).T
    unit, middle = 34, np.array([180, 172])
    parts = [path(f"M20 {middle[1]}H340M{middle[0]} 10V334", width=1, opacity=0.5)]
    for letter, key in zip(data["letters"], keys, strict=True):
        x, y = middle + unit * key * [1, -1]
        found = letter in data["found"]
        if not found:
            parts.append(ring((x, y), 9))
        parts.append(text(x, y + 4.5, letter, bold=found, fill=ORANGE if found else ""))
    label = t("26 个键在平面上", "26 keys in the plane")
    return Drawing(FULL, 344, "".join(parts), label)
