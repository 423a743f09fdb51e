"""A decoder as it is packed for the browser, and what is made of it there: here in CPython.

On a small model with random parameters, written as a GGUF file; on the real one where its file is
at hand. tests/test_writing_on.py has the page.
"""

from __future__ import annotations

import functools
import json
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sources import ROOT
from test_decoder import q4_1

from docs.data import gguf_file
from docs.data import pretrained_models as models
from qkv_docs import Decoder, DecoderLayer, dequantize_q4_1, dequantize_q8_0, rope
from qkv_docs.byte_pairs import LETTERS
from theme.site import decoder as packing
from theme.site.packing import named

sys.path.insert(0, str(ROOT / "theme/runtime"))
import decoder as runtime

TOKENS = ["<|endoftext|>", *LETTERS, "ab", "Ġab", "abab"]
MERGES = ["a b", "Ġ ab", "ab ab"]
ABOUT: dict[str, Any] = {
    "llama.block_count": 3,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
    "llama.rope.freq_base": 50.0,
    "llama.attention.layer_norm_rms_epsilon": 1e-5,
    "tokenizer.ggml.tokens": TOKENS,
    "tokenizer.ggml.merges": MERGES,
}
SHAPES = {
    "attn_norm": (64,), "attn_q": (64, 64), "attn_k": (32, 64), "attn_v": (32, 64),
    "attn_output": (64, 64), "ffn_norm": (64,), "ffn_gate": (96, 64), "ffn_up": (96, 64),
    "ffn_down": (64, 96),
}  # fmt: skip


def q8_0(numbers: Any) -> bytes:
    stored = bytearray()
    for block in numbers.reshape(-1, 32):
        scale = np.float16(np.abs(block).max() / 127)
        stored += scale.tobytes() + np.rint(block / np.float32(scale)).astype(np.int8).tobytes()
    return bytes(stored)


def written(path: Path, about: dict[str, Any], tensors: dict[str, tuple[int, Any, bytes]]) -> None:
    """A GGUF file of texts, lists of texts and numbers; tensors by format, shape, bytes."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value.encode())) + value.encode()

    def setting(value: Any) -> bytes:
        if isinstance(value, list):
            return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(map(text, value))
        if isinstance(value, str):
            return struct.pack("<I", 8) + text(value)
        return (
            struct.pack("<If", 6, value)
            if isinstance(value, float)
            else struct.pack("<II", 4, value)
        )

    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(about))
    head += b"".join(text(name) + setting(value) for name, value in about.items())
    body = b""
    for name, (form, shape, data) in tensors.items():
        head += text(name) + struct.pack("<I", len(shape))
        head += struct.pack(f"<{len(shape)}Q", *shape[::-1]) + struct.pack("<IQ", form, len(body))
        body += data + b"\0" * (-len(data) % 32)
    path.write_bytes(head + b"\0" * (-len(head) % 32) + body)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> gguf_file.GGUF:
    rng = np.random.default_rng(0)
    tensors: dict[str, tuple[int, Any, bytes]] = {}

    def add(name: str, shape: tuple[int, ...]) -> None:
        values = rng.normal(size=shape).astype(np.float32) / np.float32(np.sqrt(shape[-1]))
        if len(shape) == 1:
            tensors[f"{name}.weight"] = (0, shape, (1 + values).tobytes())
        elif name == "token_embd":
            tensors[f"{name}.weight"] = (8, shape, q8_0(3 * values))
        else:
            tensors[f"{name}.weight"] = (3, shape, q4_1(values)[0])

    add("token_embd", (len(TOKENS), 64))
    add("output_norm", (64,))
    for n in range(3):
        for name, shape in SHAPES.items():
            add(f"blk.{n}.{name}", shape)
    path = tmp_path_factory.mktemp("decoder") / "small.gguf"
    written(path, ABOUT, tensors)
    return gguf_file.read(path)


def whole(file: gguf_file.GGUF) -> Decoder:
    """The same model, made of the file at once."""
    forms = {"q4_1": dequantize_q4_1, "q8_0": dequantize_q8_0}

    def tensor(name: str) -> Any:
        form, shape, data = file.tensors[f"{name}.weight"]
        if form == "f4":
            return np.frombuffer(data, np.float32)
        return forms[form](np.frombuffer(data, np.uint8).reshape(shape[0], -1)).T

    layers = [DecoderLayer(*(tensor(f"blk.{n}.{name}") for name in SHAPES)) for n in range(3)]
    turn = functools.partial(rope, base=50.0)
    return Decoder(tensor("token_embd").T, tensor("output_norm"), layers, 4, 2, turn, 1e-5)


def brought(files: dict[str, bytes]) -> Any:
    found = runtime.Continuations()
    for name, data in sorted(files.items()):
        found.bring(name, data)
    return found


def ask(model: Any, **question: Any) -> tuple[dict[str, Any], list[Any]]:
    about, arrays = model.ask(json.dumps(question))
    return json.loads(about), arrays


@pytest.fixture
def packed(file: gguf_file.GGUF) -> Any:
    return brought(packing.pack(file, rows=100))


def test_a_file_is_read_as_it_was_written(file: gguf_file.GGUF, tmp_path: Path) -> None:
    for name, value in ABOUT.items():
        read = file.about[name]
        assert read == (pytest.approx(value) if isinstance(value, float) else value)
    assert file.tensors["token_embd.weight"].shape == (len(TOKENS), 64)
    assert file.tensors["blk.2.ffn_down.weight"].form == "q4_1"
    other = tmp_path / "other"
    other.write_bytes(b"GGUF" + struct.pack("<I", 2) + bytes(16))
    with pytest.raises(ValueError, match="is no GGUF file of version 3"):
        gguf_file.read(other)
    written(other, {}, {"x": (2, (32,), bytes(18))})
    with pytest.raises(ValueError, match=r"x is in the format 2; known are \[0, 3, 8\]"):
        gguf_file.read(other)


def test_what_is_packed_writes_as_the_file_does(file: gguf_file.GGUF, packed: Any) -> None:
    decoder = whole(file)
    about, _ = ask(packed, ask="begin", text="ab abab")
    ids = [token["id"] for token in about["tokens"]]
    assert [token["text"] for token in about["tokens"]] == ["ab", " ab", "ab"]
    assert (about["layers"], about["heads"], about["most"]) == (3, 4, runtime.MOST)
    for n in range(3, 12):
        trace = decoder.trace(ids)
        about, (weights, logits) = ask(packed, ask="step", ids=ids, cached=True)
        np.testing.assert_allclose(logits, trace.logits[-1], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(
            weights.reshape(3, 4, n), trace.weights[:, :, -1], rtol=1e-5, atol=1e-6
        )
        assert about["token"]["id"] == trace.logits[-1].argmax()
        assert about["computed"] == (3 if n == 3 else 1)
        assert about["bytes"] == n * 2 * 3 * 2 * 16 * 4  # keys, values; layers, heads, d_k, float32
        ids.append(about["token"]["id"])
    assert about["text"] == packed.cut.spell(ids)


def test_without_a_cache_the_same_is_computed_anew(packed: Any) -> None:
    ids = [5, 9, 2, 6, 5, 3]
    cached, kept = ask(packed, ask="step", ids=ids, cached=True)
    about, found = ask(packed, ask="step", ids=ids, cached=False)
    for one, other in zip(found, kept, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
    assert about["token"] == cached["token"]
    assert (about["computed"], about["bytes"]) == (6, 0)
    again, _ = ask(packed, ask="step", ids=[*ids, 1], cached=True)
    assert again["computed"] == 7  # it was thrown away


@pytest.mark.parametrize(
    ("before", "then", "computed"),
    [([5, 9, 2], [5, 9, 2, 6], 1), ([5, 9, 2], [5, 9, 2], 3), ([5, 9, 2], [5, 9], 2),
     ([5, 9, 2], [5, 8, 2, 6], 4), ([5, 9, 2], [5, 9, 2, 6, 7], 2)],
)  # fmt: skip
def test_what_is_in_the_cache_is_used_where_the_text_goes_on_from_it(
    file: gguf_file.GGUF, packed: Any, before: list[int], then: list[int], computed: int
) -> None:
    ask(packed, ask="step", ids=before, cached=True)
    about, (_, logits) = ask(packed, ask="step", ids=then, cached=True)
    assert about["computed"] == computed
    np.testing.assert_allclose(logits, whole(file)(then)[-1], rtol=1e-5, atol=1e-5)


def test_the_end_and_what_is_no_beginning(packed: Any) -> None:
    assert packed.about["ends"] == [0]
    assert ask(packed, ask="begin", text="")[0] == {"end": "empty"}
    about, _ = ask(packed, ask="begin", text="1" * 200)
    assert about == {"end": "too-long", "tokens": 200, "most": 128}
    about, _ = ask(packed, ask="begin", text="é")
    assert [token["text"] for token in about["tokens"]] == ["\\xc3", "\\xa9"]


def test_the_same_bytes_from_the_same_file(file: gguf_file.GGUF) -> None:
    once, again = (named(packing.pack(file)) for _ in range(2))
    assert once == again
    assert zlib.crc32(b"".join(once.values()))


def test_it_weighs_on_no_build_that_has_not_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: gguf_file.GGUF
) -> None:
    fetched: list[str] = []

    def fetch(name: str) -> list[Path]:
        fetched.append(name)
        return [tmp_path]

    monkeypatch.setattr(models, "CACHE", tmp_path)
    monkeypatch.setattr(models, "fetch", fetch)
    monkeypatch.setattr(gguf_file, "read", lambda path: file)
    (sha256,) = models.SOURCES[models.SMOLLM]["files"].values()
    for setting, here, packs in (
        (None, False, False), ("0", False, False), (None, True, True), ("0", True, False),
        ("1", False, True),
    ):  # fmt: skip
        packing.folder.cache_clear()
        monkeypatch.delenv("QKV_DECODER", raising=False)
        if setting:
            monkeypatch.setenv("QKV_DECODER", setting)
        (tmp_path / sha256).unlink(missing_ok=True)
        if here:
            (tmp_path / sha256).touch()
        assert bool(packing.files()) == packs
    packing.folder.cache_clear()
    assert fetched == [models.SMOLLM]  # packed once
    assert "Apache License" in packing.licence()


@pytest.mark.slow
def test_the_real_one_writes_what_it_writes_elsewhere() -> None:
    """Read by the package gguf and cut by tokenizers; skipped where one of them is not at hand."""
    pytest.importorskip("gguf")
    pytest.importorskip("tokenizers")
    from docs.data import decoder_model

    if not packing.folder():
        pytest.skip("the model is not in the cache (QKV_DECODER=1 fetches it)")
    model = decoder_model.load()
    files = {path.name.rpartition("-")[0]: path.read_bytes() for path in packing.files()[1:]}
    packed = brought(files)
    text = "The capital of France is"
    ids = model.tokenize(text)
    assert [token["id"] for token in ask(packed, ask="begin", text=text)[0]["tokens"]] == ids
    for _ in range(8):
        about, (_, logits) = ask(packed, ask="step", ids=ids, cached=True)
        wanted = model.decoder(ids)[-1]
        assert np.abs(logits - wanted).max() <= 1e-5 * np.abs(wanted).max()
        ids.append(about["token"]["id"])
    assert " Paris" in about["text"]
