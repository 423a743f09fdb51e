"""multilingual-e5-small in the reader's browser: what it says is what it says in CPython.

Starting Python and unpacking the model take seconds, so what can shares one page.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import Visit, needs_browser, opened, wake
from playwright.sync_api import Browser, BrowserContext, Page, Route
from test_packed_model import ask, brought

from theme.site import model as packing

pytestmark = needs_browser

FEW = ["I ate an orange and an apple", "苹果发布了新手机", "It’s 3.14€ 😀, “ok”！", "a"]
ODD = [
    *("。", "猫", "A", "1", "😀", "<s>", "▁", "&amp;", "\\n", "'; --", "</script>", "𠮷野家"),
    *("The", "the the the", "THE END", "o'clock", "x² + y² = 1", "½ ﬁ ™", "ＡＢＣ１２３", "我　们"),
    *("print('hi')", "https://example.org/?q=1#a", "a\tb\nc", "…——！？", "“‘’”", "$\\sqrt{d_k}$"),
    *("天地玄黄，宇宙洪荒。日月盈昃，辰宿列张。", "魑魅魍魉", "饕餮", "龘", "他她它", "〇一二三"),
    "The antidisestablishmentarianism of floccinaucinihilipilification",
    *("Buffalo buffalo Buffalo buffalo buffalo", "Hello, 世界! Привет"[:10], "3.141592653589793"),
    *("👩‍👩‍👧‍👦 family", "❤️👍🏽", "é"[:0] + "e", "0" * 40, "ab" * 60, "苹果" * 60, "a b " * 50),
    *(
        "He said: “No.” She left.",
        "not not not",
        "是不是",
        "意思意思",
        "Is it? It is!",
        "#hash @at",
    ),
    *("1,000,000.00", "(((())))", "CamelCaseWord snake_case_word", "中文English混排"),
]

START = """async () => {
    globalThis.module = await qkv.load("model.mjs");
    globalThis.before = await module.missing();
    globalThis.told = [];
    globalThis.model = await module.load({ progress: (one) => told.push(one) });
    return { before, after: await module.missing(), told };
}"""
SENTENCE = """async (text) => {
    const found = await model.sentence(text);
    const bytes = (array) => {
        const all = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
        let text = "";
        for (let n = 0; n < all.length; n += 1) text += String.fromCharCode(all[n]);
        return btoa(text);
    };
    const arrays = [...found.hidden, ...found.weights].map(bytes);
    return { pieces: found.pieces, words: found.words, arrays };
}"""
REFUSED = """async (text) => {
    try { await model.sentence(text); return "not refused"; }
    catch (error) { return { ...module.said(error), words: error.words }; }
}"""
LOAD = """async (how) => {
    globalThis.module = await qkv.load("model.mjs");
    try { globalThis.model = await module.load(how ?? {}); return "loaded"; }
    catch (error) { return module.said(error); }
}"""


@pytest.fixture(scope="module")
def here() -> Any:
    """The same model in CPython."""
    paths = packing.files()
    if not paths:
        pytest.skip("the model could not be fetched (docs/data/pretrained_models.py)")
    return brought({path.name.rpartition("-")[0]: path.read_bytes() for path in paths[1:]})


@pytest.fixture(scope="module")
def context(browser: Browser, here: Any) -> Iterator[BrowserContext]:
    with opened(browser) as context:
        yield context


@pytest.fixture(scope="module")
def ready(context: BrowserContext, root: str) -> Page:
    """A page with the model, and what was said and asked for on the way."""
    visit = Visit(context.new_page(), root)
    wake(visit.go("/en/pretrained/", idle=True))
    assert not [one.url for one in visit.loaded if re.search("/(python|model)/", one.url)]
    started = visit.page.evaluate(START)
    before, after, told = started["before"], started["after"], started["told"]
    assert before["model"] > 18_000_000 < before["everything"] - 16_000_000
    assert after == {"python": 0, "model": 0, "everything": before["everything"] - before["model"]}
    received = [one["received"] for one in told]
    assert received == sorted(received)
    assert told[-1]["what"] == "unpacking"
    assert {one["total"] for one in told} == {before["model"] + before["python"]}
    assert received[-1] == before["model"] + before["python"]
    assert not [one.url for one in visit.loaded if re.search(r"/rows-\\d", one.url)]
    assert not visit.trouble
    return visit.page


def agrees(page: Page, here: Any, text: str) -> None:
    found = page.evaluate(SENTENCE, text)
    about, arrays = ask(here, ask="sentence", text=text, cuts=[])
    assert found["pieces"] == about["pieces"], text
    assert found["words"] == about["words"], text
    assert len(found["arrays"]) == len(arrays) == 25
    for got, wanted in zip(found["arrays"], arrays, strict=True):
        numbers = np.frombuffer(base64.b64decode(got), np.float32)
        assert np.abs(numbers - wanted).max() <= 1e-5 * np.abs(wanted).max(), text


def test_a_sentence_is_what_it_is_in_cpython(ready: Page, here: Any) -> None:
    for text in FEW:
        agrees(ready, here, text)


@pytest.mark.slow
def test_fifty_odd_sentences_are_what_they_are_in_cpython(ready: Page, here: Any) -> None:
    assert len(ODD) >= 50
    for text in ODD:
        if ask(here, ask="wants", text=text)[0]["end"]:  # nothing but spaces
            assert ready.evaluate(REFUSED, text)["code"] in ("empty", "unknown"), text
        else:
            agrees(ready, here, text)


def test_a_head_taken_apart_and_a_cut(ready: Page, here: Any) -> None:
    found = ready.evaluate(
        """async () => {
            const plain = await model.sentence("苹果发布了新手机");
            const parts = await plain.vectors(11, 0);
            const cut = await (await plain.cut({ layer: 3, words: [[0, 3]] })).cut({ layer: 11 });
            return [Object.entries(parts).map(([name, all]) => [name, [...all]]), cut.cuts,
                [...cut.hidden[12]], [...cut.weights[11]]];
        }"""
    )
    text = "苹果发布了新手机"
    parts, cuts, hidden, weights = found
    _, wanted = ask(here, ask="vectors", text=text, cuts=[], layer=11, head=0)
    assert [name for name, _ in parts] == ["q", "k", "v", "scores", "out"]
    for (_, got), one in zip(parts, wanted, strict=True):
        np.testing.assert_allclose(got, one, atol=1e-5 * np.abs(one).max())
    assert cuts == [{"layer": 3, "words": [[0, 3]]}, {"layer": 11}]
    _, wanted = ask(here, ask="sentence", text=text, cuts=cuts)
    np.testing.assert_allclose(hidden, wanted[12], atol=1e-5 * np.abs(wanted[12]).max())
    assert not any(weights)


def test_refusals_are_sentences_that_name_what_they_are_about(ready: Page) -> None:
    assert ready.evaluate(REFUSED, " \n")["code"] == "empty"
    found = ready.evaluate(REFUSED, "I like café and привет")
    assert (found["code"], found["words"]) == ("unknown", ["café", "привет"])
    assert found["text"].endswith("not café, привет. Try other words")
    found = ready.evaluate(REFUSED, "In a café. Señor, ça va?")
    assert found["text"].endswith("not café, Señor, ça. Write cafe, Senor, ca")
    found = ready.evaluate(REFUSED, "word " * 300)
    assert found["code"] == "too-long"
    assert "302 tokens; here it takes 128" in found["text"]
    # What is typed is a text, whatever it would be elsewhere.
    assert ready.evaluate(SENTENCE, "'); raise SystemExit #")["words"]


def test_a_rare_word_fetches_its_rows_or_is_named(browser: Browser, root: str) -> None:
    """Once; without a network the words that need them are named, and a damaged file is no row."""
    with opened(browser) as context:  # in others' the rows may be there already
        ready = context.new_page()
        ready.goto(f"{root}/en/pretrained/")
        wake(ready)
        ready.evaluate(START)
        asked: list[str] = []
        answer = "abort"

        def rows(route: Route) -> None:
            asked.append(route.request.url)
            if answer == "abort":
                route.abort()
            elif answer == "damage":
                route.fulfill(body=b"rows", content_type="application/octet-stream")
            else:
                route.continue_()

        ready.route(re.compile(r"/rows-\d"), rows)
        text = "一只饕餮和一只猫"
        wants = ready.evaluate("text => model.wants(text)", text)
        assert set(wants["words"]) >= {"饕", "餮"}
        assert wants["bytes"] > 0
        assert not asked
        found = ready.evaluate(REFUSED, text)
        assert (found["code"], found["words"]) == ("offline", wants["words"])
        assert "these words need vectors that are not here: " in found["text"]
        assert "饕, 餮" in found["text"]
        assert ready.evaluate(SENTENCE, "a man")["words"]
        answer = "damage"
        assert ready.evaluate(REFUSED, text)["code"] == "damaged"
        answer = "give"
        asked.clear()
        assert len(ready.evaluate(SENTENCE, text)["pieces"]) == 9
        assert asked
        count = len(asked)
        assert ready.evaluate("text => model.wants(text)", text)["bytes"] == 0
        ready.evaluate(SENTENCE, text)
        assert len(asked) == count


def test_python_that_a_snippet_took_away_comes_back_with_the_model(ready: Page) -> None:
    """Stop ends the worker; the next sentence starts another and brings the files again."""
    ended = ready.evaluate(
        """async () => {
            const { Turn } = await qkv.load("python.mjs");
            const turn = new Turn(() => {});
            const step = { name: "x", code: "while True: pass", label: "<x>", number: 1 };
            const running = turn.run([step], ({ ...one }, two) => { globalThis.begun = two; });
            while (!globalThis.begun) await new Promise((done) => setTimeout(done, 20));
            turn.end("stopped");
            return running.catch(({ reason }) => reason);
        }"""
    )
    assert ended == "stopped"
    assert ready.evaluate(SENTENCE, "a cat")["words"]


@pytest.mark.slow
def test_what_is_kept_is_not_fetched_again(context: BrowserContext, ready: Page, root: str) -> None:
    """A second tab has the files from the first, and what came of an interrupted download stays."""
    page = context.new_page()
    visit = Visit(page, root)
    wake(visit.go("/pretrained/"))
    missing = page.evaluate("async () => (await qkv.load('model.mjs')).missing()")
    assert missing["model"] == 0
    page.evaluate(
        "async () => Promise.all((await caches.keys()).map((name) => caches.delete(name)))"
    )
    asked: list[str] = []

    def lose(route: Route) -> None:
        asked.append(route.request.url)
        if "layer-07" in route.request.url and len(asked) < 99:
            route.abort()
        else:
            route.continue_()

    page.route("**/assets/model/*.bin", lose)
    found = page.evaluate(LOAD)
    assert found["code"] == "files-lost"
    left = page.evaluate("async () => (await module.missing()).model")
    assert 0 < left < 15_000_000
    asked.extend([""] * 99)
    first = set(asked)
    assert page.evaluate(LOAD) == "loaded"
    again = [url for url in asked[asked.index("") + 99 :] if url in first and "layer-07" not in url]
    assert len(again) <= 6  # those that were on their way when it broke
    page.close()


SIZES = """async () => {
    const { missing } = await qkv.load("model.mjs"), { Turn } = await qkv.load("python.mjs");
    const { python } = await missing();
    const said = await new Promise((resolve) => {
        const turn = new Turn((text) => {
            if (!text.includes(" MB")) return;
            resolve(text);
            turn.end("stopped");
        });
        turn.run([{ name: "x", code: "", label: "<x>" }], () => {}).catch(() => {});
    });
    return [python, said];
}"""


@pytest.mark.parametrize("compresses", [False, True])
def test_pythons_size_is_what_comes_over_the_wire(
    browser: Browser, root: str, site: Path, compresses: bool
) -> None:
    """The same on both buttons; a host that compresses says so with the list of the files."""
    (listing,) = site.glob("assets/python/*/files.json")
    kind = "compressed" if compresses else "bytes"
    size = sum(about[kind] for about in json.loads(listing.read_text("utf-8")).values())
    headers = {"Content-Type": "application/json"}
    if compresses:
        headers["Content-Encoding"] = "gzip"  # to the browser it comes unpacked
    with opened(browser) as context:
        page = context.new_page()
        wake(Visit(page, root).go("/en/pretrained/"))
        page.route(
            "**/python/*/files.json",
            lambda route: route.fulfill(body=listing.read_bytes(), headers=headers),
        )
        python, said = page.evaluate(SIZES)
    assert python == size
    assert f"Fetching Python ({size / 1e6:.0f} MB, once)" in said


LOST = {
    "en": ("Some files of the model did not arrive", "Python’s files could not be fetched"),
    "zh": ("模型的文件没有取全", "没有取到 Python 的文件"),
}


@pytest.mark.parametrize("language", ["zh", pytest.param("en", marks=pytest.mark.slow)])
def test_what_is_lost_is_called_by_its_name(browser: Browser, root: str, language: str) -> None:
    """The model's files the model's, Python's files Python's; so are the lists of both."""
    of_model, of_python = LOST[language]
    for lost, said in (
        ("**/model/files-*.json", of_model),
        ("**/model/layer-*.bin", of_model),
        ("**/python/*/files.json", of_python),
        ("**/python/*/*.wasm", of_python),
    ):
        with opened(browser) as context:
            page = context.new_page()
            wake(Visit(page, root).go(f"{'/en' if language == 'en' else ''}/pretrained/"))
            page.route(lost, lambda route: route.abort())
            assert page.evaluate(LOAD)["text"].startswith(said), lost


@pytest.mark.slow
def test_where_storage_is_blocked_it_is_there_until_the_page_is_left(
    browser: Browser, here: Any, root: str
) -> None:
    with opened(browser) as context:
        context.add_init_script(
            """const no = () => Promise.reject(new DOMException("blocked", "SecurityError"));
            CacheStorage.prototype.open = CacheStorage.prototype.match = no;"""
        )
        page = context.new_page()
        wake(Visit(page, root).go("/pretrained/"))
        assert page.evaluate(LOAD) == "loaded"
        agrees(page, here, FEW[0])
        assert page.evaluate("async () => (await module.missing()).model") == 0


@pytest.mark.slow
def test_damaged_files_are_refused_and_everything_is_all(
    browser: Browser, here: Any, root: str
) -> None:
    """Two tabs at once, then no network: rare words are there."""
    with opened(browser) as context:
        one, other = (context.new_page() for _ in range(2))
        for page in (one, other):
            wake(Visit(page, root).go("/pretrained/"))
        one.route("**/vocabulary-*.bin", lambda route: route.fulfill(body=b"no"))
        found = one.evaluate(LOAD)
        assert (found["code"], found["text"][:7]) == ("files-damaged", "取到的模型文件")
        one.unroute("**/vocabulary-*.bin")
        for page in (one, other):
            page.evaluate(f"() => {{ globalThis.loading = ({LOAD})({{ everything: true }}); }}")
        for page in (one, other):
            found = page.evaluate("() => loading")
            # a minute without a sign of life, where two start on a busy machine: pressed again
            again = found != "loaded" and found["code"] == "silent"
            assert (page.evaluate(LOAD, {"everything": True}) if again else found) == "loaded"
        context.set_offline(True)
        assert one.evaluate("async () => (await module.missing()).everything") == 0
        for page in (one, other):
            agrees(page, here, "饕餮 antidisestablishmentarianism")


@pytest.mark.slow
def test_a_reader_can_stop_it(browser: Browser, here: Any, root: str) -> None:
    with opened(browser) as context:
        page = context.new_page()
        wake(Visit(page, root).go("/pretrained/"))
        found = page.evaluate(
            """async () => {
                const { load, said } = await qkv.load("model.mjs");
                const stop = new AbortController();
                const progress = ({ received }) => { if (received > 1e6) stop.abort(); };
                return load({ progress, signal: stop.signal }).catch(said);
            }"""
        )
        assert (found["code"], found["state"]) == ("stopped", "stopped")
        assert page.evaluate(LOAD) == "loaded"


def test_every_file_is_named_by_its_contents(site: Path) -> None:
    (listing,) = (site / "assets/model").glob("files-*.json")
    listed = {about["file"] for about in json.loads(listing.read_text("utf-8")).values()}
    assert listed == {path.name for path in (site / "assets/model").glob("*.bin")}
    assert not (site / "en/assets/model").exists()
