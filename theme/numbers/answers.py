"""What a reader is told who asks a number where it comes from: a table for each page.

For every address of a page, for each of its parts: what it is, the code and what it printed, the
command that computes it, the test that holds it, and the file and line where it is set.
assets/scripts/numbers.mjs fetches the table when asking is switched on.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docs import data, examples
from theme.numbers import addresses, source
from theme.numbers.addresses import Address, Unknown

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES_TEST = "tests/test_pages.py"  # compares every number with its address


def table(page: str, language: str) -> dict[str, list[dict[str, Any]]]:
    """Every address of a page with what is known of it; the build has complained of wrong ones."""
    text = (DOCS / language / f"{page}.md").read_text(encoding="utf-8")
    found: dict[str, list[dict[str, Any]]] = {}
    for one in source.addressed(text):
        if one.address not in found:
            try:
                parts = addresses.parse(one.address, page)
                found[one.address] = [answer(part, page, language) for part in parts]
            except Unknown:
                continue
    return found


def answer(address: Address, page: str, language: str) -> dict[str, Any]:
    """One part of an address: `kind`, and what that kind has."""
    if address.kind in ("output", "expression"):
        return _snippet(address, page, language)
    if address.kind == "data":
        return _data(address, language)
    if address.kind == "arithmetic":
        inner = [a for m in addresses.INNER.findall(address.rest) for a in addresses.parse(m, page)]
        parts = [answer(one, page, language) for one in inner]
        return {"kind": "arithmetic", "code": address.rest, "parts": parts} | _value(
            address, language
        )
    if address.kind == "source":
        return {"kind": "source", "at": _page("references", language) + f"#{address.name}",
                "name": address.name}  # fmt: skip
    return {"kind": "given"}


def _snippet(address: Address, page: str, language: str) -> dict[str, Any]:
    file = f"docs/examples/{address.page}.pycon"
    found: dict[str, Any] = {
        "kind": address.kind,
        "name": address.name,
        "page": address.page,
        "at": _page(address.page, language) + _heading(address, language),
        "command": f"python -m pytest {file}",
        "test": PAGES_TEST,
        "path": file,
    }
    section = addresses.snippet(address, language)
    if address.kind == "expression":
        return found | {"code": address.rest, "line": section.line} | _value(address, language)
    part = addresses.OUTPUT.fullmatch(address.rest)
    assert part is not None
    first, last = int(part["line"] or 1), int(part["to"] or part["line"] or 0)
    printed = _printed(section)
    shown = printed[first - 1 : last or None]
    code = "\n".join(dict.fromkeys(one.code for one in shown))
    return found | {"code": code, "output": "\n".join(p.text for p in shown), "line": shown[0].line}


@dataclass(frozen=True)
class Printed:
    """A line of output, where it stands in the file, and the statement that printed it."""

    text: str
    line: int
    code: str


def _printed(section: examples.Section) -> list[Printed]:
    found = []
    for one in section.statements:
        start = section.line + one.lineno + one.source.count("\n")
        for number, text in enumerate(one.want.splitlines()):
            found.append(Printed(text, start + number, one.source.rstrip()))
    return found


def _data(address: Address, language: str) -> dict[str, Any]:
    about = addresses.load(address.page).get("about", "")
    about = about if isinstance(about, dict) else {"command": about}
    command = re.split(r"[;,]", about.get("command", ""))[0]
    script = _script(address.page, command)
    module = Path(script).with_suffix("").as_posix().replace("/", ".")
    return {
        "kind": "data",
        "code": f"{address.page}.json: {address.rest}",
        "note": about.get(re.split(r"[.\[(]", address.rest)[0], ""),  # over how many runs
        "command": command or f"python -m {module}",
        "test": _test(address.page),
        "script": script,
        "path": f"docs/data/{address.page}.json",
        "line": _line(address),
    } | _value(address, language)


def _longest(names: Iterable[str], name: str) -> str | None:
    """The longest of `names` that `name` begins with."""
    return max((one for one in names if name.startswith(one)), key=len, default=None)


def _script(name: str, command: str) -> str:
    """The script that writes docs/data/<name>.json: the module that its command runs, one beside
    it that bears its name, or a benchmark that names it."""
    if module := re.match(r"python -m ([\w.]+)", command):
        return module[1].replace(".", "/") + ".py"
    stems = [path.stem for path in data.FOLDER.glob("*.py")]
    if found := _longest(stems, name.replace("-", "_")):
        return f"docs/data/{found}.py"
    file = f"docs/data/{name}.json"
    for path in sorted((ROOT / "benchmarks").glob("*.py")):
        if file in path.read_text("utf-8"):
            return path.relative_to(ROOT).as_posix()
    raise FileNotFoundError(f"no script writes {file}")


@functools.cache
def _test(name: str) -> str:
    """The test of the experiment, which bears its name."""
    names = [path.stem.removeprefix("test_") for path in (ROOT / "tests").glob("test_*.py")]
    found = _longest(names, name.replace("-", "_"))
    return f"tests/test_{found}.py" if found else PAGES_TEST


@functools.cache
def _lines(path: Path, changed: float) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _line(address: Address) -> int:
    """The line of the file where the entry, or the row that it is in, begins."""
    path = data.FOLDER / f"{address.page}.json"
    lines = _lines(path, path.stat().st_mtime)
    at = 0
    for name, picked in re.findall(r"([A-Za-z_][\w ]*)|\[([^\]]*)\]", address.rest):
        wanted = [f'"{name}":'] if name else [
            re.sub(r"(.+?)=(.+)", r'"\1": "?\2"?(?=[,}]|$)', re.escape(one))
            for one in picked.split(",")
        ]  # fmt: skip
        patterns = [re.compile(one) for one in wanted]
        rest = range(at, len(lines))
        at = next((n for n in rest if all(one.search(lines[n]) for one in patterns)), at)
    return at + 1


def _value(address: Address, language: str) -> dict[str, str]:
    values = addresses.resolve(address, language) or []
    if not values:  # an answer in words, an expression that the build has found to be true
        return {"output": "True"}
    text = ", ".join(source.shown(value) for value in values[:6])
    return {"output": text + (", …" if len(values) > 6 else "")}


def _page(page: str, language: str) -> str:
    """The way from a table, assets/numbers/<language>/<page>.json, to a page."""
    return (
        "../../../" + ("en/" if language == "en" else "") + (f"{page}/" if page != "index" else "")
    )


def _heading(address: Address, language: str) -> str:
    """The heading under which a snippet stands."""
    text = (DOCS / language / f"{address.page}.md").read_text(encoding="utf-8")
    before = text[: max(text.find(f'"{address.page}.pycon:{address.name}"'), 0)]
    ids = re.findall(r"(?m)^#{1,6} .*\{ #([\w-]+)", before)
    return f"#{ids[-1]}" if ids else ""


def text(page: str, language: str, repository: str | None) -> str:
    """The table as the browser gets it; `source`: what the address of a file begins with."""
    found = {"source": f"{repository.rstrip('/')}/blob/HEAD/" if repository else "",
             "numbers": table(page, language)}  # fmt: skip
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) + "\n"
