"""The figures of the pages: docs/figures/<page>.py holds one function a figure.

A function is given `t(zh, en)`, which picks the label of a language, and returns a drawing or,
around one, what can be played with. The numbers are not typed here: they come from the page's
snippets (docs.examples), from experiments (docs.data) or from what qkv_docs computes of those.
"""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

from docs import data, examples
from docs.figures.kit import Played
from qkv_docs.drawing import Drawing

_states: dict[str, object] = {}  # of the files beside, when a module was read


class NoFigure(LookupError):
    """A page asks for a figure that nobody draws."""


def draw(page: str, figure: str, language: str) -> Drawing | Played:
    """A figure of a page; NoFigure where there is none.

    >>> draw("embedding", "apples", "en").label
    'attention moves the two apples apart'
    """
    source, name = page.replace("-", "_"), figure.replace("-", "_")
    module = f"docs.figures.{source}"
    function = getattr(_read(module), name, None)
    if not callable(function) or function.__module__ != module:  # what it imports is no figure
        raise NoFigure(f"no function {figure} in docs/figures/{source}.py")
    drawn: Drawing | Played = function(lambda zh, en: zh if language == "zh" else en)
    return drawn


def _read(name: str) -> ModuleType | None:
    """A module of this folder, read anew where a file that it may take numbers from has changed."""
    if importlib.util.find_spec(name) is None:
        return None
    files = [*examples.FOLDER.glob("*.pycon"), *data.FOLDER.glob("*.json")]
    state = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in files}
    module = importlib.import_module(name)
    if _states.setdefault(name, state) != state:
        _states[name] = state
        module = importlib.reload(module)
    return module


def html(page: str, figure: str, language: str, *, label: str, data_url: str) -> str:
    """A figure with its text alternative; `data_url` is where docs/data is on the site."""
    drawn = draw(page, figure, language)
    return drawn.html(label, data_url) if isinstance(drawn, Played) else drawn.svg(label)


__all__ = ["NoFigure", "draw", "html"]
