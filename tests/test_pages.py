"""The pages: both languages agree, every number was computed, every snippet is shown once.

Each failure names file and line.
"""

from __future__ import annotations

import ast
import builtins
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sources import CITATION, DOCS, FORMULA, INCLUDE, PAGES, ROOT, Source, blank

import qkv_docs
from docs.examples import sections as examples
from theme import reading
from theme.extensions import asked
from theme.numbers.source import faults, line

IN_ORDER = {
    "heading id": r"(?m)^#{1,6} .*\{ #([\w-]+)",
    "figure": r"\(figure:([\w-]+)",
}
IN_ANY_ORDER = {
    "formula": FORMULA,
    "citation": CITATION,
    "internal link": r"\]\(((?!https?:|figure:)[^)\s]+)",
}
# In a lesson at least three snippets ask before they show.
GROUP = r"(?m)^  - (?:understand|see|practice):\n((?:      - .+\n)+)"
NAV = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
LESSONS = ["index.md", *re.findall(r"[\w-]+\.md", "".join(re.findall(GROUP, NAV)))]
ASK_TOO_LITTLE = {"index.md"}  # a page that has them comes off this list
HAN = r"[\u3400-\u9fff]"
FULL = "[，。；：？！（）]"


@pytest.fixture(params=PAGES)
def both(request: pytest.FixtureRequest) -> tuple[Source, Source]:
    return Source("zh", request.param), Source("en", request.param)


@pytest.fixture(
    params=[(language, name) for name in PAGES for language in ("zh", "en")], ids="/".join
)
def page(request: pytest.FixtureRequest) -> Source:
    return Source(*request.param)


def test_both_languages_have_the_same_pages() -> None:
    english = sorted(
        path.relative_to(DOCS / "en").as_posix() for path in (DOCS / "en").rglob("*.md")
    )
    assert english == PAGES


def differences(zh: Source, en: Source) -> Iterator[str]:
    for kind, pattern in {**IN_ORDER, "include": r'--8<-- "([^"]+)"', **IN_ANY_ORDER}.items():
        text = [(s, list(s.find(pattern, s.text if kind == "include" else None))) for s in (zh, en)]
        if kind in IN_ANY_ORDER:
            for (source, mine), (_, other) in (text, text[::-1]):
                missing = Counter(value for value, _ in mine) - Counter(value for value, _ in other)
                for value, line in mine:
                    if missing[value]:
                        yield f"{source.at(line)}: {kind} {value!r} is not in the other language"
        else:
            (_, mine), (_, other) = text
            mine, other = [*mine, ("nothing", 1)], [*other, ("nothing", 1)]
            for (a, line_a), (b, line_b) in zip(mine, other, strict=False):
                if a != b:
                    yield f"{zh.at(line_a)}: {kind} {a!r}, but {en.at(line_b)} has {b!r}"
                    break


def test_both_languages_have_the_same_parts(both: tuple[Source, Source]) -> None:
    found = list(differences(*both))
    assert not found, "\n".join(found)


def test_headings_have_fixed_ids(page: Source) -> None:
    missing = [page.at(n) for title, n in page.find(r"(?m)^#{1,6} .*$") if "{ #" not in title]
    assert not missing, f"heading without an id: {missing}"
    (first, _), *_ = page.find(r"(?m)^# .*\{ #([\w-]+)")
    assert first == page.path.stem, f"{page.at(1)}: the title's id is '{first}'"


def test_every_number_is_what_its_address_says(page: Source) -> None:
    found = [
        f"{page.at(line(page.text, fault.start))}: {fault.message}"
        for fault in faults(page.text, page.path.stem, page.path.parent.name)
    ]
    assert not found, "\n".join(found)


def test_what_is_asked_is_answered_by_its_snippet(page: Source) -> None:
    faults = asked.faults(page.text, page.path.stem, page.path.parent.name)
    found = [f"{page.at(number)}: {message}" for number, message in faults]
    assert not found, "\n".join(found)


def test_every_section_of_the_examples_is_shown_once_and_in_order(page: Source) -> None:
    example = f"{page.path.stem}.pycon"
    shown = [m[3] for m in INCLUDE.finditer(page.text) if m[2] == example]
    path = DOCS / "examples" / example
    written = list(examples(page.path.stem, page.path.parent.name)) if path.exists() else []
    assert shown == written, f"{page.at(1)} shows {shown}, docs/examples/{example} has {written}"


LESSONS = [name for name in PAGES if name.removesuffix(".md") not in reading.NO_LESSONS]


@pytest.mark.parametrize("name", LESSONS)
def test_the_core_of_a_lesson_is_read_in_ten_minutes(name: str) -> None:
    """What a reader meets who opens nothing; theme/reading.py counts it."""
    pages = [Source(language, name) for language in ("zh", "en")]
    found = [
        f"{page.at(1)}: the core has {wrong}: fold what goes deeper, see CONTRIBUTING"
        for page in pages
        if (wrong := reading.too_long(page.path.parent.name, reading.core(page.text)))
    ]
    assert not found, "\n".join(found)


def names(code: str) -> tuple[set[str], set[str]]:
    """What a snippet uses, and what it binds."""
    used, bound = set(), set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add(node.asname or node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
    return used, bound


@pytest.mark.parametrize("name", LESSONS)
def test_without_its_folds_a_page_defines_what_its_snippets_use(name: str) -> None:
    found = []
    for language in ("zh", "en"):
        page = Source(language, name)
        unfolded = page.text.replace("??? ", "!!! ")  # a reader opens the answers
        known, own = set(dir(builtins)), examples(page.path.stem, language)
        for _, text, in_core in reading.lines(unfolded):
            if not in_core or not (shown := INCLUDE.search(text)) or shown[3] not in own:
                continue
            used, bound = names("".join(one.source for one in own[shown[3]].statements))
            known |= bound
            if missing := used - known:
                found.append(f"{page.at(1)}: [{shown[3]}] uses {sorted(missing)}, from a fold")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("path", sorted((DOCS / "examples").glob("*.pycon")), ids=lambda p: p.stem)
def test_a_line_of_code_fits_into_its_box_on_a_desktop(path: Path) -> None:
    """At 1280 px a box holds 84 characters; a Chinese one is as wide as two Latin ones."""
    width = {"W": 2, "F": 2}
    wide = [
        f"{path.relative_to(ROOT)}:{n}"
        for n, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if sum(width.get(unicodedata.east_asian_width(c), 1) for c in line) > 84
    ]
    assert not wide, f"cut off on a screen of 1280 px: {wide}"


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_asks_before_it_shows(name: str) -> None:
    zh, en = Source("zh", name), Source("en", name)
    both = [list(asked.predictions(one.text, one.path.stem)) for one in (zh, en)]
    if re.search(r"\bTODO\b", en.text):
        return  # still being written: test_new_page.py says what is left
    enough = min(map(len, both)) >= 3
    if name in ASK_TOO_LITTLE:
        assert not enough, f"{name} asks: take it off ASK_TOO_LITTLE (tests/test_pages.py)"
    else:
        assert enough, f"{zh.at(1)} asks {len(both[0])} times, {en.at(1)} {len(both[1])}: 3 each"


@pytest.mark.parametrize("name", PAGES)
def test_both_languages_ask_the_same(name: str) -> None:
    """Before the same snippets, in the same way, with the right choice in the same place: what a
    reader guessed in one language stands there in the other."""
    found = []
    for source in (Source("zh", name), Source("en", name)):
        there = asked.predictions(source.text, source.path.stem)
        found.append([(one.snippet, one.typed, [c.right for c in one.choices]) for one in there])
    assert found[0] == found[1], f"docs/zh/{name} and docs/en/{name} ask differently"


def test_code_is_included_and_not_pasted(page: Source) -> None:
    fences = re.finditer(r"(?m)^ *```(?:pycon|python)\b.*\n(.*)\n", page.text)
    pasted = [
        page.at(page.text.count("\n", 0, m.start()) + 1) for m in fences if "--8<--" not in m[1]
    ]
    assert not pasted, f"code that no test runs: {pasted}"


@pytest.mark.parametrize("name", PAGES)
def test_chinese_typography(name: str) -> None:
    page = Source("zh", name)
    text = blank(re.compile(r"`[^`\n]+`"), blank(FORMULA, page.prose, "x"), "x")
    text = blank(re.compile(r"\{[^}\n]*\}|<[^>\n]+>|\]\([^)\n]*\)"), text)
    wrong = {
        "half-width punctuation beside Han": rf"{HAN}[,;:?!()]|[,;?!(]{HAN}",
        "no space between Han and Latin": rf"{HAN}[A-Za-z0-9]|[A-Za-z0-9]{HAN}",
        "space beside full-width punctuation": rf"{FULL} +[^\s|{{]|[^\s|*#>-] +{FULL}",
    }
    found = [
        f"{page.at(line)}: {what}: {value!r}"
        for what, pattern in wrong.items()
        for value, line in page.find(f"({pattern})", text)
    ]
    assert not found, "\n".join(found)


def test_a_number_of_five_digits_has_a_comma_and_one_of_four_has_none(page: Source) -> None:
    text = blank(re.compile(r"`[^`\n]+`"), blank(FORMULA, page.prose, "x"), "x")
    unread = r"\{[^}\n]*\}|<[^>\n]+>|\[@[^]]*]|]\((?!figure:)[^)\n]*\)|\(figure:\S+"
    text = blank(re.compile(unread), text)
    wrong = r"(?<![\w,.])(\d,\d{3}(?![\d,])|\d{5,}(?![\w.]*[A-Za-z_]))"
    found = [f"{page.at(line)}: {value}" for value, line in page.find(wrong, text)]
    assert not found, "\n".join(found)


def test_a_list_of_pages_calls_each_by_its_title(page: Source) -> None:
    """One name for one page; where a list asks questions, the words are the reader's."""
    found = []
    for match in re.finditer(r"(?m)^ *(?:-|\d+\.) \[(.+?[^?？])\]\(([\w-]+\.md)\)", page.text):
        source = Source(page.path.parent.name, match[2])
        (title, _), *_ = source.find(r'(?m)^title: "?(.+?)"?$', source.text)
        if match[1] != title:
            found.append(f"{page.at(line(page.text, match.start()))}: {match[1]!r} is {title!r}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_public_name_is_on_an_api_page(language: str) -> None:
    """Seen while writing, and not only by who searches for it in the built site."""
    pages = [(DOCS / language / f"{name}.md").read_text("utf-8") for name in ("api", "api-models")]
    listed = re.findall(r"^::: qkv_docs\.(\w+)$", "\n".join(pages), re.M)
    assert sorted(listed) == sorted(qkv_docs.__all__)
    api, models = pages
    named = re.findall(r"^- \[`(\w+)`\]\(api-models\.md#qkv_docs\.\1\)", api, re.M)
    assert named == re.findall(r"^::: qkv_docs\.(\w+)$", models, re.M)
