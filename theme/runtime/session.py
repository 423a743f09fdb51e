"""A page's Python session: runs a snippet as the interactive prompt would, compares what it says.

Runs in the reader's browser; its tests run it in CPython. Standard library only.
"""

import ast
import contextlib
import copy
import io
import json
import linecache
import re
import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

LIMIT = 50_000  # characters that one snippet may print
REASON = 4_000  # characters of a traceback, which is cut in its middle where it is longer
DRAWING = 2_000_000  # characters of the largest drawing that a page should have to show
NUMBER = re.compile(r"[-+]?(?:(?:\d+\.\d*|\.\d+)(?:e[-+]?\d+)?|\d+e[-+]?\d+)", re.I)
TRACE = re.compile(r"^Traceback \(most recent call last\):\n(?:[ \t].*\n|\n)*", re.M)


class Flood(BaseException):
    """More was printed than a page can show. Not an Exception: `except Exception` lets it pass."""


class Unanswered(EOFError):
    """A snippet asked, and there is nobody to answer."""


ENDS = {Flood: "flood", Unanswered: "input", MemoryError: "memory", BaseException: "error"}


class Writer(io.TextIOBase):
    """What a snippet sees as stdout or stderr."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def write(self, text: str) -> int:
        self._write(text)
        return len(text)


class Nobody(io.TextIOBase):
    """What a snippet sees as stdin."""

    def readline(self, *_: object) -> str:  # type: ignore[override]
        raise Unanswered("input() has nobody to ask here: write the value into the code")

    read = readline  # type: ignore[assignment]


class Session:
    """The names that the snippets of one page share."""

    def __init__(self, tell: Callable[[str, str], object], alone: bool = False) -> None:
        """`tell("out", text)` and `tell("drawing", svg)` hear of it while a snippet runs.

        `alone`: the snippets are the examples of docstrings, which import nothing.
        """
        self.tell = tell
        self.before: list[dict[str, Any]] = []  # the names before each snippet
        self.names: dict[str, Any] = {"__name__": "__main__"}
        if alone:
            exec("import numpy as np\nfrom qkv_docs import *", self.names)

    def run(self, place: int, code: str, name: str, want: str = "", go_on: bool = False) -> str:
        """Run `code`; as JSON, what ended it ("" or a value of ENDS), and whether it said `want`.

        `place`: how many of the page's snippets come before it. Where something was run there
        already, the names are first made what they were then, so that running it twice is
        running it once. `go_on`: past statements that raise, as in a doctest that shows them.
        """
        if place < len(self.before):
            names = duplicate(self.before[place])
            self.names.clear()  # the same dictionary: functions hold it
            self.names.update(names)
        del self.before[place:]
        self.before.append(duplicate(self.names))
        self.said = ""  # what is compared: stdout and the last lines of tracebacks
        self.waiting = ""  # what is still to be told
        self.written, self.told = 0, 0.0
        self.names.pop("__warningregistry__", None)  # or a warning came only the first time
        linecache.cache[name] = (len(code), None, code.splitlines(True), name)
        before = sys.stdin, sys.stdout, sys.stderr, sys.displayhook
        sys.stdin, sys.stdout, sys.stderr = Nobody(), Writer(self.out), Writer(self.write)
        sys.displayhook = self.show
        try:
            end = self.execute(code, name, go_on)
        finally:
            sys.stdin, sys.stdout, sys.stderr, sys.displayhook = before
            self.flush()
        return json.dumps({"end": end, "same": same(want, self.said)})

    def execute(self, code: str, name: str, go_on: bool) -> str:
        try:
            statements = ast.parse(code, name).body
        except SyntaxError as error:
            return self.report(error)
        for statement in statements:
            try:
                exec(compile(ast.Interactive([statement]), name, "single"), self.names)
            except BaseException as error:  # sys.exit() ends the snippet, not the page's Python
                end = self.report(error)
                if end != "error" or not go_on:
                    return end
        return ""

    def report(self, error: BaseException) -> str:
        """Show the traceback, from the snippet's own frame on; the word in ENDS for it."""
        end = next(word for kind, word in ENDS.items() if isinstance(error, kind))
        if end != "flood":
            self.written = 0  # there is always room for the reason
            inner = error.__traceback__ and error.__traceback__.tb_next
            if isinstance(error, SyntaxError):
                inner = None
            text = "".join(traceback.format_exception(type(error), error, inner))
            self.write(cut(text, REASON))
            self.said += cut("".join(traceback.format_exception_only(error)), REASON)
        return end

    def show(self, value: object) -> None:
        """An expression's value: printed, or drawn where it is a drawing."""
        if isinstance(value, str) and value.startswith("<svg") and len(value) <= DRAWING:
            self.flush()
            self.tell("drawing", value)
            self.said += f"{value!r}\n"
        elif value is not None:
            print(repr(value))

    def out(self, text: str) -> None:
        self.said += text[: LIMIT - self.written]
        self.write(text)

    def write(self, text: str) -> None:
        room = LIMIT - self.written
        self.waiting += text[:room]
        self.written += len(text)
        # Line by line at first; a flood in a few large pieces, or the page would drown in it.
        if text.endswith("\n") and (self.written < 2_000 or time.monotonic() - self.told > 0.05):
            self.flush()
        if len(text) > room:
            raise Flood

    def flush(self) -> None:
        if self.waiting:
            self.tell("out", self.waiting)
        self.waiting, self.told = "", time.monotonic()


def cut(text: str, size: int) -> str:
    """A long text without its middle: a traceback ends with the reason."""
    if len(text) <= size:
        return text
    missing = len(text) - size
    return f"{text[: size // 2]}\n[… {missing} …]\n{text[-(size // 2) :]}"


def duplicate(names: dict[str, Any]) -> dict[str, Any]:
    """A copy that lives through changes to the original; modules and the like stay themselves."""
    memo: dict[int, Any] = {}
    copies = {}
    for name, value in names.items():
        copies[name] = value
        if not name.startswith("__"):
            with contextlib.suppress(Exception):
                copies[name] = copy.deepcopy(value, memo)
    return copies


def same(want: str, got: str) -> bool:
    """Whether `got` is what the page shows: numbers to the precision shown, white space aside,
    `...` for anything, of a traceback only its last line. The rules of the doctests."""
    want = " ".join(TRACE.sub("", want + "\n").split())
    got = " ".join(got.split())
    numbers = list(NUMBER.finditer(want)), list(NUMBER.finditer(got))
    if len(numbers[0]) == len(numbers[1]):
        for w, g in zip(*map(reversed, numbers), strict=True):
            mantissa, _, exponent = w[0].lower().partition("e")
            decimals = len(mantissa.partition(".")[2])
            if abs(float(w[0]) - float(g[0])) <= 10.0 ** (int(exponent or 0) - decimals):
                got = got[: g.start()] + w[0] + got[g.end() :]
    tight = [re.sub(r"\s*([\[\],()])\s*", r"\1", text) for text in (want, got)]
    pattern = ".*".join(re.escape(part) for part in tight[0].split("..."))
    return bool(re.fullmatch(pattern, tight[1]))
