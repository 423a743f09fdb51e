"""Tile by tile the numbers are those of the whole table: laws first, then PyTorch."""

import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from qkv_docs import (
    causal_mask,
    flash_attention,
    flash_attention_backward,
    online_softmax,
    scaled_dot_product_attention,
    scaled_dot_product_attention_backward,
    sliding_window_mask,
    softmax,
)

TOLERANCE = {np.float16: 1e-3, np.float32: 1e-5, np.float64: 1e-12}
FLOATS = sorted(TOLERANCE, key=lambda dtype: np.dtype(dtype).itemsize)


@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.sampled_from([(1,), (7,), (3, 5), (2, 3, 9), (0,), (2, 0)]),
    block=st.integers(1, 9),
    dtype=st.sampled_from(FLOATS),
    edge=st.sampled_from([0.0, np.inf, -np.inf, np.nan]),
)
def test_read_in_blocks_softmax_is_softmax(seed, shape, block, dtype, edge):
    rng = np.random.default_rng(seed)
    x = (30 * rng.normal(size=shape)).astype(dtype)
    if edge:
        x[rng.random(shape) < 0.4] = edge
    weights = online_softmax(x, block)
    assert weights.dtype == dtype
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(weights, softmax(x), rtol=tolerance, atol=tolerance)


@given(
    seed=st.integers(0, 2**32 - 1),
    n_q=st.integers(1, 9),
    n_k=st.integers(0, 9),
    tiles=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    batch=st.sampled_from(
        [((), (), ()), ((2,), (2,), (2,)), ((2, 1), (3,), (2, 3)), ((), (3,), ())]
    ),
    dtype=st.sampled_from(FLOATS),
    kind=st.sampled_from(["none", "causal", "window", "random", "hidden", "bias", "all"]),
)
def test_tile_by_tile_is_the_whole_table(seed, n_q, n_k, tiles, batch, dtype, kind):
    rng = np.random.default_rng(seed)
    shapes = (n_q, 4), (n_k, 4), (n_k, 3)
    q, k, v = (
        (3 * rng.normal(size=(*its, *shape))).astype(dtype)
        for its, shape in zip(batch, shapes, strict=True)
    )
    mask = {
        "causal": causal_mask(n_q, n_k),
        "window": sliding_window_mask(n_q, 2, n_k),
        "hidden": np.zeros((n_q, n_k), bool),
        "random": rng.random((n_q, n_k)) < 0.5,
        "all": rng.random((n_q, n_k)) < 0.5,
    }.get(kind)
    settings = {}
    if kind in ("bias", "all"):
        settings = {"bias": rng.normal(size=(n_q, n_k)), "scale": 0.7}
        settings["bias"][rng.random((n_q, n_k)) < 0.2] = -np.inf
    if kind == "all":
        settings |= {"softcap": 2.0, "sinks": 0.5}
    expected, _ = scaled_dot_product_attention(q, k, v, mask, **settings)
    output = flash_attention(q, k, v, mask, **settings, rows=tiles[0], columns=tiles[1])
    assert output.dtype == dtype
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(output, expected, rtol=tolerance, atol=3 * tolerance)


@pytest.mark.parametrize("n_kv_heads", [1, 2, 6])
def test_grouped_heads(n_kv_heads):
    rng = np.random.default_rng(0)
    q, k, v = (rng.normal(size=(2, heads, 5, 4)) for heads in (6, n_kv_heads, n_kv_heads))
    sinks = rng.normal(size=6)
    settings = {"mask": causal_mask(5), "grouped": True, "sinks": sinks}
    expected, _ = scaled_dot_product_attention(q, k, v, **settings)
    np.testing.assert_allclose(
        flash_attention(q, k, v, **settings, columns=2), expected, rtol=1e-12
    )


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_masked_key_has_no_influence_and_another_shows_its_nan(poison):
    q, k, v = np.random.default_rng(0).normal(size=(3, 6, 4))
    clean = flash_attention(q, k, v, causal_mask(6), rows=2, columns=2)
    k[5], v[5] = poison, poison
    output = flash_attention(q, k, v, causal_mask(6), rows=2, columns=2)
    np.testing.assert_array_equal(output[:5], clean[:5])
    assert np.isnan(output[5]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("causal", [False, True])
def test_the_same_as_pytorchs_flash_kernel(dtype, causal):
    q, k, v = np.random.default_rng(0).normal(size=(3, 2, 4, 300, 16)).astype(dtype)
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.FLASH_ATTENTION):
        expected = torch.nn.functional.scaled_dot_product_attention(
            *map(torch.from_numpy, (q, k, v)), is_causal=causal
        )
    output = flash_attention(q, k, v, causal_mask(300) if causal else None, rows=64, columns=128)
    np.testing.assert_allclose(output, expected.numpy(), rtol=1e-5, atol=TOLERANCE[dtype])


def test_memory_is_the_output_and_a_few_tiles():
    q, k, v = np.random.default_rng(0).normal(size=(3, 2, 2048, 16)).astype(np.float32)
    mask = causal_mask(2048)
    for hidden in (None, mask):
        tracemalloc.start()
        output = flash_attention(q, k, v, hidden)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < output.nbytes + 5 * 2**20  # the weights alone: 32 MiB


def test_tiles_that_the_mask_hides_are_not_computed(monkeypatch):
    calls = []
    whole = flash_attention.__globals__["masked_product"]
    monkeypatch.setattr(
        "qkv_docs.flash.masked_product", lambda *given: calls.append(1) or whole(*given)
    )
    q, k, v = np.random.default_rng(0).normal(size=(3, 16, 4))
    flash_attention(q, k, v, rows=4, columns=4)
    flash_attention(q, k, v, causal_mask(16), rows=4, columns=4)
    flash_attention(q, k, v, sliding_window_mask(16, 1), rows=4, columns=4)
    assert len(calls) == 16 + 10 + 4


def test_a_tile_has_a_row_and_a_column():
    with pytest.raises(ValueError, match="columns must be at least 1, got 0"):
        flash_attention(*np.ones((3, 2, 4)), columns=0)


@given(
    seed=st.integers(0, 2**32 - 1),
    n_q=st.integers(1, 7),
    n_k=st.integers(0, 7),
    tiles=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    batch=st.sampled_from(
        [((), (), ()), ((2,), (2,), (2,)), ((2, 1), (3,), (2, 3)), ((), (3,), ())]
    ),
    dtype=st.sampled_from(FLOATS),
    kind=st.sampled_from(["none", "causal", "hidden", "random"]),
)
def test_the_gradients_are_those_of_the_whole_table(seed, n_q, n_k, tiles, batch, dtype, kind):
    rng = np.random.default_rng(seed)
    q, k, v = (
        rng.normal(size=(*its, *shape)).astype(dtype)
        for its, shape in zip(batch, ((n_q, 4), (n_k, 4), (n_k, 3)), strict=True)
    )
    mask = {
        "causal": causal_mask(n_q, n_k),
        "hidden": np.zeros((n_q, n_k), bool),
        "random": rng.random((n_q, n_k)) < 0.5,
    }.get(kind)
    grad = rng.normal(size=(*np.broadcast_shapes(*batch), n_q, 3)).astype(dtype)
    expected = scaled_dot_product_attention_backward(grad, q, k, v, mask, scale=0.7)
    found = flash_attention_backward(
        grad, q, k, v, mask, scale=0.7, rows=tiles[0], columns=tiles[1]
    )
    for mine, theirs, given_ in zip(found, expected, (q, k, v), strict=True):
        assert (mine.dtype, mine.shape) == (given_.dtype, given_.shape)
        tolerance = 5 * TOLERANCE[dtype]
        np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance)


def test_the_gradients_are_autograds_with_mask_and_bias():
    rng = np.random.default_rng(0)
    arrays = rng.normal(size=(3, 2, 40, 8))
    grad, bias, mask = rng.normal(size=(2, 40, 8)), rng.normal(size=(40, 40)), causal_mask(40)
    q, k, v = (torch.tensor(one, requires_grad=True) for one in arrays)
    added = torch.from_numpy(np.where(mask, bias, -np.inf))
    output = torch.nn.functional.scaled_dot_product_attention(q, k, v, added)
    output.backward(torch.from_numpy(grad))
    found = flash_attention_backward(grad, *arrays, mask, bias=bias, rows=16, columns=16)
    for mine, theirs in zip(found, (q, k, v), strict=True):
        np.testing.assert_allclose(mine, theirs.grad.numpy(), rtol=1e-10, atol=1e-12)


def test_the_memory_of_the_gradients_grows_with_n_not_with_its_square():
    q, k, v, grad = np.random.default_rng(0).normal(size=(4, 2048, 16)).astype(np.float32)
    tracemalloc.start()
    flash_attention_backward(grad, q, k, v)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5 * q.nbytes + 4 * 2**20  # one table: 16 MiB


@pytest.mark.parametrize("mask", [None, causal_mask(7), np.eye(7) < 1])
def test_whoever_watches_sees_the_softmax_of_the_keys_read_so_far(mask):
    q, k, v = np.random.default_rng(0).normal(size=(3, 7, 4))
    tiles = []
    output = flash_attention(q, k, v, mask, rows=3, columns=2, watch=tiles.append)
    np.testing.assert_array_equal(output, flash_attention(q, k, v, mask, rows=3, columns=2))
    for tile in tiles:
        read = (
            np.arange(7) < tile.keys.stop
            if mask is None
            else mask & (np.arange(7) < tile.keys.stop)
        )
        read = np.broadcast_to(read, (7, 7))
        expected, _ = scaled_dot_product_attention(q, k, v, read)
        scores = np.where(read, q @ k.T / 2, -np.inf)[tile.queries]
        with np.errstate(invalid="ignore"):  # a row that has seen nothing yet
            so_far = tile.added / np.maximum(tile.total, 1)[:, None]
        np.testing.assert_allclose(so_far, expected[tile.queries], rtol=1e-12)
        np.testing.assert_allclose(tile.scores, scores[:, tile.keys], rtol=1e-12)
        seen = np.isfinite(scores).any(axis=-1)
        np.testing.assert_allclose(tile.maximum[seen], scores.max(axis=-1)[seen], rtol=1e-12)
        assert not tile.total[~seen].any()
        assert not tile.added[~seen].any()


def test_bytes_are_those_of_the_tiles_that_are_read():
    q, k, v = np.random.default_rng(0).normal(size=(3, 8, 2))
    moved = []
    for mask in (None, causal_mask(8)):
        flash_attention(
            q, k, v, mask, rows=2, columns=2, watch=lambda tile: moved.append(tile.moved)
        )
    ends = 2 * 8 * 2 * 8  # q and the output, once each
    assert moved[15] == ends + 16 * 2 * 2 * 2 * 8
    assert moved[-1] == ends + 10 * 2 * 2 * 2 * 8
    assert len(moved) == 16 + 10
