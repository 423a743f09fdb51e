"""A real model for the reader's browser: multilingual-e5-small, packed for what a sentence needs.

It comes out of the file of `docs/data/pretrained_models.py` (72 MB, fetched once, known by its
hash) and never into the repository. What is packed: the encoder as it is there, in four bits a
number, a file for each layer; the vocabulary as far as it can write Chinese and English; and that
part of the embedding table in blocks of rows, of which the frequent ones come first and together,
the others when a word needs them. `theme/runtime/sentence.py` reads all of it.

Where the model cannot be had, the site is built without, and its pages say so.
"""

from __future__ import annotations

import functools
import json
import unicodedata
import zlib
from pathlib import Path

import numpy as np

from docs.data import pretrained_models as models
from qkv_docs.pretrained import BLOCK
from theme.extensions.page import ROOT
from theme.site.packing import kept, listed, packed

ROWS = 512  # rows of the embedding table in a block
# What comes at once, 4.5 MB. Pieces are listed by how common they are in a hundred languages, so a
# Chinese word stands behind German ones. In the prose of our own pages these are 96 in 100 of the
# tokens in Han and 80 in 100 of the others; a sentence lacks a block or two.
FREQUENT_HAN, FREQUENT = 8_992, 20_992
FIRST_HAN = 0x2E80  # no Han, and none of its signs, lies below
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


@functools.cache
def folder() -> Path | None:
    """Where the packed files are; None where the model cannot be had."""
    return kept(
        "e5-small",
        [Path(__file__), Path(models.__file__)],
        lambda: pack(models.parse_e5(*models.fetch(models.E5))),
        left_out="The model for sentences of one's own",
    )


def files() -> list[Path]:
    """The packed files, the list of them first; empty where the model cannot be had."""
    return listed(folder)


LICENCE = ROOT / "qkv_docs/pretrained-licence.txt"
