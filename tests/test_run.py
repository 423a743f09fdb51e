"""Run, Edit, Share and "available offline" in the built site: real Python, in a real browser.

Starting Python takes seconds, so what can share one worker does.
"""

from __future__ import annotations

import base64
import contextlib
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import (
    IDLE,
    PATIENCE,
    Visit,
    accessibility_faults,
    dress,
    needs_browser,
    open_answers,
    opened,
    turning,
    until,
    wait_for_instant_navigation,
    wake,
)
from playwright.sync_api import Browser, Locator, Page, Route, expect
from py_mini_racer import MiniRacer
from sources import PAGES, ROOT

SETTLED = re.compile("good|changed|stopped|bad")


@pytest.fixture(scope="module", autouse=True)
def folder(site: Path, root: str) -> str:
    """The address of the folder with Python."""
    found = [path.parent.name for path in site.glob("assets/python/*/pyodide.mjs")]
    if not found:
        pytest.skip("the build could not fetch Python for the browser (theme/site/python.py)")
    return f"{root}/assets/python/{found[0]}/"


pytestmark = needs_browser


class Snippet:
    """The nth snippet of a page, as its reader works it."""

    def __init__(self, page: Page, n: int) -> None:
        self.page = page
        self.box = page.locator(".snippet").nth(n)
        self.status = self.box.locator("[role=status]")
        self.out = self.box.locator(".snippet__out")
        self.editor = self.box.locator("textarea")
        open_answers(page)

    def button(self, kind: str) -> Locator:
        return self.box.locator(f"[data-do={kind}]")

    def press(self, kind: str) -> None:
        self.button(kind).click()

    def write(self, code: str) -> None:
        if self.button("edit").is_visible():
            self.press("edit")
        self.editor.fill(code)

    def start(self, code: str | None = None) -> None:
        if code is not None:
            self.write(code)
        self.status.evaluate("status => { status.dataset.state = '' }")
        self.press("run")

    def end(self) -> tuple[str, str, str]:
        """State, sentence and output, once there is an end to the run."""
        until(
            lambda: SETTLED.fullmatch(self.status.get_attribute("data-state") or ""),
            lambda: (self.status.inner_text(), self.output()),
            lambda: self.page.wait_for_timeout(50),
        )
        expect(self.button("run")).to_have_text(re.compile("^(运行|Run)$"))
        state = self.status.get_attribute("data-state") or ""
        return state, self.status.inner_text(), self.output()

    def output(self) -> str:
        return "".join(self.out.all_inner_texts())  # of none where there is none: it may just go

    def prints(self, text: str) -> None:
        """So far; it runs on."""
        until(
            lambda: self.output() == text,
            lambda: (self.status.inner_text(), self.output()),
            lambda: self.page.wait_for_timeout(50),
        )

    def run(self, code: str | None = None) -> tuple[str, str, str]:
        self.start(code)
        return self.end()


@contextlib.contextmanager
def visiting(browser: Browser, root: str, **options: Any) -> Iterator[Visit]:
    options = {"viewport": {"width": 1280, "height": 900}, **options}
    with opened(browser, **options) as context:
        yield Visit(context.new_page(), root)


@pytest.fixture(scope="module")
def warm(browser: Browser, root: str) -> Iterator[Visit]:
    """A page whose Python has started, for what leaves it running."""
    allowed = ["clipboard-read", "clipboard-write"]
    with visiting(browser, root, permissions=allowed) as visit:
        wake(visit.go("/"))
        assert Snippet(visit.page, 0).run()[0] == "good"
        yield visit


@pytest.fixture
def page(warm: Visit) -> Iterator[Page]:
    """The warm page at the Chinese home page, as if no one had been there."""
    turn_to(warm.page, "/about/")
    warm.page.evaluate("localStorage.clear()")
    turn_to(warm.page, "/")
    yield warm.page
    assert not warm.trouble, warm.trouble


def turn_to(page: Page, path: str) -> None:
    """Instant navigation, as by a click on a link: the worker stays."""
    if page.evaluate("location.pathname") == path:
        return
    wait_for_instant_navigation(page)
    with turning(page):
        page.evaluate(
            """path => {
                const link = document.createElement("a");
                link.href = path;
                document.querySelector(".md-content").append(link);
                link.click();
            }""",
            path,
        )
    expect(page).to_have_url(re.compile(f"{re.escape(path)}$"))


RUN_ALL = """async (patience) => {
    const rows = [];
    for (const snippet of document.querySelectorAll(".snippet")) {
        const status = snippet.querySelector("[role=status]");
        status.dataset.state = "";
        snippet.querySelector("[data-do=run]").click();
        await new Promise((done, fail) => {
            const give_up = () => fail(new Error(`${snippet.dataset.name}: ${status.textContent}`));
            let last = setTimeout(give_up, patience);
            const watch = new MutationObserver(() => {
                clearTimeout(last);
                if (status.dataset.state) { watch.disconnect(); done(); }
                else last = setTimeout(give_up, patience);
            });
            watch.observe(status, { attributes: true, childList: true });
        });
        if (status.dataset.state !== "good") {
            const out = snippet.querySelector(".snippet__out")?.textContent;
            rows.push([snippet.dataset.name, status.textContent, out]);
        }
    }
    return rows;
}"""


def check_every_snippet(visit: Visit, prefix: str, pages: list[str]) -> int:
    """Page by page, with one worker; the number of snippets."""
    page = visit.page
    page.evaluate("window.stayed = true")
    wrong, ran = {}, 0
    for name in (name.removesuffix(".md") for name in pages):
        path = prefix + ("" if name == "index" else f"{name}/")
        turn_to(page, path)
        ran += page.locator(".snippet").count()
        if rows := page.evaluate(RUN_ALL, 1000 * PATIENCE):
            wrong[path] = rows
    assert not wrong, json.dumps(wrong, ensure_ascii=False, indent=1)
    assert page.evaluate("window.stayed"), "a page was loaded anew"
    assert sum(response.url.endswith("/worker.mjs") for response in visit.loaded) == 1
    assert not visit.trouble
    return ran


@pytest.mark.slow
@pytest.mark.parametrize("turns", [slice(None, None, 2), slice(1, None, 2)])
def test_every_snippet_says_what_the_page_shows(browser: Browser, root: str, turns: slice) -> None:
    """Every other page in Chinese and those between in English, and the other way round."""
    chinese = PAGES[turns]
    english = [name for name in PAGES if name not in chinese]
    ran = 0
    for prefix, pages in (("/", chinese), ("/en/", english)):
        with visiting(browser, root) as visit:
            wake(visit.go(prefix))
            ran += check_every_snippet(visit, prefix, pages)
    assert ran > 100


def test_nothing_of_python_comes_before_run(visit: Visit, folder: str) -> None:
    """And a damaged copy in the browser's cache, when it does come, is fetched again."""
    page = visit.go("/self-attention/", idle=True)
    wake(page)
    snippet = Snippet(page, 0)
    snippet.press("copy")
    snippet.write("1 + 1")
    page.mouse.wheel(0, 2000)
    page.wait_for_function("() => scrollY > 0")
    page.evaluate(IDLE)
    assert not [r.url for r in visit.loaded if "/python/" in r.url or "sw.js" in r.url]
    asked: list[str] = []

    def damage(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) == 1:
            route.fulfill(body="def f(): pass", content_type="text/x-python")
        else:
            route.continue_()

    page.route(f"{folder}session.py", damage)
    assert snippet.run()[2].strip() == "2"
    assert len(asked) == 2


# ---- Working with a snippet


def test_a_later_snippet_runs_the_earlier_ones_first(page: Page) -> None:
    turn_to(page, "/masks/")
    assert Snippet(page, 0).run()[0] == "good"
    turn_to(page, "/")
    state, sentence, output = Snippet(page, 2).run()
    assert (state, sentence) == ("good", "先运行了前面 2 段。输出与页面一致")
    assert output.strip() == "array([[0.333, 0.333, 0.333]])"
    assert Snippet(page, 2).run()[1] == "输出与页面一致"  # once is enough
    # An edit above is run anew, and what follows from it is no fault of the page.
    edited = "import numpy as np\nfrom qkv_docs import softmax\nQ = np.array([[9, 2]])"
    Snippet(page, 0).write(edited)
    assert Snippet(page, 1).run()[:2] == ("changed", "先运行了前面 1 段。代码改过，输出与页面不同")
    Snippet(page, 0).write("1 / 0")
    assert Snippet(page, 2).run()[:2] == ("bad", "前面的第 1 段出错了：先看那一段")


def test_errors_name_the_line_and_are_told_in_the_language_of_the_page(page: Page) -> None:
    state, sentence, output = Snippet(page, 0).run("x = 1\nx / 0")
    assert (state, sentence) == ("bad", "出错了：原因在最后一行")
    assert 'File "<代码段 1>", line 2' in output
    assert output.strip().endswith("ZeroDivisionError: division by zero")
    state, sentence, _ = Snippet(page, 0).run("print(2)")
    assert (state, sentence) == ("changed", "代码改过，输出与页面不同")
    state, sentence, output = Snippet(page, 0).run("input('名字？')")
    assert (state, sentence[:12]) == ("bad", "这里没有人能回答 inp")
    state, sentence, output = Snippet(page, 0).run("while True: print('x' * 50)")
    assert (state, sentence) == ("bad", "输出太长，到这里为止")
    assert 45_000 < len(output) < 55_000
    assert Snippet(page, 0).run("1 + 1")[2].strip() == "2"


def test_a_heat_map_is_drawn(page: Page) -> None:
    """With its labels, in the colours of light and dark."""
    snippet = Snippet(page, 0)
    snippet.write(
        "from qkv_docs import heatmap\n"
        "heatmap([[0.25, 0.75]], ['猫'], ['鱼', '睡'], title='注意力权重')\n"
        "print('画好了')"
    )
    state, _, output = snippet.run()
    assert state == "changed"
    assert output.strip().endswith("画好了")
    drawing = snippet.out.locator("svg")
    assert drawing.locator("rect").count() == 2
    assert drawing.get_attribute("role") == "img"
    assert "0.75" in (drawing.get_attribute("aria-label") or "")
    for label in ("猫", "鱼", "注意力权重", "0.25"):
        assert drawing.locator("text", has_text=label).count() == 1, label
    inks = set()
    for scheme in ("default", "slate"):
        dress(page, scheme)
        inks.add(drawing.locator("text").first.evaluate("text => getComputedStyle(text).fill"))
        assert not accessibility_faults(page), scheme
    assert len(inks) == 2
    dress(page, "default")


def test_a_drawing_cannot_act_load_or_cover(warm: Visit, page: Page) -> None:
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9" style="position:fixed" '
        'onload="document.title=1"><script>document.title = 2</script><style>*{color:red}</style>'
        '<a href="javascript:0"><rect width="1"/></a><image href="/x.png"/>'
        '<rect class="md-header" width="2" fill="url(/x.svg#a)" onclick="1"/></svg>'
    )
    snippet = Snippet(page, 0)
    snippet.run(f"{svg!r}")
    drawn = snippet.out.locator("svg").evaluate("svg => svg.outerHTML")
    assert drawn == (
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="2"></rect></svg>'
    )
    assert page.title() not in ("1", "2")
    assert all("Content Security Policy" in text for text in warm.trouble)
    warm.trouble.clear()


def test_nothing_is_found_by_axe_after_run_edit_and_error(page: Page) -> None:
    Snippet(page, 0).run()
    Snippet(page, 1).run("1 / 0")
    Snippet(page, 2).press("edit")
    for scheme in ("slate", "default"):
        dress(page, scheme)
        assert not accessibility_faults(page), scheme


def test_by_keyboard_alone(page: Page) -> None:
    snippet = Snippet(page, 0)
    snippet.box.locator("code").click()
    page.keyboard.press("Tab")
    expect(snippet.button("run")).to_be_focused()
    page.keyboard.press("Enter")
    assert snippet.end()[0] == "good"
    expect(snippet.button("run")).to_be_focused()
    page.keyboard.press("Tab")
    expect(snippet.button("edit")).to_be_focused()
    page.keyboard.press("Enter")
    expect(snippet.editor).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type("20 + 3")
    page.keyboard.press("Control+Enter")
    assert snippet.end()[2].strip() == "23"
    page.keyboard.press("Tab")  # not trapped: a Tab leaves the editor
    page.keyboard.press("Tab")
    expect(snippet.button("reset")).to_be_focused()
    page.keyboard.press("Enter")
    expect(snippet.editor).to_have_count(0)
    expect(snippet.button("edit")).to_be_focused()
    expect(snippet.status).to_have_text("已还原")


def test_back_and_forward(page: Page) -> None:
    Snippet(page, 0).write("1 + 1")
    turn_to(page, "/masks/")
    assert Snippet(page, 0).run()[0] == "good"
    with turning(page):
        page.go_back()
    expect(Snippet(page, 0).editor).to_have_value("1 + 1")
    assert Snippet(page, 0).run()[2].strip() == "2"
    with turning(page):
        page.go_forward()
    expect(page).to_have_url(re.compile("/masks/"))
    assert Snippet(page, 0).run()[0] == "good"


def test_a_double_click_runs_once(page: Page) -> None:
    snippet = Snippet(page, 0)
    snippet.status.evaluate("status => { status.dataset.state = '' }")
    snippet.button("run").dblclick()
    state, sentence, _ = snippet.end()
    assert (state, sentence) == ("good", "输出与页面一致")


# ---- Edits are kept


def test_edits_are_kept_and_carried_over_and_thrown_away(visit: Visit, root: str) -> None:
    page = visit.go("/self-attention/")
    wake(page)
    snippet = Snippet(page, 0)
    expect(snippet.button("share")).to_be_hidden()
    original = snippet.box.locator("code").inner_text()
    snippet.write("X = 7")
    expect(snippet.button("share")).to_be_visible()
    page.reload()
    expect(snippet.editor).to_have_value("X = 7")
    expect(snippet.status).to_have_text("这是你上次改过的代码")
    wake(page)
    turn_to(page, "/masks/")
    expect(snippet.editor).to_have_count(0)
    turn_to(page, "/self-attention/")
    expect(snippet.editor).to_have_value("X = 7")
    page.click("a.language")
    expect(page).to_have_url(f"{root}/en/self-attention/")
    expect(snippet.editor).to_have_value("X = 7")
    expect(snippet.status).to_have_text("This is your edit from last time")
    # In a second tab it is there too; what is written last is what stays.
    other = page.context.new_page()
    other.goto(f"{root}/en/self-attention/")
    expect(Snippet(other, 0).editor).to_have_value("X = 7")
    Snippet(other, 0).write("X = 8")
    other.close()
    page.reload()
    expect(snippet.editor).to_have_value("X = 8")
    # The page has changed since.
    key = "qkv:self-attention.md#input"
    change = "key => localStorage.setItem(key, JSON.stringify({ now: 'X = 9', of: 'X = 0' }))"
    page.evaluate(change, key)
    for _ in range(2):  # said until the reader does something about it
        page.reload()
        expect(snippet.status).to_contain_text("the original has changed since")
    snippet.press("reset")
    expect(snippet.editor).to_have_count(0)
    assert snippet.box.locator("code").inner_text() == original
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('qkv:'))") == []
    # Back at the original by hand: nothing is kept either, and the way back stays open.
    snippet.press("edit")
    snippet.editor.press("End")
    snippet.editor.type("1")
    snippet.editor.press("Backspace")
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('qkv:'))") == []
    expect(snippet.button("reset")).to_be_visible()
    expect(snippet.button("share")).to_be_hidden()
    for unreadable in ("{", "7", '{"now": 7}'):
        page.evaluate("([key, text]) => localStorage.setItem(key, text)", [key, unreadable])
        page.reload()
        expect(snippet.editor).to_have_count(0)


def test_where_storage_is_refused_it_says_so(browser: Browser, root: str) -> None:
    refuse = (
        "Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError') }"
    )
    with visiting(browser, root) as visit:
        visit.page.add_init_script(refuse)
        wake(visit.go("/en/masks/"))
        snippet = Snippet(visit.page, 0)
        snippet.write("1")
        expect(snippet.status).to_have_text(
            "The browser keeps nothing: the edit is lost when you leave the page"
        )
        assert not visit.trouble


# ---- Copy and Share


def link_to(root: str, path: str, name: str, code: str) -> str:
    text = base64.urlsafe_b64encode(code.encode()).decode().rstrip("=")
    return f"{root}{path}#snippet={name}&code={text}"


def test_a_link_carries_code_and_never_runs_it(visit: Visit, root: str) -> None:
    page = visit.go("/self-attention/")
    wake(page)
    snippet = Snippet(page, 0)
    snippet.write("print('中文 ±∞ \\'\"')")
    snippet.press("share")
    expect(snippet.status).to_have_text("链接已复制，代码就在链接里")
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == link_to(root, "/self-attention/", "input", "print('中文 ±∞ \\'\"')")

    snippet.write("mine = 1")
    page.goto("about:blank")
    page.goto(link)
    expect(snippet.editor).to_have_value("print('中文 ±∞ \\'\"')")
    expect(snippet.status).to_have_text(
        "这段代码来自链接，运行前请先读一遍。你自己的改动还在，“还原”会换回来"
    )
    snippet.editor.type("#")  # what is typed now is not kept over the edit
    wake(page)
    snippet.press("reset")
    expect(snippet.editor).to_have_value("mine = 1")
    page.reload()
    expect(snippet.editor).to_have_value("mine = 1")
    snippet.press("reset")
    assert not [r.url for r in visit.loaded if "/python/" in r.url]

    # Over the language link it comes along; in English, too, it is only shown.
    page.goto(link_to(root, "/self-attention/", "input", "x = 5"))
    expect(snippet.editor).to_have_value("x = 5")
    page.click("a.language")
    expect(page).to_have_url(re.compile("/en/self-attention/#snippet=input"))
    expect(snippet.editor).to_have_value("x = 5")
    expect(snippet.status).to_have_text("This code came with the link: read it before you run it.")
    snippet.press("reset")
    expect(snippet.editor).to_have_count(0)
    assert page.url == f"{root}/en/self-attention/"


def test_code_from_a_link_runs_only_when_it_is_told_to(page: Page, root: str) -> None:
    """Not before a later snippet either, as the snippets above one do."""
    code = "Q = 1\nprint('from the link')"
    link = link_to(root, "/", "one-minute", code)
    page.evaluate("link => { location = link }", link)
    first = Snippet(page, 0)
    expect(first.editor).to_have_value(code)
    assert Snippet(page, 1).run()[0] == "good"
    expect(first.editor).to_have_value(code)
    assert first.run()[2].strip() == "from the link"
    assert Snippet(page, 1).run()[0] == "bad"  # it is the page's code now


def test_a_link_that_cannot_be_read_is_left_aside(visit: Visit) -> None:
    """No base64, no UTF-8, no code, no such snippet."""
    page = visit.page
    for fragment in ("input&code=%", "input&code=_w", "input", "nowhere&code=MQ"):
        page.goto("about:blank")
        page.goto(f"{visit.root}/self-attention/#snippet={fragment}")
        snippet = Snippet(page, 0)
        expect(snippet.status).to_have_text("链接里的代码读不出来，没有采用")
        expect(snippet.editor).to_have_count(0)


def test_where_copying_is_refused_there_is_another_way(browser: Browser, root: str) -> None:
    with visiting(browser, root) as visit:
        visit.page.add_init_script(
            "Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined })"
        )
        page = visit.go("/en/self-attention/")
        wake(page)
        snippet = Snippet(page, 1)
        snippet.press("copy")
        expect(snippet.status).to_contain_text("The browser refused. The code is selected")
        selected = page.evaluate("getSelection().toString()")
        assert "W_Q = np.array" in selected
        assert ">>>" not in selected
        snippet.write("y = 2")
        snippet.press("share")
        expect(snippet.status).to_contain_text("The link is in the address bar")
        assert page.url == link_to(root, "/en/self-attention/", "parameters", "y = 2")
        assert not visit.trouble


# ---- What goes wrong on the way to Python. Every time: a sentence, and the next Run works.


def test_python_that_does_not_come(browser: Browser, root: str, folder: str) -> None:
    def damaged(route: Route) -> None:  # as long as the true one
        route.fulfill(body=b"no" * 1_180_368 + b"!", content_type="application/zip")

    def without_wasm(route: Route) -> None:
        refuse = "WebAssembly.Module = function () { throw new Error('refused') };\n"
        code = (ROOT / "theme/runtime/worker.mjs").read_text("utf-8")
        route.fulfill(body=refuse + code, content_type="text/javascript")

    def lost(route: Route) -> None:
        route.abort()

    def silent(route: Route) -> None:
        pass

    with visiting(browser, root) as visit:
        page = visit.page
        page.clock.install()
        visit.go("/masks/")
        page.mouse.move(5, 5)
        snippet, other = Snippet(page, 0), Snippet(page, 1)

        page.route("**/run.mjs*", lost)  # the script of the buttons itself
        snippet.press("run")
        expect(snippet.status).to_have_text("按钮的脚本没有取到。检查网络后再按一次")
        page.unroute("**/run.mjs*")
        page.route("**/python.mjs*", lost)
        snippet.status.evaluate("status => { status.textContent = '' }")
        snippet.press("run")
        expect(snippet.status).to_have_text("按钮的脚本没有取到。检查网络后再按一次")
        expect(snippet.button("run")).to_have_text("运行")
        page.unroute("**/python.mjs*")

        network = "没有取到 Python 的文件。检查网络后再试；还不行就刷新页面"
        for name, how, said in [
            ("worker.mjs", lost, network),
            ("files.json", lost, network),
            ("numpy*", lost, network),
            ("python_stdlib.zip", damaged, "取到的文件损坏了，没有使用。再试一次会重取"),
            ("worker.mjs", without_wasm, "这个浏览器不允许 WebAssembly，Python 无法启动"),
        ]:
            page.route(f"{folder}{name}", how)
            state, sentence, _ = snippet.run()
            page.unroute(f"{folder}{name}")
            assert state == "bad", name
            assert sentence.startswith(said), (name, sentence)
        page.context.set_offline(True)
        state, sentence, _ = snippet.run()
        assert (state, sentence[: len(network)]) == ("bad", network)
        page.context.set_offline(False)
        visit.trouble.clear()

        page.route(f"{folder}files.json", silent)
        snippet.start()
        expect(snippet.status).to_have_text("正在启动 Python…")
        page.clock.fast_forward(59_000)
        expect(snippet.button("run")).to_have_text("停止")
        page.clock.fast_forward(2_000)
        assert snippet.end()[:2] == ("bad", "Python 一分钟没有动静，已放弃。请再试一次")

        # All came, and the device is slow: nobody gives up but the reader.
        page.unroute(f"{folder}files.json")
        come = "postMessage({ progress: 1, total: 9e6 });"
        page.route(
            f"{folder}worker.mjs",
            lambda route: route.fulfill(body=come, content_type="text/javascript"),
        )
        snippet.start()
        expect(snippet.status).to_contain_text("100%")
        page.clock.fast_forward(600_000)
        expect(snippet.button("run")).to_have_text("停止")
        snippet.press("run")
        assert snippet.end()[0] == "stopped"
        page.unroute(f"{folder}worker.mjs")
        page.route(f"{folder}files.json", silent)

        snippet.start()  # Stop while it starts
        expect(snippet.button("run")).to_have_text("停止")
        page.clock.fast_forward(1_000)
        snippet.press("run")
        assert snippet.end()[:2] == ("stopped", "已停止。再按“运行”会先重建前面的变量")

        snippet.start()  # another snippet while it starts
        expect(snippet.button("run")).to_have_text("停止")
        other.start()
        assert snippet.end()[:2] == ("stopped", "已停止：你在这一页运行了别的")
        page.unroute(f"{folder}files.json")  # and what was held goes on
        state, sentence, _ = other.end()
        assert (state, sentence) == ("good", "先运行了前面 1 段。输出与页面一致")
        assert not visit.trouble, visit.trouble


# ---- What goes wrong while it runs


@pytest.mark.parametrize(
    "all_of_it", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["stop", "all"]
)
def test_python_that_does_not_end_well(browser: Browser, root: str, all_of_it: bool) -> None:
    """Endless loops, a crash; every time the next Run works.

    By default one loop, stopped: everything that follows starts Python anew, and that is slow.
    """
    endless = "print('round and round')\nwhile True: pass"
    with visiting(browser, root) as visit:
        page = visit.go("/en/")
        wake(page)
        first, second, third = (Snippet(page, n) for n in range(3))
        second.start(endless)
        second.prints("round and round\n")
        if all_of_it:
            tab = page.context.new_page()  # a second tab has a Python of its own
            tab.goto(f"{root}/en/masks/")
            assert Snippet(tab, 0).run()[0] == "good"
            tab.close()
        expect(second.status).to_have_text("Running…")
        second.button("run").focus()
        page.keyboard.press("Enter")
        state, sentence, output = second.end()
        assert (state, sentence) == ("stopped", "Stopped. Run rebuilds the earlier variables first")
        assert output.strip() == "round and round"
        second.press("reset")
        rebuilt = "Ran 2 earlier snippets first. The output is the page’s"
        assert third.run()[:2] == ("good", rebuilt)

        if not all_of_it:
            assert not visit.trouble, visit.trouble
            return
        # Another snippet while it runs; and the page left while Python starts again for that.
        second.start(endless)
        second.prints("round and round\n")
        first.start()
        assert second.end()[:2] == ("stopped", "Stopped: you ran something else on this page")
        turn_to(page, "/en/masks/")
        assert Snippet(page, 0).run()[0] == "good"
        assert sum(response.url.endswith("/worker.mjs") for response in visit.loaded) == 3

        # The page left while it runs.
        Snippet(page, 0).start(endless)
        Snippet(page, 0).prints("round and round\n")
        turn_to(page, "/en/")
        expect(second.editor).to_have_value(endless)  # kept all the while
        assert not visit.trouble, visit.trouble

        # ctypes reaches what evaluates a text as JavaScript. The page's policy holds in the
        # worker: Python breaks down instead.
        state, sentence, output = first.run(
            "import ctypes\n"
            "ctypes.CDLL(None).emscripten_run_script(b'postMessage({out: \"escaped\"})')"
        )
        assert (state, sentence[:17]) == ("bad", "Python broke down")
        assert "escaped" not in output
        assert any("eval is not defined" in text for text in visit.trouble)
        first.press("reset")
        assert first.run()[0] == "good"


@pytest.mark.slow
def test_python_that_has_too_little_memory(browser: Browser, root: str) -> None:
    with visiting(browser, root) as visit:
        wake(visit.go("/en/"))
        first = Snippet(visit.page, 0)
        state, sentence, output = first.run(
            "import numpy as np\n[np.empty((10_000, 10_000)) for _ in range(9)]"
        )
        assert (state, sentence) == (
            "bad",
            "Out of memory. Ask for less; the next try starts Python anew",
        )
        assert "MemoryError" in output
        first.press("reset")
        assert first.run()[0] == "good"
        assert not visit.trouble, visit.trouble


@pytest.mark.parametrize(
    "attempt",
    [
        "import js",
        "import js; js.fetch('https://example.org')",
        "import pyodide_js",
        "import pyodide.http; pyodide.http.open_url('/')",
        "import pyodide.code; pyodide.code.run_js('1')",
        "import pyodide; pyodide.code.run_js('1')",
        "import urllib.request; urllib.request.urlopen('http://example.org')",
        "import socket; socket.create_connection(('example.org', 80), 1)",
        "import sys; del sys.modules['pyodide.code']; import pyodide.code as c; c.run_js('1')",
        "from pyodide.ffi import to_js; to_js([]).map.constructor('return 1')()",
        "from pyodide.ffi import to_js; to_js([]).map.constructor('return import(\"//x.org\")')()",
        "import sys; sys.modules.pop('pyodide_js'); import pyodide_js",
        "import sys; sys.modules.pop('js'); import js; js.fetch('/')",
        "import sys; sys.modules.pop('js'); from _pyodide._importhook import jsfinder as f\n"
        "sys.meta_path.append(f); import js",
        "import gc; (f,) = [o for o in gc.get_objects() if type(o).__name__ == 'JsFinder']\n"
        "f.find_spec('pyodide_js', None).loader",
        "import pyodide.webloop as w; w.scheduleCallback.constructor('return this')()",
        "import pyodide.webloop as w; w.scheduleCallback.call(None).navigator.storage",
        "import sys; sys.displayhook.__self__.tell.constructor('return this')()",
        "import sys; sys.displayhook.__self__.tell('shout', 'x')",
    ],
)
def test_a_snippet_has_neither_page_nor_network(warm: Visit, page: Page, attempt: str) -> None:
    state, _, output = Snippet(page, 0).run(f"{attempt}\nprint('escaped')")
    assert state == "bad"
    assert "escaped" not in output
    refused = [text for text in warm.trouble if "Content Security Policy" in text]
    assert warm.trouble == refused
    warm.trouble.clear()


@pytest.mark.slow
def test_nothing_of_the_browser_is_left_in_the_worker(
    browser: Browser, root: str, folder: str
) -> None:
    """Names of the language, which V8 alone has as well, and a few that Pyodide works with."""

    def telling(route: Route) -> None:
        names = """
          const left = new Set();
          for (let owner = globalThis; owner !== Object.prototype;
               owner = Object.getPrototypeOf(owner)) {
            for (const name of Reflect.ownKeys(owner)) left.add(String(name));
          }
          python.runPython(`import builtins; builtins.left = ${JSON.stringify([...left])}`);
        """
        code = (ROOT / "theme/runtime/worker.mjs").read_text("utf-8")
        assert "  takeAway();\n" in code
        code = code.replace("  takeAway();\n", f"  takeAway();\n{names}")
        route.fulfill(body=code, content_type="text/javascript")

    with visiting(browser, root) as visit:
        visit.page.route(f"{folder}worker.mjs", telling)
        wake(visit.go("/en/"))
        state, sentence, output = Snippet(visit.page, 0).run("print(*left)")
        assert state == "changed", sentence
    left = set(output.split())
    with MiniRacer() as racer:
        language = set(json.loads(racer.eval("JSON.stringify(Reflect.ownKeys(globalThis))")))
    works = "console crypto performance queueMicrotask TextDecoder TextEncoder"
    assert "Array" in left
    constants = {"TEMPORARY", "PERSISTENT"}  # two numbers that cannot be deleted
    assert left - language <= {*works.split(), "setTimeout", "clearTimeout", *constants}


@pytest.mark.slow
@pytest.mark.parametrize(
    "message",
    [
        "tell('failed', 'mystery')",
        "tell('answer', 'ready')",
        "tell('', 0)",
    ],
)
def test_what_the_page_does_not_understand_ends_the_run(page: Page, message: str) -> None:
    """In place of "Running…" for good; and the next Run works."""
    snippet = Snippet(page, 0)
    state, _, _ = snippet.run(f"import sys\nsys.displayhook.__self__.{message}\nprint(1)")
    assert state == "bad"
    assert snippet.status.get_attribute("data-reason") == "odd"
    assert snippet.run("1 + 1")[2].strip() == "2"


def test_a_worker_that_says_what_nobody_knows(browser: Browser, root: str, folder: str) -> None:
    messages = ['{ failed: "mystery" }', "{ hello: 1 }", "7", "null", "{ answer: { end: 3 } }"]
    with visiting(browser, root) as visit:
        page = visit.page
        wake(visit.go("/en/masks/"))
        snippet = Snippet(page, 0)
        for message in messages:
            code = f"postMessage({message});"
            page.route(
                f"{folder}worker.mjs",
                lambda route, _, code=code: route.fulfill(
                    body=code, content_type="text/javascript"
                ),
            )
            assert snippet.run()[0] == "bad", message
            assert snippet.status.get_attribute("data-reason") == "odd", message
            page.unroute(f"{folder}worker.mjs")
        assert not visit.trouble


# ---- Long errors; hosts and portals


@pytest.mark.parametrize(
    ("code", "ends"),
    [
        ("raise ValueError('x' * 60_000 + 'end')", "end"),
        ("d = {i: 'v' * 30 for i in range(3_000)}\nassert d == {}, d", "'}"),
        ("def f(n): return f(n + 1)\nf(0)", "RecursionError: maximum recursion depth exceeded"),
        ("raise ExceptionGroup('many', [ValueError('y' * 50) for _ in range(5_000)])", "-"),
        ("x = 1 +" + " 1 +" * 20_000, "SyntaxError: invalid syntax"),
    ],
    ids=["message", "assert", "recursion", "group", "syntax"],
)
def test_a_long_error_is_cut_in_its_middle(page: Page, code: str, ends: str) -> None:
    snippet = Snippet(page, 0)
    state, sentence, output = snippet.run(f"kept = 5\n{code}")
    assert (state, sentence) == ("bad", "出错了：原因在最后一行")
    assert len(output) < 6_000
    assert ends in output.strip().splitlines()[-1]
    assert snippet.out.bounding_box()["height"] < 600  # type: ignore[index]
    assert Snippet(page, 1).status.inner_text() == ""
    assert snippet.run("1 + 1")[2].strip() == "2"  # the session lives


def test_a_failure_is_told_in_a_few_words(browser: Browser, root: str, folder: str) -> None:
    """The live region is read out: what a worker says of itself is cut."""
    with visiting(browser, root) as visit:
        code = "postMessage({ failed: 'crash', detail: 'z'.repeat(60_000) });"
        visit.page.route(
            f"{folder}worker.mjs",
            lambda route: route.fulfill(body=code, content_type="text/javascript"),
        )
        wake(visit.go("/en/masks/"))
        state, sentence, _ = Snippet(visit.page, 0).run()
        assert state == "bad"
        assert len(sentence) < 400


@pytest.mark.slow
def test_a_portal_that_answers_with_a_page_and_a_host_that_knows_no_types(
    browser: Browser, root: str, folder: str
) -> None:
    """Before a login, a network answers everything with its own page: that is no connection.

    After it, Python starts from the right bytes, whatever they are called; pages and scripts aside.
    """

    def as_text(route: Route) -> None:
        response = route.fetch()
        route.fulfill(response=response, headers={"Content-Type": "text/plain"})

    def portal(route: Route) -> None:
        route.fulfill(body="<!doctype html><h1>Log in</h1>", content_type="text/html")

    with visiting(browser, root) as visit:
        page = visit.page
        wake(visit.go("/en/masks/"))
        snippet = Snippet(page, 0)
        for name in ("worker.mjs", "files.json", "numpy*", "session.py"):
            page.route(f"{folder}{name}", portal)
            assert snippet.run()[0] == "bad", name
            assert snippet.status.get_attribute("data-reason") == "network", name
            page.unroute(f"{folder}{name}")
        page.route(re.compile(r"\.(wasm|zip|whl|json|py)$"), as_text)
        assert snippet.run()[0] == "good"
        assert not visit.trouble


# ---- Prompts that are pasted, keys that turn pages, words that are said twice


def test_a_session_is_pasted_as_its_code(page: Page) -> None:
    snippet = Snippet(page, 0)
    snippet.write("first = 1\n")
    snippet.editor.press("Control+End")
    session = ">>> x = [1,\r\n...      2]\r\n>>> x\r\n[1, 2]\r\n"
    page.evaluate("text => navigator.clipboard.writeText(text)", session)
    page.keyboard.press("Control+V")
    expect(snippet.editor).to_have_value("first = 1\nx = [1,\n     2]\nx")
    expect(snippet.status).to_have_text("贴进来的提示符和输出去掉了，只留代码")
    assert snippet.run()[2].strip() == "[1, 2]"
    page.evaluate("navigator.clipboard.writeText('y = 3 >> 1')")
    snippet.editor.press("Control+A")
    page.keyboard.press("Control+V")
    expect(snippet.editor).to_have_value("y = 3 >> 1")


def test_one_key_does_not_throw_a_run_away(page: Page) -> None:
    Snippet(page, 0).run("1 + 1")
    here = page.url
    for key in "np.,":
        page.keyboard.press(key)
    page.evaluate(IDLE)
    assert page.url == here
    assert Snippet(page, 0).output().strip() == "2"


def test_nothing_is_said_twice(page: Page) -> None:
    """A screen reader reads a live region again when the same text is written anew."""
    page.evaluate(
        """() => {
            window.said = [];
            const status = document.querySelector(".snippet [role=status]");
            new MutationObserver(() => window.said.push(status.textContent))
                .observe(status, { childList: true, characterData: true, subtree: true });
        }"""
    )
    Snippet(page, 0).run()
    Snippet(page, 0).run()
    said = page.evaluate("window.said")
    assert said
    assert all(a != b for a, b in itertools.pairwise(said)), said


# ---- Our own faults are not called a lost connection


def test_a_script_that_fails_is_told_from_one_that_does_not_come(
    browser: Browser, root: str
) -> None:
    def faulty(route: Route) -> None:
        code = "export const press = () => { null.x }; export const arrive = () => {};"
        route.fulfill(body=code, content_type="text/javascript")

    with visiting(browser, root) as visit:
        page = visit.page
        wake(visit.go("/en/masks/"))
        snippet = Snippet(page, 0)
        page.route("**/run.mjs*", faulty)
        snippet.press("run")
        expect(snippet.status).to_contain_text("a fault of this site")
        until(  # the console tells of it apart from the page
            lambda: any("null" in text for text in visit.trouble),
            lambda: len(visit.trouble),
            lambda: page.wait_for_timeout(50),
        )
