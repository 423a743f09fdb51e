"""A real model for the reader's browser: multilingual-e5-small, packed for what a sentence needs.

It comes out of the file of `docs/data/pretrained_models.py` (72 MB, fetched once, known by its
hash) and never into the repository. What is packed: the encoder as it is there, in four bits a
number, a file for each layer; the vocabulary as far as it can write Chinese and English; and that
part of the embedding table in blocks of rows, of which the frequent ones come first and together,
the others when a word needs them. `theme/runtime/sentence.py` reads all of it.

Packed once, then kept beside the model's file under the hash of what it was made from; what other
code once packed goes when no build has used it for a day. Where the model cannot be had, the site
is built without, and its pages say so.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
import subprocess
import time
import unicodedata
import zipfile
import zlib
from pathlib import Path

import numpy as np

from docs.data import pretrained_models as models
from qkv_docs.pretrained import BLOCK
from theme.extensions.page import ROOT, log

ROWS = 512  # rows of the embedding table in a block
# What comes at once, 4.5 MB. Pieces are listed by how common they are in a hundred languages, so a
# Chinese word stands behind German ones. In the prose of our own pages these are 96 in 100 of the
# tokens in Han and 80 in 100 of the others; a sentence lacks a block or two.
FREQUENT_HAN, FREQUENT = 8_992, 20_992
FIRST_HAN = 0x2E80  # no Han, and none of its signs, lies below
UNUSED = 86_400  # seconds after which no build is thought to use a folder
MATRICES = {
    "q.w": "w_q",
    "k.w": "w_k",
    "v.w": "w_v",
    "ao.w": "w_o",
    "fi.w": "w_in",
    "fo.w": "w_out",
}
ROWS_OF_NUMBERS = {
    "q.b": "b_q", "k.b": "b_k", "v.b": "b_v", "ao.b": "b_o", "aln.w": "gain_1", "aln.b": "shift_1",
    "fi.b": "b_in", "fo.b": "b_out", "oln.w": "gain_2", "oln.b": "shift_2",
}  # fmt: skip


def packed(parts: dict[str, tuple[str, list[int], bytes]]) -> bytes:
    """A table of contents as JSON, its length before it, then the parts: kind, shape, bytes."""
    contents = [[name, kind, shape, len(data)] for name, (kind, shape, data) in parts.items()]
    head = json.dumps(contents).encode()
    head += b" " * (-(4 + len(head)) % 8)  # numbers begin at a multiple of 8
    body = b"".join(data + b"\0" * (-len(data) % 8) for _, _, data in parts.values())
    return len(head).to_bytes(4, "little") + head + body


def foreign(pieces: list[str]) -> str:
    """The letters and marks of other scripts than Latin without accents and Han.

    A text without them is cut alike by all pieces and by those that have none of them.
    """

    def is_foreign(character: str) -> bool:
        if ord(character) < 128 or unicodedata.category(character)[0] not in "LM":
            return False
        name = unicodedata.name(character, "")
        return not name.startswith("CJK ") and character not in "々〆"

    return "".join(sorted(filter(is_foreign, set("".join(pieces)))))


def in_order(pieces: list[str], kept: list[int]) -> list[int]:
    """Ids as rows: what is frequent, by how common it is, then the rest in Han, then the rest."""
    han = [i for i in kept if any(ord(c) >= FIRST_HAN for c in pieces[i])]
    others = sorted(set(kept) - set(han))
    first = sorted(han[:FREQUENT_HAN] + others[: FREQUENT - FREQUENT_HAN])
    return [*first, *han[FREQUENT_HAN:], *others[FREQUENT - FREQUENT_HAN :]]


def pack(
    file: models.E5File, rows: int = ROWS, frequent: int = FREQUENT // ROWS
) -> dict[str, bytes]:
    """The files by their names without hash; what is in them by name and shape."""
    files = {}

    def numbers(name: str) -> tuple[str, list[int], bytes]:
        return "f4", [len(file.tensors[name]) // 4], file.tensors[name]

    def matrix(name: str) -> tuple[str, list[int], bytes]:
        data = file.tensors[name]
        n_out = file.d_mlp if name.endswith("fi.w") else file.d_model
        return "q4", [n_out, len(data) // n_out], data

    files["frame"] = packed(
        {
            "positions": ("f4", [file.n_max, file.d_model], file.tensors["emb.pos"]),
            "segment": ("f4", [file.d_model], file.tensors["emb.type"][: 4 * file.d_model]),
            "gain": numbers("emb.ln.w"),
            "shift": numbers("emb.ln.b"),
        }
    )
    for n in range(file.n_layers):
        files[f"layer-{n:02}"] = packed(
            {own: matrix(f"l{n}.{name}") for name, own in MATRICES.items()}
            | {own: numbers(f"l{n}.{name}") for name, own in ROWS_OF_NUMBERS.items()}
        )
    left_out = foreign(file.pieces)
    others, controls = set(left_out), file.controls
    kept = [i for i, piece in enumerate(file.pieces) if not others.intersection(piece)]
    kept = in_order(file.pieces, kept)
    about = {
        "n_heads": file.n_heads,
        "n_layers": file.n_layers,
        "eps": file.eps,
        "rows": rows,
        "start": kept.index(file.start),
        "end": kept.index(file.end),
        "unknown": kept.index(file.unknown),
        "controls": [row for row, i in enumerate(kept) if i in controls],
        "changes": {str(code): text for code, text in file.changes.items()},
        "foreign": left_out,
        "pieces": [file.pieces[i] for i in kept],
    }
    text = zlib.compress(json.dumps(about, ensure_ascii=False).encode(), 9)
    ids = np.array(kept, "<u4")
    scores = np.ascontiguousarray(file.scores[kept], "<f4")
    files["vocabulary"] = packed(
        {
            "about": ("json", [len(text)], text),
            "ids": ("u4", [len(kept)], ids.tobytes()),
            "scores": ("f4", [len(kept)], scores.tobytes()),
        }
    )
    width = file.d_model // BLOCK * 18
    table = np.frombuffer(file.tensors["emb.word"], np.uint8).reshape(-1, width)[kept]
    files["rows"] = table[: rows * frequent].tobytes()
    for n in range(frequent, -(-len(kept) // rows)):
        files[f"rows-{n:03}"] = table[rows * n : rows * (n + 1)].tobytes()
    return files


def named(files: dict[str, bytes]) -> dict[str, bytes]:
    """The files under names with hashes in them, and the list of them with sizes."""
    contents, table = {}, {}
    for name, data in files.items():
        sha256 = hashlib.sha256(data).hexdigest()
        contents[f"{name}-{sha256[:12]}.bin"] = data
        table[name] = {"file": f"{name}-{sha256[:12]}.bin", "bytes": len(data), "sha256": sha256}
    listing = json.dumps(table).encode()
    return {f"files-{hashlib.sha256(listing).hexdigest()[:12]}.json": listing} | contents


def _made_from() -> str:
    source = models.SOURCES[models.E5]["files"]
    code = (Path(__file__), Path(models.__file__))
    return hashlib.sha256(
        json.dumps(source).encode() + b"".join(path.read_bytes() for path in code)
    ).hexdigest()


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


@functools.cache
def folder() -> Path | None:
    """Where the packed files are; None where the model cannot be had."""
    found = models.CACHE / f"e5-small-{_made_from()[:16]}"
    _use(found)
    if not _whole(found):
        shutil.rmtree(found, ignore_errors=True)
        try:
            (path,) = models.fetch(models.E5)
        except (OSError, ValueError, subprocess.SubprocessError, zipfile.BadZipFile) as error:
            log.info(
                "The model for sentences of one's own is left out, it cannot be had: %s", error
            )
            return None
        partial = found.with_name(f"{found.name}.{os.getpid()}")
        partial.mkdir(parents=True)
        for name, data in named(pack(models.parse_e5(path))).items():
            (partial / name).write_bytes(data)
        try:
            partial.rename(found)
        except OSError:  # another build was first
            shutil.rmtree(partial)
            if not found.exists():
                raise
    _tidy(found)
    return found


def _use(found: Path) -> None:
    """A build that tidies up meanwhile sees that the folder is used."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(found)


def _tidy(used: Path) -> None:
    """Remove what was packed by other code, or by a build that broke off, and is used no more."""
    for path in used.parent.glob("e5-small-*"):
        with contextlib.suppress(OSError):  # another build removes it
            if path != used and time.time() - path.stat().st_mtime > UNUSED:
                gone = path.rename(path.with_name(f"{path.name}.gone.{os.getpid()}"))
                shutil.rmtree(gone)


def files() -> list[Path]:
    """The packed files, the list of them first; empty where the model cannot be had."""
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


LICENCE = ROOT / "qkv_docs/pretrained-licence.txt"
