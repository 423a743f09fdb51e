"""What a reader does, in the engines that are not Chromium's: Firefox and WebKit."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browsing import PATIENCE, until
from driven import Driven
from firefox import FIREFOX, Firefox
from test_figures import FIGURES, path_of
from test_landing import IDS, OFF, PATHS, SETTLED, WIDTHS
from test_offline import Host
from webkit import WEBKIT, WebKit

pytestmark = [pytest.mark.browser, pytest.mark.slow]
BOX = "[data-name=input]"
NO_WEBKIT = "no WebKit found: apt-get install webkit2gtk-driver xvfb"


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            Firefox,
            marks=pytest.mark.skipif(
                not FIREFOX,
                reason="no Firefox found: apt-get install firefox-esr, or set QKV_FIREFOX",
            ),
        ),
        pytest.param(WebKit, marks=pytest.mark.skipif(not WEBKIT, reason=NO_WEBKIT)),
    ],
)
def engine(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Driven]:
    start = request.param
    profile = [tmp_path_factory.mktemp("profile")] if start is Firefox else []
    with contextlib.closing(start(*profile)) as engine:
        yield engine


def press(engine: Driven, kind: str) -> None:
    engine.click(f"{BOX} [data-do={kind}]")


def end(engine: Driven) -> tuple[str, str, str]:
    """State, sentence and output of the snippet, once its run has ended."""
    engine.wait(f"/^(运行|Run)$/.test(document.querySelector('{BOX} [data-do=run]').textContent)")
    found = engine.wait(
        f"""(() => {{
            const box = document.querySelector('{BOX}');
            const status = box.querySelector('[role=status]');
            const out = box.querySelector('.snippet__out')?.textContent ?? '';
            return status.dataset.state && [status.dataset.state, status.textContent, out];
        }})()"""
    )
    state, sentence, output = found
    return state, sentence, output


def run(engine: Driven, code: str | None = None) -> tuple[str, str, str]:
    if code is not None:
        engine.wait(f"document.querySelector('{BOX} textarea')")  # its script comes with a press
        engine.write(f"{BOX} textarea", code)
    engine.js(f"document.querySelector('{BOX} [role=status]').dataset.state = ''")
    press(engine, "run")
    engine.wait(f"document.querySelector('{BOX} [role=status]').textContent")
    return end(engine)


SAID = {
    "/": (
        "输出与页面一致",
        "出错了：原因在最后一行",
        "已停止。再按“运行”会先重建前面的变量",
        "链接已复制，代码就在链接里",
        "这段代码来自链接，运行前请先读一遍。你自己的改动还在，“还原”会换回来",
        "已还原",
    ),
    "/en/": (
        "The output is the page’s",
        "An error: the last line says why",
        "Stopped. Run rebuilds the earlier variables first",
        "The link is copied; the code is in it",
        "This code came with the link: read it before you run it. "
        "Your own edit is safe: Reset brings it back",
        "Reset",
    ),
}


@pytest.mark.parametrize("prefix", ["/", "/en/"])
def test_run_edit_stop_share_reset(engine: Driven, root: str, prefix: str) -> None:
    good, wrong, stopped, copied, linked, reset = SAID[prefix]
    address = f"{root}{prefix}self-attention/"
    engine.go(address)
    assert run(engine)[:2] == ("good", good)

    press(engine, "edit")
    state, sentence, output = run(engine, "x = 1\nx / 0")
    assert (state, sentence) == ("bad", wrong)
    assert "line 2, in <module>" in output
    assert output.endswith("ZeroDivisionError: division by zero\n")

    engine.write(f"{BOX} textarea", "print('round')\nwhile True: pass")
    press(engine, "run")
    engine.wait(f"document.querySelector('{BOX} .snippet__out')?.textContent === 'round\\n'")
    time.sleep(0.5)  # sooner, it would be the second half of a double click
    press(engine, "run")
    assert end(engine) == ("stopped", stopped, "round\n")
    if isinstance(engine, WebKit):  # the loop has not only been forgotten
        until(lambda: engine.workers() == 0, lambda: 0, lambda: time.sleep(0.1))
    assert run(engine, "print(6 * 7)")[2] == "42\n"

    # Kept over a reload, sent in a link; what came in a link is shown and does not run.
    press(engine, "share")
    engine.wait(f"document.querySelector('{BOX} [role=status]').textContent === '{copied}'")
    engine.go(address)
    kept = engine.wait(f"document.querySelector('{BOX} textarea')?.value")
    assert kept == "print(6 * 7)"
    engine.go(f"{root}/404.html")
    engine.go(f"{address}#snippet=input&code=cHJpbnQoMSk")
    assert engine.wait(f"document.querySelector('{BOX} textarea')?.value") == "print(1)"
    assert engine.js(f"return document.querySelector('{BOX} [role=status]').textContent") == linked
    assert not engine.js(f"return document.querySelector('{BOX} .snippet__out')")
    for value in ("print(6 * 7)", None):
        press(engine, "reset")
        assert engine.js(f"return document.querySelector('{BOX} textarea')?.value") == value
    assert engine.js(f"return document.querySelector('{BOX} [role=status]').textContent") == reset


def test_faults_end_well_here_too(engine: Driven, root: str) -> None:
    engine.go(f"{root}/en/self-attention/")
    engine.js("document.querySelector('.md-skip').click()")
    assert engine.wait("document.activeElement.localName === 'h1'")
    assert engine.wait("typeof document$ !== 'undefined'")
    assert engine.wait(
        """[...document.querySelectorAll("article pre > code[tabindex='0']")].every(
            (one) => one.scrollWidth > one.clientWidth)"""
    )
    press(engine, "edit")
    for code, ends in (
        ("raise ValueError('x' * 60_000 + 'end')", "end"),
        ("import sys\nsys.modules.pop('pyodide_js')\nimport pyodide_js", "'pyodide_js'"),
        ("import pyodide.webloop as w\nw.scheduleCallback.call(None).navigator", ""),
    ):
        state, _, output = run(engine, code)
        assert state == "bad", code
        assert len(output) < 6_000
        assert output.rstrip().endswith(ends), code
    run(engine, "import sys\nsys.displayhook.__self__.tell('failed', 'mystery')")
    assert (
        engine.js(f"return document.querySelector('{BOX} [role=status]').dataset.reason") == "odd"
    )
    assert run(engine, "print(6 * 7)")[2] == "42\n"
    press(engine, "reset")


def test_the_site_without_a_network(engine: Driven, site: Path, root: str, tmp_path: Path) -> None:
    host = Host(site, root, tmp_path / "site")
    engine.go(f"{host.root}/about/")
    engine.click("[data-do=offline]")
    said = "[data-do=offline] + [role=status]"
    engine.wait(f"document.querySelector('{said}').textContent.startsWith('好了')")
    host.leave()
    for prefix, (good, *_) in SAID.items():
        engine.go(f"{host.root}{prefix}self-attention/")
        engine.js(
            "window.before = true; location.reload()"
        )  # WebDriver's Refresh goes past the copy
        engine.wait("!window.before && document.readyState === 'complete'")
        assert run(engine)[:2] == ("good", good)


def test_every_figure_comes_and_answers(engine: Driven, root: str) -> None:
    for page, figure, _ in FIGURES:
        engine.go(root + path_of(page))
        place = f"document.getElementById('figure-{figure}')"
        engine.js(f"qkv.reveal({place}); {place}.scrollIntoView()")
        read = f"document.querySelector('#figure-{figure} [data-ready] .play__read')?.textContent"
        before = engine.wait(read)
        engine.js(
            f"""const knob = document.querySelector(`#figure-{figure} :is(input[type=range],
                input[type=radio]:not(:checked), input[type=checkbox],
                option:not(:checked, :disabled))`);
            const {{ value, min, max }} = knob;
            if (knob.type === "range") knob.value = Number(value) < Number(max) ? max : min;
            else if (knob.type) knob.checked = !knob.checked;
            else knob.selected = true;
            const kind = knob.type === "range" ? "input" : "change";
            knob.dispatchEvent(new Event(kind, {{ bubbles: true }}));"""
        )
        engine.wait(f"{read} !== {json.dumps(before)}")


def test_search_and_the_dark(engine: Driven, root: str) -> None:
    engine.go(f"{root}/en/masks/")
    engine.click(".search-open")
    engine.write("#search input", "softmax temperature")
    first = "document.querySelector('#search li a[href]')"
    engine.wait(first)
    engine.js(f"{first}.click()")
    engine.wait("location.pathname !== '/en/masks/' && !document.querySelector('#search').open")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = engine.wait(
        f"document.querySelector('label[for^=__palette]:not([hidden])') && {ground}"
    )
    engine.click("label[for^=__palette]:not([hidden])")
    dark = engine.wait(f"{ground} !== '{light}' && {ground}")
    engine.go(f"{root}/self-attention/")
    assert engine.wait(ground) == dark


@pytest.fixture(scope="module")
def webkit() -> Iterator[WebKit]:
    with contextlib.closing(WebKit()) as webkit:
        yield webkit


@pytest.mark.skipif(not WEBKIT, reason=NO_WEBKIT)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", PATHS)
def test_every_heading_in_webkit(webkit: WebKit, root: str, path: str, width: int) -> None:
    """From the last one up, as in test_landing.py."""
    webkit.resize(width)
    webkit.go("about:blank")
    webkit.go(root + path)
    webkit.js("dispatchEvent(new Event('pointermove'))")
    webkit.wait("typeof document$ !== 'undefined'")
    missed = {}
    for heading in reversed(webkit.js(f"return ({IDS})()")):
        webkit.js("location.hash = arguments[0]", heading)
        assert not webkit.js(f"return ({SETTLED})({1000 * PATIENCE})"), "a figure does not wake"
        if abs(found := webkit.js(f"return ({OFF})('{heading}')")) > 2:
            missed[heading] = found
    assert not missed
