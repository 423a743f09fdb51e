"""What is costly to make, kept in .cache from build to build by all that it was made from."""

from __future__ import annotations

import ast
import functools
import hashlib
import sqlite3
from collections.abc import Callable, Iterable
from pathlib import Path

FILE = Path(__file__).parents[1] / ".cache/theme.sqlite"
MOST = 20_000  # entries; the oldest go
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@functools.cache
def _table() -> sqlite3.Connection:
    FILE.parent.mkdir(exist_ok=True)
    # A build of its own may write at the same time; what a crash loses is made again.
    table = sqlite3.connect(FILE, timeout=60, isolation_level=None, check_same_thread=False)
    table.execute("PRAGMA synchronous = OFF")
    table.execute("CREATE TABLE IF NOT EXISTS made (key BLOB UNIQUE, value TEXT)")
    table.execute("DELETE FROM made WHERE rowid <= (SELECT max(rowid) FROM made) - ?", [MOST])
    return table


def kept(make: Callable[[], str], *made_from: str) -> str:
    """What `make` returns, called only where nothing is kept for `made_from`."""
    key = hashlib.sha256("\0".join(made_from).encode()).digest()
    found = _table().execute("SELECT value FROM made WHERE key = ?", [key]).fetchone()
    if found:
        return str(found[0])
    value = make()
    _table().execute("INSERT OR IGNORE INTO made VALUES (?, ?)", [key, value])
    return value


def fingerprint(paths: Iterable[Path]) -> str:
    """Of the names and contents of files, read again where one was written.

    Of Python it is what it does: an edit of a docstring makes nothing again that is computed.
    """
    return _fingerprint(tuple((path, path.stat().st_mtime_ns) for path in sorted(paths)))


@functools.lru_cache(maxsize=8)
def _fingerprint(files: tuple[tuple[Path, int], ...]) -> str:
    digest = hashlib.sha256()
    for path, _ in files:
        content = path.read_bytes()
        if path.suffix == ".py":
            content = kept(functools.partial(_code, content), "code", content.decode()).encode()
        digest.update(f"{path.name}\0".encode() + content)
    return digest.hexdigest()


def _code(source: bytes) -> str:
    """A digest of what Python does, whatever its docstrings and comments say, and in which line."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return hashlib.sha256(source).hexdigest()
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            node.body[0] = ast.Pass()
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()
