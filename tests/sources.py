"""What the checks read from the Markdown of a page, with the line each thing stands on."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT))

from theme.extensions.citations import CITATION  # noqa: E402  # the build's own reading
from theme.extensions.includes import INCLUDE  # noqa: E402
from theme.extensions.page import Page  # noqa: E402
from theme.extensions.times import expand  # noqa: E402
from theme.numbers.source import plain  # noqa: E402

PAGES = sorted(path.relative_to(DOCS / "zh").as_posix() for path in (DOCS / "zh").rglob("*.md"))
FENCE = re.compile(r"^( *)(```+).*?^\1\2 *$", re.M | re.S)
FRONT = re.compile(r"\A---\n.*?^---\n", re.M | re.S)
FORMULA = re.compile(r"\$\$(.+?)\$\$|(?<![\\$])\$([^$\n]+)\$", re.S)


def blank(pattern: re.Pattern[str], text: str, put: str = "") -> str:
    """`text` with `put` for what matches, and every line where it was."""
    return pattern.sub(lambda match: put + "\n" * match[0].count("\n"), text)


class Source:
    """A page in one language."""

    def __init__(self, language: str, name: str) -> None:
        self.path = DOCS / language / name
        self.name = name
        self.text = self.path.read_text(encoding="utf-8")
        prose = plain(blank(FENCE, blank(FRONT, self.text)))  # numbers without addresses
        self.prose = expand(prose, Page(self.path.stem, language, self.path))

    def at(self, line: int) -> str:
        return f"{self.path.relative_to(ROOT)}:{line}"

    def find(
        self, pattern: str | re.Pattern[str], text: str | None = None
    ) -> Iterator[tuple[str, int]]:
        """The first group that matched, and the line, of every match in the prose (or `text`)."""
        text = self.prose if text is None else text
        for match in re.finditer(pattern, text):
            found = next((group for group in match.groups() if group is not None), match[0])
            yield found.strip(), text.count("\n", 0, match.start()) + 1


__all__ = ["CITATION", "DOCS", "FORMULA", "INCLUDE", "PAGES", "ROOT", "Source", "blank"]
