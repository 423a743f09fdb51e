"""What is done to finished HTML, on a real parser, in this order."""

from __future__ import annotations

from collections.abc import Callable

from selectolax.lexbor import LexborHTMLParser

from theme.extensions.page import Page
from theme.finish.clauses import clauses
from theme.finish.conformance import conformance
from theme.finish.docstrings import docstrings
from theme.finish.expressions import expressions
from theme.finish.folder import folder
from theme.finish.header import header
from theme.finish.heights import heights
from theme.finish.indentation import indentation
from theme.finish.indices import indices
from theme.finish.policy import policy
from theme.finish.states import states
from theme.finish.stops import stops
from theme.finish.tables import tables
from theme.finish.units import units

Step = Callable[[LexborHTMLParser, Page], None]
STEPS: list[Step] = [
    docstrings,  # the API page: what mkdocstrings cannot be told
    tables,  # their box, and what may not break in a cell
    clauses,  # where a Chinese heading breaks
    stops,  # no space after a Chinese full stop
    units,  # no number without its unit at the end of a line
    expressions,  # where a long line of code breaks on a phone
    indices,  # √d_k as it is written
    states,  # links to a figure as it is to be found
    conformance,  # what a checker of HTML complains of
    heights,  # the place of a figure that wakes late
    header,  # the short name of the site on a phone
    indentation,  # the frame around the article
    folder,  # the copy that is opened from a folder
    policy,  # last: it names every inline script
]


def finish(html: str, page: Page) -> str:
    """A whole page, as a reader gets it."""
    tree = LexborHTMLParser(html)
    for step in STEPS:
        step(tree, page)
    return str(tree.html)
