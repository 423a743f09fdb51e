"""The Markdown extensions know nothing of MkDocs, and each does what it says."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from converting import convert, pages
from selectolax.lexbor import LexborHTMLParser
from sources import ROOT

from theme import reading
from theme.extensions import times
from theme.extensions.page import Page
from theme.finish.clauses import clauses
from theme.finish.expressions import expressions
from theme.finish.indices import indices
from theme.finish.states import states
from theme.finish.stops import stops
from theme.finish.tables import tables
from theme.finish.units import units


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The body of every page, made where MkDocs cannot be imported."""
    file = tmp_path_factory.mktemp("alone") / "pages.json"
    command = [sys.executable, str(ROOT / "tests/converting.py"), str(file)]
    subprocess.run(command, cwd=file.parent, check=True, capture_output=True, text=True)
    return dict(json.loads(file.read_text("utf-8")))


def article(html: str, page: Page) -> list[str]:
    """The parts of an article but for its links, and for what is no matter of Markdown."""
    tree = LexborHTMLParser(html)
    states(tree, page)
    tables(tree, page)
    clauses(tree, page)
    stops(tree, page)
    units(tree, page)
    expressions(tree, page)
    indices(tree, page)
    (body,) = tree.css("article.md-content__inner")
    # What plugins put there: docstrings, and the line of what goes beside a page.
    for other in body.css(".doc-object, .take, .md-source-file"):
        other.decompose()
    for node in body.css("p"):
        if node.text().startswith(":::"):
            node.decompose()
    for link in body.css("a[href]"):
        del link.attrs["href"]
    return [line.strip() for line in str(body.inner_html).splitlines() if line.strip()]


def test_every_page_is_the_same_without_mkdocs(alone: dict[str, str], anywhere: Path) -> None:
    assert len(alone) >= 38
    for page in pages():
        folder = anywhere / ("en" if page.language == "en" else "")
        place = folder if page.name == "index" else folder / page.name
        whole = (place / "index.html").read_text("utf-8")
        body = alone[f"{page.language}/{page.name}"]
        mine = article(f'<article class="md-content__inner">{body}</article>', page)
        assert mine == article(whole, page), f"{page.language}/{page.name}"


# ---- each extension ----


@pytest.fixture
def page(tmp_path: Path) -> Page:
    return Page("masks", "en", tmp_path / "masks.md", "../")


def made(page: Page, text: str) -> LexborHTMLParser:
    page.path.write_text(text, "utf-8")
    return LexborHTMLParser(convert(page))


INCLUDE = '--8<-- "masks.pycon:{}"'


def test_a_source_stands_in_brackets_where_it_is_noted_not_where_it_is_named(
    page: Page,
) -> None:
    text = """It scales [@vaswani2017, 3.2.1]. See [@vaswani2017]: so it is ([@vaswani2017]).
[@vaswani2017] says so; [@vaswani2017], [@vaswani2017] and [@vaswani2017]
too, of `d` [@vaswani2017]

- [@vaswani2017]: all of it"""
    name = "Vaswani et al. 2017"
    assert (
        made(page, text).css_first("body").text(separator="").split()
        == (
            f"It scales [{name}, §3.2.1]. See [{name}]: so it is ({name}). {name} says so; {name}, "
            f"{name} and {name} too, of d [{name}] {name}: all of it"
        ).split()
    )


def test_a_snippet_keeps_its_name_wherever_it_stands(page: Page) -> None:
    """Also where others are, in another order, in a list and in a box."""
    from docs.examples import sections

    names = list(sections("masks", "en"))[:4][::-1]
    fences = [f"```pycon\n{INCLUDE.format(name)}\n```" for name in names]
    inside = [fence.replace("\n", "\n    ") for fence in fences]
    text = f"```pycon\n>>> 1\n1\n```\n\n{fences[0]}\n\n- one\n\n    {inside[1]}\n\n"
    text += f'!!! note "n"\n    {inside[2]}\n\n```text\nx\n```\n\n{fences[3]}\n'
    tree = made(page, text)
    assert [one.attributes["data-name"] for one in tree.css(".snippet")] == names
    for one in tree.css(".snippet"):
        (code,) = one.css("pre code")
        name = str(one.attributes["data-name"])
        assert code.text().strip() == sections("masks", "en")[name].text
    assert tree.css("li .snippet")
    assert tree.css(".admonition .snippet")


def test_a_term_is_linked_where_it_is_first_used_in_running_text(page: Page) -> None:
    text = "## a softmax { #x }\n\n`softmax` [softmax](a.md) **one softmax**, softmax; a softmax\n"
    (link,) = made(page, text).css("a.term")
    assert link.text() == "softmax"
    assert link.attributes["href"] == "glossary.md#softmax"
    assert link.parent is not None
    assert link.parent.tag == "strong"


def test_a_term_is_not_found_inside_a_longer_one(page: Page) -> None:
    """Also where the longer one is no link, on its own page."""
    for name, found in (("kv-cache", []), ("masks", ["预填充"])):
        here = replace(page, name=name, language="zh")
        assert [one.text() for one in made(here, "预填充之后").css("a.term")] == found
    assert [one.text() for one in made(here, "预填充之后填充").css("a.term")] == ["预填充"]
    tree = made(here, "嵌入表，位置编码")  # 嵌入 and 位置 are terms too
    assert [one.text() for one in tree.css("a.term")] == ["嵌入表", "位置编码"]


def test_punctuation_stays_beside_a_short_formula(page: Page) -> None:
    text = "a ($x$), then $y$.\n\n$$\nz\n$$\n\n" + r"and $\frac{aaaaaaaaaaa}{bbbbbbbbbbbbb}$, b"
    tree = made(page, text)
    first, second = (one.text() for one in tree.css(".glue"))
    assert (first[0], first[-2:], second[-1]) == ("(", "),", ".")
    assert len(tree.css("div.arithmatex, span.arithmatex")) == 4
    assert tree.css("p + div.arithmatex")


def test_a_short_formula_stays_on_one_line(page: Page) -> None:
    sum_of_ten = " + ".join("abcdefghijk")
    tree = made(page, f"is $t + 1$ one, is $t$ one, is ${sum_of_ten}$ one")
    (glued,) = tree.css(".glue .katex-html")
    assert "".join(glued.text().split()) == "t+1"


def test_an_index_in_plain_text_is_low_and_keeps_its_underscore(page: Page) -> None:
    html = "<h1>Why √d_k &amp; W_QK?</h1><p><code>d_k</code> qkv_docs is_causal</p>"
    tree = LexborHTMLParser(html)
    indices(tree, page)
    assert [one.text() for one in tree.css("h1 sub.index")] == ["_k", "_QK"]
    assert tree.css_first("h1").text() == "Why √d_k & W_QK?"
    assert not tree.css("p sub")
    once = tree.html
    indices(tree, page)
    assert tree.html == once


def test_a_product_in_a_cell_stays_on_one_line(page: Page) -> None:
    tree = LexborHTMLParser("""<table><tr><td>32 × <span>4096</span></td>
        <td>32 × 4096 numbers</td><td>4096</td></tr></table>""")
    tables(tree, page)
    assert [one.text() for one in tree.css("td.glue")] == ["32 × 4096"]


def test_a_column_has_room_for_its_longest_cell_or_a_few_words(page: Page) -> None:
    def widths(*rows: str) -> list[float]:
        cells = [[f"<td>{cell}</td>" for cell in row.split("|")] for row in rows]
        body = "".join(f"<tr>{''.join(row)}</tr>" for row in cells[1:])
        head = "".join(cells[0]).replace("td>", "th>")
        tree = LexborHTMLParser(f"<table><thead>{head}</thead><tbody>{body}</tbody></table>")
        tables(tree, page)
        styles = [one.attributes["style"] or "" for one in tree.css("th")]
        return [float(re.findall(r"--least:(.+)em", style)[0]) for style in styles]

    def right(html: str) -> list[str]:
        tree = LexborHTMLParser(html)
        tables(tree, page)
        return [one.text() for one in tree.css('[style*="right"]')]

    head = "<thead><tr><th>n</th><th>loss</th><th>in</th></tr></thead>"
    rows = "<tr><td>1</td><td>−0.5</td><td>2 ms</td></tr><tr><td>2</td><td></td><td>3</td></tr>"
    assert right(f"<table>{head}<tbody>{rows}</tbody></table>") == ["loss", "−0.5", ""]

    name, sentence = "编码器加解码器", "写的一边每一个词的新向量，各有一行"
    assert widths("词|数|数", f"{name}|0.5|0.5", "甲|0.25|1") == [7, 2.6, 2]
    assert widths("词|是什么", f"{name}|{sentence}") == [7, 5]
    assert widths("词|数|数|是什么", f"{name}|0.5|1|{sentence}") == [7, 2, 1, 7.5]
    formula = '<span class="katex"><span class="katex-mathml">x y z x y z</span>{}</span>'
    seen = formula.format('<span class="katex-html">(n,\u200b d)</span>')
    assert widths("a|b", f"{seen}|1") == [2.2, 0.7]  # nothing of what is not seen
    assert widths("a column that a sentence names|b", "1|1") == [4.9, 0.7]


def test_a_long_expression_may_go_on_after_an_opening_bracket(page: Page) -> None:
    def shown(code: str) -> str:
        spans = re.sub(r"([(\[{)\]}]+)|(\w+)", r'<span class="t">\g<0></span>', code)
        html = f'<div class="snippet"><pre><code>{spans}</code></pre></div>'
        tree = LexborHTMLParser(html)
        expressions(tree, page)
        once = tree.html
        expressions(tree, page)
        assert tree.html == once
        assert tree.css_first("code").text() == code
        for span in tree.css(".opens"):
            span.inner_html = f"{span.text()}|"
        return str(tree.css_first("code").text())

    long = "x = a(b) + np.random.default_rng(1000).normal(size=(3, 4))"
    # Only where no space is near; `(3,` is of the long one, and what comes before is not.
    assert shown(long) == "x = a(b) + np.random.default_rng(|1000).normal(|size=(|3, 4))"
    assert shown("x = a(b) + c(d)") == "x = a(b) + c(d)"
    assert shown("f(" + "x" * 40) == "f(|" + "x" * 40
    assert shown("x" * 40 + "(") == "x" * 40 + "("  # after its end is a place already


def test_a_chinese_heading_breaks_between_its_clauses(page: Page) -> None:
    html = """<article><h1>“W_Q” &lt; 1，为什么？<a class="headerlink" href="#a">¶</a></h1>
        <h2>为什么是 <code>a，b</code>？</h2></article>"""
    tree = LexborHTMLParser(html)
    clauses(tree, replace(page, language="en"))
    assert not tree.css(".clause")
    clauses(tree, replace(page, language="zh"))
    assert [one.text() for one in tree.css("h1 > .clause")] == ["“W_Q” < 1，", "为什么？"]
    assert tree.css("h1 > .clause + .headerlink")
    assert "为什么是 <code>a，b</code>？" in str(tree.html)  # no word ends inside
    tree = LexborHTMLParser("<article><h1>人们改过注意力的哪些地方 1 &lt; 2</h1></article>")
    clauses(tree, replace(page, language="zh"))
    assert "人们<wbr>改过<wbr>注意力的<wbr>哪些<wbr>地方 1 &lt; 2" in str(tree.html)
    assert not tree.css("h2 .clause")
    once = tree.html
    clauses(tree, replace(page, language="zh"))
    assert tree.html == once


def test_a_chinese_full_stop_has_its_own_space(page: Page) -> None:
    html = (
        "<article><p><strong>试一试。</strong> 改 a &lt; b。<b>一</b> 二<b>三。</b></p></article>"
    )
    tree = LexborHTMLParser(html)
    stops(tree, replace(page, language="en"))
    assert "。</strong> 改" in str(tree.html)
    stops(tree, replace(page, language="zh"))
    assert html.replace("。</strong> 改", "。</strong>改") in str(tree.html)


def test_a_number_stays_with_its_unit_and_a_name_with_its_number(page: Page) -> None:
    html = """<article><p>24 GiB, <b>1.5</b> ms, 3 msgs, 16 位 <code>2 MB</code> 8 tokens
        <i>ten</i> ms GPT-2's DeepSeek-V3, well-known 2026-04-16 x-ray 3-4-5-6
        GPT-2-medium</p></article>"""
    tree = LexborHTMLParser(html)
    units(tree, page)
    text = tree.css_first("p").text()
    assert re.findall(r"\S*\N{NO-BREAK SPACE}\S*", text) == ["24\xa0GiB,", "1.5\xa0ms,", "16\xa0位"]
    assert [one.text() for one in tree.css(".glue")] == ["GPT-2", "DeepSeek-V3", "2026-04-16"]
    once = tree.html
    units(tree, page)
    assert tree.html == once


def test_a_link_leads_to_a_state_of_a_figure(page: Page, caplog: pytest.LogCaptureFixture) -> None:
    tree = made(page, '[a](b.md#figure-one){ data-state="step=2&row=1" }')
    states(tree, page)
    (link,) = tree.css("a")
    assert link.attributes == {"href": "b.md#figure=one&step=2&row=1"}
    assert not caplog.messages
    states(made(page, '[a](b.md#one){ data-state="step=2" }'), page)
    assert "leads to no figure" in caplog.text


FOLDED = """# T { #t }

one

## A { #a }

two

### B { #b .fold }

three

## C { #c .fold }

four

### D { #d .fold }

five

### E { #e }

six

## F { #f .fold }

seven

## G { #g }

eight
"""


def test_a_fold_ends_where_its_heading_does(page: Page) -> None:
    tree = made(page, FOLDED)
    held = {
        str(one.css_first("[id]").id): "".join(p.text() for p in one.css("p"))
        for one in tree.css("details.fold")
    }
    assert held == {"b": "three", "c": "fourfivesix", "d": "five", "f": "seven"}
    assert [one.id for one in tree.css("details.fold > summary > :is(h2, h3)[id]")] == list(held)
    assert not tree.css(":is(h2, h3).fold, details[open]")
    assert [one.id for one in tree.css("[id]")] == list("tabcdefg")
    permalinks = [one.attributes["href"] for one in tree.css("summary + a.headerlink")]
    assert permalinks == ["#b", "#c", "#d", "#f"]
    assert not tree.css("summary a")


def test_the_table_of_contents_keeps_what_is_folded(page: Page) -> None:
    listed = made(page, "[TOC]\n\n" + FOLDED).css(".toc a")
    assert [one.attributes["href"] for one in listed] == [f"#{one}" for one in "tabcdefg"]


def test_notes_are_not_folded(page: Page) -> None:
    tree = made(page, "## A { #a .fold }\n\nb[^1]\n\n[^1]: c\n")
    assert tree.css(".fold ~ .footnote")


def test_a_term_is_linked_outside_of_folds_first(page: Page) -> None:
    text = "## A { #a .fold }\n\nsoftmax, token\n\n## B { #b }\n\na softmax\n"
    tree = made(page, text)
    assert [one.text() for one in tree.css("a.term")] == ["token", "softmax"]


DEEP = """# Two words { #masks }

!!! answer "In short"
    Three more words, [a link](#deep "not this"), $x = y$ and `code`.[^1] **Bold**{ .k }

| one | two |
| --- | --- |
| 0.5 | [0.7](=given) three |

![not this](figure:words "but this")

```pycon
>>> 1
```

```text
not this
```

??? question "Not this"
    Nor this.

    ```python
    x
    ```

## Deep { #deep .fold }

Nor these.

### Still { #still }

```pycon
--8<-- "masks.pycon:one"
```

## Here { #here }

again

## Sources { #sources }

[@vaswani2017] and more
"""


def test_the_core_is_what_is_read_without_opening_anything() -> None:
    core, whole = reading.core(DEEP), reading.whole(DEEP)
    seen = "Two words In short Three more words a link and Bold one two three but this Here again"
    assert core == reading.Amount(len(seen.split()), 0, 1)
    more = "Not this Nor this Deep Nor these Still"
    assert whole == reading.Amount(len(f"{seen} {more}".split()), 0, 3)
    assert [reading.rounded(time) for time in (0.1, 8.4, 8.5)] == [1, 8, 9]
    assert reading.core("# 看 Q 和\n\n“看”，看。") == reading.Amount(1, 4, 0)
    assert reading.too_long("en", reading.Amount(1300, 9999, 12)) == ""
    assert reading.too_long("zh", reading.Amount(0, 2201, 13)) == (
        "2201 Han characters, at most 2200; 13 snippets, at most 12"
    )


def test_the_time_of_a_page_stands_under_its_title(page: Page) -> None:
    long = "# T { #t }\n\n" + "word " * 2379 + "\n\n## A { #a .fold }\n\n" + "more " * 2380
    for text, says in ((long, "Core 10 min, all of it 20 min Open all"), ("# T { #t }", "1 min")):
        tree = made(page, text)
        (line,) = tree.css("h1 + p.time")
        assert line.text() == says
    assert not made(replace(page, name="api"), long).css(".time")


def test_a_time_can_be_said_anywhere(page: Page, tmp_path: Path) -> None:
    for name, words in (("a", 238), ("b", 3 * 238)):
        (tmp_path / f"{name}.md").write_text("word " * words, "utf-8")
    text = "- {time:b}\n- `{time:b}`\n\n| x |\n| --- |\n| {time:a+b} |\n"
    tree = made(page, text)
    assert [one.text() for one in tree.css("li, td")] == ["3\xa0min", "{time:b}", "4\xa0min"]
    assert times.expand("约 {time:a}。", replace(page, language="zh")) == "约 1 分钟。"


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a\n\n[@nobody1999]", 3, "no source 'nobody1999' in docs/references.yml"),
        ("a\n\n![x](figure:nothing)", 3, "no function nothing in docs/figures/masks.py"),
        ("\n![](figure:words)", 2, "no text alternative for figure:words"),
        ("a\n```pycon\n" + INCLUDE.format("none") + "\n```", 3, "there is no masks.pycon:none"),
        ('a\n```python\n--8<-- "qkv_docs/masks.py:none"\n```', 3, "there is no qkv_docs/masks.py"),
        ("a\nb\n$\\nonsense$", 3, "bad formula"),
        ("a\n\nb {time:none}", 3, "{time:none}: there is no none.md"),
        ("## A { #a }\n\n## B {.fold }\n\nc", 3, "a heading that folds has an id"),
        ("## A { #a .fold }\n\n## B { #b }\n\nc", 1, "there is nothing to fold"),
        ("```text\n## A { #a .fold }\n```\n\n## B { #a .fold }", 5, "there is nothing to fold"),
        ("# A { #a .fold }\n\nb", 1, "the title of a page does not fold it"),
        ('!!! note "n"\n    ## A { #a .fold }\n\n    b', 2, "in a box or a list folds nothing"),
    ],
)
def test_what_is_wrong_is_named(
    page: Page, caplog: pytest.LogCaptureFixture, text: str, line: int, message: str
) -> None:
    made(page, text)
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert any(message in one and f"masks.md:{line}: " in one for one in said), said


def test_a_page_in_a_folder_links_up(tmp_path: Path) -> None:
    page = Page("notebooks/x", "en", tmp_path / "x.md")
    assert page.to("glossary.md") == "../glossary.md"


def test_the_numbers_of_a_caption_can_be_asked(page: Page) -> None:
    text = '\n![x [0.5](=given)](figure:minus-infinity "a [0.25](=1/4), b [0.5](=(1 + 1) / 4).")\n'
    caption = made(page, text).css_first("figcaption")
    assert caption.text() == "a 0.25, b 0.5."
    spans = caption.css("span.number")
    assert [one.attributes["data-from"] for one in spans] == ["1/4", "(1 + 1) / 4"]
    assert not {"\ue000", "\ue001", "\ue002"} & set(made(page, text).html or "")
