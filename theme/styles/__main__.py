"""`make styles` writes reduced.css: Material's and KaTeX's style sheets without what no page has.

They are parsed, not searched. Each list below must still find something, or the style sheet has
changed and somebody is to look.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import material  # type: ignore[import-untyped]
import tinycss2  # type: ignore[import-untyped]

from theme.extensions.page import ROOT
from theme.styles import REDUCED, sources_now

MATERIAL = Path(material.__file__).parent / "templates/assets/stylesheets"
KATEX = ROOT / "theme/vendor/katex"
# Selectors of what no page here has; 11 KB of every first view.
KINDS = "abstract|bug|caution|danger|example|failure|info|quote|success|tip|warning"
UNUSED = [
    r"\.md-(?:annotation|author|banner|blog|consent|feedback|pagination|path|post|profile|search"
    r"|social|tabs|tag|version)",
    *(r"tabbed-", r"task-list", r"\.footnote", r"\.critic", r"\.keys", r"\.key-", r"\.mermaid"),
    *(r"\.linenos?|linenodiv", r"\[dir=rtl\]", r"data-md-color-(?:primary|accent)"),
    rf"\.(?:{KINDS})\b",
]
# Tables have their box, and a class that says so: theme/finish/tables.py.
RENAMED = {"table:not([class])": "table.data"}
UNUSED_ICON = re.compile(
    r"--md-(?:typeset-table-sort|path|post-pin|search-result|source-\w+|tag|annotation(?:-bg)?|version|footnotes"
    rf"|tabbed|tasklist|admonition(?=-icon--(?:{KINDS})))-icon[\w-]*"
)


class Reduced:
    """A style sheet, cut, and what was found to cut."""

    def __init__(self, css: str) -> None:
        self.found: set[str] = set()
        rules = tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True)
        self.css = "\n".join(self.rules(rules))

    def is_unused(self, selector: str) -> bool:
        hits = [pattern for pattern in UNUSED if re.search(pattern, selector)]
        self.found.update(hits)
        return bool(hits)

    def renamed(self, selector: str) -> str:
        for theirs, ours in RENAMED.items():
            if theirs in selector:
                self.found.add(theirs)
                selector = selector.replace(theirs, ours)
        return selector

    def rules(self, rules: Iterable[Any]) -> Iterator[str]:
        for rule in rules:
            if rule.type == "at-rule" and rule.lower_at_keyword in ("media", "supports", "layer"):
                inner = tinycss2.parse_rule_list(rule.content, True, True)
                if kept := "".join(self.rules(inner)):
                    yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{kept}}}"
            elif rule.type == "qualified-rule":
                selectors = [
                    self.renamed(one)
                    for one in comma_separated(rule.prelude)
                    if not self.is_unused(one)
                ]
                if selectors:
                    yield f"{','.join(selectors)}{{{self.declarations(rule.content)}}}"
            elif rule.type == "at-rule" and rule.lower_at_keyword == "font-face":
                yield from font_face(rule.content)
            else:
                yield rule.serialize()

    def declarations(self, content: list[Any]) -> str:
        kept = []
        for one in tinycss2.parse_blocks_contents(content, True, True):
            if one.type == "declaration" and UNUSED_ICON.fullmatch(one.name):
                self.found.add("icons")
            else:
                kept.append(one.serialize().strip())
        return ";".join(kept)


def comma_separated(tokens: list[Any]) -> Iterator[str]:
    part: list[Any] = []
    for token in [*tokens, None]:
        if token is None or (token.type == "literal" and token.value == ","):
            yield (
                tinycss2.serialize(part).strip().replace("/**/", "")
            )  # its guard between 1n and +2
            part = []
        else:
            part.append(token)


def font_face(content: list[Any]) -> Iterator[str]:
    """Of KaTeX's fonts those that are vendored, as woff2; text is shown while one is fetched."""
    text = tinycss2.serialize(content)
    fonts = re.findall(r"url\((fonts/[^)]+\.woff2)\)", text)
    if any((KATEX / font).exists() for font in fonts):
        text = re.sub(r',\s*url\([^)]*\.(?:woff|ttf)\) format\("\w+"\)', "", text)
        yield f"@font-face{{{text.replace('font-display:block', 'font-display:swap')}}}"


def sources() -> str:
    """The style sheets that are reduced, one after the other."""
    found = []
    for name in ("main", "palette"):
        paths = list(MATERIAL.glob(f"{name}.*.min.css"))
        if len(paths) != 1:
            raise SystemExit(f"Material no longer has one {name}.*.min.css in {MATERIAL}")
        found.append(paths[0])
    found.append(KATEX / "katex.min.css")
    return "\n".join(path.read_text(encoding="utf-8") for path in found)


def made() -> str:
    reduced = Reduced(sources())
    if missing := {*UNUSED, *RENAMED, "icons"} - reduced.found:
        raise SystemExit(f"Material's style sheet no longer has {missing}: see {__file__}")
    return f"{sources_now()}\n{reduced.css}\n"


if __name__ == "__main__":
    REDUCED.write_text(made(), encoding="utf-8", newline="\n")
    print(f"{REDUCED.relative_to(ROOT)}: {len(REDUCED.read_bytes()):,} bytes")
