"""What a reader does with a snippet, and the site without a network, in Firefox."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from firefox import FIREFOX, Firefox
from test_figures import FIGURES, path_of
from test_offline import Host

pytestmark = [
    pytest.mark.slow,  # a second engine
    pytest.mark.browser,
    pytest.mark.skipif(
        not FIREFOX, reason="no Firefox found: apt-get install firefox-esr, or set QKV_FIREFOX"
    ),
]
BOX = "[data-name=input]"


@pytest.fixture(scope="module")
def fox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with contextlib.closing(Firefox(tmp_path_factory.mktemp("profile"))) as fox:
        yield fox


def press(fox: Firefox, kind: str) -> None:
    fox.click(f"{BOX} [data-do={kind}]")


def end(fox: Firefox) -> tuple[str, str, str]:
    """State, sentence and output of the snippet, once its run has ended."""
    fox.wait(f"/^(运行|Run)$/.test(document.querySelector('{BOX} [data-do=run]').textContent)")
    found = fox.wait(
        f"""(() => {{
            const box = document.querySelector('{BOX}');
            const status = box.querySelector('[role=status]');
            const out = box.querySelector('.snippet__out')?.textContent ?? '';
            return status.dataset.state && [status.dataset.state, status.textContent, out];
        }})()"""
    )
    state, sentence, output = found
    return state, sentence, output


def run(fox: Firefox, code: str | None = None) -> tuple[str, str, str]:
    if code is not None:
        fox.wait(f"document.querySelector('{BOX} textarea')")  # its script comes with a press
        fox.write(f"{BOX} textarea", code)
    fox.js(f"document.querySelector('{BOX} [role=status]').dataset.state = ''")
    press(fox, "run")
    fox.wait(f"document.querySelector('{BOX} [role=status]').textContent")
    return end(fox)


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
def test_run_edit_stop_share_reset(fox: Firefox, root: str, prefix: str) -> None:
    good, wrong, stopped, copied, linked, reset = SAID[prefix]
    address = f"{root}{prefix}self-attention/"
    fox.go(address)
    assert run(fox)[:2] == ("good", good)

    press(fox, "edit")
    state, sentence, output = run(fox, "x = 1\nx / 0")
    assert (state, sentence) == ("bad", wrong)
    assert "line 2, in <module>" in output
    assert output.endswith("ZeroDivisionError: division by zero\n")

    fox.write(f"{BOX} textarea", "print('round')\nwhile True: pass")
    press(fox, "run")
    fox.wait(f"document.querySelector('{BOX} .snippet__out')?.textContent === 'round\\n'")
    time.sleep(0.5)  # sooner, it would be the second half of a double click
    press(fox, "run")
    assert end(fox) == ("stopped", stopped, "round\n")
    assert run(fox, "print(6 * 7)")[2] == "42\n"

    # Kept over a reload, sent in a link; what came in a link is shown and does not run.
    press(fox, "share")
    fox.wait(f"document.querySelector('{BOX} [role=status]').textContent === '{copied}'")
    fox.go(address)
    kept = fox.wait(f"document.querySelector('{BOX} textarea')?.value")
    assert kept == "print(6 * 7)"
    fox.go(f"{root}/404.html")
    fox.go(f"{address}#snippet=input&code=cHJpbnQoMSk")
    assert fox.wait(f"document.querySelector('{BOX} textarea')?.value") == "print(1)"
    assert fox.js(f"return document.querySelector('{BOX} [role=status]').textContent") == linked
    assert not fox.js(f"return document.querySelector('{BOX} .snippet__out')")
    for value in ("print(6 * 7)", None):
        press(fox, "reset")
        assert fox.js(f"return document.querySelector('{BOX} textarea')?.value") == value
    assert fox.js(f"return document.querySelector('{BOX} [role=status]').textContent") == reset


def test_faults_end_well_here_too(fox: Firefox, root: str) -> None:
    fox.go(f"{root}/en/self-attention/")
    fox.js("document.querySelector('.md-skip').click()")
    assert fox.wait("document.activeElement.localName === 'h1'")
    assert fox.wait("typeof document$ !== 'undefined'")
    assert fox.wait(
        """[...document.querySelectorAll("article pre > code[tabindex='0']")].every(
            (one) => one.scrollWidth > one.clientWidth)"""
    )
    press(fox, "edit")
    for code, ends in (
        ("raise ValueError('x' * 60_000 + 'end')", "end"),
        ("import sys\nsys.modules.pop('pyodide_js')\nimport pyodide_js", "'pyodide_js'"),
        ("import pyodide.webloop as w\nw.scheduleCallback.call(None).navigator", ""),
    ):
        state, _, output = run(fox, code)
        assert state == "bad", code
        assert len(output) < 6_000
        assert output.rstrip().endswith(ends), code
    run(fox, "import sys\nsys.displayhook.__self__.tell('failed', 'mystery')")
    assert fox.js(f"return document.querySelector('{BOX} [role=status]').dataset.reason") == "odd"
    assert run(fox, "print(6 * 7)")[2] == "42\n"
    press(fox, "reset")


def test_the_site_without_a_network(fox: Firefox, site: Path, root: str, tmp_path: Path) -> None:
    host = Host(site, root, tmp_path / "site")
    fox.go(f"{host.root}/about/")
    fox.click("[data-do=offline]")
    said = "[data-do=offline] + [role=status]"
    fox.wait(f"document.querySelector('{said}').textContent.startsWith('好了')")
    host.leave()
    for prefix, (good, *_) in SAID.items():
        fox.go(f"{host.root}{prefix}self-attention/")
        fox.js("window.before = true; location.reload()")  # WebDriver's Refresh goes past the copy
        fox.wait("!window.before && document.readyState === 'complete'")
        assert run(fox)[:2] == ("good", good)


def test_every_figure_comes_and_answers(fox: Firefox, root: str) -> None:
    for page, figure, _ in FIGURES:
        fox.go(root + path_of(page))
        place = f"document.getElementById('figure-{figure}')"
        fox.js(f"qkv.reveal({place}); {place}.scrollIntoView()")
        read = f"document.querySelector('#figure-{figure} [data-ready] .play__read')?.textContent"
        before = fox.wait(read)
        fox.js(
            f"""const knob = document.querySelector(`#figure-{figure} :is(input[type=range],
                input[type=radio]:not(:checked), input[type=checkbox],
                option:not(:checked, :disabled))`);
            const {{ value, min, max }} = knob;
            if (knob.type === "range") knob.value = Number(value) < Number(max) ? max : min;
            else knob[knob.type ? "checked" : "selected"] = true;
            const kind = knob.type === "range" ? "input" : "change";
            knob.dispatchEvent(new Event(kind, {{ bubbles: true }}));"""
        )
        fox.wait(f"{read} !== {json.dumps(before)}")
