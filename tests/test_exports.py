"""What a reader takes along: notebooks that run, Markdown without extensions, the offline copy."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import nbformat
import pytest
from browsing import Visit, build, needs_browser, opened, wake
from nbclient import NotebookClient
from nbformat import NotebookNode
from playwright.sync_api import Browser, expect
from sources import FORMULA, INCLUDE, PAGES, ROOT, Source

from docs import examples
from theme.extensions import formulas

sys.path.insert(0, str(ROOT / "theme/runtime"))
from session import same

SLOW = pytest.mark.slow
OF_THE_COPY = [*needs_browser, SLOW]  # a build of its own
LANGUAGES = pytest.mark.parametrize("language", ["zh", "en"])
NAMES = [name.removesuffix(".md") for name in PAGES]
IMAGE = re.compile(r"!\[(.*?)\]\(data:image/svg\+xml;base64,([^)]+)\)")


def sections(name: str) -> list[str]:
    """The sections of the example file that a page shows, in order."""
    includes = INCLUDE.finditer(Source("en", f"{name}.md").text)
    return [m[3] for m in includes if m[2].endswith(".pycon")]


WITH_CODE = [name for name in NAMES if sections(name)]


@pytest.fixture(scope="module")
def offline(once: Any) -> Path:
    """Both languages, as `make offline` builds them."""
    made: Path = once("offline", lambda folder: build(folder, OFFLINE="true"))
    return made


@pytest.fixture(scope="module")
def online(once: Any) -> Path:
    """English, as it is published."""
    made: Path = once(
        "online",
        lambda folder: build(
            folder,
            "--config-file=mkdocs.en.yml",
            SITE_URL_EN="https://example.org/qkv/en/",
            REPO_URL="https://github.com/someone/qkv",
            NOTEBOOKS_BRANCH="gh-pages",
        ),
    )
    return made


def folder(site: Path, language: str) -> Path:
    return site / "en" if language == "en" else site


def beside(site: Path, language: str, name: str) -> Path:
    """The folder of a page, where what it is taken along as lies, too."""
    here = folder(site, language)
    return here if name == "index" or (here / f"{name}.html").exists() else here / name


def twin(site: Path, language: str, name: str) -> Path:
    """A page as plain Markdown."""
    path = beside(site, language, name) / f"{name}.md"
    return path if path.exists() else path.with_name("index.md")


def notebook(site: Path, language: str, name: str) -> NotebookNode:
    found = nbformat.read(beside(site, language, name) / f"{name}.ipynb", as_version=4)
    nbformat.validate(found)
    return found


def prose(site: Path, language: str) -> Iterator[tuple[Path, str]]:
    """The Markdown of every page, and that of every notebook, with the file that it is in."""
    for name in NAMES:
        path = twin(site, language, name)
        yield path, path.read_text("utf-8")
    for name in WITH_CODE:
        cells = notebook(site, language, name).cells
        text = "\n".join(c.source for c in cells if c.cell_type == "markdown")
        yield beside(site, language, name) / f"{name}.ipynb", text


# ---- Notebooks ----


@LANGUAGES
def test_a_notebook_has_every_section_and_stable_ids(anywhere: Path, language: str) -> None:
    assert len(WITH_CODE) > 8
    for name in WITH_CODE:
        cells = notebook(anywhere, language, name).cells
        ids = [cell.id for cell in cells]
        assert len(set(ids)) == len(ids)
        assert ids[:2] == [f"text-{name}", "install"]
        code = [cell.id.removeprefix("code-") for cell in cells[2:] if cell.cell_type == "code"]
        known = sections(name)
        met = [one if one in known else re.sub(r"-\d+$", "", one) for one in code]
        assert list(dict.fromkeys(met)) == known
        counts = [cell.execution_count for cell in cells if cell.cell_type == "code"]
        assert counts == list(range(1, len(counts) + 1))


def test_both_languages_have_the_same_code_and_output(anywhere: Path) -> None:
    """All but the snippets that a language has of its own, for the words in them."""
    for name in WITH_CODE:
        own = {one.name for one in examples.sections(name, "en").values() if one.language}
        zh, en = (
            [
                cell
                for cell in notebook(anywhere, language, name).cells
                if cell.cell_type == "code" and re.sub(r"^code-|-\d+$", "", cell.id) not in own
            ]
            for language in ("zh", "en")
        )
        assert zh[1:] == en[1:]
        assert zh[0].source == en[0].source.replace("../assets", "assets")


def said(output: NotebookNode) -> str:
    if output.output_type == "error":
        return f"{output.ename}: {output.evalue}"
    return str(output["text"] if output.output_type == "stream" else output.data["text/plain"])


async def wrong_cells(path: Path, few: asyncio.Semaphore) -> list[str]:
    """What a clean kernel gives otherwise than the notebook stores."""
    stored, fresh = (nbformat.read(path, as_version=4) for _ in range(2))
    async with few:
        await NotebookClient(fresh, timeout=None, coalesce_streams=True).async_execute()
    wrong = []
    for old, new in zip(stored.cells, fresh.cells, strict=True):
        if old.cell_type == "code":
            kinds = [[o.output_type for o in cell.outputs] for cell in (old, new)]
            texts = ["".join(map(said, cell.outputs)) for cell in (old, new)]
            if kinds[0] != kinds[1] or not same(*texts):
                wrong.append(f"{path.name}, {old.id}: {kinds}\n{texts[1]}\nstored:\n{texts[0]}")
    return wrong


@pytest.mark.parametrize(
    "names", [["index", "masks"], pytest.param(WITH_CODE, marks=pytest.mark.slow)], ids=len
)
def test_notebooks_run_and_give_what_they_store(anywhere: Path, names: list[str]) -> None:
    """In a real kernel, top to bottom; the code of both languages is the same."""

    async def run() -> list[list[str]]:
        few = asyncio.Semaphore(2)
        paths = [beside(anywhere, "en", name) / f"{name}.ipynb" for name in names]
        return await asyncio.gather(*(wrong_cells(path, few) for path in paths))

    with ThreadPoolExecutor(1) as thread:  # a browser's event loop may be running in this one
        results = thread.submit(asyncio.run, run()).result()
    wrong = [one for result in results for one in result]
    assert not wrong, "\n\n".join(wrong)


def test_what_fails_on_purpose_is_tagged(anywhere: Path) -> None:
    tagged = 0
    for name in WITH_CODE:
        for cell in notebook(anywhere, "zh", name).cells:
            fails = [out for out in cell.get("outputs", ()) if out.output_type == "error"]
            assert ("raises-exception" in cell.metadata.get("tags", ())) == bool(fails)
            tagged += len(fails)
    assert tagged


@pytest.mark.parametrize("built", ["anywhere", pytest.param("offline", marks=SLOW)])
def test_the_package_that_a_notebook_installs(
    request: pytest.FixtureRequest, built: str, tmp_path: Path
) -> None:
    """The wheel named in the install cell, installed from there into an empty place."""
    site = request.getfixturevalue(built)
    cell = notebook(site, "en", "index").cells[1]
    (wheel,) = re.findall(r"numpy (\S+\.whl)", cell.source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    where = beside(site, "en", "index")
    subprocess.run([*pip, "--target", str(tmp_path), wheel], cwd=where, check=True)
    code = "import qkv_docs; print(qkv_docs.__file__)"
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, env=env, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).is_relative_to(tmp_path)


@LANGUAGES
def test_figures_go_along(anywhere: Path, language: str) -> None:
    for name in NAMES:
        source = Source(language, f"{name}.md")
        figures = re.findall(r"!\[(.*?)\]\(figure:", source.prose)
        plain = twin(anywhere, language, name).read_text("utf-8")
        assert [alt for alt in figures if alt not in plain] == []
        if name in WITH_CODE:
            cells = notebook(anywhere, language, name).cells
            drawn = [m for cell in cells for m in IMAGE.findall(cell.source)]
            assert [alt for alt, _ in drawn] == figures
            for _, data in drawn:
                root = ElementTree.fromstring(base64.b64decode(data))
                assert root.tag.endswith("svg")
                assert len(list(root.iter())) > 5


# ---- Markdown ----


@LANGUAGES
def test_nothing_of_this_sites_markdown_is_left(anywhere: Path, language: str) -> None:
    left = r"--8<--|<button|<!-- |\{ ?[#.]|figure:|^:::|^(?:!!!|\?\?\?)|\[@"
    left += r"|\\(?:[QKVqkvXR]|W[QKVO]|softmax)\b"
    for what, text in prose(anywhere, language):
        assert re.findall(left, text, re.M) == [], what


@LANGUAGES
def test_formulas_are_plain_tex(anywhere: Path, language: str) -> None:
    """KaTeX reads every one of them without our macros."""
    count = 0
    for what, text in prose(anywhere, language):
        without_code = re.sub(r"(`+).*?\1", "", text, flags=re.S)
        for display, inline in FORMULA.findall(without_code):
            count += 1
            formula = json.dumps(display or inline)
            done = formulas.engine().eval(f"typeset({formula}, {json.dumps(bool(display))}, {{}})")
            assert "katex" in str(done), f"{what}: {formula}"
    assert count > 500


@LANGUAGES
@pytest.mark.parametrize("built", ["anywhere", pytest.param("offline", marks=SLOW)])
def test_links_lead_somewhere(request: pytest.FixtureRequest, built: str, language: str) -> None:
    for file, text in prose(request.getfixturevalue(built), language):
        without_code = re.sub(r"(`+).*?\1", "", text, flags=re.S)
        for link in re.findall(r"\]\((?!https?:|data:)([^)\s]+)\)", without_code):
            path, _, anchor = link.partition("#")
            target = file.parent / path
            page = (target / "index.html" if target.is_dir() else target).read_text("utf-8")
            assert not anchor or f'id="{anchor}"' in page, f"{file}: {link}"


@SLOW
def test_links_of_the_published_site_are_whole(online: Path) -> None:
    for name in WITH_CODE:
        place = online if name == "index" else online / name
        texts = [(place / "index.md").read_text("utf-8")]
        cells = json.loads((place / f"{name}.ipynb").read_text("utf-8"))["cells"]
        texts += [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
        for text in texts:
            without_code = re.sub(r"(`+).*?\1", "", text, flags=re.S)
            assert re.findall(r"\]\((?!https://|data:)[^)]*\)", without_code) == []
        assert "https://example.org/qkv/assets/qkv_docs-" in cells[1]["source"]


@SLOW
def test_llms_txt(offline: Path, online: Path) -> None:
    text = (online / "llms.txt").read_text("utf-8")
    assert re.match(r"# .+\n\n> .+\n\n", text)
    pages = re.findall(r"^- \[.+\]\(https://example\.org/qkv/en/(.*index\.md)\): .+", text, re.M)
    assert {path.removesuffix("index.md").rstrip("/") or "index" for path in pages} == set(NAMES)
    assert text.endswith("- [中文](https://example.org/qkv/llms.txt): the same pages in Chinese\n")
    for path in [*pages, "../llms.txt"]:
        assert path == "../llms.txt" or (online / path).exists()
    for language in ("zh", "en"):
        listed = (folder(offline, language) / "llms.txt").read_text("utf-8")
        for link in re.findall(r"\]\((\S+)\)", listed):
            assert (folder(offline, language) / link).exists(), link


@SLOW
def test_every_page_offers_them(offline: Path, online: Path) -> None:
    for name in NAMES:
        for language in ("zh", "en"):
            place = folder(offline, language)
            (line,) = re.findall(
                r'<p class="take".*?</p>', (place / f"{name}.html").read_text("utf-8")
            )
            links = re.findall(r'href="([^"]+)"', line)
            assert links == [*([f"{name}.ipynb"] if name in WITH_CODE else []), f"{name}.md"]
            assert all((place / link).exists() for link in links)
        page = (online if name == "index" else online / name) / "index.html"
        path = f"{name}.ipynb" if name == "index" else f"{name}/{name}.ipynb"
        colab = f"https://colab.research.google.com/github/someone/qkv/blob/gh-pages/en/{path}"
        assert (colab in page.read_text("utf-8")) == (name in WITH_CODE)


# ---- The offline copy, in a browser, from file:// ----


@pytest.fixture
def visit(browser: Browser, offline: Path) -> Iterator[Visit]:
    """A visit to the offline copy; what goes wrong, or leaves the folder, fails the test."""
    allowed = ["clipboard-read", "clipboard-write"]
    with opened(browser, permissions=allowed, color_scheme="dark") as context:
        visit = Visit(context.new_page(), f"file://{offline}")
        yield visit
        assert not visit.trouble, visit.trouble


class TestOffline:
    pytestmark = OF_THE_COPY

    @pytest.mark.parametrize(
        ("start", "query", "target"),
        [
            ("/index.html", "缩放点积", "self-attention"),
            ("/masks.html", "方差", "why-sqrt-dk"),
            ("/en/index.html", "variance", "why-sqrt-dk"),
            ("/en/masks.html", "queries", "queries-keys-values"),
        ],
    )
    def test_search(self, visit: Visit, start: str, query: str, target: str) -> None:
        page = visit.go(start)
        page.keyboard.press("/")
        page.keyboard.type(query)
        hit = page.locator(f"#search li a[href*='/{target}.html']").first
        expect(hit).to_be_attached()
        hit.click()
        page.wait_for_url(f"**/{target}.html*")

    def test_the_language_link_keeps_page_and_anchor(self, visit: Visit, offline: Path) -> None:
        page = visit.go("/masks.html#sources")
        wake(page)
        page.click("a.language")
        expect(page).to_have_url(f"file://{offline}/en/masks.html#sources")
        page.click("a.language")
        expect(page).to_have_url(f"file://{offline}/masks.html#sources")

    @pytest.mark.parametrize("path", ["/index.html", "/en/similarity.html"])
    def test_copy_works_and_run_is_not_offered(self, visit: Visit, path: str) -> None:
        page = visit.go(path)
        snippet = page.locator(".snippet").first
        assert snippet.locator("button").count() == 1
        expect(snippet.locator("[role=status]")).to_have_text(re.compile("离线版|offline copy"))
        snippet.locator("[data-do=copy]").click()
        expect(snippet.locator("[role=status]")).to_have_text(re.compile("^(已复制|Copied)$"))
        assert "import numpy" in page.evaluate("navigator.clipboard.readText()")
        fonts = "() => [...document.fonts].filter((one) => one.status === 'loaded').length"
        page.wait_for_function(fonts)

    def test_what_needs_a_server_is_not_offered(self, visit: Visit) -> None:
        page = visit.go("/en/about.html")
        expect(page.locator("#offline ~ p", has_text="offline already")).to_be_visible()
        assert page.locator("[data-do=offline]").count() == 0

    def test_on_paper(self, visit: Visit) -> None:
        """Light even from the dark scheme, without the frame, with the answers open."""
        page = visit.go("/index.html")
        page.emulate_media(media="print")
        seen = "(all) => all.filter((one) => one.checkVisibility()).length"
        frame = "header, footer, .md-sidebar, .snippet__bar, .take, .headerlink"
        assert page.locator(frame).evaluate_all(seen) == 0
        answers = page.locator("details:not([open]) p")
        assert answers.evaluate_all(seen) == answers.count() > 0
        ground = "getComputedStyle(document.body).backgroundColor"
        assert page.evaluate(ground) == "rgb(255, 255, 255)"
        page = visit.go("/en/references.html")
        link = page.locator(".reference strong a").first
        after = "(one) => getComputedStyle(one, '::after').content"
        assert str(link.get_attribute("href")) in link.evaluate(after)
