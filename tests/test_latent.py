"""Attending in the latent space gives what formed keys and values give."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from qkv_docs import KVCache, causal_mask, latent_attention, rope, scaled_dot_product_attention


def drawn(seed: int, n: int, n_heads: int = 3, batch: tuple[int, ...] = ()):
    rng = np.random.default_rng(seed)
    q, q_rope = (rng.normal(size=(*batch, n_heads, n, d)) for d in (4, 2))
    c, k_rope = (rng.normal(size=(*batch, n, d)) for d in (6, 2))
    w_uk, w_uv = (rng.normal(size=(n_heads, 6, d)) for d in (4, 5))
    positions = range(n)
    turned = {"q_rope": rope(q_rope, positions), "k_rope": rope(k_rope, positions)}
    return (q, c, w_uk, w_uv), turned


@given(
    seed=st.integers(0, 2**32 - 1),
    n=st.integers(1, 6),
    n_heads=st.integers(1, 4),
    batch=st.sampled_from([(), (2,), (2, 3)]),
    positions=st.booleans(),
)
def test_absorbed_is_formed(seed, n, n_heads, batch, positions):
    arrays, turned = drawn(seed, n, n_heads, batch)
    settings = turned if positions else {}
    for mask in (None, causal_mask(n)):
        here, formed = (
            latent_attention(*arrays, mask, **settings, absorbed=way) for way in (True, False)
        )
        for got, expected in zip(here, formed, strict=True):
            np.testing.assert_allclose(got, expected, rtol=1e-9, atol=1e-11)
    assert here[0].shape == (*batch, n_heads, n, 5)
    assert here[1].shape == (*batch, n_heads, n, n)


def test_it_is_attention_to_the_keys_and_values_of_the_latent_vectors():
    (q, c, w_uk, w_uv), turned = drawn(0, 5)
    k = np.concatenate([c @ w_uk, np.tile(turned["k_rope"], (3, 1, 1))], axis=-1)
    rows = np.concatenate([q, turned["q_rope"]], axis=-1)
    mask = causal_mask(5)
    expected, _ = scaled_dot_product_attention(rows, k, c @ w_uv, mask)
    got, _ = latent_attention(q, c, w_uk, w_uv, mask, **turned)
    np.testing.assert_allclose(got, expected, rtol=1e-10)
    theirs = torch.nn.functional.scaled_dot_product_attention(
        *map(torch.tensor, (rows, k, c @ w_uv)), torch.tensor(mask)
    )
    np.testing.assert_allclose(got, theirs.numpy(), rtol=1e-10)


def test_a_cache_with_one_head_keeps_it():
    """Absorbed it is multi-query attention: key (c, k_rope), value c; a step at a time."""
    (q, c, w_uk, w_uv), turned = drawn(1, 5)
    expected, _ = latent_attention(q, c, w_uk, w_uv, causal_mask(5), **turned)
    cache = KVCache(8, n_kv_heads=1, d_k=8, d_v=6)
    asked = np.concatenate([q @ w_uk.swapaxes(-1, -2), turned["q_rope"]], axis=-1)
    for i in range(5):
        key = np.concatenate([c[i : i + 1], turned["k_rope"][i : i + 1]], axis=-1)
        cache.append(key[None], c[None, i : i + 1])
        mixed, _ = cache.attend(asked[:, i : i + 1], scale=6**-0.5)
        np.testing.assert_allclose((mixed @ w_uv)[:, 0], expected[:, i], rtol=1e-10)


@pytest.mark.parametrize("absorbed", [True, False])
def test_what_is_hidden_counts_for_nothing(absorbed):
    (q, c, w_uk, w_uv), turned = drawn(2, 4)
    mask = np.array([True, True, True, False])
    expected = latent_attention(q, c, w_uk, w_uv, mask, **turned, absorbed=absorbed)
    c = c.copy()
    c[3] = np.nan
    got = latent_attention(q, c, w_uk, w_uv, mask, **turned, absorbed=absorbed)
    for a, b in zip(got, expected, strict=True):
        np.testing.assert_array_equal(a, b)


ARRAYS, TURNED = drawn(0, 5)
Q, C, W_UK, W_UV = ARRAYS


@pytest.mark.parametrize(
    ("arrays", "settings", "message"),
    [
        ((Q[0], C, W_UK, W_UV), {}, "q needs the shape (..., n_heads, n_q, d_k) and c"),
        ((Q, C, W_UK[:2], W_UV), {}, "w_uk needs the shape (3, 6, 4) for q (3, 5, 4) and c (5, 6)"),
        ((Q, C, W_UK, W_UV[0]), {}, "w_uv needs the shape (3, 6, 5) for q (3, 5, 4) and c (5, 6)"),
        (ARRAYS, {"q_rope": Q}, "q_rope and k_rope need to come together, got one of them"),
        (
            ARRAYS,
            TURNED | {"k_rope": C},
            "as many columns as each other, got (3, 5, 2) and (5, 6)",
        ),
    ],
)
def test_what_does_not_fit_is_named(arrays, settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        latent_attention(*arrays, **settings)
