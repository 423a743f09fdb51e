"""Numbers in the Markdown of a page: those that have an address, and those that lack one.

An address is written like a link whose target begins with `=`: `[1.192](=trap:1.2)`. The text may
hold words and formulas; its numbers are taken in order, and in a formula with decimals its whole
numbers are not counted. In a table the text may run over several cells of a row:
`| 64 | [0.13 | 1.93](=why-sqrt-dk.json:first_gradient[d_k=64].(a,b)) |`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from theme.numbers import addresses
from theme.numbers.addresses import Unknown
from theme.numbers.digits import Number, counted, numbers, rewritten

FRONT = re.compile(r"\A---\n.*?^---\n", re.M | re.S)
FENCE = re.compile(r"^( *)(```+).*?^\1\2 *$", re.M | re.S)
# Digits that are no numbers of the page: sections and versions of other works, markup.
ELSEWHERE = re.compile(
    r"\[@[^\]\n]*\]|§ ?[\d.]+"
    r"|\b(?:Python|NumPy|PyTorch|Pyodide|Llama|Qwen|GPT|GLM)[ -]?\d+(?:\.\d+)+"
    r"|\]\((?!=)[^\s)]*|https?://[^\s)>]+|<!--.*?-->"
    r"|</?[a-zA-Z][\w-]*(?:\s+[\w-]+(?:=(?:\"[^\"\n]*\"|'[^'\n]*'|[^\s>\"']+))?)*\s*/?>"
    r"|(?<![\w^}\\])\{ ?(?:[#.:][\w-]|[\w-]+=)[^}\n]*\}",
    re.S,
)
# What is chosen in a prediction: theme/extensions/predictions.py compares it, words as well.
PREDICTION = re.compile(r"^( *)!!! predict\b.*\n(?:\1 {4}.*\n| *\n)*", re.M)
CHOICE = re.compile(r"^ *[-*] +(?=\[)", re.M)
IMAGE = re.compile(r"!\[(?=.*\]\(figure:)")
# A number and its address in a caption: characters that no text has.
MARKED = "\ue000{0.text}\ue001{0.address}\ue002"
MARKS = re.compile("\ue000(.*?)\ue001(.*?)\ue002")


@dataclass(frozen=True)
class Addressed:
    """`[text](=address)` from `start` to `end` of a page's Markdown."""

    start: int
    end: int
    text: str
    address: str


@dataclass(frozen=True)
class Fault:
    """What is wrong with a number, and where: an offset into the Markdown."""

    start: int
    message: str


def blank(pattern: re.Pattern[str], text: str) -> str:
    """`text` with spaces for what matches: every other character stays in its place."""
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def prose(markdown: str) -> str:
    return blank(FENCE, blank(FRONT, markdown))


def opening(text: str, close: int) -> int:
    """The place of the `[` of the `]` at `close`; -1 where there is none in its paragraph."""
    depth = 0
    for at in range(close, max(text.rfind("\n\n", 0, close), -1), -1):
        depth += {"]": 1, "[": -1}.get(text[at], 0)
        if not depth:
            return at
    return -1


def closing(text: str, open_: int) -> int:
    """The place of the `)` that ends the `(` at `open_`; -1 where there is none on its line."""
    depth = 0
    for at in range(open_, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if not depth or text[at] == "\n":
            return at if not depth else -1
    return -1


def addressed(markdown: str) -> Iterator[Addressed]:
    """Every number with an address, in order; fences hold none."""
    text = prose(markdown)
    for match in re.finditer(r"\]\(=", text):
        start, end = opening(text, match.start()), closing(text, match.start() + 1)
        if start >= 0 and end >= 0:
            inside = markdown[start + 1 : match.start()]
            yield Addressed(start, end + 1, inside, markdown[match.end() : end].strip())


def plain(markdown: str) -> str:
    """The Markdown without addresses: the numbers stay as text."""
    return _replaced(markdown, lambda one: one.text)


def _replaced(markdown: str, put: Callable[[Addressed], str]) -> str:
    parts, at = [], 0
    for one in addressed(markdown):
        parts += [markdown[at : one.start], put(one)]
        at = one.end
    return "".join([*parts, markdown[at:]])


def by_cell(markdown: str) -> str:
    """Each cell of a row on its own: a text that runs over cells is cut at their bars."""

    def put(one: Addressed) -> str:
        row = markdown[markdown.rfind("\n", 0, one.start) + 1 : one.start].lstrip().startswith("|")
        cells = re.split(r"(\s*(?<!\\)\|\s*)", one.text) if row else [one.text]
        cells[::2] = [f"[{cell}](={one.address})" if cell else "" for cell in cells[::2]]
        return "".join(cells)

    return _replaced(markdown, put)


def without_attributes(markdown: str) -> str:
    """Figures' text alternatives and captions end up in attributes: plain text there, in which
    `captioned` finds a caption's numbers again."""

    def of(line: str) -> str:
        start = line.find("](figure:")
        return _replaced(
            line, lambda one: MARKED.format(one) if 0 <= start < one.start else one.text
        )

    return "\n".join(of(line) if IMAGE.search(line) else line for line in markdown.split("\n"))


def captioned(caption: str) -> list[str]:
    """Text, then a number and its address, text again, and so on."""
    return MARKS.split(caption)


def bare(markdown: str) -> list[Number]:
    """The decimals without an address."""
    text = prose(markdown)
    for one in addressed(markdown):
        text = (
            text[: one.start] + re.sub(r"[^\n]", " ", text[one.start : one.end]) + text[one.end :]
        )
    return [n for n in numbers(blank(ELSEWHERE, text)) if "." in n.text]


def values(address: str, page: str, language: str) -> list[Decimal] | None:
    """The numbers that an address of `page` stands for; None where nothing was computed."""
    found = [addresses.resolve(one, language) for one in addresses.parse(address, page)]
    if any(one is None for one in found):
        if len(found) > 1:
            raise Unknown("'given' and '@source' stand alone")
        return None
    return [value for one in found for value in one or ()]


def faults(markdown: str, page: str, language: str) -> list[Fault]:
    """What is wrong with the numbers of a page, in order."""
    found = [
        Fault(n.start, f"{n.text} has no address: [{n.text}](=…), see CONTRIBUTING")
        for n in bare(markdown)
    ]
    chosen = {
        item.end()
        for block in PREDICTION.finditer(prose(markdown))
        for item in CHOICE.finditer(markdown, block.start(), block.end())
    }
    for one in addressed(markdown):
        here = counted(one.text)
        if one.start in chosen:
            continue
        try:
            stands = values(one.address, page, language)
            if not here:
                raise Unknown(f"'{one.text}' holds no number")
            if stands is not None and len(here) > len(stands):
                raise Unknown(f"'{one.text}' holds {len(here)} numbers, the address {len(stands)}")
        except Unknown as error:
            found.append(Fault(one.start, f"(={one.address}): {error}"))
            continue
        for number, value in zip(here, stands or (), strict=False):
            at = one.start + 1 + number.start
            if not number.agrees(value):
                found.append(Fault(at, f"{number.text} is {shown(value)} in (={one.address})"))
            elif number.wavers(value):
                message = f"{number.text} is {shown(value)} in (={one.address}), which could be "
                found.append(Fault(at, message + "rounded either way: write fewer digits"))
    return sorted(found, key=lambda fault: fault.start)


def shown(value: Decimal) -> str:
    return f"{float(value):.6g}"


def line(markdown: str, start: int) -> int:
    return markdown.count("\n", 0, start) + 1


def corrected(markdown: str, page: str, language: str) -> str:
    """The Markdown with every number written anew where its address says another."""

    def put(one: Addressed) -> str:
        text = one.text
        try:
            stands = values(one.address, page, language)
        except Unknown:
            stands = None
        here = counted(text)
        for number, value in reversed(list(zip(here, stands or (), strict=False))):
            if not number.agrees(value):
                text = text[: number.start] + rewritten(number, value) + text[number.end :]
        return f"[{text}](={one.address})"

    return _replaced(markdown, put)
