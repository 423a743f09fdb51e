"""`make new-page`: what it lays out is a page at once, and cannot be published by accident."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sources import DOCS, ROOT

NAME = "a-page-to-try"


def unfinished(root: Path) -> list[str]:
    """`file:line: the line` for everything a skeleton left to write."""
    files = [path for kind in ("md", "pycon", "py") for path in (root / "docs").rglob(f"*.{kind}")]
    return [
        f"{path.relative_to(root).as_posix()}:{number}: {line.strip()}"
        for path in sorted(files)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(r"\bTODO\b", line)
    ]


def test_no_page_is_unfinished() -> None:
    left = unfinished(ROOT)
    if left:
        pytest.fail("still to write:\n" + "\n".join(left), pytrace=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what a page is made of, and checked by."""
    for folder in ("docs", "tests", "theme", "qkv_docs"):
        no = shutil.ignore_patterns("__pycache__", "vendor")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=no)
    for file in ("mkdocs.yml", "pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / file, tmp_path / file)
    return tmp_path


def new_page(tree: Path, *names: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(tree / "theme/new_page.py"), *names]
    env = {**os.environ, "PYTHONUTF8": "1"}
    return subprocess.run(
        command, capture_output=True, text=True, encoding="utf-8", check=False, env=env
    )


def files(tree: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def test_what_it_lays_out_passes_the_checks_of_a_page(tree: Path) -> None:
    done = new_page(tree, NAME)
    assert done.returncode == 0, done.stderr
    checks = [f"tests/test_{name}.py" for name in ("pages", "glossary", "references")]
    checks.append(f"docs/examples/{NAME}.pycon")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *checks, "-k", NAME]
    checked = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert int(re.findall(r"(\d+) passed", checked.stdout)[0]) >= 12, checked.stdout
    draw = f"from docs.figures import draw; print(draw('{NAME}', 'first', 'en'))"
    drawn = subprocess.run(
        [sys.executable, "-c", draw],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    page = (tree / f"docs/en/{NAME}.md").read_text("utf-8")
    numbers = re.findall(r">(0\.\d+)<", drawn.stdout)
    assert len(numbers) == 3
    for number in numbers:
        assert number in page  # the text alternative says what is drawn


def test_it_takes_its_place_in_the_navigation(tree: Path) -> None:
    before = (tree / "mkdocs.yml").read_text("utf-8").splitlines()
    new_page(tree, NAME)
    after = (tree / "mkdocs.yml").read_text("utf-8").splitlines()
    line = after.index(f"      - {NAME}.md")
    assert after[line - 1].startswith("      - ")
    assert after[:line] + after[line + 1 :] == before


def test_it_is_refused_until_it_is_written(tree: Path) -> None:
    before = unfinished(tree)
    new_page(tree, NAME)
    left = set(unfinished(tree)) - set(before)
    for file in (f"zh/{NAME}.md", f"en/{NAME}.md", f"examples/{NAME}.pycon"):
        assert any(line.startswith(f"docs/{file}:") for line in left), file


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ((), "is no name for a page"),
        (("Masks",), "is no name for a page"),
        (("two words",), "is no name for a page"),
        (("under_score",), "is no name for a page"),
        (("../outside",), "is no name for a page"),
        (("en",), "is the name of a folder"),
        (("masks",), "docs/zh/masks.md exists already"),
    ],
    ids=str,
)
def test_a_name_that_will_not_do_is_refused(tree: Path, names: tuple[str, ...], says: str) -> None:
    before = files(tree)
    done = new_page(tree, *names)
    assert done.returncode == 1
    assert says in done.stderr.replace("\\", "/")
    assert len(done.stderr.splitlines()) == 1
    assert files(tree) == before


def test_every_page_has_its_files() -> None:
    """The other direction: no example or figure without a page."""
    pages = {path.stem for path in (DOCS / "zh").glob("*.md")}
    assert {path.stem for path in (DOCS / "examples").glob("*.pycon")} <= pages
    modules = {path.stem.replace("_", "-") for path in (DOCS / "figures").glob("*.py")}
    assert modules - {"--init--", "kit"} <= pages
