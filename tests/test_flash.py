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
    online_softmax,
    scaled_dot_product_attention,
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
