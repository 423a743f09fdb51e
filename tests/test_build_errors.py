"""What is broken stops the build, and the message names file and line."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sources import ROOT

# file, what stands in it, what is put there, what the build must say (LINE: the line of the change)
BROKEN = [
    ("docs/zh/masks.md", "](self-attention.md", "](no-such-page.md", "no-such-page.md"),
    ("docs/zh/similarity.md", "](why-sqrt-dk.md", "](why-sqrt-dk.md#nowhere", "#nowhere"),
    ("docs/en/masks.md", '"masks.pycon:', '"masks.pycon:no-', "nothing to include"),
    ("docs/en/similarity.md", "$$\n", "$$\\nonsense ", "bad formula"),
    ("docs/en/embedding.md", "](figure:", "](figure:no-", "no function no-"),
    ("docs/zh/embedding.md", "[@vaswani2017", "[@nobody1999", "no source 'nobody1999'"),
]
NEEDED = {Path(name).stem for name, *_ in BROKEN}
NEEDED |= {"about", "glossary", "queries-keys-values", "references"}


def build_broken(tree: Path) -> None:
    """One strict build of both languages, with all of these broken at once."""
    for name in ("benchmarks", "docs", "theme", "qkv_docs"):
        shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("mkdocs.yml", "mkdocs.en.yml", "pyproject.toml"):
        shutil.copy(ROOT / name, tree)
    for page in tree.glob("docs/[ez][nh]/*.md"):  # the others take most of the time: headings do
        if page.stem not in NEEDED:
            text = page.read_text("utf-8")
            front = text[: text.index("\n---\n") + 5]
            headings = re.findall(r"(?m)^#.*\{ #.*$", text)
            page.write_text(front + "\n\n".join(headings).replace(" .fold", ""), "utf-8")
    for name, old, new, _ in BROKEN:
        text = (tree / name).read_text("utf-8")
        assert old in text, f"{name} no longer holds {old!r}"
        (tree / name).write_text(text.replace(old, new, 1), "utf-8")
    (tree / "docs/en/about.md").unlink()
    figure = tree / "docs/zh/queries-keys-values.md"
    lines = figure.read_text("utf-8").split("\n")
    at = next(n for n, line in enumerate(lines) if "](figure:" in line)
    lines[at] = "![](figure:" + lines[at].split("](figure:")[1]
    figure.write_text("\n".join(lines), "utf-8")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tree / "site")]
    env = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(build, cwd=tree, capture_output=True, text=True, env=env, check=False)
    assert done.returncode != 0
    (tree / "said.txt").write_text(done.stderr, "utf-8")


@pytest.fixture(scope="module")
def messages(once: Any) -> list[str]:
    """What that build says."""
    tree: Path = once("broken", build_broken)
    return (tree / "said.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize(("name", "old", "new", "said"), BROKEN, ids=lambda value: value[:24])
def test_the_message_names_file_and_line(
    messages: list[str], name: str, old: str, new: str, said: str
) -> None:
    text = Path(ROOT, name).read_text("utf-8")
    line = text.count("\n", 0, text.index(old)) + (2 if old.endswith("\n") else 1)
    where = [f"{name}:{line + shift}:" for shift in (0, -1)]
    assert any(said in message and any(w in message for w in where) for message in messages), (
        f"no message with {said!r} and {where[0]} in\n" + "\n".join(messages)
    )


@pytest.mark.parametrize("said", ["has no translation in docs/en", "no text alternative"])
def test_missing_things_are_named(messages: list[str], said: str) -> None:
    assert any(said in message and ".md:" in message for message in messages), "\n".join(messages)
