"""Numbers and their addresses: what is read, what is caught, what is written, what readers get."""

from __future__ import annotations

import logging
import re
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import markdown
import pytest
from sources import DOCS, PAGES, ROOT

from docs import examples
from theme.extensions import asked
from theme.extensions.numbers import Numbers
from theme.extensions.page import Page
from theme.numbers import addresses, source
from theme.numbers.addresses import Unknown, entry
from theme.numbers.digits import counted, numbers, rewritten
from theme.numbers.outputs import HalfAUnit


def said(text: str, page: str = "self-attention") -> list[str]:
    """The faults of a text as if it stood on a page."""
    return [fault.message for fault in source.faults(text, page, "en")]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("约0.5，−0.25 and -3", ["0.5", "-0.25", "-3"]),
        ("(0.576-0.284) x-1 d_1 x^2 x^{-1} W_{12} float16 2.0.2", ["0.576", "0.284", "1"]),
        ("1,234.5 and (0,1)", ["1234.5", "0", "1"]),
        ("31%, 3.5 % and $12\\%$", ["0.31", "0.035", "0.12"]),
        (r"1.8e-3, 2E+5, $1.8\times10^{-3}$, 7 × 10⁻⁷", ["0.0018", "200000", "0.0018", "7E-7"]),
        (r"$9\times0.5$ 10⁻⁸ $10^{-8}$", ["9", "0.5"]),
        ("array([[ 1.  , 16.92], [0., 2.2e-05]])", ["1", "16.92", "0", "0.000022"]),
        ("ends with 0.17.", ["0.17"]),
    ],
)
def test_numbers_in_a_text(text: str, values: list[str]) -> None:
    assert [n.value for n in numbers(text)] == [Decimal(value) for value in values]


@pytest.mark.parametrize(
    ("text", "value", "written"),
    [
        ("0.17", "0.1849", "0.18"),
        ("−0.17", "-0.1849", "−0.18"),
        ("0.17", "-0.1849", "-0.18"),
        ("31%", "0.2949", "29%"),
        ("1,234", "98765.4", "98,765"),
        ("1.8e-3", "0.000009996", "1.0e-5"),
        ("2.2e-05", "0.00312", "3.1e-03"),
        (r"1.8\times10^{-3}", "0.0000123", r"1.2\times10^{-5}"),
        ("7 × 10⁻⁷", "0.000123", "1 × 10⁻⁴"),
    ],
)
def test_a_number_is_written_anew_in_the_same_hand(text: str, value: str, written: str) -> None:
    (number,) = numbers(text)
    assert rewritten(number, Decimal(value)) == written
    (again,) = numbers(written)
    assert again.agrees(Decimal(value))


def test_half_a_unit_and_no_more() -> None:
    (number,) = numbers("0.17")
    assert [number.agrees(Decimal(v)) for v in ("0.165", "0.175", "0.1751", "0.16499")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert number.wavers(Decimal("0.1749999999"))
    assert not number.wavers(Decimal("0.1749"))


def test_whole_numbers_of_a_formula_with_decimals_are_not_counted() -> None:
    assert [n.text for n in counted(r"$0.5\,(0, 1) = (0.25, 0)$ and 3")] == ["0.5", "0.25", "3"]
    assert [n.text for n in counted("$(0, 1)$")] == ["0", "1"]


@pytest.mark.parametrize(
    "text",
    [
        "[0.14 0.576 0.284](=weights:1)",
        "[0.576](=weights:1.2) and [0.284, 0.074](=weights:1.3; weights:2.1)",
        "[0.14 0.576 0.284, eat 0.074 0.306](=weights)",
        "[0.576, 0.284](=weights:1.2-3)",
        "[0.07](=weights:2.1)",
        "[14%](=self-attention/weights:1.1)",
        "[0.140](=weights:weights[0][0].round(3))",
        "[0.125](=1/8), [0.71](=sqrt(1/2)), [1](=sum({weights:1}))",
        "[0.86](={weights:1.2}+{weights:1.3})",
        "[0.5](=given) and [88%](=@alammar2018)",
        "[1,048,576](=2**20)",
        "[0.52 to 0.74](=why-sqrt-dk.json:random_attention[divisor=1].largest_weight)",
        "§3.5, [@vaswani2017, 3.2], NumPy 2.0.2, Python 3.11",
        "[x](https://x.org/1.5) and <i v='0.5' w=0.5> { .q width=0.5 } <!-- 0.5 -->",
        "`2.0.2`\n\n```\n0.5\n```\n",
    ],
)
def test_what_is_right_passes(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("in prose 0.14", "0.14 has no address"),
        ("`0.14`", "0.14 has no address"),
        (r"$9\times0.14$", "0.14 has no address"),
        ("| 0.14 |", "0.14 has no address"),
        ("$a<b=0.14, c>d$ and e <f 0.15 > g", "0.14 has no address"),
        (r"$\bar{x=0.14}$", "0.14 has no address"),
        ('![a 0.14](figure:x "b")', "0.14 has no address"),
        ('![a](figure:x "b 0.14")', "0.14 has no address"),
        ('??? question "What is 0.14?"', "0.14 has no address"),
        ("[0.15](=weights:1.1)", "0.15 is 0.14"),
        ("[0.14 0.577](=weights:1)", "0.577 is 0.576"),
        ("[13%](=weights:1.1)", "13% is 0.14"),
        ("[0.1|0.577](=weights:1)", "0.577 is 0.576"),
        ("[0.14](=weights:9)", "shows 4 lines"),
        ("[0.14](=weights:1.9)", "shows 3 numbers"),
        ("[0.1 0.6 0.3 0.1](=weights:1)", "holds 4 numbers, the address 3"),
        ("[0.14](=no-such)", "no section [no-such]"),
        ("[0.14](=no-such/weights:1)", "docs/examples/no-such.pycon"),
        ("[0.14](=weights:no_name)", "NameError"),
        ("[0.14](=data:x)", "no docs/data/self-attention.json"),
        ("[0.14](=why-sqrt-dk.json:random)", "no entry random; there are about"),
        ("[0.14](=why-sqrt-dk.json:random_attention[d_k=5].entropy)", "no row has d_k=5"),
        ("[0.14](=0.14)", "computes nothing"),
        ("[0.14](=__import__('os').getpid()*1)", "no arithmetic"),
        ("[0.14](=@nobody1999)", "no source 'nobody1999'"),
        ("[0.14](=given; weights:1)", "stand alone"),
        ("[words](=weights:1)", "holds no number"),
        ("[0.12](=1/8)", "rounded either way"),
        ("[0.13](=1/8)", "rounded either way"),
        (r"[$1\times10^3$](=3*500)", "rounded either way"),
    ],
)
def test_what_is_wrong_is_said(text: str, message: str) -> None:
    found = said(text)
    assert found, text
    assert message in found[0]


def test_the_fault_is_found_where_it_stands() -> None:
    text = "---\nx: 0.5\n---\n\nline 5\n[0.14](=weights:1.1) and\n[0.14](=weights:1.2)\n"
    assert [source.line(text, f.start) for f in source.faults(text, "self-attention", "en")] == [7]


def test_numbers_are_written_anew_and_only_where_they_are_wrong() -> None:
    wrong = "kept [0.14](=weights:1.1) [0.99, eat 0.99](=weights:1.2; weights:2.1) `x` [0.1](=no:1)"
    right = wrong.replace("0.99, eat 0.99", "0.58, eat 0.07")
    assert source.corrected(wrong, "self-attention", "en") == right
    answer = "[(3, 2) has rows](=weights:weights.shape == (3, 3))"  # True is not 1
    assert source.corrected(answer, "self-attention", "en") == answer


def test_entries_of_data() -> None:
    rows = {"a.b": [{"n": 1, "on": True, "loss": 0.5}, {"n": 2, "on": False, "loss": 0.25}]}
    assert entry(rows, "a.b[n=2].loss") == [0.25]
    assert entry(rows, "a.b[on=True,n=1].(n,loss)") == [[1, 0.5]]
    assert entry(rows, "a.b.loss") == [0.5, 0.25]
    assert entry(rows, "a.b[-1].loss") == 0.25
    for path in ("a", "a.b[5]", "a.b[n=3]", "a.b.no", "a.b[0].loss[0]"):
        with pytest.raises(Unknown):
            entry(rows, path)


ADDRESS = "[0.14](=weights:1.1)"


def html(text: str, tmp_path: Path, page: str = "self-attention") -> str:
    path = tmp_path / f"{page}.md"
    path.write_text(text, encoding="utf-8")
    names = ["tables", "attr_list", "admonition", "toc", "pymdownx.details", "pymdownx.superfences"]
    here = Page(page, "en", path)
    math = {"pymdownx.arithmatex": {"generic": True}}
    return markdown.markdown(
        text, extensions=[*names, "pymdownx.arithmatex", Numbers(here)], extension_configs=math
    )


SPAN = '<span class="number" data-from="weights:1.1">0.14</span>'


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (f"In prose **{ADDRESS}**.", f"<strong>{SPAN}</strong>"),
        (f"# Of {ADDRESS} {{ #x }}", f'<h1 id="x">Of {SPAN}</h1>'),
        (f'!!! note "Of {ADDRESS}"\n    text', f'admonition-title">Of {SPAN}</p>'),
        (f'??? question "Of {ADDRESS}"\n    And {ADDRESS}', f"<summary>Of {SPAN}</summary>"),
        (f'??? question "Of"\n    And {ADDRESS}', f"<p>And {SPAN}</p>"),
        (f"- {ADDRESS}", f"<li>{SPAN}</li>"),
        (f"| a | b |\n| --- | --- |\n| x | {ADDRESS} |", f"<td>{SPAN}</td>"),
        ("[`0.14`](=weights:1.1)", '"weights:1.1"><code>0.14</code></span>'),
        ("[a | 0.14](=weights:1.1)", '"weights:1.1">a | 0.14</span>'),
        ("[$0.14$](=weights:1.1),", '<span class="arithmatex">\\(0.14\\)</span>,</span>'),
        (
            "[0.14](=weights:weights[0][0].round(2))",
            'data-from="weights:weights[0][0].round(2)">0.14',
        ),
        (f"[see {ADDRESS}](x.md)", f'<a href="x.md">see {SPAN}</a>'),
        (f'![a {ADDRESS}](figure:x "b {ADDRESS}")', 'alt="a 0.14" src="figure:x" title="b '),
        (f"```\n{ADDRESS}\n```", ADDRESS),
    ],
)
def test_every_place_of_a_page_may_hold_an_address(text: str, part: str, tmp_path: Path) -> None:
    assert part in html(text, tmp_path)


def test_a_row_of_a_table_has_one_address(tmp_path: Path) -> None:
    text = "| a | b | c |\n| --- | --- | --- |\n| x | [0.14 | 0.576](=weights:1) |"
    cells = re.findall(r"<td>(.*?)</td>", html(text, tmp_path))
    assert cells == ["x", *(f'<span class="number" data-from="weights:1">{n}</span>'
                            for n in ("0.14", "0.576"))]  # fmt: skip
    assert source.plain(text).endswith("| x | 0.14 | 0.576 |")


def test_a_build_names_file_and_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "mkdocs.plugins.qkv"):
        html("first\n\n[0.15](=weights:1.1) and 0.5\n", tmp_path)
    found = [record.getMessage() for record in caplog.records]
    assert len(found) == 2
    assert all("self-attention.md:3: " in message for message in found)


# The digits of the real pages and examples, broken one at a time.


def mutated(text: str, digit: int) -> Iterator[str]:
    """`text` with the digit at `digit` one higher and one lower."""
    for step in (1, -1):
        if 0 <= int(text[digit]) + step <= 9:
            yield text[:digit] + str(int(text[digit]) + step) + text[digit + 1 :]


def in_words(address: str, page: str, language: str) -> bool:
    """Whether what stands there is an answer in words: its expression is True, and no number."""
    parts = addresses.parse(address, page)
    words = [one for one in parts if one.kind == "expression"]
    return len(words) == len(parts) and all(
        addresses.written(one, language) == "True" for one in words
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_last_digit_changed_on_a_page_is_noticed(language: str, name: str) -> None:
    text = (DOCS / language / name).read_text(encoding="utf-8")
    page = Path(name).stem
    missed = []
    for one in source.addressed(text):
        if one.address == "given" or one.address.startswith("@"):
            continue
        if in_words(one.address, page, language):
            continue
        for number in counted(one.text):
            last = max(m.start() for m in re.finditer(r"\d", re.split(r"[eE×%\\]", number.text)[0]))
            at = one.start + 1 + number.start + last
            for changed in mutated(text, at):
                where = source.line(text, at)
                told = {
                    source.line(changed, f.start) for f in source.faults(changed, page, language)
                }
                # The choices of a prediction are compared where predictions are read.
                told |= {line for line, _ in asked.faults(changed, page, language)}
                if where not in told:
                    missed.append(f"docs/{language}/{name}:{where}: {number.text}")
    assert not missed, "\n".join(missed)


def test_a_last_digit_changed_in_an_output_is_noticed() -> None:
    """Every decimal that an example shows against what it shows: half a unit is not a whole one."""
    checker, tried, missed = HalfAUnit(), 0, []
    for path in sorted(examples.FOLDER.glob("*.pycon")):
        for section in examples.parse(path.read_text(encoding="utf-8")):
            for line in section.output:
                for number in (n for n in numbers(line) if not n.exact):
                    fraction = re.split(r"[eE%]", number.text)[0]
                    for changed in mutated(line, number.start + len(fraction) - 1):
                        tried += 1
                        if checker.check_output(changed + "\n", line + "\n", 0):
                            missed.append(f"{path.name} [{section.name}]: {changed}")
    assert tried > 500
    assert not missed, missed


def test_more_digits_than_are_printed_are_let_be() -> None:
    checker = HalfAUnit()
    assert checker.check_output("0.13\n", "0.1301\n", 0)
    assert checker.check_output("1.8e-3 x\n", "1.84e-03 x\n", 0)
    assert not checker.check_output("0.13\n", "0.1351\n", 0)
    assert not checker.check_output("3\n", "4\n", 0)
    assert not checker.check_output("0.13 a\n", "0.13 b\n", 0)


def test_the_examples_are_compared_so(pytestconfig: pytest.Config) -> None:
    assert (ROOT / "conftest.py").exists()
    assert "NUMBER" not in pytestconfig.getini("doctest_optionflags")


def test_an_example_file_runs_once_in_each_language(tmp_path: Path) -> None:
    (tmp_path / "words.pycon").write_text(
        "[one]\n>>> x = 0.1249\n\n[two.zh]\n>>> x\n0.12\n>>> x = '中'\n\n[two.en]\n>>> x\n0.13\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "pytest", "-p", "conftest", "-p", "no:cacheprovider", "-v"]
    command += ["--rootdir", str(ROOT), "--override-ini=addopts=", "--doctest-glob=*.pycon"]
    done = subprocess.run([*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert "words.pycon[zh] PASSED" in done.stdout
    assert "words.pycon[en] FAILED" in done.stdout  # 0.13 is not 0.1249, and x is no Han word
    assert re.search(r"words\.pycon:10: DocTestFailure", done.stdout)
    assert "Got:\n    0.1249" in done.stdout


@pytest.mark.parametrize(
    "module", ["theme.numbers.__main__", "theme.release", "theme.styles", "theme.new_page"]
)
def test_what_a_command_of_the_makefile_runs_can_be_imported_first(module: str) -> None:
    """A circle of imports shows only to who comes from outside."""
    subprocess.run([sys.executable, "-c", f"import {module}"], cwd=ROOT, check=True)
