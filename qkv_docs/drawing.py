"""Pictures of matrices and curves, as SVG drawn from the numbers themselves.

A cell shows its number, so nothing depends on colour; colours come from the page
(`--qkv-q`, `--qkv-heat`, ...) with a fall-back, so a picture also stands alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from unicodedata import combining, east_asian_width

import numpy as np
from numpy.typing import ArrayLike

from qkv_docs._checks import numbers

FONT, SMALL = 13, 12  # units; no text of a figure is smaller but an index
KEY = 20  # width of the piece of line before the name of a curve
LOW, INDEX_SIZE = 3, 10  # how far an index is below its letter, and how large
# One letter, an underscore, letters. Names in code stay: n_q_1, grad_V, and layers' own, as k_proj.
INDEX = re.compile(r"(?<![A-Za-z0-9_])([A-Za-z])_((?!(?:attn|proj)\b)[A-Za-z]+)(?![A-Za-z0-9_])")
CELL = 30  # height of a cell
FULL = 360  # a figure up to this width is legible on a phone without shrinking
STRONGEST = 0.45  # opacity of the strongest cell: text on it keeps a contrast of 4.5:1

HEAT, LINE = "var(--qkv-heat, #5b4bb7)", "var(--qkv-line, #8a8f98)"
COLOURS = {
    "x": LINE,
    "q": "var(--qkv-q, #0061b5)",
    "k": "var(--qkv-k, #a84300)",
    "v": "var(--qkv-v, #007a57)",
    "scores": HEAT,
    "weights": HEAT,
    "output": "var(--qkv-v, #007a57)",  # a mixture of values
}
STYLES = ((HEAT, "", "circle"), ("currentColor", "6 4", "square"), (LINE, "2 3", "diamond"),
          (HEAT, "9 3 2 3", "triangle"))  # fmt: skip


class Drawing(str):
    """A picture: the text of an `<svg>` element that also knows its parts.

    Jupyter shows it as a picture. Drawings are put together by `arrange` and `stack`.

    Args:
        width: in units.
        height: in units.
        body: the SVG elements in it.
        label: the text alternative.

    Examples:
        >>> drawing = Drawing(20, 10, '<circle cx="5" cy="5" r="5"/>', "a dot")
        >>> drawing.width, drawing.label
        (20, 'a dot')
        >>> drawing.svg(label="a disc") == str(drawing).replace("a dot", "a disc")
        True
    """

    width: float
    height: float
    body: str
    label: str

    def __new__(cls, width: float, height: float, body: str, label: str = "") -> Drawing:
        extent = f"{math.ceil(width)} {math.ceil(height)}"
        wide, high = extent.split()
        self = super().__new__(
            cls,
            f'<svg xmlns="http://www.w3.org/2000/svg" class="qkv-figure" width="{wide}" '
            f'height="{high}" viewBox="0 0 {extent}" role="img" aria-label="{escape(label)}" '
            f'fill="currentColor" font-family="inherit" font-size="{FONT}">{body}</svg>',
        )
        self.width, self.height, self.body, self.label = width, height, body, label
        return self

    def __reduce__(self) -> tuple[type[Drawing], tuple[float, float, str, str]]:
        return Drawing, (self.width, self.height, self.body, self.label)  # for copy and pickle

    def svg(self, label: str | None = None) -> str:
        """The `<svg>` element, with another text alternative where one is given."""
        return str(self if label is None else Drawing(self.width, self.height, self.body, label))

    def _repr_html_(self) -> str:
        return str(self)


def heatmap(
    values: ArrayLike,
    rows: Sequence[object] | None = None,
    columns: Sequence[object] | None = None,
    *,
    row_title: str | None = None,
    column_title: str | None = None,
    title: str | None = None,
    decimals: int = 2,
    kind: str = "weights",
    limit: float | None = None,
    show_rows: bool = True,
    label: str | None = None,
) -> Drawing:
    """Draw a matrix as SVG: a number in every cell, colour by its size.

    Positive cells take the colour of `kind`; the others are grey, and a negative number
    carries a minus sign. A masked score (-inf) is written as −∞. Hovering a cell names it.

    Args:
        values: `(n_rows, n_columns)`, or `(n_columns,)` for a single row. Boolean values are
            written as 1 and 0.
        rows: labels, one for each row, in any language.
        columns: labels, one for each column.
        row_title: what the rows are, such as query.
        column_title: what the columns are, such as key.
        title: a heading; the shape is written beside it.
        decimals: digits after the point.
        kind: `x`, `q`, `k`, `v`, `scores`, `weights` or `output`.
        limit: the size that is drawn strongest, by default the largest in sight; set it where
            several pictures are to be compared. Attention weights always use 1.
        show_rows: False leaves the row labels out, where the matrix to the left shows them.
        label: the text alternative; by default the title, the shape and the numbers.

    Returns:
        A string, an `<svg>` element; up to about eight columns of short labels it fits a phone.

    Raises:
        TypeError: the values are not real numbers, and not boolean.
        ValueError: there are no rows or more than two axes, the labels do not match the shape,
            the kind is unknown, or attention weights lie outside [0, 1].

    Examples:
        >>> heatmap([[0.53, 0.47]], ["猫"], ["猫", "鱼"], title="A")
        '<svg ...</svg>'
        >>> svg = heatmap([[0.53, 0.47]], ["猫"], ["猫", "鱼"], title="A")
        >>> svg.count("<rect"), "猫 → 鱼: 0.47" in svg, "(1, 2)" in svg
        (2, True, True)
        >>> heatmap([[1, 2], [3, 4]], ["a"], kind="scores")
        Traceback (most recent call last):
        ValueError: values of shape (2, 2) need 2 row labels, got 1
    """
    matrix = numbers("values", values, "biuf")
    shape = matrix.shape
    if matrix.dtype == bool:
        decimals = 0
    matrix = np.atleast_2d(matrix.astype(float))
    if matrix.ndim != 2 or matrix.size == 0:
        raise ValueError(f"a heat map needs a matrix (n_rows, n_columns), got shape {shape}")
    if kind not in COLOURS:
        raise ValueError(f"kind must be one of {', '.join(COLOURS)}, got {kind!r}")
    row_names = _names(rows, matrix.shape[0], "row", shape)
    column_names = _names(columns, matrix.shape[1], "column", shape)
    sizes = np.abs(matrix[np.isfinite(matrix)])
    if kind == "weights":
        low, high = np.nanmin(matrix, initial=0), np.nanmax(matrix, initial=0)
        if low < -1e-6 or high > 1 + 1e-6:
            wrong = low if low < -1e-6 else high
            raise ValueError(
                f"attention weights lie in [0, 1], got {wrong:g}: is this kind='scores'?"
            )
        limit = 1.0
    elif limit is None:
        limit = float(sizes.max(initial=0.0))

    texts = [[number(value, decimals) for value in row] for row in matrix]
    widths = [
        max(_width(words) for words in (name, *(row[j] for row in texts)))
        for j, name in enumerate(column_names)
    ]
    shown_rows = row_names if rows is not None and show_rows else []
    gutter = max(_width(words) for words in (*shown_rows, row_title or "")) + 10
    if not shown_rows and row_title is None:
        gutter = 0.0
    even = max(30.0, max(widths) + 10, _width(column_title or "") / len(widths))
    fits = gutter + even * len(widths) <= FULL
    widths = [even if fits else max(30.0, width + 8) for width in widths]
    lefts = [gutter + sum(widths[:j]) for j in range(len(widths))]
    right = gutter + sum(widths)

    parts, y, width = [], 0.0, right
    if title is not None:
        shown = f" {shape}" if len(shape) == 2 else f" ({shape[0]},)" if shape else ""
        parts.append(text(0, 16, title, "start", bold=True, light=shown))
        y, width = 24.0, max(right, _width(title + shown) * 1.08)
    if column_title is not None:
        parts.append(text(gutter + (right - gutter) / 2, y + 15, column_title))
        y, width = y + 20, max(width, gutter + _width(column_title))
    if columns is not None or row_title is not None:
        if row_title is not None:
            parts.append(text(gutter - 8, y + 15, row_title, "end"))
        if columns is not None:
            parts += [text(lefts[j] + widths[j] / 2, y + 15, name)
                      for j, name in enumerate(column_names)]  # fmt: skip
        y += 22
    arrow = " → " if kind in ("scores", "weights") else ", "
    for i, row in enumerate(matrix):
        if shown_rows:
            parts.append(text(gutter - 8, y + CELL / 2 + 4.5, row_names[i], "end"))
        for j, value in enumerate(row):
            strength = min(abs(value) / limit, 1.0) if limit and math.isfinite(value) else 0.0
            colour = COLOURS[kind] if value > 0 else LINE
            hover = f"{row_names[i]}{arrow}{column_names[j]}: {texts[i][j]} [{i}, {j}]"
            shown = cell(lefts[j], y, widths[j], CELL, texts[i][j], fill=colour, strength=strength)
            parts.append(f"<g><title>{escape(hover)}</title>{shown}</g>")
        y += CELL
    if label is None:
        lines = [" ".join([name, *row]) for name, row in zip(row_names, texts, strict=True)]
        label = f"{title or ''} {shape}: {'; '.join(lines)}".strip()
    return Drawing(width, y, "".join(parts), label)


def line_chart(
    x: ArrayLike,
    series: Mapping[str, ArrayLike],
    *,
    x_title: str,
    y_title: str,
    title: str | None = None,
    log_x: bool = False,
    log_y: bool = False,
    y_limits: tuple[float, float] | None = None,
    kinds: Mapping[str, str] | None = None,
    width: int = 340,
    height: int = 240,
    label: str | None = None,
) -> Drawing:
    """Draw named curves over the same x as SVG, each name and its piece of line where it ends.

    Curves differ by dash pattern and marker as well as by colour. A value that is not finite
    interrupts its curve.

    Args:
        x: `(n,)`. With at most nine different values, each has a tick of its own.
        series: one to four curves, name to `(n,)`.
        x_title: what the horizontal axis shows, with its unit where there is one.
        y_title: the same for the vertical axis.
        title: a heading.
        log_x: whether the horizontal axis is logarithmic.
        log_y: whether the vertical one is.
        y_limits: lowest and highest y; by default the round numbers around the data.
        kinds: for each curve that needs it, by name, the kind whose colour it takes: `q`, `k`, `v`
            and so on.
        width: in units; 340 is legible on a phone.
        height: in units.
        label: the text alternative; by default the titles and the names.

    Returns:
        A string, an `<svg>` element.

    Raises:
        TypeError: x or a curve does not hold real numbers.
        ValueError: lengths differ, there is no curve or more than four, a kind is unknown, or
            a logarithmic axis meets a value that is not positive.

    Examples:
        >>> svg = line_chart([4, 16, 64], {"q·k": [2, 4, 8]}, x_title="d_k", y_title="std")
        >>> ">q·k<" in svg, ">64<" in svg
        (True, True)
    """
    xs = numbers("x", x).astype(float)
    curves = {name: numbers(name, curve).astype(float) for name, curve in series.items()}
    if not 1 <= len(curves) <= len(STYLES):
        raise ValueError(f"a chart holds one to {len(STYLES)} curves, got {len(curves)}")
    for name, curve in curves.items():
        if xs.ndim != 1 or curve.shape != xs.shape:
            raise ValueError(f"{name!r} has shape {curve.shape}, x has shape {xs.shape}")
        if not np.isfinite(curve).any():
            raise ValueError(f"{name!r} has no finite value")
    if not np.isfinite(xs).all():
        raise ValueError("x has a value that is not finite")
    every = np.concatenate([curve[np.isfinite(curve)] for curve in curves.values()])
    for axis, data, log in (("x", xs, log_x), ("y", every, log_y)):
        if log and data.min() <= 0:
            raise ValueError(f"log_{axis} needs positive values, got {data.min():g}")
    for name, kind in (kinds or {}).items():
        if kind not in COLOURS or name not in curves:
            raise ValueError(f"no kind {kind!r} or no curve {name!r}")

    x_ticks = sorted(set(xs)) if len(set(xs)) <= 9 else _ticks(xs.min(), xs.max(), log_x)
    x_ticks = [value for value in x_ticks if xs.min() <= value <= xs.max()]  # the curves end there
    bounds = y_limits or (float(every.min()), float(every.max()))
    y_ticks = _ticks(*bounds, log_y)
    if y_limits is None:  # widen to the ticks outside the data
        bounds = min(bounds[0], y_ticks[0]), max(bounds[1], y_ticks[-1])
    left = max(_width(_tick(value), SMALL) for value in y_ticks) + 10
    right = width - max(_width(name) for name in curves) - KEY - 18
    top, bottom = (48.0 if title else 28.0), height - 42.0

    def across(value: float) -> float:
        return left + 6 + _share(value, xs.min(), xs.max(), log_x) * (right - left - 12)

    def down(value: float) -> float:
        return bottom - _share(value, *bounds, log_y) * (bottom - top)

    parts = [text(0, 16, title, "start", bold=True)] if title else []
    parts.append(text(0, top - 12, y_title, "start"))
    parts.append(text(right, height - 6, x_title, "end"))
    for value in y_ticks:
        if bounds[0] <= value <= bounds[1]:
            level = short(down(value))
            parts.append(f'<line x1="{short(left)}" x2="{short(right)}" y1="{level}" '
                         f'y2="{level}" stroke="{LINE}" stroke-opacity=".4"/>')  # fmt: skip
            parts.append(text(left - 6, down(value) + 4, _tick(value), "end", size=SMALL))
    last = -math.inf
    for value in x_ticks:
        half = _width(_tick(value), SMALL) / 2
        if across(value) - half >= last + 4:  # leave out a tick that would touch the one before
            parts.append(text(across(value), bottom + 18, _tick(value), size=SMALL))
            last = across(value) + half

    ends = []
    for (name, curve), style in zip(curves.items(), STYLES, strict=False):
        colour, dash, marker = style
        colour = COLOURS[kinds[name]] if kinds and name in kinds else colour
        good = [i for i in range(xs.size) if math.isfinite(curve[i])]
        path = "".join(
            f"{'L' if i - 1 in good else 'M'}{short(across(xs[i]))} {short(down(curve[i]))}"
            for i in good
        )
        dashes = f' stroke-dasharray="{dash}"' if dash else ""
        parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        for i in good if xs.size <= 24 else good[-1:]:
            parts.append(
                f'<g fill="{colour}"><title>{escape(name)}: {_tick(xs[i])}, {curve[i]:.3g}</title>'
                f"{_marker(marker, across(xs[i]), down(curve[i]))}</g>"
            )
        sample = (
            f'<path d="M0 0H{KEY}" stroke="{colour}" stroke-width="2"{dashes}/>'
            f'<g fill="{colour}">{_marker(marker, KEY / 2, 0)}</g>'
        )
        ends.append((down(curve[good[-1]]), name, sample))
    lowest, levels = -math.inf, []
    for end, name, sample in sorted(ends):  # keep labels apart, then back into the picture
        lowest = max(end, lowest + 16)
        levels.append((lowest, name, sample))
    excess = max(0.0, lowest - bottom)
    for place, name, sample in levels:
        at = f"{short(right + 8)} {short(place - excess)}"
        parts.append(f'<g transform="translate({at})">{sample}</g>')
        parts.append(text(right + KEY + 12, place - excess + 4.5, name, "start"))
    label = label or f"{title or y_title} / {x_title}: {', '.join(curves)}"
    return Drawing(width, height, "".join(parts), label)


def stack(
    *drawings: Drawing, across: bool = False, gap: float = 18, label: str | None = None
) -> Drawing:
    """Put several drawings into one, one below the other or, with `across`, side by side.

    Args:
        drawings: at least one.
        across: side by side.
        gap: units between two drawings.
        label: the text alternative; by default those of the drawings, joined.

    Returns:
        A string, an `<svg>` element.

    Raises:
        ValueError: there is nothing to stack.

    Examples:
        >>> one = heatmap([1, 0])
        >>> stack(one, one).count("<rect")
        4
    """
    places, offset = [], 0.0
    for drawing in drawings:
        places.append((drawing, offset, 0.0) if across else (drawing, 0.0, offset))
        offset += (drawing.width if across else drawing.height) + gap
    return arrange(places, label=label)


def arrange(places: Iterable[tuple[Drawing, float, float]], *, label: str | None = None) -> Drawing:
    """Put several drawings into one, each with its upper left corner where it is told.

    Args:
        places: drawings, each with its x and y in units.
        label: the text alternative; by default those of the drawings, joined.

    Returns:
        A string, an `<svg>` element, large enough for all of them.

    Raises:
        ValueError: there is nothing to arrange.

    Examples:
        >>> one = heatmap([1, 0])
        >>> one.height, arrange([(one, 0, 0), (one, 20, 40)]).height
        (30.0, 70.0)
    """
    placed = list(places)
    if not placed:
        raise ValueError("there is no drawing to arrange")
    body = "".join(
        f'<g transform="translate({short(x)} {short(y)})">{drawing.body}</g>'
        for drawing, x, y in placed
    )
    if label is None:
        label = ". ".join(drawing.label for drawing, _, _ in placed)
    width = max(x + drawing.width for drawing, x, _ in placed)
    height = max(y + drawing.height for drawing, _, y in placed)
    return Drawing(width, height, body, label)


def text(
    x: float,
    y: float,
    words: str,
    anchor: str = "middle",
    *,
    bold: bool = False,
    light: str = "",
    size: float = FONT,
    fill: str = "",
) -> str:
    """Write words with their base line at y; `light` follows in plain weight.

    In W_Q or d_k the letters after the underscore stand lower; it stays in the text, unseen.
    """
    line, up = "", ""
    parts = [*INDEX.split(words), "", ""]  # what stands before, a letter, its index, and so on
    for part, name, index in zip(*[iter(parts)] * 3, strict=True):
        line += f"<tspan{up}>{escape(part)}</tspan>" if up and part else escape(part)
        if name:
            low = f'<tspan dy="{LOW}" font-size="{INDEX_SIZE}">{escape(index)}</tspan>'
            line, up = f'{line}{name}<tspan font-size="0">_</tspan>{low}', f' dy="-{LOW}"'
        elif part:
            up = ""
    if light:
        line += f'<tspan{up} font-weight="400">{escape(light)}</tspan>'
    style = ' font-weight="600"' if bold else ""
    style += f' font-size="{size:g}"' if size != FONT else ""
    style += f' fill="{fill}"' if fill else ""
    return f'<text x="{short(x)}" y="{short(y)}" text-anchor="{anchor}"{style}>{line}</text>'


def cell(
    x: float,
    y: float,
    width: float,
    height: float,
    words: str,
    *,
    fill: str,
    strength: float = 0.0,
    size: float = FONT,
) -> str:
    """Draw a rounded rectangle with words in it; strength 0 to 1 is how much colour it has."""
    opacity = short(0.05 + strength * (STRONGEST - 0.05))
    return (
        f'<rect x="{short(x + 1)}" y="{short(y + 1)}" width="{short(width - 2)}" '
        f'height="{short(height - 2)}" rx="3" fill="{fill}" fill-opacity="{opacity}"/>'
        + text(x + width / 2, y + height / 2 + 4.5, words, size=size)
    )


def _marker(shape: str, x: float, y: float) -> str:
    if shape == "circle":
        return f'<circle cx="{short(x)}" cy="{short(y)}" r="3.5"/>'
    outline = {
        "square": ((-3, -3), (3, -3), (3, 3), (-3, 3)),
        "diamond": ((0, -4.5), (4.5, 0), (0, 4.5), (-4.5, 0)),
        "triangle": ((0, -4), (4, 3.5), (-4, 3.5)),
    }[shape]
    points = " ".join(f"{short(x + dx)},{short(y + dy)}" for dx, dy in outline)
    return f'<polygon points="{points}"/>'


def _names(
    labels: Sequence[object] | None, size: int, what: str, shape: tuple[int, ...]
) -> list[str]:
    if labels is None:
        return [str(index) for index in range(size)]
    if len(labels) != size:
        raise ValueError(f"values of shape {shape} need {size} {what} labels, got {len(labels)}")
    return [str(label) for label in labels]


def number(value: float, decimals: int) -> str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{abs(value):.{decimals}f}"
    return f"−{text}" if value < 0 and float(text) else text


def short(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _width(text: str, size: float = FONT) -> float:
    """Estimate how wide a text is, for wide fonts: a Han character is as wide as it is high."""
    em = 0.0
    for letter in text:
        if not combining(letter):
            wide = east_asian_width(letter) in "WF" or letter in "mwMW%@→"
            narrow = letter in "fijlrtI.,:;'|!()[]·- "
            em += 1.0 if wide else 0.4 if narrow else 0.72 if letter.isupper() else 0.63
    return em * size


def _share(value: float, low: float, high: float, log: bool) -> float:
    if log:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return 0.5 if high == low else (value - low) / (high - low)


def _ticks(low: float, high: float, log: bool) -> list[float]:
    if log:
        first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
        if last - first <= 2:  # 1, 2, 5, 10 …, from the last below to the first above
            marks = [m * 10.0**power for power in range(first, last + 1) for m in (1, 2, 5)]
            below = max(mark for mark in marks if mark <= low)
            above = min(mark for mark in marks if mark >= high)
            return [mark for mark in marks if below <= mark <= above]
        step = max(1, math.ceil((last - first) / 5))
        return [10.0**power for power in range(first, last + step, step)]
    rough = (high - low or abs(high) or 1.0) / 4
    unit = 10.0 ** math.floor(math.log10(rough))
    size = next(unit * m for m in (1, 2, 5, 10) if unit * m >= rough * 0.999)
    first, last = math.floor(low / size + 1e-9), math.ceil(high / size - 1e-9)
    return [size * index for index in range(first, max(last, first + 1) + 1)]


def power_of_ten(power: int) -> str:
    return "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def _tick(value: float) -> str:
    power = math.log10(value) if value > 0 else 0.0
    if power and power == round(power) and not -3 <= power <= 5:
        return power_of_ten(round(power))
    long = 1e4 <= abs(value) < 1e6 and value == round(value)
    text = f"{value:,.0f}" if long else f"{value:.4g}"
    return text.replace("-", "−")
