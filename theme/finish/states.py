"""A link may lead to a state of a figure: `[text](page.md#figure-name){ data-state="step=2" }`.

What stands in the Markdown is the figure's own anchor, which every reader of links understands; in
the page the address becomes `#figure=name&step=2`, as scripts/figures/core.mjs writes it.
"""

from __future__ import annotations

from selectolax.lexbor import LexborHTMLParser

from theme.extensions.page import Page

ANCHOR = "#figure-"


def states(tree: LexborHTMLParser, page: Page) -> None:
    for link in tree.css("a[data-state]"):
        state, address = link.attributes["data-state"], link.attributes.get("href") or ""
        if ANCHOR not in address:
            page.complain(address, f"{address} is given a state and leads to no figure")
            continue
        where, name = address.split(ANCHOR)
        link.attrs["href"] = f"{where}#figure={name}&{state}"
        del link.attrs["data-state"]
