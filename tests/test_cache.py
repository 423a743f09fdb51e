"""With a cache the numbers are those without: each token once, whatever the steps."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qkv_docs import KVCache, causal_mask, scaled_dot_product_attention, sliding_window_mask

STEPS = st.lists(st.integers(1, 4), min_size=1, max_size=6)


@given(
    seed=st.integers(0, 2**32 - 1),
    steps=STEPS,
    heads=st.sampled_from([(4, 4), (4, 2), (4, 1), (1, 1)]),
    window=st.sampled_from([None, 1, 3, 50]),
    batch=st.sampled_from([None, 2]),
    sinks=st.booleans(),
)
def test_cached_is_full(seed, steps, heads, window, batch, sinks):
    """Also where the window lets older tokens go."""
    rng = np.random.default_rng(seed)
    n, (n_heads, n_kv_heads) = sum(steps), heads
    front = () if batch is None else (batch,)
    q = rng.normal(size=(*front, n_heads, n, 6))
    k, v = (rng.normal(size=(*front, n_kv_heads, n, d)) for d in (6, 5))
    settings = {"sinks": rng.normal(size=n_heads), "scale": 0.3} if sinks else {"softcap": 2.0}
    mask = causal_mask(n) if window is None else sliding_window_mask(n, window)
    expected, weights = scaled_dot_product_attention(q, k, v, mask, **settings, grouped=True)
    capacity = 24 if window is None else max(window + 3, 5)
    cache = KVCache(capacity, n_kv_heads, 6, 5, window=window, batch=batch)
    start = 0
    for step in steps:
        now = slice(start, start + step)
        cache.append(k[..., now, :], v[..., now, :])
        output, seen = cache.attend(q[..., now, :], **settings)
        np.testing.assert_allclose(output, expected[..., now, :], rtol=1e-11, atol=1e-12)
        kept = cache.keys.shape[-2]
        those = weights[..., now, start + step - kept : start + step]
        np.testing.assert_allclose(seen, those, rtol=1e-11, atol=1e-12)
        start += step
        assert len(cache) == start
    if window is None:
        np.testing.assert_array_equal(cache.keys, k)
        np.testing.assert_array_equal(cache.values, v)


@given(
    seed=st.integers(0, 2**32 - 1),
    steps=st.lists(st.tuples(st.integers(1, 3), st.integers(0, 3)), min_size=1, max_size=8),
    window=st.sampled_from([None, 1, 2, 4]),
)
def test_wrong_guesses_leave_nothing(seed, steps, window):
    """The rows that are right, then some that are not and are forgotten, or it is said why not."""
    rng = np.random.default_rng(seed)
    n = sum(right for right, _ in steps)
    q, k, v = rng.normal(size=(3, 2, n, 4))
    mask = causal_mask(n) if window is None else sliding_window_mask(n, window)
    expected, _ = scaled_dot_product_attention(q, k, v, mask)
    cache = KVCache(48 if window is None else window + 4, n_kv_heads=2, d_k=4, window=window)
    start = 0
    for right, wrong in steps:
        now = slice(start, start + right)
        cache.append(k[:, now], v[:, now])
        output, _ = cache.attend(q[:, now])
        np.testing.assert_allclose(output, expected[:, now], rtol=1e-11, atol=1e-12)
        start += right
        cache.append(*rng.normal(size=(2, 2, wrong, 4)))
        try:
            cache.crop(start)
        except ValueError:
            assert window is not None
            kept = cache.keys.shape[-2] - wrong
            assert kept < min(window - 1, start)
            return
        assert len(cache) == start


def test_only_what_has_come_can_be_forgotten():
    cache = KVCache(8, n_kv_heads=1, d_k=2)
    cache.append(np.ones((1, 3, 2)), np.ones((1, 3, 2)))
    for n, error in ((4, ValueError), (-1, ValueError), (1.5, TypeError)):
        with pytest.raises(error):
            cache.crop(n)
    cache.crop(0)
    assert len(cache) == 0
    cache.append(np.zeros((1, 8, 2)), np.zeros((1, 8, 2)))

    cache = KVCache(4, n_kv_heads=1, d_k=2, window=3)
    for n in (4, 1):  # two of the first four stay for the fifth
        cache.append(np.ones((1, n, 2)), np.ones((1, n, 2)))
    cache.crop(4)
    with pytest.raises(
        ValueError, match=re.escape("of 3 tokens 1 would be left, the next query sees 3")
    ):
        cache.crop(3)


def test_memory_is_taken_once():
    cache = KVCache(16, n_kv_heads=3, d_k=64, window=4, dtype=np.float16)
    taken = cache.nbytes
    assert taken == 2 * 16 * 3 * 64 * 2
    row = np.ones((3, 1, 64), np.float16)
    for _ in range(100):
        cache.append(row, row)
        assert cache.nbytes == taken
        assert np.shares_memory(cache.keys, cache._k)
    assert len(cache) == 100
    output, weights = cache.attend(np.ones((9, 1, 64), np.float16))
    assert output.dtype == weights.dtype == np.float16


def test_an_empty_cache_answers_nothing():
    cache = KVCache(4, 2, 3)
    output, weights = cache.attend(np.ones((2, 0, 3)))
    assert output.shape == (2, 0, 3)
    assert weights.shape == (2, 0, 0)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda c: c.append(np.ones((2, 1, 4)), np.ones((2, 1, 3))), ValueError, "k needs the sh"),
        (
            lambda c: c.append(np.ones((2, 1, 3)), np.ones((2, 2, 3))),
            ValueError,
            "v needs the shape (2, 1, 3), got (2, 2, 3)",
        ),
        (
            lambda c: c.append(np.ones((2, 4, 3)), np.ones((2, 4, 3))),
            ValueError,
            "the cache holds 4 tokens: 1 are in it, got 4",
        ),
        (
            lambda c: c.append(*np.ones((2, 2, 1, 3), np.longdouble)),
            TypeError,
            "k would lose digits in a cache of float64",
        ),
        (
            lambda c: c.attend(np.ones((2, 2, 3))),
            ValueError,
            "the cache can answer the last 1 tokens, got 2 queries",
        ),
        (lambda c: KVCache(2, 1, 1, window=3), ValueError, "the window must fit into the capacity"),
    ],
)
def test_what_does_not_fit_is_named(call, error, message):
    cache = KVCache(4, 2, 3)
    cache.append(*np.ones((2, 2, 1, 3)))
    with pytest.raises(error, match=re.escape(message)):
        call(cache)


def test_a_window_that_let_tokens_go_answers_only_what_it_can():
    cache = KVCache(4, 1, 2, window=3)
    for _ in range(3):
        cache.append(*np.ones((2, 1, 2, 2)))
    with pytest.raises(ValueError, match="the cache can answer the last 2 tokens, got 3 queries"):
        cache.attend(np.ones((1, 3, 2)))
