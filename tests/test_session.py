"""The Python session of a page, theme/runtime/session.py, here in CPython: its laws."""

from __future__ import annotations

import importlib.util
import json
import sys
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sources import ROOT


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("session", ROOT / "theme/runtime/session.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


session = load()
same = session.same


class Page:
    """A session with what it told the page."""

    def __init__(self, alone: bool = False) -> None:
        self.told: list[tuple[str, str]] = []
        self.session = session.Session(lambda kind, text: self.told.append((kind, text)), alone)

    def run(
        self, code: str, place: int = 0, want: str = "", go_on: bool = False
    ) -> tuple[str, dict[str, Any]]:
        """What was shown, and the answer."""
        self.told.clear()
        answer = self.session.run(place, code, f"<snippet {place + 1}>", want, go_on)
        return "".join(text for kind, text in self.told if kind == "out"), json.loads(answer)


@pytest.fixture
def page() -> Page:
    return Page()


# ---- What counts as the same output


@pytest.mark.parametrize(
    ("want", "got"),
    [
        ("0.33", "0.3333333"),  # numbers to the precision shown
        ("0.33", "0.339"),  # as the doctests have it: less than one unit of the last place
        ("[0.33 0.67]", "[0.333 0.667]"),
        ("-1.5", "-1.50000001"),
        ("1e-05", "1.0000001e-05"),
        ("1.5e-05", "1.52e-05"),
        ("2.", "2.0"),
        ("array([-0.,  1.])", "array([0., 1.])"),  # a rounded zero has no sign
        ("array([[1, 2],\n       [3, 4]])", "array([[1, 2], [3, 4]])"),  # white space
        ("[ 1. -0.5]", "[1.  -0.5]"),
        ("<function f at 0x...>", "<function f at 0x7f1>"),  # an ellipsis
        ("a...z", "az"),
        ("Traceback (most recent call last):\n    ...\nValueError: no", "ValueError: no"),
        ('Traceback (most recent call last):\n  File "x"\n\n    y\nKeyError: 1', "KeyError: 1"),
        ("", ""),
        ("", "\n"),
    ],
)
def test_same(want: str, got: str) -> None:
    assert same(want, got)


@pytest.mark.parametrize(
    ("want", "got"),
    [
        ("0.33", "0.341"),
        ("0.333", "0.33"),  # fewer places than shown, and not within the last one
        ("3", "4"),  # a whole number is a text
        ("(3, 4)", "(3, 5)"),
        ("[0.33 0.67]", "[0.33 0.67 0.00]"),
        ("1e-05", "3e-05"),
        ("True", "False"),
        ("a b", "ab"),
        ("a...z", "a...y"),
        ("a.z", "abz"),  # a point is no wild card
        ("Traceback (most recent call last):\n    ...\nValueError: no", "ValueError: yes"),
        ("", "1"),
        ("1", ""),
    ],
)
def test_not_the_same(want: str, got: str) -> None:
    assert not same(want, got)


@given(
    st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=6), st.integers(0, 4), st.integers(9, 80)
)
def test_an_array_is_the_same_as_itself_rounded(
    values: list[float], decimals: int, width: int
) -> None:
    array = np.array(values)
    want = np.array2string(array.round(decimals), precision=decimals, suppress_small=True)
    got = np.array2string(array, precision=9, suppress_small=True, max_line_width=width)
    assert same(want, got)


# ---- What a snippet shows


def test_it_shows_what_the_prompt_would(page: Page) -> None:
    shown, answer = page.run("x = 2\nx\nNone\nprint('a', end='')\nx + 1", want="2\na3")
    assert shown == "2\na3\n"
    assert answer == {"end": "", "same": True}


def test_a_drawing_is_drawn_and_not_printed(page: Page) -> None:
    code = "print('before')\n'<svg>1</svg>'\nprint('after')"
    shown, answer = page.run(code, want="before\n'<svg...</svg>'\nafter")
    assert page.told == [("out", "before\n"), ("drawing", "<svg>1</svg>"), ("out", "after\n")]
    assert answer["same"]
    shown, _ = page.run("'<svg' + ' ' * 3_000_000")  # no page can show that
    assert shown.startswith("'<svg  ")


def test_warnings_are_shown_each_time_and_not_compared(page: Page) -> None:
    code = "import warnings\nwarnings.warn('mind')\n1"
    for _ in range(2):
        with pytest.warns(UserWarning, match="mind"):  # pytest records what would be shown
            _, answer = page.run(code, want="1")
        assert answer["same"]
    shown, answer = page.run("import sys\nprint('aside', file=sys.stderr)\n1", want="1")
    assert shown == "aside\n1\n"
    assert answer["same"]


def test_it_leaves_the_interpreter_as_it_was(page: Page) -> None:
    before = sys.stdin, sys.stdout, sys.stderr, sys.displayhook
    page.run("1/0")
    assert (sys.stdin, sys.stdout, sys.stderr, sys.displayhook) == before


def test_the_example_of_a_docstring_needs_no_import() -> None:
    shown, _ = Page(alone=True).run("softmax(np.zeros(2))")
    assert shown == "array([0.5, 0.5])\n"
    shown, _ = Page().run("softmax(np.zeros(2))")
    assert "NameError" in shown


# ---- What goes wrong


def test_an_error_names_the_line_of_the_snippet_and_nothing_of_the_session(page: Page) -> None:
    shown, answer = page.run("def f():\n    return 1 / 0\n\nf()", place=0)
    assert '  File "<snippet 1>", line 4, in <module>\n    f()\n' in shown
    assert '  File "<snippet 1>", line 2, in f\n    return 1 / 0\n' in shown
    assert shown.endswith("ZeroDivisionError: division by zero\n")
    assert "session.py" not in shown
    assert answer["end"] == "error"


def test_a_syntax_error_runs_nothing(page: Page) -> None:
    shown, answer = page.run("print('never')\nx = = 1")
    assert "never" not in shown
    assert 'File "<snippet 1>", line 2' in shown
    assert "SyntaxError" in shown
    assert "session.py" not in shown
    assert answer["end"] == "error"


def test_after_an_error_it_goes_on_only_where_the_page_shows_one(page: Page) -> None:
    code = "int('x')\nprint('on')"
    want = "Traceback (most recent call last):\n    ...\nValueError: invalid literal...\non"
    shown, answer = page.run(code, want=want)
    assert not shown.endswith("on\n")
    assert answer == {"end": "error", "same": False}
    shown, answer = page.run(code, want=want, go_on=True)
    assert shown.endswith("on\n")
    assert answer == {"end": "", "same": True}


@pytest.mark.parametrize("code", ["raise SystemExit", "raise KeyboardInterrupt", "quit()"])
def test_leaving_ends_the_snippet_and_not_the_session(page: Page, code: str) -> None:
    _, answer = page.run(code)
    assert answer["end"] == "error"
    assert page.run("1")[0] == "1\n"


@pytest.mark.parametrize("code", ["input('name? ')", "import sys; sys.stdin.read()"])
def test_nobody_answers(page: Page, code: str) -> None:
    shown, answer = page.run(f"{code}\nprint('on')", go_on=True)
    assert answer["end"] == "input"
    assert "EOFError" not in shown.splitlines()[-1]
    assert "input() has nobody to ask" in shown
    assert not shown.endswith("on\n")


def test_a_flood_is_cut(page: Page) -> None:
    shown, answer = page.run("while True:\n    print('x' * 100)", go_on=True)
    assert answer["end"] == "flood"
    assert len(shown) == session.LIMIT
    assert len(page.told) < 2_000  # not a message a line
    shown, answer = page.run("'x' * 10**6")
    assert (answer["end"], len(shown)) == ("flood", session.LIMIT)


def test_an_error_after_much_output_is_still_shown(page: Page) -> None:
    shown, answer = page.run(f"print('x' * {session.LIMIT - 1})\n1/0")
    assert shown.endswith("ZeroDivisionError: division by zero\n")
    assert answer["end"] == "error"


@pytest.mark.parametrize(
    ("code", "last"),
    [
        ("raise ValueError('x' * 60_000 + 'end')", "xend"),
        ("d = {i: 'v' * 30 for i in range(3_000)}\nassert d == {}, d", "'}"),
        ("raise KeyError('\\n' * 9_000 + 'end')", "end'"),
    ],
)
def test_a_long_error_is_cut_in_its_middle(page: Page, code: str, last: str) -> None:
    shown, answer = page.run(code)
    assert answer["end"] == "error"
    assert len(shown) < 1.1 * session.REASON
    assert shown.startswith("Traceback (most recent call last):\n")
    assert shown.rstrip().endswith(last)
    assert page.run("1")[0] == "1\n"


def test_memory_is_named(page: Page) -> None:
    shown, answer = page.run("raise MemoryError")
    assert answer["end"] == "memory"
    assert shown.endswith("MemoryError\n")


def test_output_comes_while_the_snippet_runs(page: Page) -> None:
    page.session.names["heard"] = lambda: len(page.told)
    shown, _ = page.run("print('a')\nheard()")
    assert shown == "a\n1\n"


# ---- The state before a snippet is that of the page read from its top


def test_running_twice_is_running_once(page: Page) -> None:
    page.run("import numpy as np\nx = np.zeros(2)\nlog = []\nsame_log = log", place=0)
    for _ in range(3):
        shown, _ = page.run("x += 1\nlog.append(1)\nx, log, same_log is log", place=1)
        assert shown == "(array([1., 1.]), [1], True)\n"
    shown, _ = page.run("x", place=2)
    assert shown == "array([1., 1.])\n"


def test_what_stands_below_is_forgotten(page: Page) -> None:
    page.run("a = 1", place=0)
    page.run("b = a + 1", place=1)
    page.run("a = 5", place=0)
    shown, answer = page.run("b", place=1)
    assert answer["end"] == "error"
    assert "NameError" in shown


def test_functions_see_the_names_as_they_are_now(page: Page) -> None:
    page.run("scale = 2\ndef f(x):\n    return scale * x", place=0)
    page.run("scale = 3", place=1)
    shown, _ = page.run("f(1)", place=1)
    assert shown == "2\n"


def test_a_random_generator_goes_back_too(page: Page) -> None:
    page.run("import numpy as np\nrng = np.random.default_rng(0)", place=0)
    first, _ = page.run("rng.normal()", place=1)
    again, _ = page.run("rng.normal()", place=1)
    assert first == again


def test_what_cannot_be_copied_stays_itself(page: Page) -> None:
    page.run("import sys\nnumbers = (n for n in range(9))", place=0)
    assert page.run("sys.version_info.major, next(numbers)", place=1)[0] == "(3, 0)\n"
    assert page.run("sys.version_info.major, next(numbers)", place=1)[0] == "(3, 1)\n"
