"""`make data`: are the files of docs/data what their scripts compute?

Every script runs in a copy of docs/ and what it writes is compared with what is kept, number by
number. Names of scripts may be given: python tests/data.py birth_of_qkv. The real models have
commands of their own, `make pretrained` and `make decoder`.

A last digit, or a whole number that is packed, may differ by two, for processors round in their own
ways. Where a training magnifies that (SENSITIVE), a number may differ by three tenths, and the step
at which a goal is reached may be another one.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parent.parent
DATA = ROOT / "docs/data"
SCRIPTS = sorted(
    path.stem
    for path in DATA.glob("*.py")
    if not path.stem.startswith(("__", "pretrained", "decoder"))
    and "__main__" in path.read_text("utf-8")
)
SENSITIVE = re.compile(r"why-sqrt-dk(-spread)?\.json: (training|.*history)")
# Versions and machines, of whoever wrote the file; sizes of rounding errors.
ANY = re.compile(r"\.json: about\b|\.page_minus_\w+$")


class Written(str):
    """A number as it is written; so the file says how exact it wants to be."""


def read(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    return json.loads(text, parse_float=Written, parse_int=Written)


def differences(place: str, kept: Any, now: Any) -> Iterator[str]:
    if ANY.search(place):
        return
    if isinstance(kept, dict) and isinstance(now, dict) and kept.keys() == now.keys():
        for name in kept:
            separator = ": " if place.endswith(".json") else "."
            yield from differences(f"{place}{separator}{name}", kept[name], now[name])
    elif isinstance(kept, list) and isinstance(now, list) and len(kept) == len(now):
        for at, pair in enumerate(zip(kept, now, strict=True)):
            yield from differences(f"{place}[{at}]", *pair)
    elif not agree(kept, now, place):
        yield f"{place}: kept {kept!s:.60}, now {now!s:.60}"


def agree(kept: Any, now: Any, place: str) -> bool:
    sensitive = bool(SENSITIVE.search(place))
    if sensitive and None in (kept, now):  # a goal that was only just reached, or just not
        return True
    if isinstance(kept, Written) and isinstance(now, Written):
        whole = re.fullmatch(r"-?\d+", kept)
        digits, _, power = kept.lower().partition("e")
        unit = 0.0 if whole else 10.0 ** (int(power or 0) - len(digits.partition(".")[2]))
        tolerance = 2.01 * unit
        if sensitive:
            tolerance = max(tolerance, 0.3 * abs(float(kept)), 20 if whole else 0)
        return abs(float(kept) - float(now)) <= tolerance
    if isinstance(kept, str) and isinstance(now, str) and len(kept) == len(now) > 20:
        width = np.int8 if place.endswith(".weights") else np.int16
        try:
            packed = [np.frombuffer(base64.b64decode(text, validate=True), width).astype(int)
                      for text in (kept, now)]  # fmt: skip
        except ValueError:
            return kept == now
        return bool(np.abs(packed[0] - packed[1]).max() <= 2)
    return bool(kept == now)


def compare(script: str, docs: Path) -> list[str]:
    """What differs after the script has run in a copy of the tree."""
    shutil.copytree(ROOT / "docs", docs, ignore=shutil.ignore_patterns("__pycache__"))
    for path in (docs / "data").glob("*.json"):
        os.utime(path, (0, 0))
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(docs.parent), str(ROOT)])}
    env |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    run = [sys.executable, str(docs / f"data/{script}.py")]
    done = subprocess.run(
        run, cwd=docs.parent, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode:
        return [f"docs/data/{script}.py failed:\n{done.stderr}"]
    written = [path for path in (docs / "data").glob("*.json") if path.stat().st_mtime]
    if not written:
        return [f"docs/data/{script}.py wrote nothing"]
    return [
        line
        for path in sorted(written)
        for line in differences(f"docs/data/{path.name}", read(DATA / path.name), read(path))
    ]


def main(names: list[str]) -> int:
    wrong = 0
    for script in names or SCRIPTS:
        print(f"docs/data/{script}.py …", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            found = compare(script, Path(folder) / "docs")
        print("\n".join([*found[:20], f"{len(found)} differences"]), flush=True)
        wrong += len(found)
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
