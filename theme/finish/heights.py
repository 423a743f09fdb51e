"""A figure that can be played with has its height from the first paint.

Its script comes late, and what it makes is several times as tall as the still picture: a figure
that grew would push a section away on which the reader has just landed. How tall it will be at
which width stands in heights.json, in rem (`make heights` measures it), twice where a figure is
lower in a build without the model.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser

from theme.extensions.page import Page
from theme.finish.nodes import fragment

FILE = Path(__file__).with_name("heights.json")
# From this width of the box on, this height. The first holds for narrower boxes too.
Heights = list[tuple[float, float]]
WITHOUT = "without the model"
# The figures in which a model answers, and what the page's script then names.
MODELS = {"qkv-sentence": "model", "qkv-decoder": "decoder"}
# From these widths of the window on, there are steps of their own: a figure has more space; its
# text is larger, and its drawings are not.
ROOMY, WIDE = "720px", "1600px"


def heights(tree: LexborHTMLParser, page: Page) -> None:
    if page.without_python == "folder" or not FILE.exists():  # from a folder no figure ever wakes
        return
    measured = json.loads(FILE.read_text(encoding="utf-8"))["heights"]
    rules = ""
    for box in tree.css("figure.drawing > .drawing__box"):
        element, figure = box.child, box.parent
        if element is None or figure is None or not (element.tag or "").startswith("qkv-"):
            continue
        name = f"{page.name}/{(figure.id or '').removeprefix('figure-')}"
        model = MODELS.get(str(element.tag))
        if model and not tree.css_first(f"script[data-{model}]"):
            name = f"{name} {WITHOUT}" if f"{name} {WITHOUT}" in measured else name
        if steps := measured.get(name, {}).get(page.language):
            rules += rule(f"#{figure.id}", str(element.tag), steps)
    if rules:
        # Nothing of it without scripts or on paper, where the still picture stays.
        style = fragment("<style></style>")
        style.inner_html = f"@media screen and (scripting:enabled){{{rules}}}"
        (head,) = tree.css("head")
        head.insert_child(style)


def rule(figure: str, element: str, steps: dict[str, Heights]) -> str:
    """The place of one figure, framed while it sleeps; `data-lost`: its script did not come.

    The still picture is lower than the place: it stays in sight as long as the place is.
    """
    places = places_of(steps["narrow"])
    for style, width in (("roomy", ROOMY), ("wide", WIDE)):
        places += f"@media (width>={width}){{{places_of(steps[style])}}}"
    frame = "&:not([data-ready]){border-radius:10px;box-shadow:inset 0 0 0 1px var(--edge)"
    frame += ">svg{position:sticky;top:3.2rem}}"
    return (
        f"{figure}>div{{container-type:inline-size;overflow:visible}}"
        f"{figure} {element}:not([data-lost]){{display:block;{places}{frame}}}"
    )


def places_of(steps: Heights) -> str:
    (_, first), *others = steps
    wider = "".join(
        f"@container (width>={width}rem){{min-height:{height}rem}}" for width, height in others
    )
    return f"min-height:{first}rem;{wider}"


def steps(samples: Iterable[tuple[float, float]], slack: float) -> Heights:
    """Of (width, height), all heights that differ by no more than `slack` as one step.

    Between two widths that were measured the taller one is kept, unless they are a pixel apart:
    there it jumps.

    >>> steps([(0, 9), (1, 8), (2, 4), (3, 4)], slack=1)
    [(0, 9), (2, 4)]
    >>> steps([(0, 4), (8, 9), (16, 9)], slack=1)  # somewhere before 8 it grew
    [(0, 9)]
    """
    measured = sorted(samples)
    merged: list[tuple[float, list[float]]] = []
    for (width, height), (following, then) in itertools.pairwise([*measured, measured[-1]]):
        tallest = max(height, then) if following - width > 1 else height
        if merged and max(*merged[-1][1], tallest) - min(*merged[-1][1], tallest) <= slack:
            merged[-1][1].append(tallest)
        else:
            merged.append((width, [tallest]))
    return [(width, max(heights)) for width, heights in merged]
