"""Formulas are typeset while the site is built, so that no reader loads a script for them.

KaTeX runs in V8 (mini-racer); a formula it cannot read stops a strict build. The output holds
HTML for the eye and MathML for screen readers and for copying.
"""

from __future__ import annotations

import atexit
import functools
import html as html_
import json
import re
from typing import Any

from mkdocs.structure.pages import Page
from place import ROOT, complain
from py_mini_racer import JSEvalException, MiniRacer

FORMULA = re.compile(
    r'([（“《(]?)<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\2>'
    r"([，。；：？！）、”》,.;:?!)]*)",
    re.S,
)
SHORT = 20  # characters as they are read; a longer formula may break at a sign of its own
MACROS = {
    **{f"\\{x.upper()}": rf"\htmlClass{{{x}}}{{{x.upper()}}}" for x in "qkv"},
    **{f"\\{x}": rf"\htmlClass{{{x}}}{{{x}}}" for x in "qkv"},
    **{f"\\W{x.upper()}": rf"\htmlClass{{{x}}}{{W_{{{x.upper()}}}}}" for x in "qkv"},
    r"\WO": "W_{O}",
    r"\X": "X",
    r"\R": r"\mathbb{R}",
    r"\softmax": r"\operatorname{softmax}",
}


@functools.cache
def engine() -> MiniRacer:
    racer = MiniRacer()
    atexit.register(racer.close)  # or its thread may keep a finished build from ending
    racer.eval((ROOT / "theme/vendor/katex/katex.min.js").read_text(encoding="utf-8"))
    racer.eval(
        "const strict = (code) => code === 'htmlExtension' ? 'ignore' : 'error';"
        "const trust = ({command}) => command === '\\\\htmlClass';"
        "const typeset = (tex, displayMode, macros) =>"
        " katex.renderToString(tex, {displayMode, macros, strict, trust});"
    )
    return racer


@functools.cache
def typeset(tex: str, display: bool) -> str:
    """KaTeX's HTML and MathML of a formula; JSEvalException where it cannot be read."""
    return str(
        engine().eval(f"typeset({json.dumps(tex)}, {json.dumps(display)}, {json.dumps(MACROS)})")
    )


def on_page_content(html: str, page: Page, **_: Any) -> str:
    def put(match: re.Match[str]) -> str:
        before, tag, bracket, _, after = match.groups()
        tex = html_.unescape(match[4]).strip()
        try:
            done = typeset(tex, bracket == "[")
        except JSEvalException as error:
            reason = str(error).split("ParseError: ")[-1].split("\n")[0]
            complain(page, tex.splitlines()[0].strip(), f"bad formula: {reason}")
            return match[0]
        done = f'<{tag} class="arithmatex" data-search-exclude>{done}</{tag}>'
        read = re.sub(r"<[^>]*>", "", done.partition('class="katex-html" aria-hidden="true">')[2])
        if tag == "span" and before + after and len(read) <= SHORT:
            # Or the punctuation might start a line: browsers break on either side of a formula.
            return f'<span class="glue">{before}{done}{after}</span>'
        return before + done + after

    return FORMULA.sub(put, html)
