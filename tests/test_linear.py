"""Linear attention: the table first or the state first, one result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from qkv_docs import causal_mask, elu_feature_map, linear_attention


def written_out(q: Any, k: Any, v: Any, mask: Any) -> Any:
    """With the table of n_q times n_k."""
    table = elu_feature_map(q) @ elu_feature_map(k).swapaxes(-1, -2) * mask
    return table @ v / table.sum(axis=-1, keepdims=True)


@given(
    seed=st.integers(0, 99),
    n_q=st.integers(1, 6),
    more=st.integers(0, 5),
    d_k=st.integers(1, 5),
    d_v=st.integers(1, 5),
    batch=st.sampled_from([(), (2,), (2, 3)]),
)
def test_recurrent_is_parallel(
    seed: int, n_q: int, more: int, d_k: int, d_v: int, batch: tuple[int, ...]
) -> None:
    rng = np.random.default_rng(seed)
    n_k = n_q + more
    q, k, v = (rng.normal(size=(*batch, *s)) for s in ((n_q, d_k), (n_k, d_k), (n_k, d_v)))
    for causal, mask in ((True, causal_mask(n_q, n_k)), (False, np.ones((n_q, n_k)))):
        np.testing.assert_allclose(
            linear_attention(q, k, v, causal=causal), written_out(q, k, v, mask), atol=1e-10
        )


def test_step_by_step_with_a_state_of_one_size() -> None:
    q, k, v = np.random.default_rng(0).normal(size=(3, 7, 4))
    whole = linear_attention(q, k, v, causal=True)
    state, size = np.zeros((4, 4)), np.zeros(4)
    for row, key, value, wanted in zip(
        elu_feature_map(q), elu_feature_map(k), v, whole, strict=True
    ):
        state, size = state + np.outer(key, value), size + key
        np.testing.assert_allclose(row @ state / (row @ size), wanted)


def test_the_future_changes_nothing() -> None:
    q, k, v = np.random.default_rng(0).normal(size=(3, 7, 4))
    before = linear_attention(q, k, v, causal=True)
    k[4:], v[4:] = 9, np.nan
    np.testing.assert_array_equal(linear_attention(q, k, v, causal=True)[:4], before[:4])


def test_it_is_an_average_and_so_within_the_values() -> None:
    q, k, v = np.random.default_rng(1).normal(size=(3, 30, 4))
    for causal in (True, False):
        output = linear_attention(5 * q, 5 * k, v, causal=causal)
        assert (output <= v.max(axis=0)).all()
        assert (output >= v.min(axis=0)).all()
        np.testing.assert_allclose(linear_attention(q, k, np.ones((30, 1)), causal=causal), 1)


def test_nothing_to_see_is_0() -> None:
    q, k, v = np.ones((3, 2)), np.ones((1, 2)), np.ones((1, 4))
    assert linear_attention(q, k, v, causal=True).tolist() == [[0] * 4, [0] * 4, [1] * 4]
    empty = np.ones((0, 2))
    for causal in (True, False):
        assert not linear_attention(q, empty, empty, causal=causal).any()
        assert linear_attention(empty, k, v, causal=causal).shape == (0, 4)
        # exp(-1000) is 0
        assert not linear_attention(q - 1000, k - 1000, v, causal=causal).any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_features_are_elu_and_1(dtype: torch.dtype) -> None:
    x = torch.linspace(-30, 30, 201, dtype=dtype)
    wanted = (torch.nn.functional.elu(x.double()) + 1).to(dtype).numpy()
    np.testing.assert_allclose(elu_feature_map(x.numpy()), wanted, rtol=1e-5, atol=1e-7)
    assert elu_feature_map(x.numpy()).min() > 0


def test_pytorch_writes_it_out_alike() -> None:
    q, k, v = torch.tensor(np.random.default_rng(0).normal(size=(3, 2, 6, 4)))
    phi_q, phi_k = (torch.nn.functional.elu(one) + 1 for one in (q, k))
    table = torch.einsum("bid,bjd->bij", phi_q, phi_k).tril()
    wanted = torch.einsum("bij,bjd->bid", table, v) / table.sum(-1, keepdim=True)
    found = linear_attention(q.numpy(), k.numpy(), v.numpy(), causal=True)
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-12)
