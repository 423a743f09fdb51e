"""A Chinese heading of two lines breaks between its clauses, or else between words."""

from __future__ import annotations

import functools
import html
import json
import re

from selectolax.lexbor import LexborHTMLParser

from theme import cache
from theme.engine import javascript
from theme.extensions.page import Page, ledger

BETWEEN = re.compile("(?<=[，：；？])(?=[^，：；？”）])")
HAN = re.compile(r"[\u3400-\u9fff]+")
SEGMENTS = """
const segmenter = new Intl.Segmenter("zh", { granularity: "word" });
const words = (text) => JSON.stringify([...segmenter.segment(text)].map((one) => one.segment));
"""


segmenter = functools.cache(functools.partial(javascript, SEGMENTS))  # started by the first asked


def words(text: str) -> list[str]:
    """What stays on one line: terms, words, and a character alone with the word before it.

    >>> words("每种改法换来什么"), words("多头自注意力里的词元"), words("交叉注意力")
    (['每种改法换来', '什么'], ['多头', '自注意力里的', '词元'], ['交叉注意力'])
    """
    made = cache.kept(lambda: str(segmenter().call("words", text)), "words", SEGMENTS, text)
    terms = sorted((one["zh"] for one in ledger("glossary")["terms"]), key=len, reverse=True)
    whole = [one.span() for one in re.finditer("|".join(map(re.escape, terms)), text)]
    parts, at = [""], 0
    for word in json.loads(made):
        alone = len(word) == 1 and not any(at == start for start, _ in whole)
        inside = any(start < at < end for start, end in whole)
        if len(parts[-1]) > 1 and not alone and not inside:
            parts.append("")
        parts[-1] += word
        at += len(word)
    return parts


def _text(text: str) -> str:
    return HAN.sub(lambda run: "<wbr>".join(words(run[0])), html.escape(text, quote=False))


def clauses(tree: LexborHTMLParser, page: Page) -> None:
    if page.language != "zh":
        return
    for heading in tree.css("article :is(h1, h2, h3)"):
        parts, link = [""], ""
        for node in heading.iter(include_text=True):
            if node.is_text_node:
                first, *more = map(_text, BETWEEN.split(node.text_content or ""))
                parts[-1] += first
                parts += more
            elif node.attributes.get("class") == "headerlink":
                link += node.html or ""
            else:
                parts[-1] += node.html or ""
        if len(parts) > 1:
            parts = [f'<span class="clause">{part}</span>' for part in parts]
        heading.inner_html = "".join(parts) + link
