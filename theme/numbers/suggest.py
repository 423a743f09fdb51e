"""Addresses for decimals that have none: what the page computes is searched for the same digits."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from docs import data, examples
from theme.numbers import addresses, source
from theme.numbers.digits import FORMULA, Number, counted, numbers

BETWEEN = re.compile(r"[^\d\n$\[\]()`*!.。；;：:]{0,24}|\s*\|\s*")  # what may stand inside a run
LONGEST = 64  # lists of more numbers are curves; nobody quotes them by place


@dataclass(frozen=True)
class Known:
    """Computed numbers in order, each with its own address; `place`: where they are shown."""

    values: list[Decimal]
    names: list[str]
    place: int | None
    column: str = ""  # the one address of all of them, where none has its own

    def address(self, first: int, count: int) -> str:
        if self.column:
            return self.column
        names = self.names[first : first + count]
        lines = [name.rpartition(".")[0] for name in names]
        if names[0].startswith("data:") or ".json:" in names[0]:
            return "; ".join(names)
        if count == 1:
            return names[0]
        if len(set(lines)) == 1:
            whole = [n for n in self.names if n.rpartition(".")[0] == lines[0]]
            start = f"{names[0]}-{names[-1].rpartition('.')[2]}"
            return lines[0] if names[0] == whole[0] else start
        if names[0].endswith(".1"):
            return f"{lines[0]}-{lines[-1].rpartition(':')[2]}"
        return "; ".join(names)


def report(markdown: str, page: str, language: str, where: str, *, write: bool) -> str:
    """Say for every decimal without an address what it may be; put in what is without doubt."""
    known = [*outputs(markdown, page, language), *entries(page)]
    rows = list(table_rows(page))
    for start, end, found, doubt in sorted(proposals(markdown, known, rows), reverse=True):
        text = markdown[start:end]
        print(f"{where}:{source.line(markdown, start)}: {text!r}{'  ?' if doubt else ''}")
        for address in found[:4]:
            print(f"      [{text}](={address})")
        if write and found and not doubt:
            markdown = f"{markdown[:start]}[{text}](={found[0]}){markdown[end:]}"
    return markdown


def outputs(markdown: str, page: str, language: str) -> Iterator[Known]:
    """What the page's own snippets show."""
    try:
        sections = examples.sections(page, language)
    except FileNotFoundError:
        return
    for name, section in sections.items():
        place = markdown.find(f'"{page}.pycon:{name}"')
        values, names = [], []
        for number, line in enumerate(section.output, 1):
            for place_, found in enumerate(numbers(line), 1):
                values.append(found.value)
                names.append(f"{name}:{number}.{place_}")
        yield Known(values, names, place)


def entries(page: str) -> Iterator[Known]:
    """What the page's own files of data keep."""
    for path in sorted(data.FOLDER.glob(f"{page}*.json")):
        if "snapshots" not in path.stem:
            file = "data:" if path.stem == page else f"{path.name}:"
            leaves = list(_leaves(addresses.load(path.stem), file, ""))
            for _, group in itertools.groupby(leaves, lambda leaf: leaf[0].rpartition("[")[0]):
                found = list(group)
                yield Known([v for _, v in found], [n for n, _ in found], None)
            yield from _columns(addresses.load(path.stem), file, "")


def _leaves(value: Any, file: str, path: str) -> Iterator[tuple[str, Decimal]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name != "about":
                yield from _leaves(inner, file, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        if value and all(isinstance(row, dict) for row in value):
            for row, name in zip(value, _filters(value), strict=True):
                yield from _leaves(row, file, f"{path}[{name}]")
        elif len(value) <= LONGEST and not all(isinstance(one, int) for one in value[3:]):
            for place, inner in enumerate(value):
                yield from _leaves(inner, file, f"{path}[{place}]")
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        yield f"{file}{path}", Decimal(value)


def _columns(value: Any, file: str, path: str) -> Iterator[Known]:
    """The same name of several rows: of all, and of those that share one or two other entries."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _columns(inner, file, f"{path}.{name}" if path else name)
    if not (isinstance(value, list) and value and all(isinstance(row, dict) for row in value)):
        return
    keys = [k for k in value[0] if all(isinstance(row.get(k), (str, int)) for row in value)]
    for field in (k for k, v in value[0].items() if isinstance(v, Decimal)):
        for some in (s for size in range(3) for s in itertools.combinations(keys, size)):
            groups: dict[str, list[Any]] = {}
            for row in value:
                where = ",".join(f"{k}={row[k]}" for k in some)
                groups.setdefault(f"[{where}]" if where else "", []).append(row.get(field))
            for where, found in groups.items():
                if 1 < len(found) <= LONGEST and all(isinstance(v, Decimal) for v in found):
                    yield Known(found, [], None, f"{file}{path}{where}.{field}")


def _filters(rows: list[dict[str, Any]]) -> list[str]:
    """For each row the shortest filter that picks it alone."""
    keys = [k for k in rows[0] if all(isinstance(row.get(k), (str, int)) for row in rows)]
    for size in range(1, min(len(keys), 4) + 1):
        for some in itertools.combinations(keys, size):
            if len({tuple(row[k] for k in some) for row in rows}) == len(rows):
                return [",".join(f"{k}={row[k]}" for k in some) for row in rows]
    return [str(place) for place in range(len(rows))]


def table_rows(page: str) -> Iterator[tuple[str, dict[str, Decimal]]]:
    """Every row of the page's data: its address and its numbers by name."""
    for known in entries(page):
        if not known.names:  # a column, whose values share an address
            continue
        rows: dict[str, dict[str, Decimal]] = {}
        for name, value in zip(known.names, known.values, strict=True):
            row, mark, field = name.rpartition("].")
            if mark:
                rows.setdefault(row + "]", {})[field] = value
        yield from rows.items()


def proposals(
    markdown: str, known: list[Known], rows: list[tuple[str, dict[str, Decimal]]]
) -> Iterator[tuple[int, int, list[str], bool]]:
    """Start, end, addresses (the likeliest first) and whether there is a doubt, of every run."""
    text = source.prose(markdown)
    for one in source.addressed(markdown):
        text = text[: one.start] + " [" + " " * (one.end - one.start - 4) + "] " + text[one.end :]
    clear = source.blank(source.ELSEWHERE, text)
    formulas = [f for f in FORMULA.finditer(clear) if "." in f[0]]
    found = [n for n in numbers(clear) if not any(f.start() <= n.start < f.end() for f in formulas)]
    for formula in formulas:
        inside = counted(formula[0])
        if any("." in n.text for n in inside):
            names, doubt = _best(inside, known, formula.start())
            yield formula.start(), formula.end(), names, doubt or len(inside) > 1
    at = 0
    while at < len(found):
        if "." not in found[at].text:
            at += 1
            continue
        run = [found[at]]
        for after in found[at + 1 :]:
            if not BETWEEN.fullmatch(clear[run[-1].end : after.start]):
                break
            run.append(after)
        for length in range(len(run), 0, -1):
            part = run[:length]
            if "." not in part[-1].text:
                continue
            names, doubt = _best(part, known, part[0].start)
            if "|" in clear[part[0].start : part[-1].end]:
                names, doubt = _row(part, rows), False
            if names or length == 1:
                yield part[0].start, part[-1].end, names, doubt
                at += length
                break


def _best(run: list[Number], known: list[Known], at: int) -> tuple[list[str], bool]:
    found: list[tuple[int, str]] = []
    for one in known:
        if one.column and (len(run) == 1 or len(one.values) < len(run)):
            continue
        for first in range(1 if one.column else len(one.values) - len(run) + 1):
            pairs = zip(run, one.values[first:], strict=False)
            if all(n.agrees(v) and not n.wavers(v) for n, v in pairs):
                far = 10**6 if one.place is None else abs(one.place - at) + (one.place > at) * 500
                found.append((far, one.address(first, len(run))))
    found.sort(key=lambda pair: pair[0])
    near = [pair for pair in found if pair[0] < 2500]
    return [name for _, name in found], not (len(found) == 1 or near or (len(run) > 2 and found))


def _row(run: list[Number], rows: list[tuple[str, dict[str, Decimal]]]) -> list[str]:
    found = []
    for name, fields in rows:
        picked: list[str] = []
        for number in run:
            free = (k for k, v in fields.items() if k not in picked and number.agrees(v))
            picked += [next(free, "")]
        if all(picked):
            found.append(f"{name}.({','.join(picked)})")
    return found
