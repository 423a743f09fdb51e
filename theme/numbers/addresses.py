"""What an address stands for. Everything after the `=` of `[text](=address)`.

    trap:1.2                 the second number of the first line that snippet [trap] shows
    trap:1.2-4  trap:1-3     several numbers of a line; all numbers of several lines; `trap`: of all
    masks/trap:1             the same of another page's example file
    trap:norms(1)[0].max()   an expression in the variables after that snippet
    data:rows[d_k=64].loss   an entry of docs/data/<page>.json: [name=value,…] picks rows (a name
                             after several rows is that of each), [0] a place, .(a,b) several names
    x.json:rows[0].loss      the same of docs/data/x.json
    1/8                      arithmetic; {address} inside stands for the numbers of that address
    given                    chosen, not computed
    @vaswani2017             from a source of docs/references.yml

Several addresses, one after the other: `trap:1.1; trap:2.1`.
"""

from __future__ import annotations

import ast
import functools
import json
import math
import operator
import os
import re
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np

from docs import data, examples
from theme import cache
from theme.numbers.digits import numbers

ROOT = Path(__file__).parents[2]
REFERENCES = Path(examples.FOLDER).with_name("references.yml")
OUTPUT = re.compile(r"(?:(?P<line>\d+)(?:\.(?P<first>\d+)(?:-(?P<last>\d+))?|-(?P<to>\d+))?)?")
SNIPPET = re.compile(r"(?:(?P<page>[a-z][a-z0-9-]*)/)?(?P<name>[a-z][a-z0-9-]*)(?::(?P<rest>.+))?")
ENTRY = re.compile(r"(?:data|(?P<file>[a-z][a-z0-9-]*)\.json):(?P<path>.+)")
INNER = re.compile(r"\{([^{}]+)\}")


class Unknown(Exception):
    """An address that stands for nothing; the message says why."""


@dataclass(frozen=True)
class Address:
    """One address, read: of which kind, and its parts."""

    kind: str  # output, expression, data, arithmetic, given or source
    page: str = ""  # of the example file, or the name of the file of data
    name: str = ""  # of the snippet, or the key of the source
    rest: str = ""


def parse(text: str, page: str) -> list[Address]:
    """The addresses of `text`, on the page called `page`."""
    return [_parse(one.strip(), page) for one in text.split(";")]


def _parse(text: str, page: str) -> Address:
    if text == "given":
        return Address("given")
    if text.startswith("@"):
        return Address("source", name=text[1:].partition(",")[0])
    if entry := ENTRY.fullmatch(text):
        return Address("data", entry["file"] or page, rest=entry["path"])
    if snippet := SNIPPET.fullmatch(text):
        rest = snippet["rest"] or ""
        kind = "output" if OUTPUT.fullmatch(rest) else "expression"
        return Address(kind, snippet["page"] or page, snippet["name"], rest)
    return Address("arithmetic", page, rest=text)


def resolve(address: Address, language: str) -> list[Decimal] | None:
    """The numbers that an address stands for, in order; None where nothing was computed.

    Unknown, with the reason, where it stands for nothing.
    """
    if address.kind == "given":
        return None
    if address.kind == "source":
        if address.name not in _sources():
            raise Unknown(f"no source '{address.name}' in docs/references.yml")
        return None
    way: Callable[[Address, str], list[Decimal]] = {
        "output": _output, "expression": _expression, "data": _data, "arithmetic": _arithmetic,
    }[address.kind]  # fmt: skip
    return way(address, language)


@functools.cache
def _sources() -> set[str]:
    return set(re.findall(r"(?m)^ *-? *key: *([\w-]+)", REFERENCES.read_text(encoding="utf-8")))


@functools.cache
def _sections(page: str, language: str, changed: float) -> dict[str, examples.Section]:
    return examples.sections(page, language)


def snippet(address: Address, language: str) -> examples.Section:
    try:
        changed = (examples.FOLDER / f"{address.page}.pycon").stat().st_mtime
        return _sections(address.page, language, changed)[address.name]
    except (OSError, KeyError):
        missing = f"docs/examples/{address.page}.pycon has no section [{address.name}]"
        raise Unknown(missing) from None


def _output(address: Address, language: str) -> list[Decimal]:
    lines = snippet(address, language).output
    part = OUTPUT.fullmatch(address.rest)
    assert part is not None
    first = int(part["line"] or 1)
    last = int(part["to"] or part["line"] or len(lines))
    if not 1 <= first <= last <= len(lines):
        raise Unknown(f"[{address.name}] shows {len(lines)} lines")
    found = [n.value for line in lines[first - 1 : last] for n in numbers(line)]
    if part["first"]:
        begin, end = int(part["first"]), int(part["last"] or part["first"])
        if not 1 <= begin <= end <= len(found):
            raise Unknown(f"line {first} of [{address.name}] shows {len(found)} numbers")
        found = found[begin - 1 : end]
    return found


def _expression(address: Address, language: str) -> list[Decimal]:
    text = _evaluated(address, language, lambda value: " ".join(map(str, _flat(value))))
    return [Decimal(one) for one in text.split()]


def written(address: Address, language: str) -> str:
    """The value of an expression as text: `True`, or whatever else it is."""
    truth = ("bool", "bool_")  # Python's, NumPy's
    return _evaluated(
        address,
        language,
        lambda value: str(value) if type(value).__name__ in truth else repr(value),
    )


def _evaluated(address: Address, language: str, text: Callable[[Any], str]) -> str:
    """What `text` makes of the value of an expression after the snippet that it names.

    Kept from build to build, and for the build of the other language, by all it depends on.
    """
    snippet(address, language)

    def make() -> str:
        names = examples.values(address.page, address.name, language)
        try:
            return text(eval(compile(address.rest, "address", "eval"), names))
        except Exception as error:
            raise Unknown(f"{address.rest}: {type(error).__name__}: {error}") from None

    before = "\0".join(examples.upto(address.page, address.name, language))
    return cache.kept(make, _computing(), address.rest, text.__qualname__, before)


@functools.cache  # under `mkdocs serve` this module is imported anew with the code
def _computing() -> str:
    """What computes, and reads what comes out."""
    package = [one for one in (ROOT / "qkv_docs").iterdir() if one.suffix in {".py", ".npz"}]
    here = [Path(examples.__file__), *Path(__file__).parent.glob("*.py")]
    kernel = os.environ.get("OPENBLAS_CORETYPE", "")
    return f"{cache.fingerprint([*package, *here])} NumPy {np.__version__} {kernel}"


def _flat(value: Any) -> Iterable[Decimal]:
    """The numbers of a value of Python, NumPy or JSON, in order; True is none."""
    if isinstance(value, bool):
        return
    if isinstance(value, str):
        yield from (n.value for n in numbers(value))
    elif isinstance(value, Decimal):
        yield value
    elif hasattr(value, "tolist"):
        yield from _flat(value.tolist())
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _flat(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _flat(inner)
    elif value is not None:
        yield Decimal(value)


@functools.cache
def _file(path: Path, changed: float) -> Any:
    return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def load(name: str) -> Any:
    """docs/data/<name>.json with its decimals as they are written."""
    path = data.FOLDER / f"{name}.json"
    if not path.exists():
        raise Unknown(f"there is no docs/data/{name}.json")
    return _file(path, path.stat().st_mtime)


def _data(address: Address, language: str) -> list[Decimal]:
    return list(_flat(entry(load(address.page), address.rest)))


def entry(value: Any, path: str) -> Any:
    """What stands at `path` in JSON.

    >>> rows = {"rows": [{"n": 2, "loss": 0.5}, {"n": 4, "loss": 0.25}]}
    >>> entry(rows, "rows[n=4].loss"), entry(rows, "rows.loss"), entry(rows, "rows[0].(loss,n)")
    ([0.25], [0.5, 0.25], [0.5, 2])
    """
    while path := path.removeprefix("."):
        if path[0] in "[(":
            inside, _, path = path[1:].partition("]" if path[0] == "[" else ")")
            value = _picked(value, inside)
            continue
        if isinstance(value, list):  # the same of every row
            return [entry(row, path) for row in value]
        names = [n for n in value if re.match(re.escape(n) + r"(?=[.\[(]|$)", path)] if isinstance(
            value, dict) else []  # fmt: skip
        if not names:
            raise Unknown(f"no entry {path}" + (f"; there are {', '.join(value)}" if isinstance(
                value, dict) else ""))  # fmt: skip
        name = max(names, key=len)
        value, path = value[name], path[len(name) :]
    return value


def _picked(value: Any, inside: str) -> Any:
    if re.fullmatch(r"-?\d+", inside):
        try:
            return value[int(inside)]
        except (IndexError, KeyError, TypeError):
            raise Unknown(f"no place [{inside}]") from None
    parts = [part.strip() for part in inside.split(",")]
    if not all("=" in part for part in parts):
        if isinstance(value, list):
            return [_picked(row, inside) for row in value]
        return [entry(value, part) for part in parts]
    wanted = dict(part.split("=", 1) for part in parts)
    rows = [
        r
        for r in value
        if isinstance(r, dict) and all(_same(r.get(k), v) for k, v in wanted.items())
    ]
    if not rows:
        raise Unknown(f"no row has {inside}")
    return rows


def _same(value: Any, text: str) -> bool:
    if isinstance(value, bool) or value is None or isinstance(value, (str, list, dict)):
        return str(value) == text or (value is None and text == "null")
    try:
        return Decimal(value) == Decimal(text)
    except ArithmeticError:
        return False


OPERATORS: dict[type, Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow, ast.USub: operator.neg, ast.UAdd: operator.pos,
}  # fmt: skip
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "sqrt": math.sqrt, "exp": math.exp, "log": math.log, "log2": math.log2, "abs": abs,
    "min": min, "max": max, "sum": sum, "len": len, "mean": statistics.mean,
    "median": statistics.median, "sorted": sorted,
}  # fmt: skip


def _arithmetic(address: Address, language: str) -> list[Decimal]:
    terms: list[Any] = []

    def term(match: re.Match[str]) -> str:
        values = [v for a in parse(match[1], address.page) for v in resolve(a, language) or []]
        terms.append([float(v) for v in values] if len(values) != 1 else float(values[0]))
        return f"term[{len(terms) - 1}]"

    text = INNER.sub(term, address.rest)

    def value(node: ast.AST) -> Any:
        match node:
            case ast.Expression(body=body):
                return value(body)
            case ast.Constant(value=int() | float() as number):
                return number
            case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
                return OPERATORS[type(op)](value(left), value(right))
            case ast.UnaryOp(op=op, operand=operand) if type(op) in OPERATORS:
                return OPERATORS[type(op)](value(operand))
            case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in FUNCTIONS:
                return FUNCTIONS[name](*map(value, args))
            case ast.Subscript(value=ast.Name(id="term"), slice=ast.Constant(value=int() as n)):
                return terms[n]
            case ast.List(elts=parts) | ast.Tuple(elts=parts):
                return [value(part) for part in parts]
        raise Unknown(f"{address.rest} is no address, and no arithmetic")

    try:
        tree = ast.parse(text, mode="eval")
        if not any(isinstance(node, (ast.BinOp, ast.Call)) for node in ast.walk(tree)):
            raise Unknown(f"{address.rest} computes nothing; chosen numbers have (=given)")
        return list(_flat(value(tree)))
    except (SyntaxError, TypeError, ValueError, ArithmeticError) as error:
        raise Unknown(f"{address.rest}: {error}") from None
