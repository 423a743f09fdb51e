"""The figures of the page birth-of-qkv, drawn from the runs that docs/data recorded."""

import json
import runpy
from html import escape
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from qkv_docs.drawing import COLOURS

DATA = Path(__file__).parents[1] / "data"
RECORDER = SimpleNamespace(**runpy.run_path(str(DATA / "birth_of_qkv.py")))
LETTERS = RECORDER.LETTERS
HEAT, GREEN, GREY = COLOURS["scores"], COLOURS["v"], COLOURS["x"]
SHADES = 6


def _text(x, y, text, anchor="start", more=""):
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{more}>{escape(text)}</text>'


def _svg(width, height, label, parts):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="qkv-figure" width="{width}" '
        f'height="{height}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}" '
        f'fill="currentColor" font-family="inherit" font-size="13" font-variant="tabular-nums">'
        f"{''.join(parts)}</svg>"
    )


def _cells(values, limit, colour, x, y, width, height):
    """A table too fine for numbers: cells of one shade are one path. Negative ones are grey."""
    shades = np.ceil(np.minimum(np.abs(values) / limit, 1) * SHADES - 0.5).astype(int)
    parts = []
    for shade in range(1, SHADES + 1):
        for sign, fill in ((1, colour), (-1, GREY)):
            places = np.argwhere((shades == shade) & (np.sign(values) == sign))
            path = "".join(
                f"M{x + j * width:g} {y + i * height:g}h{width - 1}v{height - 1}h-{width - 1}z"
                for i, j in places.tolist()
            )
            if path:
                opacity = 0.08 + 0.82 * shade / SHADES
                parts.append(f'<path d="{path}" fill="{fill}" fill-opacity="{opacity:.2f}"/>')
    return "".join(parts)


def _run():
    """The recorded model at the first and the last step."""
    stored = json.loads((DATA / "birth-of-qkv-snapshots.json").read_text(encoding="utf-8"))
    models = RECORDER.restored(stored["matrices"], stored["scale"])
    return models[0], models[-1]


def birth(t):
    """What questions find and what values say, for every letter and digit, before and after."""
    models = _run()
    scores = [model.question_scores() for model in models]
    says = [model.value_logits().T for model in models]
    width, height, gap = 9, 6, 5
    digits = LETTERS * width + gap  # where the digits' columns begin
    parts, y = [], 0
    for when, score, say in zip((t("训练前", "Before training"), t("训练后", "After training")),
                                 scores, says, strict=True):  # fmt: skip
        parts.append(_text(0, y + 14, when, more=' font-weight="600"'))
        y += 20
        for rows, part, table, limit, colour in (
            (t("问 a?–z? ↓", "ask a?–z? ↓"), t("键", "key"), score, np.abs(scores[1]).max(), HEAT),
            (t("答 0–9 ↓", "answer 0–9 ↓"), t("值", "value"), say, np.abs(says[1]).max(), GREEN),
        ):
            parts += [
                _text(0, y + 14, f"{rows}  {part} a–z →"),
                _text(digits, y + 14, f"{part} 0–9"),
                _cells(table[:, :LETTERS], limit, colour, 0, y + 20, width, height),
                _cells(table[:, LETTERS:], limit, colour, digits, y + 20, width, height),
            ]
            y += 28 + len(table) * height
        y += 14
    label = t("两张表，训练前后", "two tables, before and after training")
    still = _svg(36 * width + gap, y - 20, label, parts)
    return f'<qkv-birth data-src="birth-of-qkv-snapshots.json">{still}</qkv-birth>'


def plane(t):
    """d_k = 2: where the 26 keys came to lie, and which of them their own question finds."""
    data = json.loads((DATA / "birth-of-qkv.json").read_text(encoding="utf-8"))["plane"]
    keys = np.array([data["keys_x"], data["keys_y"]]).T
    unit, middle = 34, np.array([180, 172])
    parts = [
        f'<path d="M20 {middle[1]}H340M{middle[0]} 10V334" stroke="{GREY}" stroke-opacity=".5"/>'
    ]
    for letter, key in zip(data["letters"], keys, strict=True):
        x, y = middle + unit * key * [1, -1]
        found = letter in data["found"]
        fill = f' fill="{COLOURS["k"]}" font-weight="700"' if found else ""
        if not found:
            parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="9" fill="none" stroke="{GREY}"/>')
        parts.append(_text(round(x, 1), round(y + 4.5, 1), letter, "middle", fill))
    return _svg(360, 344, t("26 个键在平面上", "26 keys in the plane"), parts)
