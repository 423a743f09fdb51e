"""`!!! predict "What is the shape?"` before a snippet: the reader answers before the output shows.

    !!! predict "What is the shape of the scores?"
        - (4, 3): that is Kᵀ. See [the pitfall](#pitfalls).
        - [(3, 4)](=shapes:1): a row a query, a column a key.

    ```pycon
    --8<-- "page.pycon:shapes"
    ```

Two to four choices. The right one is known by its address, which leads into what that snippet
prints: the text stands there, so a doctest holds the answer. Where the answer is said in words, its
address is an expression that is True after the snippet: `[They double](=twice:(b == 2 * a).all())`.
After the colon stands what the choice would mean. With `!!! predict value "…"` the reader types a
number; the items are the right one and known wrong ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor
from markdown.util import HTML_PLACEHOLDER

from docs import examples
from theme.extensions.page import Page, PageExtension, log, place
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
WORDS = {
    "predict": {"zh": "先猜", "en": "Predict"},
    "colon": {"zh": "：", "en": ": "},
    "number": {"zh": "你的数", "en": "Your number"},
    "type": {"zh": "就猜这个", "en": "That is my guess"},
    "skip": {"zh": "直接看", "en": "Just show it"},
    "again": {"zh": "再猜一次", "en": "Guess again"},
    "always": {"zh": "总是直接显示", "en": "Always show"},
}
PREDICT = {"admonition", "predict"}
STASH = re.compile(HTML_PLACEHOLDER % r"(\d+)")
SMALL = re.compile(r"^[a-z](?=[a-z]*[ ,.])")  # of a word, on a line of its own now
GP = '<span class="gp">'  # a prompt, as Pygments marks it
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
            value = addresses.evaluated(part, language)
            if type(value).__name__ not in ("bool", "bool_") or not value:
                raise Unknown(f"{part.rest} is {value!r}; an answer in words needs what is True")
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


def plain(markdown: str, page: Page) -> str:
    """The question, and what could be chosen, where nobody can press anything."""
    parts, at = [], 0
    word = WORDS["predict"][page.language] + WORDS["colon"][page.language]
    for one in predictions(markdown, page.name):
        rows = [f"**{word}{one.question}**"]
        if not one.typed:
            rows += ["", *(f"- {one.choices[each].text}" for each in one.order())]
        quoted = "\n".join(f"{one.indent}> {row}".rstrip() for row in rows)
        parts += [markdown[at : one.start], f"{quoted}\n\n"]
        at = one.end
    return "".join([*parts, markdown[at:]])


class Predictions(PageExtension):
    def __init__(self, page: Page) -> None:
        super().__init__(page)
        if page.path.suffix != ".md":
            return
        where = place(page.path).rpartition(":")[0]
        text = page.path.read_text(encoding="utf-8")
        for line, message in faults(text, page.name, page.language):
            log.warning("%s:%d: %s", where, line, message)

    def extendMarkdown(self, md: Markdown) -> None:
        step = Boxes(md)
        step.page = self.page
        md.treeprocessors.register(step, "predictions", 14)  # after inline (20) and numbers (15)


class Boxes(Treeprocessor):
    """Of a box with a list: a question with choices that can be pressed, and what each means.

    predictions.mjs answers them. In a copy that is opened from a folder no such script runs.
    """

    page: Page

    def run(self, root: Element) -> None:
        parents = {child: parent for parent in root.iter() for child in parent}
        boxes = [one for one in root.iter("div") if set(one.get("class", "").split()) >= PREDICT]
        if self.page.path.suffix != ".md" or not boxes:
            return
        asked = list(predictions(self.page.path.read_text(encoding="utf-8"), self.page.name))
        for box, one in zip(boxes, asked, strict=len(boxes) == len(asked)):
            parent = parents[box]
            at = list(parent).index(box)
            listed = box.find("ul")
            stash = (
                STASH.fullmatch((parent[at + 1].text or "").strip()) if parent[at + 1 :] else None
            )
            if (
                one.snippet is None
                or listed is None
                or len(listed) != len(one.choices)
                or not stash
            ):
                continue  # which was complained of
            done = self.question(one, box[0], list(listed))
            done.tail = box.tail
            parent[at] = done
            blocks = self.md.htmlStash.rawHtmlBlocks
            blocks[int(stash[1])] = apart(str(blocks[int(stash[1])]))

    def question(self, one: Prediction, title: Element, items: list[Element]) -> Element:
        words = {key: both[self.page.language] for key, both in WORDS.items()}
        pressed = self.page.without_python != "folder"
        box = Element("fieldset", {"class": "predict"})
        legend = SubElement(box, "legend")
        SubElement(legend, "b").text = words["predict"]
        moved(title, legend)
        if pressed:
            box.set("data-guess", "#".join(one.snippet or ()))
        if pressed and one.typed:
            form = SubElement(box, "form")
            label = SubElement(form, "label")
            label.text = words["number"]
            SubElement(label, "input", {"inputmode": "decimal", "autocomplete": "off"})
            knob(form, "type", words["type"])
        listed = SubElement(box, "ul", {"data-search-exclude": ""})
        for number, at in enumerate(one.order(), 1):
            each = one.choices[at]
            item = SubElement(listed, "li")
            if each.right:
                item.set("data-right", "")
            if one.typed and each.number:
                item.set("data-value", f"{float(each.number.value):.12g}")
                item.set("data-half", f"{float(each.half):.12g}")
            press = pressed and not one.typed
            chosen = knob(item, str(number)) if press else SubElement(item, "b")
            says = Element("span")
            cut(items[at], chosen, says)
            if says.text or len(says):
                says.text = SMALL.sub(lambda first: first[0].upper(), says.text or "")
                item.append(says)
        if pressed:
            bar = SubElement(box, "p", {"data-search-exclude": ""})
            for value in ("skip", "again", "always"):
                knob(bar, value, words[value])
            SubElement(bar, "span", {"role": "status"})
        return box


def knob(parent: Element, value: str, text: str = "") -> Element:
    about = {"type": "button", "data-do": "guess", "value": value}
    made = SubElement(parent, "button", about | ({"type": "submit"} if value == "type" else {}))
    made.text = text
    return made


def moved(source: Element, to: Element) -> None:
    """What stands in `source`, behind what stands in `to`."""
    written(to, source.text or "")
    for child in list(source):
        to.append(child)


def written(to: Element, text: str) -> None:
    if len(to):
        to[-1].tail = (to[-1].tail or "") + text
    else:
        to.text = (to.text or "") + text


def cut(item: Element, chosen: Element, says: Element) -> None:
    """An item of the list, cut at its colon: what is chosen, and what choosing it would mean."""
    line = Element("li")
    for part in [item, *item]:  # paragraphs and addresses open: their content stands in the line
        if part is not item and part.tag != "p" and part.get("class") != "number":
            line.append(part)
            continue
        if part.get("class") == "number" and (len(line) or (line.text or "").strip()):
            line.append(part)  # of what the choice would mean
            continue
        written(line, part.text or "")
        if part is not item:
            for child in part:
                line.append(child)
            written(line, (part.tail or "").rstrip("\n"))
    to = chosen
    for at, text in enumerate([line.text or "", *((one.tail or "") for one in line)]):
        if at:
            piece = line[at - 1]
            piece.tail = None
            to.append(piece)
        colon = COLON.search(text) if to is chosen else None
        if colon is None:
            written(to, text)
            continue
        written(chosen, text[: colon.start()].rstrip())
        to = says
        written(says, text[colon.end() :].lstrip())


def apart(snippet: str) -> str:
    """The HTML of a snippet in which each output is an element of its own, to be hidden."""
    head, opening, rest = snippet.partition("<code>")
    code, closing, tail = rest.partition("</code>")
    done = ""
    for printed, lines in groupby(code.splitlines(keepends=True), lambda row: GP not in row[:30]):
        text = "".join(lines)
        done += f'<span class="out"><span>{text}</span></span>' if printed else text
    return head + opening + done + closing + tail
