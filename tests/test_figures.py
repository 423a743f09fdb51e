"""Figures that can be played with: the mathematics is qkv_docs', and what each one alone can do.

That every figure comes, answers, and is kept in the address: test_site.py, with the rest of a page.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import (
    FRAME,
    Visit,
    awake,
    come,
    needs_browser,
    wait_for_instant_navigation,
    wake,
)
from numpy.random import Generator
from playwright.sync_api import Locator, Page, Route, expect
from scripts import SCRIPTS, engine, needed, source
from sources import DOCS, ROOT

from docs.data.kv_cache import per_token
from docs.examples import values
from docs.figures import draw
from qkv_docs import (
    KVCache,
    alibi_bias,
    causal_mask,
    cosine_similarity,
    dot_product,
    embed,
    multi_head_attention,
    one_hot,
    padding_mask,
    rope,
    scaled_dot_product_attention,
    scaled_dot_product_attention_backward,
    sliding_window_mask,
    softmax,
    softmax_backward,
)

STYLES = ROOT / "theme/templates/assets/stylesheets/figures.css"

# page, figure and element of every figure that is wrapped in an element
FIGURES = [
    (path.stem.replace("_", "-"), name.replace("_", "-"), element)
    for path in sorted((DOCS / "figures").glob("*.py"))
    for name, body in re.findall(
        r"^def ([a-z]\w*)\(t: Label\) -> Played:\n(.*?)(?=^\S|\Z)",
        path.read_text("utf-8"),
        re.M | re.S,
    )
    for element in re.findall(r'Played\("([\w-]+)"', body)[:1]
]


def path_of(page: str) -> str:
    """Of a page on the site, in Chinese."""
    return "/" if page == "index" else f"/{page}/"


@pytest.fixture
def rng() -> Generator:
    """Anew for every test: in whatever order they run, they see the same numbers."""
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def maths() -> Iterator[Any]:
    with engine("figures/maths.mjs") as call:
        yield call


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(np.array(found, dtype=float), wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("size", [1e-3, 1.0, 50.0])
@pytest.mark.parametrize(("n_q", "n_k", "d_k", "d_v"), [(1, 1, 1, 1), (3, 5, 4, 2), (6, 6, 16, 7)])
def test_attention(
    maths: Any, n_q: int, n_k: int, d_k: int, d_v: int, size: float, rng: Generator
) -> None:
    q, k, v = (size * rng.normal(size=s) for s in ((n_q, d_k), (n_k, d_k), (n_k, d_v)))
    mask = rng.random((n_q, n_k)) < 0.6
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


def test_rows(maths: Any, rng: Generator) -> None:
    a, b = rng.normal(size=(2, 8))
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


def test_matrices(maths: Any, rng: Generator) -> None:
    a, b = rng.normal(size=(3, 4)), rng.normal(size=(4, 2))
    close(maths("matmul(a, b)", a=a.tolist(), b=b.tolist()), a @ b)
    close(maths("transpose(a)", a=a.tolist()), a.T)


@pytest.mark.parametrize("page", sorted({page for page, _, _ in FIGURES}))
def test_the_scripts_of_a_page_are_small(page: str) -> None:
    elements = {element for at, _, element in FIGURES if at == page}
    scripts = {name for element in elements for name in needed(f"figures/{element}.mjs")}
    files: list[Path] = [STYLES, *(SCRIPTS / name for name in scripts)]
    assert sum(len(gzip.compress(path.read_bytes(), 6)) for path in files) <= 40_000


def test_every_script_is_used() -> None:
    used = {name for _, _, element in FIGURES for name in needed(f"figures/{element}.mjs")}
    views = re.search(r"const VIEWS = words\(\{(.*?)\n\}", source("figures/sentence.mjs"), re.S)
    assert views  # each comes when it is chosen
    for view in re.findall(r"^  (\w+):", views[1], re.M):
        used.update(needed(f"figures/sentence/{view}.mjs"))
    there = {path.relative_to(SCRIPTS).as_posix() for path in SCRIPTS.glob("figures/**/*.mjs")}
    assert there <= used


def numbers(place: Locator, title: str) -> list[list[float]]:
    """What stands in the first table of the figure that has `title`."""
    rows = place.locator(".play__grid", has_text=title).first.locator("tbody tr").all()
    return [[float(x) for x in row.locator("td").all_inner_texts()] for row in rows]


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


# What test_site.py does with the figures of every page.


def use(page: Page, figure: str, language: str) -> tuple[str, str, str]:
    """By the keyboard; its address with its state, what it says then, and what it said at first."""
    place, reading = awake(page, figure)
    at_first = reading.inner_text()
    touch(place)
    expect(page).to_have_url(re.compile(f"#figure={figure}"))  # written when the reader pauses
    expect(reading).not_to_have_text(at_first)  # what has to be unpacked first comes later
    changed, address = reading.inner_text(), page.url

    # A figure may show one part of several.
    cell = place.locator(".play__grid:visible td[tabindex='0']").first
    if cell.count():
        cell.focus()
        expect(reading).to_contain_text("shape" if language == "en" else "形状")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        cell.evaluate("cell => document.activeElement.blur()")
    if language == "en":
        labels = place.locator(
            "label > span, legend, .play__read, .play__bar, .play__grid caption"
        ).all_inner_texts()
        assert not re.search(r"[，。：；？（）]", "".join(labels)), labels
    return address, changed, at_first


def share(page: Page, figure: str, told: tuple[str, str, str], anew: bool) -> None:
    """Opened by its address the figure is as it was, and by a broken one as it is at first.

    Not `anew`, the addresses come while the page is open: a broken one changes nothing.
    """
    address, changed, at_first = told
    broken = re.sub(r"=[^&=]*$", "=%3Cnonsense%3E,-7", address)
    broken = broken if "&" in address else f"{address}&nonsense=1"
    reading = page.locator(f"#figure-{figure} .play__read")
    if anew:
        page.goto("about:blank")
        page.goto(address)
        expect(reading).to_have_text(changed)
        page.goto("about:blank")
        page.goto(broken)
        expect(reading).to_have_text(at_first)
        return
    reset = page.locator(f"#figure-{figure} .play__read + .play__bar button").first
    reset.evaluate("reset => reset.click()")
    expect(reading).to_have_text(at_first)
    page.wait_for_function("() => !location.hash")  # written when the reader pauses
    page.evaluate("address => { location.href = address }", address)
    expect(reading).to_have_text(changed)
    page.evaluate("address => { location.href = address }", broken)
    page.evaluate(FRAME)
    page.wait_for_timeout(100)  # a sentence is said a moment after it was changed
    expect(reading).to_have_text(changed if "&" in address else at_first)


# Figures that are walked through: attention, lookup-model, gradient
@pytest.fixture
def of_element() -> Iterator[Any]:
    """Calls into an element's script, as `maths`."""
    with contextlib.ExitStack() as engines:
        yield lambda element: engines.enter_context(engine(f"figures/{element}.mjs"))


def drawn(page: str, name: str, english: bool) -> Any:
    """What a figure hands to its element."""
    markup = str(draw(page, name, "en" if english else "zh"))
    return json.loads(ET.fromstring(markup).attrib["data-given"])


@pytest.mark.parametrize("letter", ["q", "k", "v"])
def test_where_a_number_is_kept(of_element: Any, letter: str) -> None:
    """As NumPy stacks, transposes and cuts matrices in which every number is another."""
    d, d_k = 6, 3
    w = dict(zip("qkv", np.arange(3 * d * d).reshape(3, d, d), strict=True))
    kept = {
        "gpt2": np.hstack(list(w.values())),
        "linear": w[letter].T,
        "mha": np.vstack([matrix.T for matrix in w.values()]),
        "keras": w[letter].reshape(d, d // d_k, d_k),
    }
    call = of_element("storage")
    for i, j in np.ndindex(d, d):
        found = call("places(m, i, j, d, columns)", m=letter, i=i, j=j, d=d, columns=d_k)
        assert {where: kept[where][tuple(at)] for where, at in found.items()} == dict.fromkeys(
            kept, w[letter][i, j]
        )


def walked(x: Any, w_q: Any, w_k: Any, w_v: Any) -> dict[str, Any]:
    q, k, v = x @ w_q, x @ w_k, x @ w_v
    output, weights = scaled_dot_product_attention(q, k, v)
    scores = q @ k.T
    scaled = scores / np.sqrt(k.shape[1])
    return {"q": q, "k": k, "v": v, "scores": scores, "scaled": scaled, "powers": np.exp(scaled),
            "weights": weights, "output": output}  # fmt: skip


@pytest.mark.parametrize(("n", "d_model", "d_k", "d_v"), [(1, 1, 1, 1), (3, 4, 2, 2), (6, 5, 3, 1)])
def test_a_walk(of_element: Any, n: int, d_model: int, d_k: int, d_v: int, rng: Generator) -> None:
    call = of_element("attention")
    x, w_q, w_k, w_v = (rng.normal(size=(a, b)) for a, b in
                        ((n, d_model), (d_model, d_k), (d_model, d_k), (d_model, d_v)))  # fmt: skip
    given = {"x": x, "q": w_q, "k": w_k, "v": w_v}
    found = call("walk(x, q, k, v)", **{name: array.tolist() for name, array in given.items()})
    wanted = walked(x, w_q, w_k, w_v)
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        close(found[name], value)


@pytest.mark.parametrize("english", [False, True])
@pytest.mark.parametrize(
    ("page", "figure", "last"),
    [("self-attention", "walk", "output"), ("queries-keys-values", "ask", "answer")],
)
def test_a_walk_begins_with_the_numbers_of_the_page(
    of_element: Any, page: str, figure: str, last: str, english: bool
) -> None:
    given = drawn(page, figure, english)
    call = of_element("attention")
    sentence = call("cut(text, words)", text=given["text"], words=list(given["words"]))
    assert not sentence["unknown"]
    x = [given["words"][word] for word in sentence["words"]]
    found = call("walk(x, given.wq, given.wk, given.wv)", x=x, given=given)
    page_has = values(page, last)
    close(x, page_has["X"])
    for name in ("W_Q", "W_K", "W_V"):
        close(given[name.replace("_", "").lower()], page_has[name])
    for name in ("Q", "K", "V", "weights", "output"):
        close(found[name.lower()], page_has[name])


# index: lookup
@pytest.mark.parametrize("english", [False, True])
def test_the_look_up_of_the_home_page(of_element: Any, english: bool, rng: Generator) -> None:
    given, page_has = drawn("index", "lookup", english), values("index", "one-minute")
    call = of_element("lookup")
    x = np.array([given["words"][word] for word in given["sentence"]], dtype=float)
    matrices = [given[name] for name in ("wq", "wk", "wv")]
    found = call("asked(x, 2, ...matrices)", x=x.tolist(), matrices=matrices)
    close(found["q"], page_has["Q"][0])
    for name in ("k", "v"):
        close(found[name], page_has[name.upper()])
    close(found["scaled"], page_has["scaled"][0])
    close(found["weights"], page_has["weights"][0])
    close(found["output"], (page_has["weights"] @ page_has["V"])[0])
    # The verb of the page's other snippet
    x[1] = given["words"][given["verbs"][1]]
    found = call("asked(x, 2, ...matrices)", x=x.tolist(), matrices=matrices)
    close(found["weights"], values("index", "not-parameters")["weights"][0])
    x = rng.normal(size=(3, 4))
    w_q, w_k, w_v = rng.normal(size=(3, 4, 2))
    output, weights = scaled_dot_product_attention(x @ w_q, x @ w_k, x @ w_v)
    for row in range(3):
        matrices = [w_q.tolist(), w_k.tolist(), w_v.tolist()]
        found = call("asked(x, row, ...matrices)", x=x.tolist(), row=row, matrices=matrices)
        close(found["scores"], (x @ w_q)[row] @ (x @ w_k).T)
        close(found["weights"], weights[row])
        close(found["output"], output[row])


@pytest.mark.parametrize(
    ("text", "words", "unknown"),
    [
        ("我吃苹果", ["我", "吃", "苹果"], []),
        (" 我 吃，苹果。", ["我", "吃", "苹果"], []),
        ("我喂狗吃苹果", ["我", "吃", "苹果"], ["喂狗"]),
        ("i EAT Apples!", ["I", "eat", "apples"], []),
        ("applesauce eat", ["eat"], ["applesauce"]),
        ("eateat", [], ["eateat"]),
        ("a7b? b？", ["a7", "b?", "b?"], []),
        ("a77", [], ["a77"]),
        ("", [], []),
    ],
)
def test_cutting_a_sentence(
    of_element: Any, text: str, words: list[str], unknown: list[str]
) -> None:
    call = of_element("attention")
    known = ["我", "吃", "苹果", "果", "I", "eat", "apple", "apples", "a7", "b?"]
    assert call("cut(text, known)", text=text, known=known) == {"words": words, "unknown": unknown}


# why-sqrt-dk: play
def recorded() -> Any:
    return json.loads((DOCS / "data/why-sqrt-dk-gradients.json").read_text("utf-8"))


@pytest.mark.parametrize(("d", "by", "t"), [(6, "1", 0), (10, "sqrt", -3), (3, "model", 2)])
def test_one_query_divided(of_element: Any, d: int, by: str, t: int, rng: Generator) -> None:
    call = of_element("softmax")
    scores = rng.normal(size=8)
    found = call("oneQuery(scores, d, by, t)", scores=scores.tolist(), d=d, by=by, t=t)
    divisors = {"1": 1, "sqrt": 2 ** (d / 2), "d_k": 2**d, "model": 512**0.5}
    divided = scores * 2 ** (d / 2) / divisors[by] / 2.0**t
    weights = softmax(divided)
    close(found["scores"], divided)
    close(found["weights"], weights)
    jacobian = np.array([softmax_backward(row, weights) for row in np.eye(8)])
    close(found["jacobian"], jacobian)
    close(found["norm"], np.linalg.norm(jacobian))
    close(found["entropy"], -(weights * np.log(weights)).sum() / np.log(8))


def test_every_divisor_and_temperature_was_recorded(of_element: Any) -> None:
    call = of_element("softmax")
    rows = {(row["d_k"], row["half_powers"]) for row in recorded()["histograms"]}
    asked = call(
        '[...Array(11).keys()].flatMap((d) => ["1", "sqrt", "d_k", "model"].flatMap((by) =>'
        " [-3, -2, -1, 0, 1, 2, 3].map((t) => [2 ** d, halfPowers(d, by, t)])))"
    )
    assert {tuple(one) for one in asked} == rows
    # what the page asks for: a temperature of 8 at d_k = 64, and d_k = d_model
    assert call('[halfPowers(6, "1", 3), halfPowers(9, "model", 0)]') == call(
        '[halfPowers(6, "sqrt", 0), halfPowers(9, "sqrt", 0)]'
    )


# masks
@pytest.mark.parametrize("n", [3, 6])
def test_masks(of_element: Any, n: int, rng: Generator) -> None:
    call = of_element("mask")
    for mask, wanted in {
        f"everything({n})": np.ones((n, n)),
        f"causal({n})": causal_mask(n),
        f"padding({n - 1}, {n})": np.broadcast_to(padding_mask(n - 1, n), (n, n)),
        f"sliding({n}, 2)": sliding_window_mask(n, 2),
    }.items():
        close(call(f"read({mask})"), wanted)
        close(call(f"read({mask}, false)"), 1 - np.array(wanted, dtype=int))
    scores, v, mask = rng.normal(size=(n, n)), rng.normal(size=(n, 2)), rng.random((n, n)) < 0.5
    found = call("late(scores, v, mask)", scores=scores.tolist(), v=v.tolist(), mask=mask.tolist())
    close(found["all"], softmax(scores))
    close(found["weights"], softmax(scores) * mask)
    close(found["output"], softmax(scores) * mask @ v)


def test_the_mask_begins_with_the_page() -> None:
    given = drawn("masks", "minus_infinity", english=True)
    scope = values("masks", "minus-infinity")
    x = np.array([vector for _, vector in given["sentences"][0]["words"]])
    for name, wanted in {"w_q": "W_Q", "w_k": "W_K", "w_v": "W_V"}.items():
        close(given[name], scope[wanted])
    close(x, scope["X"])


@pytest.mark.browser
@needs_browser[1]
def test_a_mask_is_painted(revisit: Visit) -> None:
    """By a drag, a tap and the space bar; a query with nothing to see says so."""
    place, reading = come(revisit, "/masks/", "minus-infinity")
    page, cells = revisit.page, place.locator("[data-paint] tbody td")

    def mask() -> str:
        return "".join("01"[text == "True"] for text in cells.all_inner_texts())

    def weights() -> list[float]:
        table = place.locator(".play__grid", has_text="注意力权重 (3, 3)").last
        return [float(text) for text in table.locator("td[tabindex]").all_inner_texts()]

    assert mask() == "100110111"
    close(weights(), values("masks", "minus-infinity")["weights"].round(3).ravel())

    cells.nth(0).scroll_into_view_if_needed()
    boxes = [cells.nth(at).bounding_box() for at in range(9)]
    assert len({round(box["width"]) for box in boxes if box}) == 1  # whatever the words' lengths
    middle = [(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2) for box in boxes if box]
    page.mouse.move(*middle[1])
    page.mouse.down()
    for at in (2, 5):
        page.mouse.move(*middle[at], steps=3)
    page.mouse.up()
    assert mask() == "111111111"
    cells.nth(8).click()
    assert mask() == "111111110"
    page.keyboard.press(" ")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    assert mask() == "111111101"
    for at in (6, 8):
        cells.nth(at).click()
    expect(reading).to_contain_text("“苹果”什么也看不到")
    assert weights()[6:] == [0, 0, 0]


def test_a_dictionary(of_element: Any, rng: Generator) -> None:
    call = of_element("dictionary")
    query, keys, values = rng.normal(size=2), rng.normal(size=(4, 2)), rng.normal(size=4)
    given = {"q": query.tolist(), "k": keys.tolist(), "v": values.tolist()}
    for by in (0, 2**-0.5, 1, 10):
        found = call("lookUp(q, k, v, by)", by=by, **given)
        output, weights = scaled_dot_product_attention(query[None], keys, values[:, None], scale=by)
        close(found["weights"], weights[0])
        close(found["output"], output[0, 0])
        close(found["scores"], by * keys @ query)
    assert found["best"] == (keys @ query).argmax()


@pytest.mark.parametrize("english", [False, True])
def test_a_dictionary_begins_with_the_numbers_of_the_page(of_element: Any, english: bool) -> None:
    given = drawn("queries-keys-values", "soft_lookup", english)
    page_has = values("queries-keys-values", "soft-lookup", "en" if english else "zh")
    close(given["keys"], page_has["keys"])
    close(given["values"], page_has["values"])
    assert not english or given["names"] == page_has["names"]
    found = of_element("dictionary")("lookUp([1, 0], given.keys, given.values, 1)", given=given)
    close(found["weights"], page_has["weights"])
    close(found["output"], page_has["weights"] @ page_has["values"])


def test_a_lookup(of_element: Any, rng: Generator) -> None:
    call = of_element("embedding")
    table, ids = rng.normal(size=(7, 3)), [3, 6, 0, 3]
    table[6] = 0
    found = call("look(ids, table, 3)", ids=ids, table=table.tolist())
    close(found["hot"], one_hot(ids, 7))
    close(found["x"], embed(ids, table))
    close(found["near"], cosine_similarity(table[3], table))


@pytest.mark.parametrize("english", [False, True])
def test_a_lookup_begins_with_the_numbers_of_the_page(of_element: Any, english: bool) -> None:
    given = drawn("embedding", "product", english)
    page_has = values("embedding", "one-hot", "en" if english else "zh")
    call = of_element("embedding")
    words = call("cut(given.text, given.words)", given=given)["words"]
    ids = [given["words"].index(word) for word in words]
    assert ids == page_has["company"]
    assert given["words"] == page_has["vocabulary"]
    close(given["table"], page_has["table"])
    close(call("look(ids, table, 3)", ids=ids, table=given["table"])["x"], page_has["X"])


@pytest.mark.parametrize(("n_q", "n_k", "d_k", "d_v"), [(1, 1, 1, 1), (1, 2, 2, 2), (3, 5, 4, 2)])
def test_a_way_back(
    of_element: Any, n_q: int, n_k: int, d_k: int, d_v: int, rng: Generator
) -> None:
    call = of_element("gradient")
    sizes = {"g": (n_q, d_v), "q": (n_q, d_k), "k": (n_k, d_k), "v": (n_k, d_v)}
    arrays = {name: rng.normal(size=size) for name, size in sizes.items()}
    found = call("backward(g, q, k, v)", **{name: a.tolist() for name, a in arrays.items()})
    g, q, k, v = arrays.values()
    output, weights = scaled_dot_product_attention(q, k, v)
    close(found["o"], output)
    close(found["a"], weights)
    close(found["grad_a"], g @ v.T)
    close(found["grad_s"], softmax_backward(g @ v.T, weights))
    wanted = scaled_dot_product_attention_backward(g, q, k, v)
    for name, gradient in zip("qkv", wanted, strict=True):
        close(found[f"grad_{name}"], gradient)


@pytest.mark.parametrize("english", [False, True])
def test_a_way_back_begins_with_the_numbers_of_the_page(of_element: Any, english: bool) -> None:
    given = drawn("backpropagation", "there_and_back", english)
    page_has = values("backpropagation", "query-and-keys")
    for name, array in (("q", "q"), ("k", "K"), ("v", "V"), ("t", "target")):
        close(given[name], page_has[array])
    call = of_element("gradient")
    found = call("backward([g], [given.q], given.k, given.v)", given=given,
                 g=page_has["grad_o"].tolist())  # fmt: skip
    for name in ("s", "a", "o", "grad_a", "grad_s", "grad_q"):
        close(found[name], [page_has[name]])
    close(found["grad_v"], page_has["grad_V"])
    close(found["grad_k"], page_has["grad_K"])


@pytest.mark.browser
@needs_browser[1]
@pytest.mark.parametrize(
    ("path", "figure", "position"),
    [("/en/models/", "two", "static"), ("/en/masks/", "minus-infinity", "sticky")],
)
def test_neither_a_tall_sentence_nor_one_before_the_first_touch_covers_its_figure(
    revisit: Visit, path: str, figure: str, position: str
) -> None:
    place, reading = come(revisit, path, figure)
    expect(reading).not_to_be_empty()
    where = "one => getComputedStyle(one).position"
    assert reading.evaluate(where) == "static"
    place.locator("button, input").first.focus()
    assert reading.evaluate(where) == position


@pytest.mark.browser
@needs_browser[1]
def test_a_sign_stands_before_its_grid(revisit: Visit) -> None:
    """On a phone, too: an arrow at the end of a line would point at nothing."""
    place, _ = come(revisit, "/en/backpropagation/", "there-and-back")
    signs = place.locator(".play__sign")
    lost = """all => all.filter((one) => {
        const sign = one.getBoundingClientRect();
        const next = one.nextElementSibling?.getBoundingClientRect();
        return !next || next.left < sign.right || next.top > sign.bottom;
    }).map((one) => one.textContent)"""
    assert signs.count() > 5
    assert signs.evaluate_all(lost) == []


@pytest.mark.browser
@needs_browser[1]
def test_a_walk_is_walked(revisit: Visit) -> None:
    """Back to the matrices by the keyboard, three numbers changed, on to the output; then words."""
    place, reading = come(revisit, "/queries-keys-values/", "ask")
    expect(reading).to_contain_text("输出是 2.03")
    back, on = (place.get_by_role("button", name=name) for name in ("上一步", "下一步"))
    for _ in range(4):
        back.press("Enter")
    expect(place.get_by_role("radio", name="2 Q K V")).to_be_checked()
    keys = revisit.page.keyboard
    cell = place.get_by_role("grid", name="W_K").locator("tbody tr").nth(3).locator("td").first
    cell.focus()
    expect(reading).to_contain_text("W_K[? → a] = −1")
    for key in ("+", "ArrowRight", "+", "ArrowRight"):
        keys.press(key)
    keys.press("Enter")  # or typed
    field = place.get_by_role("spinbutton")
    expect(field).to_be_focused()
    keys.type("0")
    keys.press("Enter")
    assert revisit.page.evaluate("document.activeElement.textContent") == "0"
    for _ in range(4):
        on.press("Enter")
    expect(reading).to_contain_text("输出是 1.03")  # b? now finds itself as well
    sentence = place.get_by_role("textbox")
    sentence.fill("a7 狗 b2")
    expect(reading).to_contain_text("词表里没有“狗”")
    expect(sentence).to_have_attribute("aria-invalid", "true")
    sentence.fill("a7 b2 c5 c?")
    expect(reading).to_contain_text("c5 0.50")
    place.get_by_role("button", name="词表").press("Enter")
    place.get_by_role("button", name="b9").click()
    expect(sentence).to_have_value("a7 b2 c5 c? b9")
    place.get_by_role("button", name="还原", exact=True).press("Enter")
    expect(reading).to_contain_text("输出是 2.03")


# multi-head
@pytest.mark.parametrize("n", [1, 2, 4])
def test_heads(of_element: Any, n: int, rng: Generator) -> None:
    call = of_element("heads")
    x = rng.normal(size=(5, 8))
    parameters = dict(zip(("w_q", "w_k", "w_v", "w_o"), rng.normal(size=(4, 8, 8)), strict=True))
    given = {"x": x.tolist(), "w": {name: w.tolist() for name, w in parameters.items()}}
    found = call(f"multiHead(x, w, {n})", **given)
    output, weights = multi_head_attention(x, **parameters, n_heads=n)
    close(found["output"], output)
    close([head["weights"] for head in found["heads"]], weights)
    close(np.hstack([head["q"] for head in found["heads"]]), x @ parameters["w_q"])
    parameters["w_o"][: 8 // n] = 0  # the first head off
    close(
        call(f"multiHead(x, w, {n}, [0])", **given)["output"],
        multi_head_attention(x, **parameters, n_heads=n)[0],
    )


@pytest.mark.browser
@needs_browser[1]
def test_heads_are_switched_off_and_all_read_the_whole_input(revisit: Visit) -> None:
    place, reading = come(revisit, "/multi-head/", "sum-over-heads")
    scope = values("multi-head", "switch-off")

    close(numbers(place, "头 1 的注意力权重"), scope["weights"][0].round(3))
    close(numbers(place, "头 2 的注意力权重"), scope["weights"][1].round(3))
    close(numbers(place, "输出 (3, 4)"), scope["output"].round(3))
    place.get_by_label("头 2 开着").uncheck()
    close(numbers(place, "输出 (3, 4)"), scope["silenced"].round(3))
    expect(reading).to_contain_text("关着的：头 2")
    place.locator(".play__grid", has_text="X (3, 4)").locator("tbody td").nth(5).click()
    framed = place.locator(".play__grid", has_text="Q₁").locator("td[data-chosen]")
    assert framed.all_inner_texts() == ["4"]  # "action" is 2 now, times 2
    framed = place.locator(".play__grid", has_text="Q₂").locator("td[data-chosen]")
    assert framed.all_inner_texts() == ["4"]


# similarity: drag
@pytest.mark.parametrize(
    ("q", "keys"),
    [
        ([4.0, 3.0], [[3.0, 4.0], [0.0, 10.0], [-3.0, 4.0]]),
        ([-2.5, 7.0], [[8.0, -5.0], [0.0, 0.0], [-2.5, 7.0]]),
        ([0.0, 0.0], [[1.0, 1.0], [2.0, 0.5], [-3.0, 4.0]]),
    ],
)
def test_comparing_with_keys(of_element: Any, q: list[float], keys: list[list[float]]) -> None:
    call = of_element("vectors")
    found = call("compare(q, keys)", q=q, keys=keys)
    dots, cosines = dot_product(q, keys), cosine_similarity(q, keys)
    _, weights = scaled_dot_product_attention([q], keys, keys)
    size = np.linalg.norm(q)
    close(found["dots"], dots)
    close(found["scaled"], dots / np.sqrt(2))
    close(found["cosines"], cosines)
    close(found["weights"], weights[0])
    close(found["lengths"], np.linalg.norm(keys, axis=1))
    close(np.cos(np.radians(found["degrees"])), cosines)
    close(found["shadows"], dots / size if size else [0, 0, 0])


@pytest.mark.parametrize(
    ("values", "order"),
    [([24, 30, 0], "b > a > c"), ([1, 1, 1], "a = b = c"), ([0, -1, 0], "a = c > b")],
)
def test_ranking(of_element: Any, values: list[float], order: str) -> None:
    call = of_element("vectors")
    assert call("ranking(values, ['a', 'b', 'c'])", values=values) == order


@pytest.mark.browser
@needs_browser[1]
def test_an_arrow_is_moved(revisit: Visit) -> None:
    """By the keyboard and by a pointer; a key made longer overtakes the others."""
    place, reading = come(revisit, "/en/similarity/", "drag")
    tip = place.get_by_role("slider", name="tip of the key a")
    expect(reading).to_contain_text("By dot product: b > a > c; by cosine: a > b > c.")
    tip.focus()
    for key in ["ArrowRight"] * 3 + ["Shift+ArrowUp"]:
        revisit.page.keyboard.press(key)
    expect(tip).to_have_attribute("aria-valuetext", "(4.5, 6), dot product 36")
    expect(reading).to_contain_text("By dot product: a > b > c")
    tip = place.get_by_role("slider", name="tip of the query q")
    box = tip.locator(".play__hold").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    revisit.page.mouse.move(x, y)
    revisit.page.mouse.down()
    revisit.page.mouse.move(x - 2000, y - 2000, steps=3)  # as far as the plane goes
    revisit.page.mouse.up()
    expect(tip).to_have_attribute("aria-valuetext", "(−8, 11)")
    revisit.page.mouse.move(x, y)
    expect(tip).to_have_attribute("aria-valuetext", "(−8, 11)")


# cross-attention
@pytest.mark.parametrize(("n_q", "n_k", "d_model", "d_context"), [(4, 5, 4, 5), (5, 4, 5, 4)])
def test_cross(
    of_element: Any, n_q: int, n_k: int, d_model: int, d_context: int, rng: Generator
) -> None:
    call = of_element("cross")
    x, c = rng.normal(size=(n_q, d_model)), rng.normal(size=(n_k, d_context))
    given = {"x": x.tolist(), "c": c.tolist()}
    for mask, masked in (("null", None), (f"causalMask({n_q}, {n_k})", causal_mask(n_q, n_k))):
        found = call(f"cross(x, c, 3, {mask})", **given)
        q, k = x @ (3 * np.eye(d_model, 4)), c @ np.eye(d_context, 4)
        output, weights = scaled_dot_product_attention(q, k, c, masked)
        for name, wanted in {"q": q, "k": k, "v": c, "weights": weights, "output": output}.items():
            close(found[name], wanted)


@pytest.mark.browser
@needs_browser[1]
def test_the_sides_are_swapped(revisit: Visit) -> None:
    place, reading = come(revisit, "/en/cross-attention/", "drank")
    scope = values("cross-attention", "drank")

    close(numbers(place, "X, asks"), scope["X"])
    close(numbers(place, "C, is read"), scope["C"])
    close(numbers(place, "attention weights"), scope["weights"].round(2))
    close(numbers(place, "output"), scope["output"].round(2))
    place.get_by_role("button", name="Swap the sides").click()
    expect(reading).to_contain_text("Q (5, 4) comes from the Chinese")
    assert np.shape(numbers(place, "attention weights")) == (5, 4)
    assert np.shape(numbers(place, "output")) == (5, 4)
    place.get_by_label("queries multiplied by").press("Home")
    close(numbers(place, "attention weights"), np.full((5, 4), 0.25))


# where-weights-come-from
def test_recorded_numbers_are_unpacked(of_element: Any) -> None:
    data = json.loads((DOCS / "data/where-weights-come-from.json").read_text("utf-8"))
    text = data["snapshots"][-1]["w_q"]
    found = of_element("weights")("rowsOf(text, unit)", text=text, unit=data["unit"])
    wanted = values("where-weights-come-from", "training")["model"].w_q[:16]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1.5 * data["unit"])


@pytest.mark.browser
@needs_browser[1]
def test_a_training_is_played_and_then_nothing_moves(revisit: Visit) -> None:
    place, reading = come(revisit, "/en/where-weights-come-from/", "w-q")
    expect(reading).to_contain_text("Step 0: loss 2.51")
    cells = "cells => cells.map(cell => cell.textContent).join()"

    def matrix() -> str:
        table = place.locator(".play__grid", has_text="rows of W_Q")
        return str(table.locator("tbody td").evaluate_all(cells))

    def query() -> str:
        table = place.locator(".play__grid", has_text="Q (1, 16)")
        return str(table.locator("tbody td").evaluate_all(cells))

    first = matrix()
    revisit.page.emulate_media(reduced_motion="reduce")
    place.get_by_role("button", name="Play the training").click()  # at once
    expect(reading).to_contain_text("Step 100: loss 0.01, accuracy 1.00")
    assert matrix() != first
    trained = matrix()
    place.get_by_label("training is over").check()
    asked = []
    for _ in range(8):
        asked.append(query())
        assert matrix() == trained
        place.get_by_label("question").press("ArrowRight")
    assert len(set(asked)) == 7  # two of them ask for the same letter
    assert asked[2] == asked[5]
    place.get_by_label("training is over").uncheck()
    revisit.page.emulate_media(reduced_motion="no-preference")
    place.get_by_role("button", name="Play again").click()
    expect(reading).to_contain_text(re.compile(r"Step \d\d?:"))
    place.get_by_role("button", name="Stop").click()


# position: pairs
@pytest.mark.parametrize("position", [0, 1, 7.25, -3, 1040])
def test_rope(maths: Any, of_element: Any, position: float, rng: Generator) -> None:
    call = of_element("positions")
    x = rng.normal(size=(2, 8))
    turned = rope(x, [position, 5])
    given = {"x": x.tolist(), "positions": [position, 5]}
    close(maths("rope(x, positions)", **given), turned)
    close(maths("rope(x, positions, 50)", **given), rope(x, [position, 5], base=50))
    close(maths("rope(x)", **given), rope(x, [0, 1]))
    close(
        call("parts(q, k)", q=turned[0].tolist(), k=turned[1].tolist()),
        turned.prod(axis=0).reshape(4, 2).sum(axis=-1),
    )


@pytest.mark.browser
@needs_browser[1]
def test_the_score_depends_on_the_difference_alone(revisit: Visit) -> None:
    place, reading = come(revisit, "/en/position/", "pairs")
    expect(reading).to_contain_text("q·k = 2.764 + ")
    at_first = reading.inner_text()
    both = place.get_by_role("slider", name="both on by")
    both.press("End")
    expect(reading).to_contain_text("Query at position 1003, key at position 1002, difference 1.")
    assert reading.inner_text().split(": q·k")[1] == at_first.split(": q·k")[1]
    scores = rope(np.tile([2.0, 0.0], (81, 4)), np.arange(-40, 41)) @ np.tile([1.0, 1.0], 4)
    best = int(scores.argmax()) - 40
    assert 0 < best < 20  # what the page says: not at 0, a little to the right of it
    place.get_by_role("slider", name="query at m").fill(str(2 + best))
    expect(reading).to_contain_text(f"= {scores.max():.3f}; without the turns it is 8.")


# pretrained: paths
@pytest.mark.browser
@needs_browser[1]
def test_a_real_sentence_is_taken_apart(revisit: Visit) -> None:
    """What the figure draws and says of a way is what is stored, in both models."""
    place, reading = come(revisit, "/en/pretrained/", "paths")
    data = json.loads((DOCS / "data/pretrained-e5-en.json").read_text("utf-8"))
    sentence = data["sentences"][3]
    expect(reading).to_contain_text(f"to −{-sentence['path'][-1] / 100:.2f} (1 is fruit")
    lines = place.locator(".play polyline")
    assert lines.count() == sum(one["word"] == 0 for one in data["sentences"])
    hide = place.get_by_label("hide from the word")
    hide.select_option(label="▁phone")
    without = sentence["hidden"][sentence["pieces"].index("▁phone")][-1] / 100
    expect(reading).to_contain_text(f"with that hidden, to {without:.2f}".replace("-", "−"))
    assert lines.count() == 7
    hide.select_option(label="all other words")
    alone = f"{sentence['alone'][-1] / 100:.2f}".replace("-", "−")
    expect(reading).to_contain_text(f"with that hidden, to {alone}")

    place.locator("select").nth(1).select_option(index=2)
    expect(reading).to_contain_text("through 6 layers “apple” goes from")


@pytest.mark.browser
@needs_browser[1]
def test_a_bar_of_the_histogram_is_asked_for(revisit: Visit) -> None:
    place, reading = come(revisit, "/en/why-sqrt-dk/", "play")
    at_first = reading.inner_text()
    (row,) = (
        row for row in recorded()["histograms"] if (row["d_k"], row["half_powers"]) == (64, 0)
    )
    bars = place.get_by_role("slider", name="histogram")
    bars.focus()
    expect(reading).to_contain_text(f"norm 0.32 to 0.46: {max(row['counts'])} queries")
    revisit.page.keyboard.press("Home")
    expect(reading).to_contain_text(f"below 1.0×10⁻⁸: {row['lower']} queries")
    revisit.page.keyboard.press("ArrowRight")
    assert row["first"] == 0
    expect(reading).to_contain_text(f"norm 1.0×10⁻⁸ to 1.5×10⁻⁸: {row['counts'][0]} queries")
    bars.evaluate("bars => bars.blur()")
    expect(reading).to_have_text(at_first)


# position: slope
@pytest.mark.parametrize("head", range(1, 9))
def test_bias(of_element: Any, head: int, rng: Generator) -> None:
    scores = rng.normal(size=5)
    found = of_element("alibi")("biased(head, scores)", head=head, scores=scores.tolist())
    bias = alibi_bias(8, 5)[head - 1][4]
    close(found["bias"], bias)
    close(found["sums"], scores + bias)
    close(found["weights"], softmax(scores + bias))


# flash-attention
@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("causal", [False, True])
def test_tiles_read_so_far(of_element: Any, size: int, causal: bool) -> None:
    """What the player shows is the attention over the keys read so far, and which maxima rise."""
    call = of_element("tiles")
    given = drawn("flash-attention", "tiles", english=True)
    trace = given["traces"][f"{size},{int(causal)}"]
    q, k, v = (values("flash-attention", "tiles")[name] for name in "QKV")
    mask = causal_mask(6) if causal else np.ones((6, 6), bool)
    read = np.zeros((6, 6), bool)
    for step, tile in enumerate(trace["tiles"], 1):
        before = read & mask
        read[slice(*tile["queries"]), slice(*tile["keys"])] = True
        now = read & mask
        most, least = (
            np.where(seen, q @ k.T / np.sqrt(2), -np.inf).max(axis=1) for seen in (now, before)
        )
        output, _ = scaled_dot_product_attention(q, k, v, now)
        found = call("after(trace, step, 6)", trace=trace, step=step)
        for i, kept in enumerate(found["kept"]):
            assert (kept is None) == (not now[i].any())
            if kept:
                close(kept["maximum"], most[i])
                close(kept["total"], np.exp(q[i] @ k[now[i]].T / np.sqrt(2) - most[i]).sum())
                close(kept["output"], output[i])
        higher = [i for i in range(6) if before[i].any() and most[i] > least[i]]
        assert [one["i"] for one in found["rises"]] == higher
        close([one["shrink"] for one in found["rises"]], np.exp(least[higher] - most[higher]))
        ends = not any(one["queries"] == tile["queries"] for one in trace["tiles"][step:])
        assert call("isLast(trace, step)", trace=trace, step=step) == ends
    assert trace["same"]
    assert (read | ~mask).all()


@pytest.mark.browser
@needs_browser[1]
def test_tiles_are_read_by_the_arrow_keys(revisit: Visit) -> None:
    place, reading = come(revisit, "/flash-attention/", "tiles")
    press = revisit.page.keyboard.press
    expect(reading).to_contain_text("从 2.12 升到 3.54，先前的总和与值乘以 0.24")
    place.get_by_role("button", name="下一块").focus()
    press("ArrowRight")
    expect(reading).to_contain_text("第 4 块，共 9 块")
    press("ArrowLeft")
    press("ArrowLeft")
    expect(reading).to_contain_text("最大值没有升")
    place.locator("input[type=range]").press("End")
    expect(reading).to_contain_text("np.allclose 给 True")
    close(numbers(place, "目前的输出"), values("flash-attention", "tiles")["output"].round(2))
    place.locator("input[type=checkbox]").press(" ")
    expect(reading).to_contain_text("第 6 块，共 6 块")
    assert place.locator("td", has_text="×").count() == 12


# grouped-query-attention: groups
@pytest.mark.parametrize("shared", [1, 2, 4, 8])
def test_who_reads_which_key_head(of_element: Any, shared: int) -> None:
    call, every = of_element("groups"), np.arange(shared)
    assert call("reads(8, shared)", shared=shared) == np.repeat(every, 8 // shared).tolist()
    strided = np.tile(every, 8 // shared).tolist()
    assert call("reads(8, shared, true)", shared=shared) == strided
    given = drawn("grouped-query-attention", "groups", english=True)
    sizes = {"shared": shared, "given": given}
    of_a_token = KVCache(1, shared, given["d_head"], dtype=np.float16).nbytes / 2
    assert call("kept(shared, given)", **sizes) == of_a_token
    assert call("kept(0, given)", given=given) == 576


@pytest.mark.browser
@needs_browser[1]
def test_heads_are_grouped_by_hand(revisit: Visit) -> None:
    place, reading = come(revisit, "/en/grouped-query-attention/", "groups")
    expect(reading).to_contain_text("Query head 1 reads KV head 0, as do 0, 2, 3.")
    place.get_by_label("strided").check(force=True)
    expect(reading).to_contain_text("Query head 1 reads KV head 1, as do 3, 5, 7.")
    expect(reading).to_contain_text("512 numbers are kept for a token, 25.0%")
    place.get_by_role("radio", name="8 (MHA)").check(force=True)
    expect(reading).to_contain_text("a KV head of its own. 2048 numbers")
    expect(place.get_by_label("strided")).to_be_hidden()
    place.get_by_role("radio", name="MLA").check(force=True)
    expect(reading).to_contain_text("576 numbers are kept for a token, 28.1%")


# kv-cache: size
def test_bytes_are_what_the_cache_takes(of_element: Any) -> None:
    call = of_element("cache")
    for row in drawn("kv-cache", "size", english=True)["models"]:
        state = {"vectors": row["vectors"], "layers": row["layers"], "heads": row["kv_heads"],
                 "width": row["d_head"], "bits": 16, "tokens": 64, "batch": 3}  # fmt: skip
        found = call("taken(state)", state=state)
        of_a_layer = KVCache(64, row["kv_heads"], row["d_head"], batch=3, dtype=np.float16).nbytes
        assert found["whole"] == row["layers"] * of_a_layer * row["vectors"] / 2
        assert found["sequence"] == found["whole"] / 3 == 64 * found["token"]
        assert found["token"] == per_token(row)
        half = call("taken(state)", state={**state, "bits": 8})
        assert 2 * half["whole"] == found["whole"]


@pytest.mark.parametrize(
    ("size", "text"),
    [(512, "512 B"), (2**17, "128 KiB"), (1.5 * 2**30, "1.5 GiB"), (140.2 * 2**30, "140 GiB"),
     (2**50, "1024 TiB"), (2**30 - 1, "1024 MiB")],
)  # fmt: skip
def test_bytes_are_written_to_be_read(of_element: Any, size: float, text: str) -> None:
    assert of_element("cache")("written(size)", size=size) == text


@pytest.mark.browser
@needs_browser[1]
def test_the_calculator_says_what_fits(revisit: Visit) -> None:
    place, reading = come(revisit, "/en/kv-cache/", "size")
    cards = place.locator(".play__cardname")
    expect(reading).to_contain_text("128 KiB a token, 1 GiB a sequence, 16 GiB in all")
    expect(cards).to_contain_text([re.compile("24 .*not fit, 7.0 GiB"), re.compile("80 .*fits")])
    place.get_by_label("sequences at once").press("Home")
    expect(cards).to_contain_text([re.compile("24 .*fits"), re.compile("80 .*fits")])
    place.get_by_label("Llama 2 7B").check(force=True)
    expect(reading).to_contain_text("512 KiB a token")
    place.get_by_label("DeepSeek-V3").check(force=True)
    expect(reading).to_contain_text("does not even hold the model")
    expect(place.get_by_label("KV heads")).to_be_hidden()
    place.get_by_label("layers").press("ArrowRight")
    expect(place.get_by_label("a model of your own")).to_be_checked()
    expect(cards).to_contain_text([re.compile("24 .*cache alone fits"), re.compile("alone fits")])
    place.get_by_label("keys and values").check(force=True)
    expect(place.get_by_label("KV heads")).to_be_visible()


@pytest.mark.browser
@needs_browser[1]
def test_figures_after_instant_navigation(revisit: Visit) -> None:
    """Dressed on the next page too, and as they were left on the way back."""
    place, reading = come(revisit, "/masks/", "minus-infinity")
    page = revisit.page
    wait_for_instant_navigation(page)
    page.evaluate("window.stayed = true")
    touch(place)
    expect(page).to_have_url(re.compile("#figure=minus-infinity"))
    left = reading.inner_text()
    page.locator(".md-footer__link--next").click()
    page.wait_for_url("**/multi-head/**")
    figure = page.locator("#figure-sum-over-heads")
    figure.scroll_into_view_if_needed()
    expect(figure.locator("[data-ready]")).to_be_attached()
    expect(figure.locator(".play__still")).to_be_hidden()
    page.go_back()
    expect(reading).to_have_text(left)
    assert page.evaluate("window.stayed"), "the page was loaded anew"


@pytest.mark.browser
@needs_browser[1]
@pytest.mark.parametrize("portal", [False, True], ids=["lost", "portal"])
def test_data_that_do_not_come(visit: Visit, portal: bool) -> None:
    """The still stays, a sentence says why, and the button tries again."""
    page = visit.page

    def answer(route: Route) -> None:
        if portal:
            route.fulfill(body="<h1>Log in</h1>", content_type="text/html")
        else:
            route.abort()

    page.route("**/why-sqrt-dk-gradients.json", answer)
    visit.go("/why-sqrt-dk/")
    wake(page)
    place = page.locator("#figure-play")
    place.scroll_into_view_if_needed()
    expect(place.get_by_text("这张图的数据没有取到")).to_be_visible()
    expect(place.locator("svg").first).to_be_visible()
    page.unroute("**/why-sqrt-dk-gradients.json")
    place.get_by_role("button", name="再试一次").click()
    expect(place.locator(".play__read")).not_to_be_empty()
    visit.trouble.clear()  # the request that was made to fail


@pytest.mark.browser
@needs_browser[1]
def test_a_figure_that_fails_is_no_lost_connection(visit: Visit) -> None:
    """It does not say so, and the fault is not hidden."""
    page = visit.page

    def faulty(route: Route) -> None:
        code = (SCRIPTS / "figures/softmax.mjs").read_text("utf-8")
        code = code.replace("  build() {\n", "  build() {\n    null.x;\n")
        route.fulfill(body=code, content_type="text/javascript")

    page.route("**/figures/softmax.mjs*", faulty)
    visit.go("/why-sqrt-dk/")
    wake(page)
    place = page.locator("#figure-play")
    with page.expect_event("pageerror"):
        place.scroll_into_view_if_needed()
    expect(place.get_by_text("没有取到")).to_have_count(0)
    expect(place.locator("svg").first).to_be_visible()
    visit.trouble.clear()
