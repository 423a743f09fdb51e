"""The figures of the pages: docs/figures/<page>.py holds one function a figure.

A function is given `t(zh, en)`, which picks the label of a language, and returns a drawing or,
around one, what can be played with. The numbers are not typed here: they come from the page's
snippets (docs.examples), from experiments (docs.data) or from what qkv_docs computes of those.
"""

from __future__ import annotations

import importlib
import importlib.util

from docs.figures.kit import Played
from qkv_docs.drawing import Drawing


class NoFigure(LookupError):
    """A page asks for a figure that nobody draws."""


def draw(page: str, figure: str, language: str) -> Drawing | Played:
    """A figure of a page; NoFigure where there is none.

    >>> draw("embedding", "apples", "en").label
    'attention moves the two apples apart'
    """
    source, name = page.replace("-", "_"), figure.replace("-", "_")
    module = f"docs.figures.{source}"
    found = importlib.util.find_spec(module) and importlib.import_module(module)
    function = getattr(found, name, None)
    if not callable(function) or function.__module__ != module:  # what it imports is no figure
        raise NoFigure(f"no function {figure} in docs/figures/{source}.py")
    drawn: Drawing | Played = function(lambda zh, en: zh if language == "zh" else en)
    return drawn


def html(page: str, figure: str, language: str, *, label: str, data: str) -> str:
    """A figure with its text alternative; `data` is the address of the folder docs/data."""
    drawn = draw(page, figure, language)
    return drawn.html(label, data) if isinstance(drawn, Played) else drawn.svg(label)


__all__ = ["NoFigure", "draw", "html"]
