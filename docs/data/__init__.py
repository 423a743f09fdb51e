"""What experiments kept: docs/data/<name>.json, written by the script that its `about` names."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent
WIDTH = 100  # characters of a row that stays on one line


def read(name: str) -> Any:
    """The contents of docs/data/<name>.json; FileNotFoundError where there is none."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def write(name: str, value: Any, digits: int | None = None, *, compact: bool = False) -> None:
    """Write docs/data/<name>.json; see `text`. `compact`: for machines only, without a space."""
    written = json.dumps(value, separators=(",", ":")) if compact else text(value, digits)
    (FOLDER / f"{name}.json").write_text(f"{written}\n", encoding="utf-8", newline="\n")


def number(value: float, form: str = ".2f") -> Decimal:
    """A number with the digits that it is to have in the file, trailing zeros included.

    >>> number(0.5), number(-0.001), number(0.00449, ".1e")
    (Decimal('0.50'), Decimal('0.00'), Decimal('0.0045'))
    """
    made = Decimal(format(value, form))
    return made if made else abs(made)  # no minus before a zero


def _nested(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and any(
        isinstance(x, (dict, list, tuple)) for x in value
    )


def text(value: Any, digits: int | None = None, indent: str = "") -> str:
    """JSON for people: a row a line where it fits.

    A `Decimal` keeps its digits; other floats get `digits` decimals, unless nothing would be left.

    >>> print(text({"rows": [1, 0.5], "exact": number(0.5, ".3f")}, digits=1))
    {"rows": [1, 0.5], "exact": 0.500}
    """
    if isinstance(value, (float, np.floating)) and digits is not None:
        tiny = abs(value) < 0.5 * 10.0**-digits and value != 0
        value = float(value) if tiny else number(float(value), f".{digits}f")
    if isinstance(value, (float, np.floating)) and np.isfinite(value):
        value = Decimal(repr(float(value)))  # written as it would be when it was read as one
    if not isinstance(value, (dict, list, tuple)):
        return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)
    deeper = indent + " "
    items = list(value.values()) if isinstance(value, dict) else value
    parts = [text(item, digits, deeper) for item in items]
    if isinstance(value, dict):
        keys = (json.dumps(key, ensure_ascii=False) for key in value)
        parts = [f"{key}: {part}" for key, part in zip(keys, parts, strict=True)]
    opening, closing = "{}" if isinstance(value, dict) else "[]"
    line = f"{opening}{', '.join(parts)}{closing}"
    # A row holds numbers, words and lists of them; however long, it stays on its line.
    row = not any(isinstance(one, dict) or _nested(one) for one in items)
    if "\n" not in line and (row or len(line) <= WIDTH):
        return line
    return f"{opening}\n{deeper}" + f",\n{deeper}".join(parts) + f"\n{indent}{closing}"


__all__ = ["FOLDER", "number", "read", "text", "write"]
