"""sw.js at the root of the site: the list of a release's files, and what keeps them offline."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from theme.extensions.page import ROOT

# What no reader of a page asks for.
LEFT_OUT = (".nojekyll", ".map", ".gz", ".inv", "sw.js")
# 98 MB for who asks: scripts/packed.mjs keeps them then.
ASKED_FOR = re.compile(r"assets/decoder/.*\.bin")


def files(site: Path) -> dict[str, tuple[int, str]]:
    """Size and hash of each file of the release, by the address a page asks for it."""
    found = {}
    for path in sorted(site.rglob("*")):
        address = path.relative_to(site).as_posix().removesuffix("index.html")
        if path.is_file() and not path.name.endswith(LEFT_OUT) and not ASKED_FOR.match(address):
            data = path.read_bytes()
            found[address] = (len(data), hashlib.sha256(data).hexdigest())
    return found


def service_worker(site: Path) -> str:
    table = json.dumps(files(site))
    release = hashlib.sha256(table.encode()).hexdigest()[:12]
    code = (ROOT / "theme/runtime/sw.js").read_text(encoding="utf-8")
    return f'const RELEASE = "{release}", FILES = {table};\n{code}'


def write(site: Path) -> None:
    (site / ".nojekyll").touch()  # or a branch on GitHub is served without names in _
    (site / "sw.js").write_text(service_worker(site), encoding="utf-8")
