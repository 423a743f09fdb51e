"""Figures that can be played with: the mathematics is qkv_docs', and each is used in a browser."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import Visit, accessibility_faults, needs_browser, wake
from playwright.sync_api import Locator, expect
from py_mini_racer import MiniRacer
from sources import DOCS, ROOT

from qkv_docs import cosine_similarity, scaled_dot_product_attention, softmax, softmax_backward

SCRIPTS = ROOT / "theme/templates/assets/scripts/figures"
STYLES = ROOT / "theme/templates/assets/stylesheets/figures.css"
NEEDS = re.compile(r'^import .* from "\./([\w-]+\.mjs)";$', re.M)
RNG = np.random.default_rng(0)

# page, figure and element of every figure that is wrapped in an element
FIGURES = [
    (path.stem.replace("_", "-"), name.replace("_", "-"), element)
    for path in sorted((DOCS / "figures").glob("*.py"))
    for name, body in re.findall(
        r"^def ([a-z]\w*)\(t\):\n(.*?)(?=^\S|\Z)", path.read_text("utf-8"), re.M | re.S
    )
    for element in re.findall(r"<qkv-([\w-]+)", body)[:1]
]


@pytest.fixture(scope="module")
def maths() -> Any:
    with MiniRacer() as racer:
        racer.eval((SCRIPTS / "maths.mjs").read_text("utf-8").replace("export ", ""))

        def call(expression: str, **given: Any) -> Any:
            names = "".join(f"const {name} = {json.dumps(x)};" for name, x in given.items())
            return json.loads(racer.eval(f"{{{names} JSON.stringify({expression})}}"))

        yield call


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(np.array(found, dtype=float), wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("size", [1e-3, 1.0, 50.0])
@pytest.mark.parametrize(("n_q", "n_k", "d_k", "d_v"), [(1, 1, 1, 1), (3, 5, 4, 2), (6, 6, 16, 7)])
def test_attention(maths: Any, n_q: int, n_k: int, d_k: int, d_v: int, size: float) -> None:
    q, k, v = (size * RNG.normal(size=s) for s in ((n_q, d_k), (n_k, d_k), (n_k, d_v)))
    mask = RNG.random((n_q, n_k)) < 0.6
    mask[0] = False  # a query that may attend to nothing
    given = {"q": q.tolist(), "k": k.tolist(), "v": v.tolist(), "mask": mask.tolist()}
    for options, wanted in (
        ("{}", scaled_dot_product_attention(q, k, v)),
        ("{ mask }", scaled_dot_product_attention(q, k, v, mask)),
        ("{ scale: 0.3 }", scaled_dot_product_attention(q, k, v, scale=0.3)),
    ):
        found = maths(f"attention(q, k, v, {options})", **given)
        close(found["output"], wanted[0])
        close(found["weights"], wanted[1])


def test_rows(maths: Any) -> None:
    a, b = RNG.normal(size=(2, 8))
    close(maths("cosine(a, b)", a=a.tolist(), b=b.tolist()), cosine_similarity(a, b))
    close(maths("cosine(a, b)", a=a.tolist(), b=[0] * 8), 0)
    weights = softmax(3 * a)
    close(maths("softmax(a)", a=(3 * a).tolist()), weights)
    close(
        maths("jacobian(a)", a=weights.tolist()),
        [softmax_backward(row, weights) for row in np.eye(8)],
    )
    close(maths("entropy(a)", a=weights.tolist()), -(weights * np.log(weights)).sum())
    close(maths("entropy([0, 1])"), 0)


def test_matrices(maths: Any) -> None:
    a, b = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 2))
    close(maths("matmul(a, b)", a=a.tolist(), b=b.tolist()), a @ b)
    close(maths("transpose(a)", a=a.tolist()), a.T)


def needed(script: str) -> set[str]:
    text = (SCRIPTS / script).read_text("utf-8")
    return {script}.union(*map(needed, NEEDS.findall(text)))


@pytest.mark.parametrize("page", sorted({page for page, _, _ in FIGURES}))
def test_the_scripts_of_a_page_are_small(page: str) -> None:
    scripts = set().union(*(needed(f"{element}.mjs") for at, _, element in FIGURES if at == page))
    files: list[Path] = [STYLES, *(SCRIPTS / name for name in scripts)]
    assert sum(len(gzip.compress(path.read_bytes(), 6)) for path in files) <= 40_000


def test_every_script_is_used() -> None:
    used = set().union(*(needed(f"{element}.mjs") for _, _, element in FIGURES))
    assert used == {path.name for path in SCRIPTS.glob("*.mjs")}


def come(visit: Visit, path: str, figure: str) -> tuple[Locator, Locator]:
    page = visit.go(path)
    assert not [r.url for r in visit.loaded if "/figures/" in r.url or "/data/" in r.url]
    wake(page)
    place = page.locator(f"#figure-{figure}")
    place.scroll_into_view_if_needed()
    expect(place.locator("[data-ready]")).to_be_attached(timeout=15_000)
    return place, place.locator(".play__read")


def touch(place: Locator) -> None:
    """Change something by the keyboard: the first slider, menu, switch or cell that can be."""
    knob = place.locator(
        "input[type=range], select, input[type=checkbox], input[type=radio]:not(:checked)"
    ).first
    kind = knob.evaluate("knob => knob.type")
    if kind == "range":
        last = knob.evaluate("knob => knob.value === knob.max")
        knob.press("ArrowLeft" if last else "ArrowRight")
    elif kind.startswith("select"):
        last = knob.evaluate("knob => knob.selectedIndex === knob.options.length - 1")
        knob.select_option(index=0 if last else 1)
    else:
        knob.press(" ")


@pytest.mark.browser
@needs_browser[1]
@pytest.mark.parametrize(("page_name", "figure", "element"), FIGURES)
def test_a_figure_is_used(visit: Visit, page_name: str, figure: str, element: str) -> None:
    """By the keyboard, on a phone; its state in the address; nothing axe objects to."""
    path = f"/{page_name}/"
    place, reading = come(visit, path, figure)
    page = visit.page
    expect(reading).not_to_be_empty()
    at_first = reading.inner_text()

    touch(place)
    page.wait_for_timeout(600)  # the address is written when the reader pauses
    assert f"#figure={figure}" in page.url
    changed, address = reading.inner_text(), page.url

    cell = place.locator(".play__grid td[tabindex='0']").first
    if cell.count():
        cell.focus()
        expect(reading).to_contain_text("形状")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        cell.evaluate("cell => document.activeElement.blur()")
    sideways = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert page.evaluate(sideways) <= 0
    assert not accessibility_faults(page, within=f"#figure-{figure}")
    page.evaluate("document.body.setAttribute('data-md-color-scheme', 'slate')")
    page.wait_for_timeout(300)
    assert not accessibility_faults(page, within=f"#figure-{figure}")

    page.goto("about:blank")
    page.goto(address)  # shared: the figure is as it was
    expect(reading).to_have_text(changed, timeout=15_000)
    page.goto("about:blank")
    broken = re.sub(r"=[^&=]*$", "=%3Cnonsense%3E,-7", address)
    page.goto(broken if "&" in address else f"{address}&nonsense=1")
    expect(reading).to_have_text(at_first, timeout=15_000)


@pytest.mark.browser
@needs_browser[1]
@pytest.mark.parametrize(("page_name", "figure", "element"), FIGURES)
def test_a_figure_in_english(visit: Visit, page_name: str, figure: str, element: str) -> None:
    place, reading = come(visit, f"/en/{page_name}/", figure)
    touch(place)
    expect(reading).not_to_be_empty()
    labels = place.locator(
        "label > span, legend, .play__read, .play__bar, .play__grid caption"
    ).all_inner_texts()
    assert not re.search(r"[，。：；？（）]", "".join(labels)), labels
