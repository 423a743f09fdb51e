"""`make new-page NAME=my-topic`: the files of a page in both languages, and its line in the nav.

What it writes from theme/new-page builds and passes the checks of a page, but for one: as long as
a TODO is left in them, tests/test_new_page.py says where.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = {  # skeleton: page
    "zh.md": "docs/zh/{name}.md",
    "en.md": "docs/en/{name}.md",
    "examples.pycon": "docs/examples/{name}.pycon",
    "figures.py": "docs/figures/{module}.py",
}
GROUP = re.compile(r"(?m)^  - understand:\n(?:      - .+\n)+")  # in nav, with its pages
TAKEN = {"assets", "en", "notebooks", "search"}  # folders of the built site


def lay_out(name: str, root: Path = ROOT) -> list[Path]:
    """Write the files of the page `name`; all of them or, with a ValueError, none."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        raise ValueError(
            f"'{name}' is no name for a page: lower-case letters and digits, words joined by "
            "hyphens, as in: make new-page NAME=my-topic"
        )
    if name in TAKEN:
        raise ValueError(f"'{name}' is the name of a folder of the site: choose another")
    pages = {
        skeleton: root / pattern.format(name=name, module=name.replace("-", "_"))
        for skeleton, pattern in FILES.items()
    }
    for path in pages.values():
        if path.exists():
            raise ValueError(f"{path.relative_to(root)} exists already: nothing was written")
    config = root / "mkdocs.yml"
    nav = config.read_text(encoding="utf-8")
    group = GROUP.search(nav)
    if group is None:
        raise ValueError("mkdocs.yml has no '- understand:' with pages in nav: nothing was written")
    for skeleton, path in pages.items():
        text = (root / "theme/new-page" / skeleton).read_text(encoding="utf-8")
        text = text.replace("NAME", name).replace("WORDS", name.replace("-", " "))
        path.write_text(text, encoding="utf-8", newline="\n")
    nav = f"{nav[: group.end()]}      - {name}.md\n{nav[group.end() :]}"
    config.write_text(nav, encoding="utf-8", newline="\n")
    return list(pages.values())


def main() -> None:
    try:
        written = lay_out(" ".join(sys.argv[1:]))
    except ValueError as error:
        sys.exit(str(error))
    for path in written:
        print(f"  {path.relative_to(ROOT)}")
    print("  mkdocs.yml: the page is the last of 'understand'; move the line to its place")
    print(
        "Look at it with 'make serve'. What is left to write: every TODO; 'make pages' lists them."
    )


if __name__ == "__main__":
    main()
