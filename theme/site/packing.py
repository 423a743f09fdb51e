"""A real model as files that a reader's browser fetches: packed, named by their hashes, kept.

Packed once, then kept beside the model's own file under the hash of what made them; what other code
once packed goes when no build has used it for a day.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docs.data import pretrained_models as models
from theme.extensions.page import log

Part = tuple[str, list[int], bytes]  # kind, shape, bytes; theme/runtime/packed.py knows the kinds
UNUSED = 86_400  # seconds after which no build is thought to use a folder


def packed(parts: dict[str, Part]) -> bytes:
    """A table of contents as JSON, its length before it, then the parts."""
    contents = [[name, kind, shape, len(data)] for name, (kind, shape, data) in parts.items()]
    head = json.dumps(contents).encode()
    head += b" " * (-(4 + len(head)) % 8)  # numbers begin at a multiple of 8
    body = b"".join(data + b"\0" * (-len(data) % 8) for _, _, data in parts.values())
    return len(head).to_bytes(4, "little") + head + body


def named(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files under names with hashes in them, and the list of them with sizes."""
    contents, table = {}, {}
    for name, data in files.items():
        sha256 = hashlib.sha256(data).hexdigest()
        contents[f"{name}-{sha256[:12]}.bin"] = data
        table[name] = {"file": f"{name}-{sha256[:12]}.bin", "bytes": len(data), "sha256": sha256}
    listing = json.dumps(table).encode()
    return {f"files-{hashlib.sha256(listing).hexdigest()[:12]}.json": listing} | contents


def _whole(found: Path) -> bool:
    """Whether a folder has every file that its list names, and each its hash."""
    for listing in found.glob("files-*.json"):
        data = listing.read_bytes()
        if hashlib.sha256(data).hexdigest()[:12] in listing.name:
            return all(
                (path := found / about["file"]).exists()
                and hashlib.sha256(path.read_bytes()).hexdigest() == about["sha256"]
                for about in json.loads(data).values()
            )
    return False


def kept(
    name: str, code: list[Path], make: Callable[[], dict[str, bytes]], left_out: str
) -> Path | None:
    """The folder with the files that `make` gives; None where it cannot.

    `code` is what makes them: another text of it, and they are made anew. `left_out` is what the
    site is then without.
    """
    made_from = b"".join(path.read_bytes() for path in [*code, Path(__file__)])
    found = models.CACHE / f"{name}-{hashlib.sha256(made_from).hexdigest()[:16]}"
    _use(found)
    if not _whole(found):
        shutil.rmtree(found, ignore_errors=True)
        try:
            files = make()
        except (OSError, ValueError, subprocess.SubprocessError, zipfile.BadZipFile) as error:
            log.info("%s is left out, it cannot be had: %s", left_out, error)
            return None
        partial = found.with_name(f"{found.name}.{os.getpid()}")
        partial.mkdir(parents=True)
        for file, data in named(files).items():
            (partial / file).write_bytes(data)
        try:
            partial.rename(found)
        except OSError:  # another build was first
            shutil.rmtree(partial)
            if not found.exists():
                raise
    _tidy(found, name)
    return found


def _use(found: Path) -> None:
    """A build that tidies up meanwhile sees that the folder is used."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(found)


def _tidy(used: Path, name: str) -> None:
    """Remove what was packed by other code, or by a build that broke off, and is used no more."""
    for path in used.parent.glob(f"{name}-*"):
        with contextlib.suppress(OSError):  # another build removes it
            if path != used and time.time() - path.stat().st_mtime > UNUSED:
                gone = path.rename(path.with_name(f"{path.name}.gone.{os.getpid()}"))
                shutil.rmtree(gone)


def listed(folder: Any) -> list[Path]:
    """The files in the folder that a cached function gives, the list of them first."""
    found = folder()
    if found and not found.exists():  # a server has been running for days
        folder.cache_clear()
        found = folder()
    if found:
        _use(found)
    return (
        sorted(found.iterdir(), key=lambda path: (path.suffix != ".json", path.name))
        if found
        else []
    )
