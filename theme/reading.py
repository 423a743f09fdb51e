"""How much there is to read on a page: its core, all of it, and the minutes that they take.

The core is what a reader sees who opens nothing. Folds and `???` blocks are not in it; Sources are
in no count, nor is code or a formula. Tables, lists, captions and boxes are. A lesson's core has a
limit, which tests/test_pages.py holds it to.

A minute is 238 English words, the mean of silent reading of non-fiction in 190 studies (Brysbaert
2019, doi.org/10.1016/j.jml.2019.104047: most adults between 175 and 300), or 400 Han characters:
chosen, somewhat below the 500 that Medium counted with, for these pages are read slowly. To both
come 20 seconds for each snippet, chosen as well, and nothing for figures or for answering.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from theme.numbers import source

NO_LESSONS = {"questions", "api", "api-models", "glossary", "references", "about"}
WORDS, CHARACTERS, SNIPPETS = 1300, 2200, 12  # the most a core may have
WORDS_A_MINUTE, CHARACTERS_A_MINUTE, SNIPPETS_A_MINUTE = 238, 400, 3

FENCE = re.compile(r"^ *(`{3,})(\w*)")
HEADING = re.compile(r"^(#+) .*?(?:\{([^}]*)\} *)?$")
CLOSED = re.compile(r"^( *)\?\?\? ")
# Not running text, and what is written around it; of an image its caption is read.
NO_TEXT = re.compile(
    r"\$\$.+?\$\$|(?<![\\$])\$[^$\n]+\$|(?P<ticks>`+).*?(?P=ticks)"
    r"|<!--.*?-->|<[^>\n]+>|&\w+;"
    r'|!\[[^\n]*?\]\([^\s)]*(?: "(?P<caption>[^"\n]*)")?\)|\]\([^\s)]*(?: "[^"\n]*")?\)'
    r"|\[[@^][^\]\n]+\]:?|^ *(?:!!!|\?\?\?\+?) [\w ]+"
    r"|\{time:[^}\n]+\}|(?:(?<!\S)|(?<=[*_\])]))\{[^}\n]*\}",
    re.S | re.M,
)
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
HAN = re.compile(r"[\u3400-\u9fff]")


@dataclass(frozen=True)
class Amount:
    """Words of letters, Han characters, snippets."""

    words: int
    characters: int
    snippets: int

    @property
    def minutes(self) -> float:
        return (
            self.words / WORDS_A_MINUTE
            + self.characters / CHARACTERS_A_MINUTE
            + self.snippets / SNIPPETS_A_MINUTE
        )


def lines(markdown: str) -> Iterator[tuple[str, str, bool]]:
    """Every line outside Sources: the kind of the fence it is in ("" outside of one), itself, and
    whether it is in the core."""
    fence = kind = ""
    folded = left_out = 7  # the level of the heading that folds what follows, or ends the text
    closed = -1  # the indentation of the closed block
    for line in source.blank(source.FRONT, markdown).splitlines():
        heading = None if fence else HEADING.match(line)
        if heading:
            level, about = len(heading[1]), (heading[2] or "").split()
            folded = 7 if level <= folded else folded
            left_out = 7 if level <= left_out else left_out
            if ".fold" in about and folded == 7:
                folded = level
            if "#sources" in about and left_out == 7:
                left_out = level
        indent = len(line) - len(line.lstrip())
        if not fence and line.strip():
            closed = closed if indent > closed else -1
            if closed < 0 and (block := CLOSED.match(line)):
                closed = len(block[1])
        begins = None if fence else FENCE.match(line)
        if begins:
            fence, kind = begins[1], begins[2] or "text"
        if left_out == 7:
            yield kind if fence else "", line, folded == 7 and closed < 0
        if fence and not begins and line.strip() == fence:
            fence = kind = ""


def amount(markdown: str, core: bool) -> Amount:
    chosen = [(kind, line) for kind, line, open_ in lines(markdown) if open_ or not core]
    begun = [FENCE.match(line) for kind, line in chosen if kind in ("pycon", "python")]
    snippets = sum(fence is not None and fence[2] != "" for fence in begun)
    prose = source.plain("\n".join("" if kind else line for kind, line in chosen))
    text = NO_TEXT.sub(lambda match: f" {match['caption'] or ''} ", prose)
    characters = len(HAN.findall(text))
    return Amount(len(WORD.findall(HAN.sub(" ", text))), characters, snippets)


def core(markdown: str) -> Amount:
    """What is read by who opens nothing."""
    return amount(markdown, core=True)


def whole(markdown: str) -> Amount:
    """The core, the folds, and the answers."""
    return amount(markdown, core=False)


def minutes(path: Path) -> float:
    """Of a page's core."""
    return core(path.read_text(encoding="utf-8")).minutes


def rounded(time: float) -> int:
    """Whole minutes, at least one."""
    return max(1, int(time + 0.5))


def too_long(language: str, read: Amount) -> str:
    """What a core has too much of; "" where it has not."""
    length, most, of = {
        "en": (read.words, WORDS, "words"),
        "zh": (read.characters, CHARACTERS, "Han characters"),
    }[language]
    found = [f"{length} {of}, at most {most}"] if length > most else []
    if read.snippets > SNIPPETS:
        found.append(f"{read.snippets} snippets, at most {SNIPPETS}")
    return "; ".join(found)
