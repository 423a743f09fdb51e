"""A page's Python session: runs a snippet as the interactive prompt would, compares what it says.

Runs in the reader's browser; its tests run it in CPython. Standard library only.
"""

import ast
import linecache
import re
import sys
import traceback
from typing import Any

NUMBER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+)(?:e[-+]?\d+)?")
TRACE = re.compile(r"^Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*", re.M)


class Session:
    """The names that the snippets of one page share, and the last drawing one of them made."""

    def __init__(self, alone: bool = False) -> None:
        """`alone`: the snippets are the examples of docstrings, which import nothing."""
        self.names: dict[str, Any] = {"__name__": "__main__"}
        if alone:
            exec("import numpy as np\nfrom qkv_docs import *", self.names)
        self.drawing: str | None = None
        sys.displayhook = self.show

    def show(self, value: object) -> None:
        """An expression's value: printed, or kept where it is a drawing."""
        if isinstance(value, str) and value.startswith("<svg"):
            self.drawing = value
        elif value is not None:
            print(repr(value))

    def run(self, code: str, name: str, go_on: bool) -> bool:
        """Run `code` statement by statement; False if one raised. `go_on` past one that raised."""
        linecache.cache[name] = (len(code), None, code.splitlines(True), name)
        self.drawing = None
        try:
            statements = ast.parse(code, name).body
        except SyntaxError as error:
            print("".join(traceback.format_exception_only(error)), end="")
            return False
        good = True
        for statement in statements:
            try:
                exec(compile(ast.Interactive([statement]), name, "single"), self.names)
            except (
                BaseException
            ) as error:  # SystemExit and KeyboardInterrupt end a snippet, not more
                inner = error.__traceback__ and error.__traceback__.tb_next
                print("".join(traceback.format_exception(type(error), error, inner)), end="")
                good = False
                if not go_on:
                    break
        return good


def same(want: str, got: str) -> bool:
    """Whether `got` is what the page shows: numbers to the precision shown, white space aside,
    `...` for anything, of a traceback only its last line. The rules of the doctests."""
    want, got = (" ".join(TRACE.sub("", text + "\n").split()) for text in (want, got))
    numbers = list(NUMBER.finditer(want)), list(NUMBER.finditer(got))
    if len(numbers[0]) == len(numbers[1]):
        for w, g in zip(*map(reversed, numbers), strict=True):
            decimals = len(w[0].lower().partition("e")[0].partition(".")[2])
            exponent = int(w[0].lower().partition("e")[2] or 0)
            if abs(float(w[0]) - float(g[0])) <= 10.0 ** (exponent - decimals):
                got = got[: g.start()] + w[0] + got[g.end() :]
    tight = [re.sub(r"\s*([\[\],()])\s*", r"\1", text) for text in (want, got)]
    pattern = ".*".join(re.escape(part) for part in tight[0].split("..."))
    return bool(re.fullmatch(pattern, tight[1]))
