"""Numbers of the pages, by hand.

    python -m theme.numbers                      say where a number is not what its address says
    python -m theme.numbers write                write those numbers anew
    python -m theme.numbers suggest PAGE.md …    propose addresses for decimals that have none;
                            --write puts in those of which there is no doubt

Without pages, all of docs/zh and docs/en.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from theme.numbers import source, suggest

ROOT = Path(__file__).parents[2]


def main() -> int:
    parser = argparse.ArgumentParser("python -m theme.numbers", description=__doc__.split("\n")[0])
    parser.add_argument("do", nargs="?", choices=("check", "write", "suggest"), default="check")
    parser.add_argument("pages", nargs="*", type=Path)
    parser.add_argument("--write", action="store_true", help="put in the suggestions without doubt")
    given = parser.parse_intermixed_args()  # suggest --write PAGE …
    found = 0
    pages = given.pages or [
        p for part in ("zh", "en") for p in sorted((ROOT / "docs" / part).rglob("*.md"))
    ]
    for path in map(Path.resolve, pages):
        language = path.relative_to(ROOT / "docs").parts[0]
        text = path.read_text(encoding="utf-8")
        where = path.relative_to(ROOT).as_posix()
        if given.do == "suggest":
            text = suggest.report(text, path.stem, language, where, write=given.write)
        if given.do == "write":
            text = source.corrected(text, path.stem, language)
        if text != path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8")
            print(f"{where}: written")
        if given.do != "suggest":
            for fault in source.faults(text, path.stem, language):
                print(f"{where}:{source.line(text, fault.start)}: {fault.message}")
                found += 1
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
