"""kv-cache: a real decoder writes on. A stand-in for the model; once, the real one in a browser."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import Visit, come, needs_browser, opened, wake
from playwright.sync_api import Browser, Locator, Page, Route, expect
from scripts import engine
from test_packed_decoder import ask, brought

from theme.site import decoder as packing

PRETEND = Path(__file__).with_name("pretend_decoder.mjs").read_text(encoding="utf-8")
BEGINNING = "one two three four"


def arrive(visit: Visit, language: str, **pretend: Any) -> tuple[Locator, Page]:
    """To the figure, with the stand-in in place of the model."""
    page = visit.page
    page.add_init_script(f"globalThis.pretend = {json.dumps(pretend)}")
    headers = {"Content-Type": "text/javascript"}
    route = "**/scripts/decoder.mjs*"
    page.route(route, lambda route: route.fulfill(body=PRETEND, headers=headers))
    place, _ = come(visit, f"{'/en' if language == 'en' else ''}/kv-cache/", "decoder")
    expect(place.locator("[aria-busy]")).to_have_count(0)
    return place, page


def button(place: Locator) -> Locator:
    return place.locator("button[type=submit]")


def status(place: Locator) -> Locator:
    return place.locator(".play__source [role=status]")


def written(place: Locator) -> Locator:
    return place.locator(".play__written button")


def steps(page: Page) -> list[Any]:
    found: list[Any] = page.evaluate("() => pretended.steps")
    return found


def test_an_axis_ends_at_a_round_number() -> None:
    with engine("figures/costs.mjs") as call:
        found = [call("roundUp(x)", x=x) for x in (0.03, 0.8, 1, 1.2, 3, 7, 12, 21)]
        np.testing.assert_allclose(found, [0.05, 1, 1, 2, 5, 10, 20, 50])
        points = [
            {"n": n, "cached": cached, "seconds": seconds, "bytes": 0}
            for n, cached, seconds in ((4, True, 1), (5, False, 2), (3, True, 3), (4, True, 4))
        ]
        line = call("lineOf(points, true).map((one) => [one.n, one.seconds])", points=points)
        assert line == [[3, 3], [4, 4]]
        found = call(
            "runs(points).map((run) => run.map((one) => one.n))",
            points=[{"n": n} for n in (3, 4, 7, 9, 10, 11)],
        )
        assert found == [[3, 4], [7], [9, 10, 11]]


@pytest.mark.browser
@needs_browser[1]
def test_nothing_is_fetched_before_the_press(revisit: Visit) -> None:
    place, page = arrive(revisit, "en")
    expect(status(place)).to_contain_text("fetches 106 MB (9 MB of it Python), once")
    expect(status(place)).to_contain_text(re.compile(r"takes about \d+ MB of memory"))
    expect(button(place)).to_have_text("Fetch the model (106 MB) and write on")
    assert not [one.url for one in revisit.loaded if re.search("/(python|decoder)/", one.url)]
    assert page.evaluate("() => pretended.loads") == 0


@pytest.mark.browser
@needs_browser[1]
def test_it_writes_on_with_the_cache_and_without(revisit: Visit) -> None:
    """What each step costs is said; tokens are text; any step of any head can be looked at."""
    place, page = arrive(revisit, "en", hold=10)
    place.locator("textarea").fill(BEGINNING)
    button(place).click()
    expect(written(place)).to_have_count(6)
    place.get_by_label("with the KV cache").uncheck()
    page.evaluate("() => { pretend.hold = 12; }")
    expect(written(place)).to_have_count(8)
    place.get_by_role("button", name="Stop").click()
    page.evaluate("() => { pretend.hold = 0; }")
    expect(button(place)).to_be_enabled()
    ways = [(len(step["ids"]), step["cached"]) for step in steps(page)]
    assert ways[:6] == [(n, True) for n in range(4, 10)]
    assert (11, False) in ways
    assert ways[-1] == (12, False)  # the one that was on its way when Stop was pressed
    expect(written(place)).to_have_count(9)
    assert not place.locator("b").count()
    expect(written(place).nth(0)).to_have_text("<b>4</b>")
    expect(written(place).nth(3)).to_have_text("↵")
    reading = place.locator(".play__read")
    expect(reading).to_contain_text("12 tokens went through the layers; the cache has nothing.")
    expect(place.locator("svg[role=img] polyline")).to_have_count(4)  # two ways, seconds and bytes

    written(place).nth(1).click()
    expect(reading).to_contain_text("This step took 0.15 s; 1 token went through the layers")
    expect(reading).to_contain_text("5 tokens, 225 KiB")
    expect(reading).to_contain_text("L0H0: when “<b>5</b>” came, “<b>4</b>” looked most at")
    expect(written(place).nth(1)).to_have_attribute("aria-pressed", "true")
    expect(written(place).nth(1)).to_be_focused()
    place.get_by_label("head").fill("5")
    expect(reading).to_contain_text("L0H5")
    powers = [np.exp((j % 7) / 2) for j in range(5)]
    expect(reading).to_contain_text(f"“four” {powers[3] / sum(powers):.2f}")

    place.get_by_label("with the KV cache").check()
    button(place).click()  # goes on
    expect(place.get_by_role("button", name="Stop")).to_be_hidden()
    again = [(len(step["ids"]), step["cached"]) for step in steps(page)][len(ways) :]
    assert again == [(n, True) for n in range(13, 45)]  # as many as a press writes
    page.wait_for_url(re.compile("#figure=decoder&text=one"))


@pytest.mark.browser
@needs_browser[1]
def test_how_it_ends_and_what_fails_is_said(revisit: Visit) -> None:
    place, page = arrive(revisit, "zh", end=6, load="files-lost")
    expect(status(place)).to_contain_text("按下按钮才会取 106 MB（其中 Python 9 MB），只取一次")
    place.locator("textarea").fill(BEGINNING)
    button(place).click()
    expect(status(place)).to_have_text("why: files-lost")
    page.evaluate("() => { pretend.load = ''; pretend.slow = true; }")
    button(place).click()
    expect(status(place)).to_contain_text("正在取")
    place.get_by_role("button", name="停止").click()
    expect(status(place)).to_have_text("why: stopped")
    page.evaluate("() => { pretend.slow = false; }")
    button(place).click()
    expect(status(place)).to_have_text("模型认为到这里就写完了。")
    expect(written(place)).to_have_count(3)
    place.get_by_role("button", name="回到开头").click()
    expect(written(place)).to_have_count(0)
    page.evaluate("() => { pretend.end = 0; pretend.step = 7; }")
    button(place).click()
    expect(status(place)).to_have_text("why: memory")
    expect(written(place)).to_have_count(3)
    place.locator("textarea").fill(" ")
    button(place).click()
    expect(status(place)).to_have_text("why: empty")


@pytest.mark.browser
@needs_browser[1]
def test_a_copy_without_the_model_says_so(revisit: Visit) -> None:
    """As this build is: the recorded numbers stay, and there is nothing to press."""
    place, _ = arrive(revisit, "en", none=True)
    expect(status(place)).to_have_text(
        "This copy of the site came without the model: there are only the recorded numbers."
    )
    expect(place.locator("textarea")).to_be_hidden()
    expect(place.locator(".play > svg").first).to_be_visible()


LOGITS = """async () => {
    const { load, missing } = await qkv.load("decoder.mjs");
    const before = await missing();
    const model = await load({});
    const ids = (await model.begin("The capital of France is")).tokens.map(({ id }) => id);
    const found = [];
    const text = (array) => {
        let all = "";
        for (const byte of new Uint8Array(array.buffer)) all += String.fromCharCode(byte);
        return btoa(all);
    };
    for (const cached of [true, true, false]) {
        const step = await model.step(ids, cached);
        found.push([text(step.logits), text(step.weights), [...ids]]);
        ids.push(step.token.id);
    }
    return { before, found, after: await missing() };
}"""


@pytest.mark.slow
@pytest.mark.browser
@needs_browser[1]
def test_the_real_one_computes_in_a_browser_what_it_does_in_cpython(
    browser: Browser, root: str
) -> None:
    """And afterwards without a network."""
    paths = {path.name: path for path in packing.files()}
    if not paths:
        pytest.skip("the model is not in the cache (QKV_DECODER=1 fetches it)")
    listing, *files = paths
    here = brought({name.rpartition("-")[0]: paths[name].read_bytes() for name in files})

    def give(route: Route) -> None:
        route.fulfill(body=paths[route.request.url.rpartition("/")[2]].read_bytes())

    with opened(browser) as context:
        page = context.new_page()
        page.route("**/assets/decoder/*", give)
        wake(Visit(page, root).go("/en/kv-cache/"))
        page.evaluate(
            f"""() => {{ document.querySelector("script[data-bundle]").dataset.decoder =
                new URL("/assets/decoder/{listing}", location.href).href; }}"""
        )
        found = page.evaluate(LOGITS)
        assert found["before"]["model"] > 90_000_000
        assert found["after"] == {"python": 0, "model": 0}
        for logits, weights, ids in found["found"]:
            _, wanted = ask(here, ask="step", ids=ids, cached=False)
            for mine, theirs in zip((logits, weights), (wanted[1], wanted[0]), strict=True):
                numbers = np.frombuffer(base64.b64decode(mine), np.float32)
                assert np.abs(numbers - theirs).max() <= 1e-5 * np.abs(theirs).max()
