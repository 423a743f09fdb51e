"""The files of docs/data are written in one way; what they say is checked page by page."""

from __future__ import annotations

import doctest
import json

from docs import data


def test_the_examples_of_the_module() -> None:
    assert doctest.testmod(data).attempted > 0
    assert doctest.testmod(data).failed == 0


def test_a_row_a_line_and_digits_kept() -> None:
    word = "w" * 70
    value = {"a": [{"x": 1.0, "y": None, "z": [1, 2]}, {"x": 2e-05, "y": word}], "b": [0.25, 3]}
    text = data.text(value, digits=3)
    assert text == (
        '{\n "a": [\n  {"x": 1.000, "y": null, "z": [1, 2]},\n'
        f'  {{"x": 0.00002, "y": "{word}"}}\n ],\n "b": [0.250, 3]\n}}'
    )
    assert json.loads(text) == value


def test_every_file_is_as_it_would_be_written() -> None:
    """Made by hand or by another way of writing, a file would hide what a new run changes."""
    for path in data.FOLDER.glob("*.json"):
        kept = path.read_text(encoding="utf-8")
        exact = json.loads(kept, parse_float=data.Decimal)
        compact = json.dumps(json.loads(kept), separators=(",", ":"))
        assert kept in (f"{data.text(exact)}\n", f"{compact}\n"), path.name
