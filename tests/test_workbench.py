"""The workbench of the page variants: what it shows is what qkv_docs computes, here and there."""

from __future__ import annotations

import json
import re
import runpy
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import combinations
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from browsing import Visit, come, needs_browser, until_it_says, wake
from playwright.sync_api import Locator, expect
from scripts import engine
from sources import ROOT

from docs.figures import draw
from docs.figures.variants import MASKS, SCORES, rule
from qkv_docs import and_masks, apply_score_mod, create_mask, flex_attention, or_masks

SESSION = SimpleNamespace(**runpy.run_path(str(ROOT / "theme/runtime/session.py")))
GIVEN = json.loads(
    ET.fromstring(str(draw("variants", "workbench", "en"))).attrib["data-given"]
)  # what the build hands to the element
FIRST = {"mask": "causal", "join": "alone", "other": "window", "score": "none", "n": 8}


@pytest.fixture(scope="module")
def workbench() -> Iterator[Any]:
    with engine("figures/workbench.mjs") as call:
        yield call


def states() -> list[dict[str, Any]]:
    """Every mask, every score, and every two masks joined either way."""
    alone = [{"mask": name} for name in MASKS] + [{"score": name, "n": 12} for name in SCORES]
    pairs = [
        {"mask": one, "other": other, "join": join, "n": 7}
        for one, other in combinations(MASKS, 2)
        for join in "&|"
    ]
    return [FIRST | state for state in alone + pairs]


def wanted(state: dict[str, Any]) -> dict[str, Any]:
    """The same by qkv_docs, without the workbench."""
    n, (one, other) = state["n"], (rule(MASKS[state[key]]) for key in ("mask", "other"))
    mask_mod = {"alone": one, "&": and_masks(one, other), "|": or_masks(one, other)}[state["join"]]
    score_mod = None if state["score"] == "none" else rule(SCORES[state["score"]])
    raw, eye = np.array(GIVEN["raw"])[:n, :n], np.eye(n)
    scores = raw if score_mod is None else apply_score_mod(raw, score_mod)
    _, weights = flex_attention(raw, eye, eye, score_mod, mask_mod, scale=1)
    return {"mask": create_mask(mask_mod, n), "scores": scores, "weights": weights}


def ran(code: str) -> tuple[str, list[tuple[str, str]]]:
    """How the page's kind of session ends, and what it tells."""
    told: list[tuple[str, str]] = []
    page = SESSION.Session(lambda *word: told.append(word), True)
    return json.loads(page.run(0, code, "<workbench>"))["end"], told


def test_what_the_menus_show_is_what_their_code_computes(workbench: Any) -> None:
    for state in states():
        expected = wanted(state)
        shown = workbench("composed(state, given)", state=state, given=GIVEN)
        for name, table in expected.items():
            np.testing.assert_allclose(np.array(shown[name], float), table, atol=1e-4)


def test_the_code_of_the_menus_runs(workbench: Any) -> None:
    for state in states()[:: len(MASKS) // 5]:
        code = workbench("program(state, given)", state=state, given=GIVEN)
        end, told = ran(workbench("asked(code, raw, n)", code=code, raw=GIVEN["raw"], n=state["n"]))
        assert (end, [kind for kind, _ in told]) == ("", ["snapshot"]), told
        found = workbench("answered(text, n)", text=told[0][1], n=state["n"])
        for name, table in wanted(state).items():
            np.testing.assert_allclose(np.array(found[name], float), table, atol=1e-7)


def test_two_rules_of_one_kind_are_joined_and_defined_once(workbench: Any) -> None:
    def code(**state: Any) -> str:
        return str(workbench("program(state, given)", state=FIRST | state, given=GIVEN))

    assert code() == MASKS["causal"] + "\nmask_mod = causal\n"
    assert code(join="|").endswith("\nmask_mod = or_masks(causal, window)\n")
    assert code(join="&", other="causal").count("def ") == 1
    assert code(score="softcap").endswith("\nmask_mod = causal\nscore_mod = softcap\n")


def test_infinities_come_through_json(workbench: Any) -> None:
    code = """\
def score_mod(score, q_index, k_index):
    return np.where(k_index == 0, -np.inf, np.where(k_index == 1, np.inf, score))
"""
    end, told = ran(workbench("asked(code, raw, 3)", code=code, raw=GIVEN["raw"]))
    assert end == ""
    found = workbench(
        "(({ mask, scores, weights }) => [mask[0], scores[0].map(String), weights[0]])"
        "(answered(text, 3))",
        text=told[0][1],
    )
    assert found[0] == [False, True, True]
    assert found[1][:2] == ["-Infinity", "Infinity"]
    assert found[2] == [0, 1, 0]


@pytest.mark.parametrize(
    "text", ["", "null", "[]", '{"mask": [["1"]]}', '{"mask": 1, "scores": 1, "weights": 1}']
)
def test_what_is_no_answer(workbench: Any, text: str) -> None:
    assert workbench("answered(text, 1)", text=text) is None


@pytest.mark.parametrize(
    ("code", "before", "reason", "line"),
    [
        ("def mask_mod(q, k):\n    return q - k\n", "",
         "TypeError: mask_mod must return booleans, True = may attend, got int64 (3, 3)", None),
        ("def mask_mod(q, k):\n    q < k\n", "",
         "TypeError: mask_mod returned None: is its `return` missing?", None),
        ("def mask_mod(q, k):\n    return q <= k and k < 2\n", "",
         "ValueError: mask_mod gets all pairs at once: write & | ~ np.where for and or not if",
         None),
        ("def mask_mod(q, k):\n    print('here')\n    return [][3]\n", "here",
         "IndexError: list index out of range", 3),
        ("print(1)\ndef mask_mod(q, k):\n    return q <\n", "", "SyntaxError: invalid syntax", 3),
        ("x = 1\n", "",
         "NameError: define mask_mod(q_index, k_index) or score_mod(score, q_index, k_index)",
         None),
        ("mask_mod = 1\n", "", "TypeError: mask_mod must be a function, got int", None),
        ("def score_mod(s, q, k):\n    return s[:, :1, None]\n", "",
         "ValueError: score_mod must return what broadcasts to (..., n_q, n_k) = (3, 3), "
         "got (3, 1, 1)", None),
    ],
)  # fmt: skip
def test_an_error_is_one_sentence(
    workbench: Any, code: str, before: str, reason: str, line: int | None
) -> None:
    end, told = ran(workbench("asked(code, raw, 3)", code=code, raw=GIVEN["raw"]))
    assert end == "error"
    printed = "".join(text for kind, text in told if kind == "out")
    assert workbench("wrong(text, code)", text=printed, code=code) == [
        before, reason, *([line] if line else [None]),
    ]  # fmt: skip


# In a browser


def table(place: Locator, title: str) -> Any:
    """The numbers of a table, shown or not."""
    rows = place.locator(".play__grid", has_text=title).locator("tbody tr")
    texts = rows.evaluate_all(
        "rows => rows.map((row) => [...row.querySelectorAll('td')].map((td) => td.textContent))"
    )
    return np.array([[float(text.replace("−", "-")) for text in row] for row in texts])


def came(visit: Visit, path: str) -> tuple[Locator, Locator, Locator]:
    place, reading = come(visit, path, "workbench")
    if place.locator(".workbench__run").is_hidden():
        pytest.skip("the site was built without Python for the browser")
    return place, reading, place.locator(".workbench [role=status]")


@pytest.mark.slow
@needs_browser[0]
@needs_browser[1]
def test_every_rule_of_the_menu_runs_in_the_browser(revisit: Visit) -> None:
    place, reading, status = came(revisit, "/variants/")
    np.testing.assert_array_equal(table(place, "掩码"), np.tri(8))
    assert not [one.url for one in revisit.loaded if "python" in one.url]  # not before Run
    run, menus = place.locator(".workbench__run"), place.locator("select:visible")
    for state in states()[: len(MASKS) + len(SCORES)]:
        menus.first.select_option(state["mask"])
        menus.last.select_option(state["score"])
        expect(status).to_be_empty()
        run.click()
        until_it_says(status, "由 Python 算出")
        expected = wanted(state | {"n": 8})
        np.testing.assert_array_equal(table(place, "掩码"), expected["mask"])
        np.testing.assert_allclose(table(place, "注意力权重"), expected["weights"], atol=0.0051)
    place.locator("input[value='&']").check(force=True)
    expect(reading).to_contain_text("看得到键")
    assert place.locator("textarea").input_value().count("def ") == 3


@needs_browser[0]
@needs_browser[1]
def test_code_of_ones_own(revisit: Visit) -> None:
    """Run by the keyboard; stopped; wrong; sent to somebody else, where nothing runs by itself."""
    place, reading, status = came(revisit, "/en/variants/")
    editor, page = place.locator("textarea"), revisit.page
    own = "def mask_mod(q_index, k_index):\n    return q_index % 2 == k_index % 2"
    editor.fill(own)
    expect(reading).to_contain_text("The code was changed")
    expect(place.locator("[data-stale]")).to_be_attached()
    editor.press("Control+Enter")
    until_it_says(status, "Computed by Python")
    np.testing.assert_array_equal(table(place, "mask"), create_mask(lambda i, j: i % 2 == j % 2, 8))
    expect(reading).to_contain_text("32 of 64 cells may be looked at; query 7 may see keys 1, 3, 5")
    expect(place.locator("[data-stale]")).not_to_be_attached()
    cell = place.locator(".play__grid:visible td[tabindex='0']")
    cell.focus()
    expect(reading).to_contain_text("mask[0 → 0] = True")
    expect(reading).to_contain_text("query 0 may see keys 0, 2, 4, 6")
    cell.blur()

    editor.fill("while True:\n    pass")
    run = place.locator(".workbench__run")
    run.click()
    until_it_says(status, "Running")
    page.wait_for_timeout(500)  # at least: sooner, it is the second half of a double click
    expect(run).to_have_text("Stop")
    run.click()
    expect(status).to_have_text("Stopped")
    expect(run).to_have_text("Run")

    editor.fill("def mask_mod(q_index, k_index):\n    return q_index - k_index")
    run.click()
    until_it_says(status, "An error")
    expect(status).to_have_text(
        "An error. TypeError: mask_mod must return booleans, True = may attend, got int64 (8, 8)"
    )

    place.locator("select").first.select_option("window")
    expect(editor).to_have_value(re.compile("def window"))
    place.get_by_role("button", name="Back to my code").click()
    expect(editor).to_have_value(re.compile("return q_index - k_index"))

    expect(page).to_have_url(re.compile("figure=workbench&mask=window&code="))
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    wake(page)
    place.scroll_into_view_if_needed()
    expect(editor).to_have_value(re.compile("return q_index - k_index"))
    expect(status).to_contain_text("read it before you run it")
    expect(run).to_have_text("Run")
    expect(reading).to_contain_text("The code was changed")


@pytest.mark.slow
@needs_browser[0]
@needs_browser[1]
def test_the_page_s_python_is_lent_to_one_at_a_time(revisit: Visit) -> None:
    place, _, status = came(revisit, "/en/variants/")
    place.locator("textarea").fill("while True: pass")
    place.locator(".workbench__run").click()
    until_it_says(status, "Running")
    snippet = revisit.page.locator(".snippet").first
    snippet.locator("[data-do=run]").click()
    expect(status).to_contain_text("you ran something else")
    until_it_says(snippet.locator("[role=status]"), "output is the page’s")
