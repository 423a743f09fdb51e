"""JavaScript at build time: the code that a browser runs, or what a browser knows of words."""

from __future__ import annotations

import atexit

from py_mini_racer import MiniRacer


def javascript(*code: str) -> MiniRacer:
    """V8 in which `code` was run."""
    racer = MiniRacer()
    atexit.register(racer.close)  # or its thread may keep a finished build from ending
    for one in code:
        racer.eval(one)
    return racer
