"""What is asked before a snippet, read from the Markdown of a page and checked: predictions.py.

Lines and messages of what is wrong are for who writes; nothing here knows Python-Markdown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256

from docs import examples
from theme.extensions.snippets import SNIPPET
from theme.numbers import addresses, source
from theme.numbers.addresses import OUTPUT, Address, Unknown
from theme.numbers.digits import Number, counted, numbers

HEAD = re.compile(r'^(?P<indent> *)!!! predict\b(?P<kind>[^"\n]*)(?:"(?P<question>.*)")? *$', re.M)
ITEM = re.compile(r"^[-*] +")
# No colon of the choice: in code, formulas and links.
ASIDE = re.compile(r"`[^`\n]+`|\$[^$\n]+\$|\[[^\]\n]*\]\([^)\n]*\)")
COLON = re.compile(r"：|:(?=\s|$)")
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\((?!=)")
BARE = re.compile(r"(?:[\d\s.,()\[\]−-]|inf|nan)+")  # as NumPy prints: numbers, a shape, an array
MOST = 4


@dataclass(frozen=True)
class Choice:
    """One item: what is chosen, where it was computed, and what choosing it would mean."""

    line: int
    text: str
    address: str
    says: str
    right: bool = False

    @property
    def number(self) -> Number | None:
        """Of a text that is one number and nothing else."""
        found = numbers(self.text)
        return found[0] if len(found) == 1 and found[0].text == self.text.strip("`$ ") else None

    @property
    def half(self) -> Decimal:
        """How far a number may be off that says the same: half a unit; nothing, for a count."""
        return Decimal(0) if self.number is None or self.number.exact else self.number.half


@dataclass(frozen=True)
class Prediction:
    """A block in the Markdown of a page; `snippet`: page and name of the one that answers."""

    line: int
    indent: str
    question: str
    typed: bool  # a number that the reader types
    choices: list[Choice]
    snippet: tuple[str, str] | None
    faults: list[tuple[int, str]]  # in how it is written
    start: int
    end: int

    def order(self) -> list[int]:
        """Of the choices as they are shown: numbers ascend, all else is shuffled, always alike."""
        places = range(len(self.choices))
        values = [one.number.value for one in self.choices if one.number]
        if len(values) == len(places):
            return sorted(places, key=lambda at: (values[at], at))
        return shuffled("/".join(self.snippet or ()), len(places))


def shuffled(name: str, count: int) -> list[int]:
    """0 to count - 1 in an order that depends on the name alone.

    >>> shuffled("masks/polarity", 3)
    [1, 0, 2]
    """
    return sorted(range(count), key=lambda at: sha256(f"{name}#{at}".encode()).digest())


def choice(line: int, text: str, page: str, snippet: tuple[str, str] | None) -> Choice:
    """An item's text: `[(3, 4)](=shapes:1): why`, or `(4, 3): why not`."""
    address, at = "", 0
    if text.startswith("[") and (found := next(source.addressed(text), None)) and not found.start:
        address, at = found.address, found.end
    colon = COLON.search(ASIDE.sub(lambda aside: "x" * len(aside[0]), text), at)
    end = colon.start() if colon else len(text)
    chosen = text[1 : text.index("](=")] + text[at:end] if at else text[:end]
    parts = addresses.parse(address, page) if address else []
    found_there = [one for one in parts if (one.page, one.name) == snippet]
    says = text[colon.end() :].strip() if colon else ""
    made = Choice(line, chosen.strip(), address, says)
    # A number that an expression gives is shown nowhere: a wrong choice may have one.
    right = any(one.kind == "output" or not made.number for one in found_there)
    return replace(made, right=right)


def predictions(markdown: str, page: str) -> Iterator[Prediction]:
    """Every block in the Markdown of `page`, in order; fences hold none."""
    for head in HEAD.finditer(source.prose(markdown)):
        inside, end = [], min(head.end() + 1, len(markdown))
        margin = head["indent"] + " " * 4
        for row in markdown[end:].splitlines(keepends=True):
            if row.strip() and not row.startswith(margin):
                break
            inside.append(row.removeprefix(margin).rstrip())
            end += len(row)
        line = source.line(markdown, head.start())
        items: list[tuple[int, str]] = []
        faults: list[tuple[int, str]] = []
        for number, row in enumerate(inside, line + 1):
            if ITEM.match(row):
                items.append((number, ITEM.sub("", row)))
            elif row.startswith("  ") and items:  # an item goes on
                items[-1] = (items[-1][0], f"{items[-1][1]} {row.strip()}")
            elif row:
                faults.append((number, f"a prediction is a list of choices, not '{row}'"))
        kind, question = head["kind"].strip(), head["question"] or ""
        if kind not in ("", "value"):
            faults.append((line, f"'predict {kind}': there are 'predict' and 'predict value'"))
        if not question.strip():
            faults.append((line, 'a prediction asks: !!! predict "What is the shape?"'))
        found = SNIPPET.match(markdown, end)
        snippet = (found["file"].removesuffix(".pycon"), found["name"]) if found else None
        choices = [choice(*item, page, snippet) for item in items]
        yield Prediction(
            line, head["indent"], question, kind == "value", choices, snippet, faults,
            head.start(), end,
        )  # fmt: skip


def faults(markdown: str, page: str, language: str) -> list[tuple[int, str]]:
    """What is wrong with the predictions of a page: lines and messages, in order."""
    found: list[tuple[int, str]] = []
    firsts: list[Choice] = []
    for one in predictions(markdown, page):
        wrong = [*one.faults, *wrong_in(one, page, language)]
        found += wrong
        if not wrong and not one.typed:
            firsts.append(one.choices[one.order()[0]])
    if len(firsts) > 2 and all(one.right for one in firsts):
        message = "as the page shows them, the right choice is always the first: reorder some"
        found.append((firsts[0].line, message))
    return sorted(found)


def wrong_in(one: Prediction, page: str, language: str) -> Iterator[tuple[int, str]]:
    if one.snippet is None:
        yield one.line, "no snippet follows: a prediction stands right before what answers it"
        return
    file, name = one.snippet
    try:
        shown = examples.sections(file, language)[name].output
    except (OSError, KeyError):
        return  # of what cannot be included, includes.py complains
    if not shown:
        yield one.line, f"[{name}] shows nothing that could be predicted"
    count, fewest = len(one.choices), 1 if one.typed else 2
    if count < fewest or (count > MOST and not one.typed):
        yield one.line, f"a prediction of {count} choices: two to four, or a value and one or more"
    right = [each for each in one.choices if each.right]
    if len(right) != 1:
        address = name if file == page else f"{file}/{name}"
        yield (
            one.line,
            f"{len(right)} right choices: exactly one has an address into the snippet that "
            f"follows, [text](={address}:1)",
        )
    bare = [each for each in one.choices if BARE.fullmatch(each.text.strip("`"))]
    if bare and bare == right and not one.typed:
        yield right[0].line, "only the right choice looks like output, which gives it away"
    for at, each in enumerate(one.choices):
        if not each.text:
            yield each.line, "nothing to choose before the colon"
        elif LINK.search(each.text):
            yield each.line, "a choice is pressed, so it is no link: links stand after the colon"
        elif not each.says and not each.right:
            yield each.line, f"'{each.text}': after a colon, say what this choice would mean"
        elif one.typed and not each.number:
            yield each.line, f"'{each.text}' is not a number, as the values of this question are"
        for other in one.choices[:at]:
            if same(each, other):
                yield each.line, f"'{each.text}' and '{other.text}' are the same answer"
        try:
            stands(each, page, language)
        except Unknown as error:
            yield each.line, f"(={each.address}): {error}"


def same(one: Choice, other: Choice) -> bool:
    """Whether nobody could say which of two was meant."""
    if not one.number or not other.number:
        return one.text == other.text
    right = one if one.right else other
    away = abs(one.number.value - other.number.value)
    return away <= (right.half if right.right else 0)


def stands(one: Choice, page: str, language: str) -> None:
    """Unknown, with the reason, where what is chosen does not stand in what its address gives."""
    parts = addresses.parse(one.address, page) if one.address else []
    for part in parts:
        if part.kind == "expression" and not one.number:
            if (value := addresses.written(part, language)) != "True":
                raise Unknown(f"{part.rest} is {value}; an answer in words needs what is True")
            return
    if not parts or any(part.kind in ("given", "source") for part in parts):
        return
    given = "\n".join(printed(part, language) for part in parts)
    text = one.text.strip("`“”‘’「」\"' ")
    before, after = r"(?<![\w.\-−])" if text[:1].isalnum() else "", r"(?!\w|\.\d)"
    if text and re.search(before + re.escape(text) + after, given):
        return
    here, there = counted(one.text), source.values(one.address, page, language) or []
    pairs = list(zip(here, there, strict=False))
    if not here or len(here) > len(there) or not all(n.agrees(v) for n, v in pairs):
        raise Unknown(f"'{one.text}' does not stand in {given!r}")
    if wavering := next((n for n, v in pairs if n.wavers(v)), None):
        raise Unknown(f"{wavering.text} could be rounded either way: write fewer digits")


def printed(part: Address, language: str) -> str:
    """The text that an address stands for: of a snippet whole lines, or numbers of one."""
    values = addresses.resolve(part, language) or []  # Unknown, where there is no such line
    place = OUTPUT.fullmatch(part.rest)
    if part.kind != "output" or place is None or place["first"]:
        return " ".join(map(str, values))
    lines = addresses.snippet(part, language).output
    last = int(place["to"] or place["line"] or len(lines))
    return "\n".join(lines[int(place["line"] or 1) - 1 : last])
