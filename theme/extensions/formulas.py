"""Formulas are typeset while the site is built, so that no reader loads a script for them.

KaTeX runs in V8 (mini-racer); a formula it cannot read stops a strict build. The output holds
HTML for the eye and MathML for screen readers and for copying.
"""

from __future__ import annotations

import functools
import json
import re
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor
from py_mini_racer import JSEvalException, MiniRacer

from theme import cache
from theme.engine import javascript
from theme.extensions.page import ROOT, Page, PageExtension

KATEX = ROOT / "theme/vendor/katex/katex.min.js"
SETTINGS = """
const strict = (code) => code === 'htmlExtension' ? 'ignore' : 'error';
const trust = ({command}) => command === '\\\\htmlClass';
const typeset = (tex, displayMode, macros) =>
  katex.renderToString(tex, {displayMode, macros, strict, trust});
"""
MACROS = {
    **{f"\\{x.upper()}": rf"\htmlClass{{{x}}}{{{x.upper()}}}" for x in "qkv"},
    **{f"\\{x}": rf"\htmlClass{{{x}}}{{{x}}}" for x in "qkv"},
    **{f"\\W{x.upper()}": rf"\htmlClass{{{x}}}{{W_{{{x.upper()}}}}}" for x in "qkv"},
    r"\WO": "W_{O}",
    r"\X": "X",
    r"\R": r"\mathbb{R}",
    r"\softmax": r"\operatorname{softmax}",
}
MACRO = re.compile(rf"(?:{'|'.join(map(re.escape, sorted(MACROS, reverse=True)))})(?![A-Za-z])")
OPENING, CLOSING = "（“《(", "，。；：？！）、”》,.;:?!)"
SHORT = 20  # characters as they are read; a longer formula may break at a sign of its own


@functools.cache
def engine() -> MiniRacer:
    return javascript(KATEX.read_text(encoding="utf-8"), SETTINGS)


@functools.cache
def version() -> str:
    """What a typeset formula depends on, besides the formula."""
    return cache.fingerprint([KATEX]) + SETTINGS + json.dumps(MACROS)


@functools.cache
def typeset(tex: str, display: bool) -> str:
    """KaTeX's HTML and MathML of a formula; JSEvalException where it cannot be read."""

    def make() -> str:
        call = ", ".join(map(json.dumps, (tex, display, MACROS)))
        return str(engine().eval(f"typeset({call})"))

    return cache.kept(make, version(), tex, str(display))


def formula(tex: str, display: bool, page: Page, tag: str = "span") -> str | None:
    """The HTML of a formula; None, with a warning, where KaTeX cannot read it."""
    try:
        done = typeset(tex.strip(), display)
    except JSEvalException as error:
        reason = str(error).split("ParseError: ")[-1].split("\n")[0]
        page.complain(tex.strip().splitlines()[0].strip(), f"bad formula: {reason}")
        return None
    return f'<{tag} class="arithmatex" data-search-exclude>{done}</{tag}>'


def is_short(done: str) -> bool:
    """Whether a typeset formula has at most SHORT characters to read."""
    seen = done.partition('class="katex-html" aria-hidden="true">')[2]
    return sum(len(piece.rpartition(">")[2]) for piece in seen.split("<")) <= SHORT


def can_break(done: str) -> bool:
    """Whether there is a place inside, after `=` or `+`, where a line may end."""
    return done.count('class="katex-base"') > 1


def glued(before: str, done: str, after: str) -> tuple[str, str, str]:
    """A short formula and its punctuation stay together, with the text before and after them.

    Or the punctuation might start a line, or `1` that of `t + 1`: browsers break on either side of
    a formula and after its signs.
    """
    opening = before[-1:] if before.endswith(tuple(OPENING)) else ""
    closing = after[: len(after) - len(after.lstrip(CLOSING))]
    if not is_short(done) or not (opening or closing or can_break(done)):
        return before, done, after
    whole = f'<span class="glue">{opening}{done}{closing}</span>'
    return before.removesuffix(opening), whole, after.removeprefix(closing)


def without_macros(tex: str) -> str:
    """A formula that needs none of this site's macros."""

    def expand(match: re.Match[str]) -> str:
        gap = " " if match.string[: match.start()][-1:].isalpha() else ""  # \\bar\\q: \\bar q
        return gap + re.sub(r"\\htmlClass\{\w\}\{(.*)\}$", r"\1", MACROS[match[0]])

    return MACRO.sub(expand, tex)


class Formulas(PageExtension):
    """Takes the formulas that pymdownx.arithmatex found in the Markdown."""

    def extendMarkdown(self, md: Markdown) -> None:
        step = Typeset(md)
        step.page = self.page
        md.treeprocessors.register(step, "formulas", 3)  # after the table of contents took its text


class Typeset(Treeprocessor):
    page: Page

    def run(self, root: Element) -> None:
        for parent in list(root.iter()):
            for child in list(parent):
                if child.get("class") == "arithmatex" and child.text:
                    self.put(parent, child)

    def put(self, parent: Element, child: Element) -> None:
        """KaTeX's HTML in the place of `child`, as text that stands for it."""
        tex, display = str(child.text)[2:-2], child.tag == "div"  # in \\( \\) or \\[ \\]
        done = formula(tex, display, self.page, child.tag)
        if done is None:
            return
        at = list(parent).index(child)
        before, after = (parent[at - 1].tail if at else parent.text) or "", child.tail or ""
        if not display:
            before, done, after = glued(before, done, after)
        text = before + self.md.htmlStash.store(done) + after
        parent.remove(child)
        if at:
            parent[at - 1].tail = text
        else:
            parent.text = text
