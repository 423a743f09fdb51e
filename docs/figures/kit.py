"""What the figures are made of, beside the heat maps and charts that qkv_docs offers to readers.

A part (text, arrow, cells, ...) is a piece of SVG that stands where it is told, in units. A
`Drawing` holds parts and knows its size; `arrange` and `stack` put drawings together.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import ArrayLike

from qkv_docs.drawing import COLOURS, FONT, SMALL, Drawing, cell, number, short, text

Label = Callable[[str, str], str]  # t(zh, en)
Point = Sequence[float] | np.ndarray

INK = "currentColor"
GREY, BLUE, ORANGE, GREEN, HEAT = (COLOURS[kind] for kind in ("x", "q", "k", "v", "weights"))
ROW = 24  # height of a cell of a grid


@dataclass(frozen=True)
class Played:
    """A figure that can be played with, made by assets/scripts/figures/<element>.mjs.

    `still` is for readers without scripts and for paper. The script finds `given` as JSON in
    `data-given`, and in `data-src` the address of docs/data/<source>.json.
    """

    element: str
    still: Drawing
    given: object = None
    source: str = ""

    def html(self, label: str, data: str = "") -> str:
        attributes = ""
        if self.source:
            attributes += _attribute("data-src", f"{data}{self.source}.json")
        if self.given is not None:
            given = json.dumps(
                self.given, default=_plain, ensure_ascii=False, separators=(",", ":")
            )
            attributes += _attribute("data-given", given)
        return f"<qkv-{self.element}{attributes}>{self.still.svg(label)}</qkv-{self.element}>"

    def __str__(self) -> str:
        return self.html(self.still.label)


def _attribute(name: str, value: str) -> str:
    """In single quotes, since JSON is full of double ones."""
    safe = escape(value, quote=False).replace("'", "&#39;")
    return f" {name}='{safe}'"


def _plain(array: np.ndarray) -> object:
    """An array in JSON: 1.0 is written 1."""
    whole = array.astype(int)
    return (whole if np.array_equal(whole, array) else array).tolist()


def minus(value: object) -> str:
    """A number that is formatted already, with the sign that is as wide as a digit."""
    return str(value).replace("-", "−")


def path(
    d: str, colour: str = GREY, width: float = 1.5, *, dash: str = "", opacity: float = 1
) -> str:
    """A line that is drawn as the path `d` says."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    faint = f' stroke-opacity="{opacity:g}"' if opacity != 1 else ""
    return f'<path d="{d}" fill="none" stroke="{colour}" stroke-width="{width:g}"{dashed}{faint}/>'


def through(*points: Point) -> str:
    """The `d` of a path that joins the points."""
    return "M" + "L".join(f"{short(x)} {short(y)}" for x, y in points)


def line(
    *points: Point, colour: str = GREY, width: float = 1.5, dash: str = "", opacity: float = 1
) -> str:
    return path(through(*points), colour, width, dash=dash, opacity=opacity)


def arrow(
    *points: Point,
    colour: str = GREY,
    width: float = 1.5,
    head: tuple[float, float] = (6, 4),
) -> str:
    """A line that ends in an arrow head, so long and to each side so wide."""
    before, tip = (np.asarray(point, dtype=float) for point in points[-2:])
    ahead = (tip - before) / np.linalg.norm(tip - before)
    aside = np.array([-ahead[1], ahead[0]])
    barbs = [tip - head[0] * ahead + turn * head[1] * aside for turn in (1, -1)]
    return path(through(*points) + through(barbs[0], tip, barbs[1]), colour, width)


def dot(at: Point, radius: float, colour: str) -> str:
    return f'<circle cx="{short(at[0])}" cy="{short(at[1])}" r="{radius:g}" fill="{colour}"/>'


def ring(at: Point, radius: float, colour: str = GREY, width: float = 1, opacity: float = 1) -> str:
    faint = f' stroke-opacity="{opacity:g}"' if opacity != 1 else ""
    return (
        f'<circle cx="{short(at[0])}" cy="{short(at[1])}" r="{radius:g}" fill="none" '
        f'stroke="{colour}" stroke-width="{width:g}"{faint}/>'
    )


def frame(x: float, y: float, width: float, height: float) -> str:
    """Around the cells that we follow."""
    return (
        f'<rect x="{short(x)}" y="{short(y)}" width="{short(width)}" height="{short(height)}" '
        f'rx="4" fill="none" stroke="{INK}" stroke-width="1.5"/>'
    )


def cells(
    x: float,
    y: float,
    values: ArrayLike,
    kind: str,
    wide: float,
    high: float = ROW,
    *,
    decimals: int = 0,
    limit: float | None = None,
    size: float = FONT,
) -> str:
    """The cells of a heat map, without anything around them; negative ones are grey."""
    matrix = np.atleast_2d(np.asarray(values, dtype=float))
    limit = limit or float(np.abs(matrix).max())
    return "".join(
        cell(
            x + j * wide,
            y + i * high,
            wide,
            high,
            number(value, decimals),
            fill=COLOURS[kind] if value > 0 else GREY,
            strength=min(abs(value) / limit, 1.0),
            size=size,
        )
        for (i, j), value in np.ndenumerate(matrix)
    )


def grid(
    x: float,
    y: float,
    values: np.ndarray,
    kind: str,
    wide: float,
    high: float = ROW,
    *,
    title: str = "",
    rows: Sequence[str] = (),
    framed: range = range(0),
    decimals: int = 0,
    size: float = FONT,
) -> str:
    """Cells with a title and their shape above, names of the rows, and some rows framed."""
    n_columns = values.shape[1]
    part = cells(x, y, values, kind, wide, high, decimals=decimals, size=size)
    if title:
        part += text(x + n_columns * wide / 2, y - 7, title, bold=True, light=f" {values.shape}")
    part += names(x - 5, y, rows, high)
    if framed:
        part += frame(x, y + framed[0] * high, n_columns * wide, len(framed) * high)
    return part


def names(x: float, y: float, rows: Sequence[str], high: float = ROW) -> str:
    """What stands to the left of the rows of cells, up to x."""
    return "".join(
        text(x, y + (i + 0.5) * high + 4.5, row, "end", size=SMALL) for i, row in enumerate(rows)
    )
