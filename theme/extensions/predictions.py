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
from itertools import groupby
from xml.etree.ElementTree import Element, SubElement

from markdown import Markdown
from markdown.treeprocessors import Treeprocessor
from markdown.util import HTML_PLACEHOLDER

from theme.extensions.asked import COLON, Prediction, faults, predictions
from theme.extensions.page import Page, PageExtension, log, place

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
    for number in chosen.iter("span"):
        if number.get("class") == "number":  # which is pressed, so it cannot be asked
            number.attrib.clear()


def apart(snippet: str) -> str:
    """The HTML of a snippet in which each output is an element of its own, to be hidden."""
    head, opening, rest = snippet.partition("<code>")
    code, closing, tail = rest.partition("</code>")
    done = ""
    for printed, lines in groupby(code.splitlines(keepends=True), lambda row: GP not in row[:30]):
        text = "".join(lines)
        done += f'<span class="out"><span>{text}</span></span>' if printed else text
    return head + opening + done + closing + tail
