"""What a newcomer meets first: the READMEs, the version, the workflows."""

from __future__ import annotations

import doctest
import re
import tomllib
from pathlib import Path

import pytest
import yaml
from sources import ROOT

READMES = [ROOT / "README.md", ROOT / "README.zh.md"]
LINK = re.compile(r"\]\((?!https?:|figure:|=|\.\./)([^)#]+)")


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def test_both_readmes_show_the_same_code() -> None:
    first, second = (re.findall(r"```\w+\n.*?```", text(path), re.S) for path in READMES)
    assert first == second


def test_the_code_of_the_readme_does_what_it_shows() -> None:
    failed, tried = doctest.testfile(str(READMES[0]), module_relative=False, encoding="utf-8")
    assert (failed, tried) == (0, 6)


@pytest.mark.parametrize("path", [*READMES, *ROOT.glob("CONTRIBUTING*.md")], ids=lambda p: p.name)
def test_commands_mean_the_same_to_every_shell(path: Path) -> None:
    """cmd.exe takes ' for a letter, PowerShell had no && for long, zsh reads [ ] as a pattern."""
    commands = re.findall(r"`((?:pip|make|mkdocs|python|pre-commit) [^`]+)`", text(path))
    assert len(commands) > 3
    for command in commands:
        bare = re.sub(r'"[^"$`!\\]*"', "", command)
        assert not re.search(r"['\"&|;<>$\[\]*?{}()]", bare), command


@pytest.mark.parametrize("path", [*READMES, *ROOT.glob("CONTRIBUTING*.md")], ids=lambda p: p.name)
def test_links_lead_to_files(path: Path) -> None:
    missing = [link for link in LINK.findall(text(path)) if not (ROOT / link).exists()]
    assert not missing


def test_pictures_are_small() -> None:
    for path in (ROOT / ".github").glob("*.png"):
        assert path.stat().st_size < 150_000, path.name


def test_one_version() -> None:
    version = tomllib.loads(text(ROOT / "pyproject.toml"))["project"]["version"]
    assert yaml.safe_load(text(ROOT / "CITATION.cff"))["version"] == version
    heading = rf"(?m)^## \[{re.escape(version)}\]|^To become {re.escape(version)}\.$"
    assert re.search(heading, text(ROOT / "CHANGELOG.md"))


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=lambda path: path.name
)
def test_workflows_ask_for_little(path: Path) -> None:
    workflow = yaml.safe_load(text(path))
    assert workflow["permissions"] == {"contents": "read"}
    for name, job in workflow["jobs"].items():
        assert "uses" in job or job["timeout-minutes"] <= 45, name
    for action in re.findall(r"uses: (?!\./)(\S+.*)", text(path)):
        assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
