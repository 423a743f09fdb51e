"""A decoder: its laws, then PyTorch, then what does not fit; and what is kept of the real one.

SmolLM2 itself, 98 MB, is not needed here. `make decoder` fetches it, compares it with PyTorch and
with transformers, and recomputes its numbers; here small models with random weights go through the
same comparison.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from docs import data
from docs.data import decoder as script
from docs.data import decoder_induction, decoder_position
from docs.data import decoder_model as models
from qkv_docs import (
    Decoder,
    DecoderLayer,
    KVCache,
    dequantize_q4_1,
    multi_head_attention,
    pretrained_group,
    rms_norm,
    rope,
    scaled_dot_product_attention,
    silu,
    sliding_window_mask,
    split_heads,
)
from qkv_docs.pretrained import GROUP


def small(dtype: Any = np.float64, seed: int = 0, *, base: float = 50.0, **sizes: int) -> Decoder:
    """Random parameters: 3 layers, 6 heads on 2 KV heads, 20 tokens."""
    rng = np.random.default_rng(seed)
    n_heads, n_kv, d_k = sizes.get("n_heads", 6), sizes.get("n_kv_heads", 2), 4

    def draw(*shape: int) -> Any:
        return (rng.normal(size=shape) / np.sqrt(shape[0])).astype(dtype)

    def layer() -> DecoderLayer:
        return DecoderLayer(
            1 + draw(16), draw(16, n_heads * d_k), draw(16, n_kv * d_k), draw(16, n_kv * d_k),
            draw(n_heads * d_k, 16), 1 + draw(16), draw(16, 40), draw(16, 40), draw(40, 16),
        )  # fmt: skip

    return Decoder(
        3 * draw(20, 16), 1 + draw(16), [layer() for _ in range(3)], n_heads, n_kv,
        functools.partial(rope, base=base),
    )  # fmt: skip


IDS = [3, 1, 4, 1, 5, 9, 2, 6]


# laws


@pytest.mark.parametrize("sizes", [[1] * 8, [8], [3, 1, 4], [7, 1]])
def test_a_text_in_pieces_through_the_cache_is_the_whole_text(sizes: list[int]) -> None:
    decoder = small()
    cache, at, found = decoder.cache(capacity=10), 0, []
    for size in sizes:
        found.append(decoder(IDS[at : at + size], cache=cache))
        at += size
    np.testing.assert_allclose(np.concatenate(found), decoder(IDS), atol=1e-12)
    assert {len(kept) for kept in cache} == {8}


def test_a_trace_goes_on_from_a_cache() -> None:
    decoder = small()
    cache, whole = decoder.cache(capacity=8), decoder.trace(IDS)
    decoder.trace(IDS[:5], cache=cache)
    rest = decoder.trace(IDS[5:], cache=cache, last=True)
    np.testing.assert_allclose(rest.hidden, whole.hidden[:, 5:], atol=1e-12)
    np.testing.assert_allclose(rest.weights, whole.weights[:, :, 5:], atol=1e-12)
    np.testing.assert_allclose(rest.k, whole.k[:, :, 5:], atol=1e-12)
    np.testing.assert_allclose(rest.logits, whole.logits[7:], atol=1e-12)


class Unpacking(Sequence[DecoderLayer]):
    """Layers that are made when they are asked for, in the memory of the one before."""

    def __init__(self, layers: Sequence[DecoderLayer]) -> None:
        self.layers = layers
        self.places = {name: np.empty_like(w) for name, w in vars(layers[0]).items()}
        self.asked: list[int] = []

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, n: Any) -> Any:
        layer = self.layers[n]
        self.asked.append(n)
        for name, place in self.places.items():
            place[...] = vars(layer)[name]
        return DecoderLayer(**self.places)


def test_layers_may_be_unpacked_one_by_one() -> None:
    whole = small()
    layers = Unpacking(whole.layers)
    decoder = dataclasses.replace(whole, layers=layers)
    layers.asked.clear()
    np.testing.assert_array_equal(decoder(IDS), whole(IDS))
    assert layers.asked[:3] == [0, 1, 2]
    assert not any(n < 3 for n in layers.asked[3:])  # the end of the sequence is asked for, too
    for mine, theirs in zip(decoder.trace(IDS), whole.trace(IDS), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_nobody_sees_the_future() -> None:
    decoder = small()
    before, after = decoder(IDS), decoder([*IDS[:5], 0, 7, 19])
    np.testing.assert_allclose(after[:5], before[:5], atol=1e-12)
    assert np.abs(after[5:] - before[5:]).min(axis=0).max() > 0.01
    weights = decoder.trace(IDS).weights
    assert not np.triu(weights, 1).any()
    np.testing.assert_allclose(weights.sum(axis=-1), 1)


def test_a_window_in_the_cache_is_the_mask_of_that_window() -> None:
    decoder, cache = small(), small().cache(capacity=4, window=3)
    found = np.concatenate([decoder([token], cache=cache) for token in IDS])
    np.testing.assert_allclose(found, decoder(IDS, sliding_window_mask(8, 3)), atol=1e-12)
    assert np.abs(found - decoder(IDS)).max() > 0.01


def test_a_head_that_sees_nothing_is_a_head_whose_output_is_not_read() -> None:
    decoder, mask = small(), np.ones((3, 6, 1, 1), dtype=bool)
    mask[1, 4] = False
    w_o = decoder.layers[1].w_o.copy()
    w_o[4 * 4 : 5 * 4] = 0
    layers = list(decoder.layers)
    layers[1] = dataclasses.replace(layers[1], w_o=w_o)
    cut = dataclasses.replace(decoder, layers=layers)(IDS)
    np.testing.assert_allclose(decoder(IDS, mask), cut, atol=1e-12)
    assert not decoder.trace(IDS, mask).weights[1, 4].any()
    np.testing.assert_array_equal(
        decoder.trace(IDS, mask).weights[0], decoder.trace(IDS).weights[0]
    )


def test_query_heads_that_share_a_key_head_are_heads_with_the_same_keys() -> None:
    decoder = small()

    def for_each(w: Any) -> Any:
        return w.reshape(16, 2, 4).repeat(3, axis=1).reshape(16, 24)

    layers = [
        dataclasses.replace(layer, w_k=for_each(layer.w_k), w_v=for_each(layer.w_v))
        for layer in decoder.layers
    ]
    wide = dataclasses.replace(decoder, layers=layers, n_kv_heads=6)
    np.testing.assert_allclose(wide(IDS), decoder(IDS), atol=1e-12)
    sizes = [sum(kept.nbytes for kept in one.cache(5)) for one in (decoder, wide)]
    assert sizes[1] == 3 * sizes[0]


def test_only_distances_count_and_other_frequencies_are_another_model() -> None:
    decoder = small()
    away = dataclasses.replace(decoder, rotary=lambda x, at: rope(x, at + 1000, base=50.0))
    np.testing.assert_allclose(away(IDS), decoder(IDS), atol=1e-9)
    slow = functools.partial(rope, frequencies=[0.1, 0.01])
    assert np.abs(dataclasses.replace(decoder, rotary=slow)(IDS) - decoder(IDS)).max() > 0.01
    assert np.abs(dataclasses.replace(decoder, scale=1.0)(IDS) - decoder(IDS)).max() > 0.01


def test_the_trace_is_of_one_piece() -> None:
    decoder = small()
    trace, layer = decoder.trace(IDS), decoder.layers[0]
    np.testing.assert_array_equal(trace.hidden[0], decoder.tokens[IDS])
    assert trace.hidden.shape == (4, 8, 16)
    assert (trace.q.shape, trace.k.shape) == ((3, 6, 8, 4), (3, 2, 8, 4))
    assert trace.v.shape == trace.k.shape
    np.testing.assert_array_equal(trace.logits, decoder(IDS))
    np.testing.assert_allclose(trace.logits[-1:], decoder(IDS, last=True))
    rows = rms_norm(trace.hidden[0], layer.gain_1, decoder.eps)
    _, weights = multi_head_attention(
        rows, layer.w_q, layer.w_k, layer.w_v, layer.w_o, 6, n_kv_heads=2, rotary=decoder.rotary,
        mask=np.tri(8, dtype=bool),
    )  # fmt: skip
    np.testing.assert_allclose(trace.weights[0], weights)


def test_greedy_text_is_the_same_with_and_without_a_cache() -> None:
    decoder = small()
    (with_it, _), (without, _) = (script.greedy(decoder, IDS, 12, way) for way in (True, False))
    assert with_it == without
    assert len(set(with_it)) > 1


# PyTorch, and transformers


@pytest.mark.parametrize(("dtype", "within"), [(np.float32, 2e-5), (np.float64, 1e-12)])
@pytest.mark.parametrize("n", [1, 2, 8])
@pytest.mark.parametrize("heads", [(6, 2), (4, 1), (3, 3)])
def test_the_decoder_is_pytorchs(dtype: Any, within: float, n: int, heads: tuple[int, int]) -> None:
    decoder = small(dtype, seed=n, n_heads=heads[0], n_kv_heads=heads[1])
    trace = decoder.trace(IDS[:n])
    logits, weights = models.torch_logits(decoder, IDS[:n], base=50.0)
    assert trace.logits.dtype == trace.weights.dtype == dtype
    assert np.abs(trace.logits - logits).max() <= within * np.abs(logits).max()
    assert np.abs(trace.weights - weights).max() <= within


@pytest.mark.slow
def test_the_decoder_is_that_of_transformers() -> None:
    pytest.importorskip("transformers")
    decoder = small(np.float32, n_heads=4)
    logits = models.transformers_logits(decoder, IDS, base=50.0)
    assert np.abs(decoder(IDS) - logits).max() <= 2e-5 * np.abs(logits).max()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_silu_is_pytorchs_and_does_not_overflow(dtype: Any) -> None:
    x = np.array([-1e4, -800, -90, -20, -1, -1e-3, 0, 1e-3, 1, 20, 90, 800, 1e4], dtype)
    theirs = torch.nn.functional.silu(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(silu(x), theirs, rtol=1e-5, atol=1e-30)
    assert silu(3) == pytest.approx(3 / (1 + np.exp(-3)))


# what does not fit


def test_what_does_not_fit_is_named() -> None:
    decoder, cache = small(), small().cache(8)
    for ids in ([], [[1, 2]], 3):
        with pytest.raises(ValueError, match="ids must be a row of one token or more, got shape"):
            decoder(ids)
    for arguments, message in (
        ({"cache": cache, "mask": np.tri(8, dtype=bool)}, "no mask, got 3 and a mask"),
        ({"cache": cache[:2]}, "one KVCache for each of 3 layers and no mask, got 2"),
        ({"cache": [KVCache(8, 6, 4)] * 3}, "k needs the shape (6, 8, 4), got (2, 8, 4)"),
        ({"mask": np.ones((2, 8, 8), dtype=bool)}, "mask needs to broadcast to"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            decoder(IDS, **arguments)
    full = decoder.cache(9)
    decoder(IDS, cache=full)
    with pytest.raises(ValueError, match="the cache holds 9 tokens: 8 are in it, got 2"):
        decoder([1, 2], cache=full)
    assert {len(kept) for kept in full} == {8}
    layer = decoder.layers[0]
    for changes, message in (
        ({"w_v": np.ones((16, 4))}, "w_v needs the shape (d_model, n_kv_heads*d_k), got (16, 4)"),
        ({"w_down": np.ones((16, 40))}, "w_down needs the shape (d_mlp, d_model), got (16, 40)"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            dataclasses.replace(layer, **changes)
    for changes, message in (
        ({"n_kv_heads": 4}, "n_kv_heads must divide n_heads, got 4 and 6"),
        ({"n_kv_heads": 3}, "layer 0 needs d_model = 16 and columns for 6 heads that ask and 3"),
        ({"n_heads": 5, "n_kv_heads": 5}, "columns for 5 heads that ask and 5 that answer"),
        ({"layers": []}, "there must be one layer or more, got none"),
        ({"gain": np.ones(8)}, "gain needs the shape (d_model,), got (8,) where d_model = 16"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            dataclasses.replace(decoder, **changes)
    with pytest.raises(TypeError, match=re.escape("rotary must be a function, such as rope, got")):
        dataclasses.replace(decoder, rotary=50.0)


# the excerpt


def q4_1(numbers: Any) -> tuple[bytes, Any]:
    """Rows as Q4_1, one number at a time, and what they stand for."""
    stored, meant = bytearray(), np.zeros(numbers.shape, np.float32)
    for at in range(0, numbers.size, 32):
        block = numbers.reshape(-1)[at : at + 32]
        scale, least = np.float16((block.max() - block.min()) / 15), np.float16(block.min())
        levels = [
            int(np.clip(np.rint((x - np.float32(least)) / np.float32(scale)), 0, 15)) for x in block
        ]
        stored += scale.tobytes() + least.tobytes()
        stored += bytes(low | high << 4 for low, high in zip(levels[:16], levels[16:], strict=True))
        meant.reshape(-1)[at : at + 32] = [
            np.float32(scale) * level + np.float32(least) for level in levels
        ]
    return bytes(stored), meant


def test_four_bits_with_a_least_number() -> None:
    numbers = np.random.default_rng(0).normal(size=(3, 5, 64)).astype(np.float32)
    stored, meant = q4_1(numbers)
    blocks = np.frombuffer(stored, np.uint8).reshape(3, 5, 40)
    np.testing.assert_array_equal(dequantize_q4_1(blocks), meant)
    assert np.abs(meant - numbers).max() < 0.3
    with pytest.raises(ValueError, match=r"Q4_1 comes in blocks of 20 bytes, got \(3, 5, 39\)"):
        dequantize_q4_1(blocks[..., :39])
    with pytest.raises(TypeError, match="blocks must be bytes, uint8, got int64"):
        dequantize_q4_1(blocks.astype(np.int64))


@pytest.mark.slow
def test_four_bits_are_those_of_gguf() -> None:
    quants = pytest.importorskip("gguf.quants")
    numbers = np.random.default_rng(0).normal(size=(5, 64)).astype(np.float32)
    from gguf import GGMLQuantizationType

    kind = GGMLQuantizationType.Q4_1
    blocks = quants.quantize(numbers, kind)
    np.testing.assert_array_equal(dequantize_q4_1(blocks), quants.dequantize(blocks, kind))


def test_the_excerpt_is_three_induction_heads_with_the_same_keys() -> None:
    """Where a word has come back they look at what followed it, or at the first token."""
    group = pretrained_group()
    assert (group.layer, group.heads) == (script.GROUP_OF[0], [3, 4, 5])
    assert [sentence.text for sentence in group.sentences] == list(script.SENTENCES)
    sentence = group.sentences[0]
    n = len(sentence.pieces)
    assert sentence.x.shape == (n, 576)
    q = rope(split_heads(sentence.x @ group.w_q, 3), np.arange(n), group.base)
    k = rope(split_heads(sentence.x @ group.w_k, 1), np.arange(n), group.base)
    v = split_heads(sentence.x @ group.w_v, 1)
    _, weights = scaled_dot_product_attention(q, k, v, np.tri(n, dtype=bool), grouped=True)
    at = [i for i, piece in enumerate(sentence.pieces) if piece in sentence.pieces[:i]]
    assert [sentence.pieces[i] for i in at] == [" Bob", " gave", " a"]  # "Alice" has no space
    for i in at:
        after = sentence.pieces.index(sentence.pieces[i]) + 1
        both = weights[:, i, 0] + weights[:, i, after]
        assert both.min() > 0.9
        assert weights[2, i, after] > 0.5


def test_the_excerpt_is_small_and_its_licence_goes_with_it() -> None:
    assert GROUP.stat().st_size <= 150_000
    notice = GROUP.with_name("pretrained-group-licence.txt").read_text(encoding="utf-8")
    assert "SmolLM2-135M-Instruct by Hugging Face" in notice
    assert "Version 2.0, January 2004" in notice


# what is kept


GROUPED = data.read("grouped-query-attention-decoder")


def test_a_partition_of_the_heads_is_one_of_280() -> None:
    every = script.partitions()
    assert len(every) == len(set(map(frozenset, every))) == 280
    assert every[0] == (frozenset({0, 1, 2}), frozenset({3, 4, 5}), frozenset({6, 7, 8}))
    assert len(script.pairs_within(every[0])) == GROUPED["pairs_within"] == 9


def test_the_overlap_of_patterns_is_what_they_share() -> None:
    a, b = np.array([[0.5, 0.5, 0.0], [1.0, 0.0, 0.0]]), np.array([[0.0, 0.5, 0.5], [1.0, 0, 0]])
    assert script.overlap(a, b) == 0.75
    assert script.overlap(a, a) == 1
    rest = script.without_first(np.array([[[0.5, 0.25, 0.25], [0.2, 0.6, 0.2]]]), 0)
    np.testing.assert_allclose(rest, [[[0.5, 0.5], [0.75, 0.25]]])


def test_heads_that_share_keys_look_more_alike_on_every_text() -> None:
    for row in GROUPED["rows"]:
        assert row["within"] > row["across"]
        assert row["layers_with_more_within"] >= 26
    ranks = [row["rank"] for row in GROUPED["layers"]]
    assert GROUPED["ranked_first"] == ranks.count(1)
    assert GROUPED["ranked_in_the_first_14"] == sum(rank <= 14 for rank in ranks)
    assert max(ranks) > 140, "not in every layer"


def test_the_cache_changes_no_token_and_holds_a_third() -> None:
    kept = data.read("kv-cache-decoder")
    assert kept["same_tokens"] == kept["tokens"] == len(script.PROMPTS) * script.NEW
    for row in kept["greedy"]:
        assert row["largest_difference_of_a_logit"] < row["smallest_lead_of_the_first"] / 10
    for row in kept["bytes"]:
        assert row["per_token_9_key_heads"] == 3 * row["per_token_3_key_heads"]
        assert row["per_token_3_key_heads"] == 30 * 2 * 3 * 64 * row["bytes_of_a_number"]
    ratios = [row["ratio"] for row in kept["time"]]
    assert ratios == sorted(ratios)
    assert all(row["least"] > 1 for row in kept["time"])


INDUCTION = data.read("induction-heads-decoder")


def test_scores_are_of_what_followed_and_of_the_token_before() -> None:
    weights = np.zeros((101, 101))
    weights[np.arange(51, 101), np.arange(2, 52)] = 0.5  # after the same token, 50 before
    weights[np.arange(2, 101), np.arange(1, 100)] = 0.25
    induction, before = decoder_induction.scores(weights[None, None])
    assert (induction.item(), before.item()) == (0.5, 0.25)


def test_random_heads_are_of_the_same_layers_and_none_of_the_spared() -> None:
    order = [divmod(int(at), 9) for at in np.random.default_rng(0).permutation(270)]
    score = np.zeros((30, 9))
    for i, head in enumerate(order):
        score[head] = -i
    assert decoder_induction.best(score, 4) == order[:4]
    assert decoder_induction.best(score, 2, spared=order[:1]) == order[1:3]


def test_eight_heads_carry_the_repetition() -> None:
    cuts = {(row["cut"], row["heads"]): row for row in INDUCTION["cuts"]}
    plain = cuts["nothing", 0]
    assert plain["first_round"]["mean"] - plain["second_round"]["mean"] > 10
    top, random = (cuts[kind, 8]["second_round"] for kind in ("top", "random"))
    assert top["least"] > 12 > 4 > random["most"]
    assert {row["head"] for row in INDUCTION["top"][:8]} >= {"L17H3", "L17H4", "L17H5", "L18H6"}
    for row in INDUCTION["ordinary_text"]:
        if row["cut"] == "top":
            assert row["more"] <= 0


def test_induction_heads_need_the_heads_that_look_one_back() -> None:
    keys = {(row["cut"], row["heads"]): row["score_of_top_8"] for row in INDUCTION["keys"]}
    whole = INDUCTION["score_of_top_8"]["mean"]
    assert keys["previous_token", 8]["most"] < 0.2 * whole
    assert keys["random", 8]["least"] > 0.7 * whole


SINKS = data.read("variants-decoder")


def test_a_window_shows_the_last_tokens_and_those_that_are_kept() -> None:
    assert script.window(5, 2, (0, 3)).astype(int).tolist() == [
        [1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 0, 1, 1, 0], [1, 0, 0, 1, 1],
    ]  # fmt: skip
    assert max(size for size, _ in script.TRIED) <= script.FROM  # none that counts sees them all


def test_losses_are_pytorchs_cross_entropy() -> None:
    logits = np.random.default_rng(0).normal(size=(6, 9)).astype(np.float32)
    ids = [3, 1, 4, 1, 5, 8]
    theirs = torch.nn.functional.cross_entropy(
        torch.from_numpy(logits[:-1]), torch.tensor(ids[1:]), reduction="none"
    )
    np.testing.assert_allclose(models.losses(logits, ids), theirs.numpy(), rtol=1e-5)


def test_a_window_needs_the_first_token_and_no_other() -> None:
    rows = {(r["text"], r["window"], r["kept"]): r["more"] for r in SINKS["windows"]}
    for name in models.WORKS:
        for size in (64, 256):
            assert rows[name, size, "none"] > 3 * rows[name, size, "first"]
        assert abs(rows[name, 64, "another"] - rows[name, 64, "none"]) < 0.05
        assert abs(rows[name, 64, "first_four"] - rows[name, 64, "first"]) < 0.02


def test_whatever_stands_first_is_the_sink_and_its_value_is_short() -> None:
    for row in SINKS["sinks"]:
        assert row["heads"] >= 57
    assert all(row["of_sink_heads"] < 0.2 for row in SINKS["values"])


def test_the_speed_of_the_fast_pairs_must_stay() -> None:
    rows = {(r["rotation"], r["factor"]): r for r in data.read("position-decoder")["rows"]}
    none, other = rows["no rotation", 1], rows["the other layout", 1]
    assert abs(none["mean_more"] - other["mean_more"]) < 0.1
    assert rows["linear", 8]["least_more"] > 1.2
    assert rows["linear", 8]["mean_more"] < other["mean_more"]
    for name in ("NTK-aware", "YaRN"):
        assert rows[name, 8]["most_more"] < 0.25
        assert rows[name, 2]["most_more"] < 0.05


def test_a_gap_is_borne_up_to_the_length_that_was_stretched_for() -> None:
    far = data.read("position-long-decoder")
    rows = {(r["rotation"], r["factor"], r["gap"]): r for r in far["apart"]}
    for label, factor, last in (
        ("as trained", 1, 8192), ("linear", 2, 16384), ("NTK-aware", 2, 16384), ("YaRN", 2, 16384),
        ("YaRN", 8, 65536),
    ):  # fmt: skip
        for gap in decoder_position.GAPS:
            more = rows[label, factor, gap]
            if gap <= last:
                assert more["more"] < 1
            elif gap >= 2 * last:
                assert more["least_more"] > 1
    for row in far["spans"]:
        assert abs(row["more"]) < 0.1


@pytest.mark.parametrize("block", [1, 3, 8, 9])
def test_a_long_text_in_blocks_has_the_losses_of_the_whole(block: int) -> None:
    decoder = dataclasses.replace(small(), scale=0.7)
    whole = models.losses(decoder(IDS), IDS)
    np.testing.assert_allclose(decoder_position.losses_in_blocks(decoder, IDS, block), whole)


def test_a_text_with_a_gap_stands_further_on_from_there() -> None:
    """The distances across the gap are longer, those on either side are as they were."""
    decoder = small()

    def apart(x: Any, positions: Any) -> Any:
        return decoder.rotary(x, positions + 9 * (positions >= 5))

    whole = [decoder(IDS), dataclasses.replace(decoder, rotary=apart)(IDS)]
    found = decoder_position.after_gaps(decoder, IDS, before=5, gaps=(0, 9))
    expected = [models.losses(logits[5:], IDS[5:]).mean() for logits in whole]
    np.testing.assert_allclose(found, expected)
    assert abs(found[1] - found[0]) > 0.01


def test_ranges_and_spans_are_means_over_tokens() -> None:
    """As trained 1 within the length of training and 5 beyond; others 2, and on one text 1."""
    n, trained, (one, other) = (
        decoder_position.LONG,
        decoder_position.TRAINED,
        decoder_position.READ,
    )
    within = np.arange(1, n) < trained
    read = {}
    for way in decoder_position.STRETCHED:
        plain = way == ("as trained", 1)
        read[way, one] = np.where(within, 1, 5) if plain else np.full(n - 1, 2)
        read[way, other] = np.where(within, 1, 5) if plain else np.where(within, 2, 1)
    kept = json.loads(data.text(decoder_position.in_ranges(read)))
    assert [row["losses"] for row in kept["means"][:2]] == [[1] * 8 + [5] * 2, [2] * 8 + [1.5] * 2]
    assert [
        (row["rotation"], row["from"], row["to"], row["loss"], row["least_more"], row["most_more"])
        for row in kept["spans"]
    ] == [
        ("as trained", 0, trained - 1, 1, 0, 0), ("NTK-aware", 0, trained - 1, 2, 1, 1),
        ("YaRN", 0, trained - 1, 2, 1, 1), ("as trained", trained, n - 1, 5, 0, 0),
        ("NTK-aware", trained, n - 1, 1.5, -4, -3), ("YaRN", trained, n - 1, 1.5, -4, -3),
    ]  # fmt: skip


def test_a_difference_is_found() -> None:
    """What `make decoder` compares with: it must see what has changed, and forgive rounding."""
    kept = data.read("kv-cache-decoder")
    now = json.loads(json.dumps(kept))
    now["time"] = []
    now["greedy"][0]["smallest_lead_of_the_first"] += 0.001
    assert not list(script.different(kept, now, "x"))
    now["same_tokens"] -= 2
    now["greedy"][1]["text"] += "."
    now["bytes"] = now["bytes"][:1]
    found = [line.partition(":")[0] for line in script.different(kept, now, "x")]
    assert found == ["x.greedy[1].text", "x.same_tokens", "x.bytes"]


def test_the_texts_are_there_and_named() -> None:
    assert {path.stem for path in models.TEXTS.glob("*.txt")} == set(models.WORKS)
    for path in models.TEXTS.glob("*.txt"):
        length = 50_000 if path.stem in decoder_position.READ else 12_000
        assert length < path.stat().st_size < 1.2 * length
