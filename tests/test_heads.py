"""Heads: cutting and joining loses nothing, and each head is an attention of its own."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from qkv_docs import (
    causal_mask,
    merge_heads,
    multi_head_attention,
    padding_mask,
    rms_norm,
    rope,
    scaled_dot_product_attention,
    split_heads,
)

TOLERANCE = {np.float16: 6e-4, np.float32: 1e-5, np.float64: 1e-12}


def parameters(
    d_model=8, n_heads=4, n_kv_heads=None, d_k=2, d_v=2, d_context=None, d_out=None, seed=0
):
    """w_q, w_k, w_v, w_o, scaled so that the outputs are of the order of 1."""
    rng = np.random.default_rng(seed)
    n_kv_heads = n_kv_heads or n_heads
    d_context = d_context or d_model
    d_out = d_out or d_model
    shapes = [
        (d_model, n_heads * d_k),
        (d_context, n_kv_heads * d_k),
        (d_context, n_kv_heads * d_v),
        (n_heads * d_v, d_out),
    ]
    return [rng.normal(size=shape) / np.sqrt(shape[0]) for shape in shapes]


def rows(*shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


@st.composite
def multi_head_inputs(draw, dtypes=(np.float32, np.float64)):
    """x, context, the parameters, the numbers of heads and a mask, all of unrelated sizes."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_kv_heads = draw(st.integers(1, 3))
    n_heads = n_kv_heads * draw(st.integers(1, 3))
    n_q, n_k, d_k, d_v, d_model, d_context, d_out = (draw(st.integers(1, 5)) for _ in range(7))
    left, right = draw(st.sampled_from([((), ()), ((2,), (2,)), ((3, 1), (2,)), ((), (2,))]))
    batch = np.broadcast_shapes(left, right)
    dtype = draw(st.sampled_from(dtypes))
    shapes = [
        (*left, n_q, d_model),
        (*right, n_k, d_context),
        (d_model, n_heads * d_k),
        (d_context, n_kv_heads * d_k),
        (d_context, n_kv_heads * d_v),
        (n_heads * d_v, d_out),
    ]
    x, context, *w = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    mask_shape = draw(st.sampled_from([None, (n_q, n_k), (n_k,), (*batch, 1, n_k)]))
    mask = None if mask_shape is None else rng.random(mask_shape) < 0.6
    return x, context, w, n_heads, n_kv_heads, mask


# Splitting and merging: laws


@given(
    batch=st.sampled_from([(), (2,), (3, 2), (0,)]),
    n=st.integers(0, 4),
    n_heads=st.integers(1, 4),
    d_head=st.integers(0, 3),
)
def test_merging_undoes_splitting(batch, n, n_heads, d_head):
    x = rows(*batch, n, n_heads * d_head)
    heads = split_heads(x, n_heads)
    assert heads.shape == (*batch, n_heads, n, d_head)
    np.testing.assert_array_equal(merge_heads(heads), x)
    np.testing.assert_array_equal(split_heads(merge_heads(heads), n_heads), heads)


def test_a_head_is_a_block_of_neighbouring_columns():
    x = rows(3, 6)
    for h, head in enumerate(split_heads(x, 2)):
        np.testing.assert_array_equal(head, x[:, 3 * h : 3 * h + 3])


def test_one_head_is_all_columns_and_as_many_heads_as_columns_are_columns():
    x = rows(3, 4)
    np.testing.assert_array_equal(split_heads(x, 1), x[None])
    np.testing.assert_array_equal(split_heads(x, 4), x.T[:, :, None])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int64, bool])
def test_splitting_and_merging_keep_every_dtype(dtype):
    x = np.ones((2, 4), dtype)
    assert split_heads(x, 2).dtype == merge_heads(split_heads(x, 2)).dtype == dtype


# Multi-head attention: laws


def by_hand(x, context, w, n_heads, n_kv_heads, mask):
    """Head after head, each with its own columns of the parameters."""
    w_q, w_k, w_v, w_o = w
    d_k, d_v = w_q.shape[1] // n_heads, w_v.shape[1] // n_kv_heads
    output, weights = 0, []
    for h in range(n_heads):
        g = h // (n_heads // n_kv_heads)  # the key and value head that it shares
        head, attention = scaled_dot_product_attention(
            x @ w_q[:, h * d_k : (h + 1) * d_k],
            context @ w_k[:, g * d_k : (g + 1) * d_k],
            context @ w_v[:, g * d_v : (g + 1) * d_v],
            mask,
        )
        output = output + head @ w_o[h * d_v : (h + 1) * d_v]
        weights.append(attention)
    return output, np.stack(weights, axis=-3)


@given(inputs=multi_head_inputs([np.float64]))
def test_the_output_is_the_sum_of_what_each_head_adds(inputs):
    x, context, w, n_heads, n_kv_heads, mask = inputs
    output, weights = multi_head_attention(
        x, *w, n_heads, context=context, mask=mask, n_kv_heads=n_kv_heads
    )
    expected, expected_weights = by_hand(x, context, w, n_heads, n_kv_heads, mask)
    np.testing.assert_allclose(output, expected, rtol=1e-12, atol=1e-11)
    np.testing.assert_allclose(weights, expected_weights, rtol=1e-12, atol=1e-12)


@given(inputs=multi_head_inputs([np.float16, np.float32, np.float64]))
def test_shapes_dtypes_and_rows_that_sum_to_one_or_zero(inputs):
    x, context, w, n_heads, n_kv_heads, mask = inputs
    output, weights = multi_head_attention(
        x, *w, n_heads, context=context, mask=mask, n_kv_heads=n_kv_heads
    )
    batch = np.broadcast_shapes(x.shape[:-2], context.shape[:-2])
    n_q, n_k = x.shape[-2], context.shape[-2]
    assert output.shape == (*batch, n_q, w[3].shape[1])
    assert weights.shape == (*batch, n_heads, n_q, n_k)
    assert output.dtype == weights.dtype == x.dtype
    allowed = np.broadcast_to(True if mask is None else mask, (*batch, n_q, n_k))
    expected = np.repeat(allowed.any(axis=-1)[..., None, :], n_heads, axis=-2)
    total = weights.astype(np.float64).sum(axis=-1)
    np.testing.assert_allclose(total, expected, atol=TOLERANCE[x.dtype.type] * n_k)


def test_one_head_is_plain_attention_between_projections():
    x, w = rows(5, 8), parameters(n_heads=1, d_k=3, d_v=4)
    output, weights = multi_head_attention(x, *w, n_heads=1)
    head, attention = scaled_dot_product_attention(x @ w[0], x @ w[1], x @ w[2])
    np.testing.assert_allclose(output, head @ w[3], rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(weights[0], attention, rtol=1e-12)


def test_the_order_of_the_heads_does_not_matter():
    x, (w_q, w_k, w_v, w_o) = rows(5, 8), parameters()
    order = [2, 0, 3, 1]
    moved = [merge_heads(split_heads(w, 4)[order]) for w in (w_q, w_k, w_v)]
    output, weights = multi_head_attention(x, w_q, w_k, w_v, w_o, 4)
    again, moved_weights = multi_head_attention(
        x, *moved, w_o.reshape(4, 2, 8)[order].reshape(8, 8), 4
    )
    np.testing.assert_allclose(again, output, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(moved_weights, weights[order], rtol=1e-12)


def test_every_head_reads_the_whole_embedding():
    x, w = rows(5, 8), parameters()
    _, before = multi_head_attention(x, *w, 4)
    for column in range(8):
        changed = x.copy()
        changed[:, column] += rows(5, seed=column)
        _, after = multi_head_attention(changed, *w, 4)
        assert (np.abs(after - before).max(axis=(-1, -2)) > 1e-3).all()


def test_self_attention_is_cross_attention_to_itself():
    x, w = rows(5, 8), parameters()
    for a, b in zip(
        multi_head_attention(x, *w, 4), multi_head_attention(x, *w, 4, context=x), strict=True
    ):
        np.testing.assert_array_equal(a, b)


def test_permuted_tokens_give_the_permuted_output():
    x, w = rows(5, 8), parameters()
    order = [3, 1, 4, 0, 2]
    output, _ = multi_head_attention(x, *w, 4)
    permuted, _ = multi_head_attention(x[order], *w, 4)
    np.testing.assert_allclose(permuted, output[order], rtol=1e-12, atol=1e-13)


def test_as_many_key_heads_as_query_heads_is_plain():
    x, w = rows(5, 8), parameters()
    for a, b in zip(
        multi_head_attention(x, *w, 4),
        multi_head_attention(x, *w, 4, n_kv_heads=4),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("n_kv_heads", [1, 2, 4])
def test_grouped_queries_are_plain_heads_with_repeated_keys_and_values(n_kv_heads):
    x = rows(5, 8)
    w_q, w_k, w_v, w_o = parameters(n_kv_heads=n_kv_heads)
    repeat = 4 // n_kv_heads
    repeated = [
        merge_heads(np.repeat(split_heads(w, n_kv_heads), repeat, axis=0)) for w in (w_k, w_v)
    ]
    for a, b in zip(
        multi_head_attention(x, w_q, w_k, w_v, w_o, 4, n_kv_heads=n_kv_heads),
        multi_head_attention(x, w_q, *repeated, w_o, 4),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def test_a_masked_token_has_no_influence_even_when_it_is_nan():
    x, w = rows(2, 5, 8), parameters()
    mask = padding_mask([3, 5], 5)
    expected, expected_weights = multi_head_attention(x, *w, 4, mask=mask)
    x[0, 3:] = np.nan
    output, weights = multi_head_attention(x, *w, 4, mask=mask)
    np.testing.assert_array_equal(output[0, :3], expected[0, :3])
    np.testing.assert_array_equal(output[1], expected[1])
    np.testing.assert_array_equal(weights[0, :, :3], expected_weights[0, :, :3])
    assert np.isnan(output[0, 3:]).all()  # a nan query is nan, whatever it may see


def test_a_query_that_may_attend_to_nothing_gives_zeros():
    x, w = rows(3, 8), parameters()
    mask = causal_mask(3) & (np.arange(3) > 0)  # nobody sees the first token
    output, weights = multi_head_attention(x, *w, 4, mask=mask)
    assert (output[0] == 0).all()
    assert (weights[:, 0] == 0).all()
    assert (output[1:] != 0).all()


def test_causal_output_does_not_depend_on_later_tokens():
    x, w = rows(6, 8), parameters()
    output, _ = multi_head_attention(x, *w, 4, mask=causal_mask(6))
    for i in range(6):
        changed = x.copy()
        changed[i + 1 :] = 50.0
        again, _ = multi_head_attention(changed, *w, 4, mask=causal_mask(6))
        np.testing.assert_array_equal(again[: i + 1], output[: i + 1])


# Multi-head attention: biases, values, masks and biases a head, QK-norm, rotary


def test_a_bias_is_a_column_of_ones():
    x, context, w = rows(2, 5, 8), rows(2, 6, 8, seed=2), parameters()
    b_q, b_k, b_v, b_o = rows(4, 8, seed=3)
    output, weights = multi_head_attention(
        x, *w, 4, context=context, b_q=b_q, b_k=b_k, b_v=b_v, b_o=b_o
    )
    ones, more = np.ones((2, 5, 1)), np.ones((2, 6, 1))
    taller = [np.vstack([m, b]) for m, b in zip(w[:3], (b_q, b_k, b_v), strict=True)]
    expected, its_weights = multi_head_attention(
        np.concatenate([x, ones], axis=-1), *taller, w[3], 4,
        context=np.concatenate([context, more], axis=-1),
    )  # fmt: skip
    np.testing.assert_allclose(output, expected + b_o, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(weights, its_weights, rtol=1e-12, atol=1e-12)


def test_a_bias_of_the_keys_adds_the_same_to_every_score_of_a_query():
    x, w = rows(5, 8), parameters()
    plain, _ = multi_head_attention(x, *w, 4)
    output, _ = multi_head_attention(x, *w, 4, b_k=rows(8, seed=3))
    np.testing.assert_allclose(output, plain, rtol=1e-11, atol=1e-12)


def test_values_may_come_from_elsewhere():
    x, keys, values = rows(5, 8), rows(6, 8, seed=2), rows(6, 7, seed=3)
    w_q, w_k, w_v, w_o = parameters()
    w_v = rows(7, 8, seed=4)
    output, weights = multi_head_attention(x, w_q, w_k, w_v, w_o, 4, context=keys, values=values)
    heads, expected = scaled_dot_product_attention(
        split_heads(x @ w_q, 4), split_heads(keys @ w_k, 4), split_heads(values @ w_v, 4)
    )
    np.testing.assert_allclose(output, merge_heads(heads) @ w_o, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(weights, expected, rtol=1e-12)


@pytest.mark.parametrize("batch", [(), (4,), (2, 4)])
def test_as_many_axes_as_the_weights_are_a_mask_for_each_head(batch):
    """As many sequences as heads: only the number of axes tells which is meant."""
    x, w = rows(*batch, 5, 8), parameters()
    masks = np.random.default_rng(0).random((4, 5, 5)) < 0.6
    masks[..., 0] = True
    a_head = masks.reshape(*[1] * len(batch), 4, 5, 5)
    output, weights = multi_head_attention(x, *w, 4, mask=a_head)
    assert weights.shape == (*batch, 4, 5, 5)
    bias = np.where(masks, 0, -np.inf)  # three axes of a bias are always (n_heads, n_q, n_k)
    biased, its_weights = multi_head_attention(x, *w, 4, bias=bias)
    np.testing.assert_array_equal(weights, its_weights)
    np.testing.assert_array_equal(output, biased)
    for h in range(4):
        _, alone = multi_head_attention(x, *w, 4, mask=masks[h])
        np.testing.assert_array_equal(weights[..., h, :, :], alone[..., h, :, :])


@pytest.mark.parametrize("whole", [False, True])
def test_qk_norm_is_rms_norm_of_queries_and_keys(whole):
    x, w = rows(5, 8), parameters()
    g_q, g_k = rows(2, 8 if whole else 2, seed=3)
    q, k, v = (x @ m for m in w[:3])
    if whole:
        q, k = rms_norm(q, g_q, 1e-3), rms_norm(k, g_k, 1e-3)
    q, k, v = (split_heads(m, 4) for m in (q, k, v))
    if not whole:
        q, k = rms_norm(q, g_q, 1e-3), rms_norm(k, g_k, 1e-3)
    heads, expected = scaled_dot_product_attention(q, k, v)
    output, weights = multi_head_attention(x, *w, 4, g_q=g_q, g_k=g_k, eps=1e-3)
    np.testing.assert_allclose(weights, expected, rtol=1e-12)
    np.testing.assert_allclose(output, merge_heads(heads) @ w[3], rtol=1e-12, atol=1e-13)
    larger, _ = multi_head_attention(x, 100 * w[0], *w[1:], 4, g_q=g_q, g_k=g_k, eps=0)
    same, _ = multi_head_attention(x, *w, 4, g_q=g_q, g_k=g_k, eps=0)
    np.testing.assert_allclose(larger, same, rtol=1e-12, atol=1e-13)


def test_rms_norm_is_pytorchs():
    x, gain = rows(2, 5, 8), rows(8, seed=2)
    theirs = torch.nn.functional.rms_norm(
        torch.from_numpy(x), (8,), torch.from_numpy(gain), eps=1e-6
    )
    np.testing.assert_allclose(rms_norm(x, gain), theirs.numpy(), rtol=1e-12)


def test_rotary_turns_queries_and_keys_and_the_last_queries_stand_at_the_end():
    x, w = rows(2, 6, 8), parameters()
    q, k, v = (split_heads(x @ m, 4) for m in w[:3])
    heads, expected = scaled_dot_product_attention(
        rope(q, range(6)), rope(k, range(6)), v, causal_mask(6)
    )
    output, weights = multi_head_attention(x, *w, 4, mask=causal_mask(6), rotary=rope)
    np.testing.assert_allclose(weights, expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(output, merge_heads(heads) @ w[3], rtol=1e-12, atol=1e-13)
    last, _ = multi_head_attention(x[:, 4:], *w, 4, context=x, mask=causal_mask(2, 6), rotary=rope)
    np.testing.assert_allclose(last, output[:, 4:], rtol=1e-11, atol=1e-12)
    places = np.array([range(6), range(7, 13)])  # only differences count
    moved, _ = multi_head_attention(x, *w, 4, mask=causal_mask(6), rotary=rope, positions=places)
    np.testing.assert_allclose(moved, output, rtol=1e-11, atol=1e-12)


# Multi-head attention: PyTorch


def pytorch(x, w, n_heads, context=None, mask=None):
    """torch.nn.MultiheadAttention with the parameters copied; it stores them transposed."""
    context = x if context is None else context
    w_q, w_k, w_v, w_o = (torch.from_numpy(np.ascontiguousarray(m.T)) for m in w)
    layer = torch.nn.MultiheadAttention(
        x.shape[-1],
        n_heads,
        bias=False,
        batch_first=True,
        kdim=context.shape[-1],
        vdim=context.shape[-1],
        dtype=w_q.dtype,
    )
    with torch.no_grad():
        if layer.in_proj_weight is not None:
            layer.in_proj_weight.copy_(torch.cat([w_q, w_k, w_v]))
        else:
            layer.q_proj_weight.copy_(w_q)
            layer.k_proj_weight.copy_(w_k)
            layer.v_proj_weight.copy_(w_v)
        layer.out_proj.weight.copy_(w_o)
        output, weights = layer(
            torch.from_numpy(x),
            torch.from_numpy(context),
            torch.from_numpy(context),
            attn_mask=None if mask is None else torch.from_numpy(~mask),  # True = must not
            average_attn_weights=False,
        )
    return output.numpy(), weights.numpy()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("d_context", [8, 6])
@given(
    seed=st.integers(0, 2**32 - 1),
    n_heads=st.sampled_from([1, 2, 4, 8]),
    n_q=st.integers(1, 6),
    n_k=st.integers(1, 6),
)
def test_the_same_as_pytorchs_layer(dtype, masked, d_context, seed, n_heads, n_q, n_k):
    d_head = 8 // n_heads
    w = parameters(n_heads=n_heads, d_k=d_head, d_v=d_head, d_context=d_context, seed=seed)
    w = [m.astype(dtype) for m in w]
    x = rows(2, n_q, 8, seed=seed).astype(dtype)
    context = rows(2, n_k, d_context, seed=seed + 1).astype(dtype)
    mask = None
    if masked:
        # Each query keeps at least one key: PyTorch's layer makes nan of a row without any.
        mask = np.random.default_rng(seed).random((n_q, n_k)) < 0.6
        mask[:, 0] = True
    expected, expected_weights = pytorch(x, w, n_heads, context, mask)
    output, weights = multi_head_attention(x, *w, n_heads, context=context, mask=mask)
    np.testing.assert_allclose(output, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])
    np.testing.assert_allclose(
        weights, expected_weights, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype]
    )


@pytest.mark.parametrize("bias", [False, True])
def test_pytorchs_layer_with_biases_values_and_a_float_mask(bias):
    torch.manual_seed(0)
    layer = torch.nn.MultiheadAttention(
        8, 4, bias=bias, kdim=6, vdim=7, batch_first=True, dtype=torch.float64
    )
    x, context, values = rows(2, 5, 8), rows(2, 3, 6, seed=2), rows(2, 3, 7, seed=4)
    added = rows(2, 4, 5, 3, seed=5)
    with torch.no_grad():
        if bias:
            layer.in_proj_bias.normal_()
            layer.out_proj.bias.normal_()
        expected, its_weights = layer(
            *map(torch.from_numpy, (x, context, values)),
            attn_mask=torch.from_numpy(added.reshape(8, 5, 3)), average_attn_weights=False,
        )  # fmt: skip
    state = {name: value.numpy() for name, value in layer.state_dict().items()}
    w = [state[f"{c}_proj_weight"].T for c in "qkv"]
    b = {}
    if bias:
        b_q, b_k, b_v = np.split(state["in_proj_bias"], 3)
        b = {"b_q": b_q, "b_k": b_k, "b_v": b_v, "b_o": state["out_proj.bias"]}
    output, weights = multi_head_attention(
        x, *w, state["out_proj.weight"].T, 4, context=context, values=values, bias=added, **b
    )
    np.testing.assert_allclose(output, expected.numpy(), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(weights, its_weights.numpy(), rtol=1e-12, atol=1e-12)


def test_self_attention_is_pytorchs_too():
    x, w = rows(2, 5, 8), parameters()
    expected, expected_weights = pytorch(x, w, 4, mask=causal_mask(5))
    output, weights = multi_head_attention(x, *w, 4, mask=causal_mask(5))
    np.testing.assert_allclose(output, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(weights, expected_weights, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("n_kv_heads", [1, 2, 3, 6])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_grouped_queries_are_pytorchs_enable_gqa(n_kv_heads, dtype):
    x = rows(2, 5, 8).astype(dtype)
    w = [m.astype(dtype) for m in parameters(n_heads=6, n_kv_heads=n_kv_heads, d_k=4, d_v=4)]
    q, k, v = (
        torch.from_numpy(np.ascontiguousarray(split_heads(x @ m, heads)))
        for m, heads in zip(w, (6, n_kv_heads, n_kv_heads), strict=False)
    )
    heads = torch.nn.functional.scaled_dot_product_attention(
        q, k, v, attn_mask=torch.from_numpy(causal_mask(5)), enable_gqa=True
    )
    expected = merge_heads(heads.numpy()) @ w[3]
    output, _ = multi_head_attention(x, *w, 6, mask=causal_mask(5), n_kv_heads=n_kv_heads)
    np.testing.assert_allclose(output, expected, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def test_float16_is_the_exact_result_rounded_once():
    x = rows(5, 8).astype(np.float16)
    w = [m.astype(np.float16) for m in parameters()]
    exact, exact_weights = multi_head_attention(
        x.astype(np.float64), *(m.astype(np.float64) for m in w), 4
    )
    output, weights = multi_head_attention(x, *w, 4)
    np.testing.assert_allclose(output, exact, rtol=6e-4, atol=1e-6)
    np.testing.assert_allclose(weights, exact_weights, rtol=6e-4, atol=1e-6)


def test_huge_values_stay_finite():
    for dtype in (np.float16, np.float32, np.float64):
        x = (1e4 * rows(5, 8).clip(-1, 1)).astype(dtype)
        w = [np.eye(8, dtype=dtype)] * 4
        output, weights = multi_head_attention(x, *w, 2)
        assert np.isfinite(output).all()
        np.testing.assert_allclose(weights.astype(float).sum(axis=-1), 1, rtol=1e-3)


# Awkward input


def test_one_token_sees_itself():
    x, w = rows(1, 8), parameters()
    output, weights = multi_head_attention(x, *w, 4)
    np.testing.assert_array_equal(weights, np.ones((4, 1, 1)))
    np.testing.assert_allclose(output, x @ w[2] @ w[3], rtol=1e-12, atol=1e-13)


def test_no_tokens_and_no_context():
    w = parameters()
    output, weights = multi_head_attention(rows(0, 8), *w, 4)
    assert (output.shape, weights.shape) == ((0, 8), (4, 0, 0))
    output, weights = multi_head_attention(rows(3, 8), *w, 4, context=rows(0, 8))
    np.testing.assert_array_equal(output, np.zeros((3, 8)))
    assert weights.shape == (4, 3, 0)


def test_a_mask_may_be_one_for_each_sequence_and_is_the_same_for_all_heads():
    x, w = rows(4, 5, 8), parameters()  # as many sequences as heads: the axes must not mix
    mask = causal_mask(5) & padding_mask([1, 3, 4, 5], 5)
    output, weights = multi_head_attention(x, *w, 4, mask=mask)
    for b in range(4):
        alone, alone_weights = multi_head_attention(x[b], *w, 4, mask=mask[b])
        np.testing.assert_allclose(output[b], alone, rtol=1e-12, atol=1e-13)
        np.testing.assert_allclose(weights[b], alone_weights, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize(
    ("shape", "n_heads", "message"),
    [
        ((3, 4), 3, "n_heads must divide d, got 3 heads for x (3, 4)"),
        ((3, 4), 0, "n_heads must be at least 1, got 0"),
        ((4,), 2, "x needs two dimensions or more, (..., n, d), got (4,)"),
        ((), 1, "x needs two dimensions or more, (..., n, d), got ()"),
    ],
)
def test_splitting_what_cannot_be_split(shape, n_heads, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        split_heads(np.ones(shape), n_heads)


def test_merging_what_has_no_heads():
    message = "x needs three dimensions or more, (..., n_heads, n, d), got (3, 4)"
    with pytest.raises(ValueError, match=re.escape(message)):
        merge_heads(np.ones((3, 4)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": rows(8)}, "x needs two dimensions or more, (..., n, d), got (8,)"),
        ({"context": rows(8)}, "context needs two dimensions or more, (..., n, d), got (8,)"),
        ({"w_q": rows(2, 8, 8)}, "w_q needs two dimensions, (rows, columns), got (2, 8, 8)"),
        ({"w_o": rows(8)}, "w_o needs two dimensions, (rows, columns), got (8,)"),
        ({"w_q": rows(7, 8)}, "w_q needs one row for each column of x, got (7, 8) and (5, 8)"),
        (
            {"w_k": rows(7, 8)},
            "w_k needs one row for each column of context, got (7, 8) and (5, 8)",
        ),
        (
            {"context": rows(4, 6)},
            "w_k needs one row for each column of context, got (8, 8) and (4, 6)",
        ),
        ({"w_q": rows(8, 6)}, "4 heads must divide the columns of w_q, got (8, 6)"),
        ({"w_v": rows(8, 6)}, "4 heads must divide the columns of w_v, got (8, 6)"),
        (
            {"w_k": rows(8, 12)},
            "w_q and w_k need the same d_k in each head, got (8, 8) for 4 heads and (8, 12) for 4",
        ),
        ({"w_o": rows(6, 8)}, "w_o needs n_heads * d_v = 8 rows, got (6, 8)"),
        ({"n_heads": 0}, "n_heads must be at least 1, got 0"),
        ({"n_kv_heads": 0}, "n_kv_heads must be at least 1, got 0"),
        ({"n_kv_heads": 3}, "n_kv_heads must divide n_heads, got 3 and 4"),
        ({"n_kv_heads": 8}, "n_kv_heads must divide n_heads, got 8 and 4"),
        (
            {"x": rows(2, 5, 8), "context": rows(3, 5, 8)},
            "the batch dimensions of x and context need to broadcast, got (2, 5, 8) and (3, 5, 8)",
        ),
        (
            {"mask": np.ones((3, 5, 5), bool)},  # (4, 5, 5) is a mask a head
            "mask needs to broadcast to (..., n_q, n_k) = (4, 5, 5), got (3, 5, 5)",
        ),
        ({"b_v": rows(4)}, "b_v needs one number for each column of w_v, (8,), got (4,)"),
        ({"b_o": rows(1, 8)}, "b_o needs one number for each column of w_o, (8,), got (1, 8)"),
        (
            {"g_k": rows(4)},
            "g_k needs one number for each column of a head, (2,), or of w_k, (8,), got (4,)",
        ),
        (
            {"values": rows(4, 8)},
            "context and values need the same number of rows n_k, got (5, 8) and (4, 8)",
        ),
        (
            {"values": rows(5, 6)},
            "w_v needs one row for each column of values, got (8, 8) and (5, 6)",
        ),
        ({"positions": [0, 1]}, "positions are for a rotary function, and none was given"),
        (
            {"positions": [0, 1], "rotary": rope},
            "positions need one number for each of 5 keys, got (2,)",
        ),
        (
            {"context": rows(4, 8), "rotary": rope},
            "with rotary the queries stand at the last positions of the keys, got 5 queries and 4",
        ),
        ({"sinks": rows(3)}, "sinks need one number for each head of q (4, 5, 2) or for all, got"),
    ],
)
def test_wrong_shapes_are_named(changes, message):
    w_q, w_k, w_v, w_o = parameters()
    arguments = {"x": rows(5, 8), "w_q": w_q, "w_k": w_k, "w_v": w_v, "w_o": w_o, "n_heads": 4}
    with pytest.raises(ValueError, match=re.escape(message)):
        multi_head_attention(**(arguments | changes))


def test_rotary_is_a_function():
    with pytest.raises(TypeError, match="rotary must be a function, such as rope, got True"):
        multi_head_attention(rows(5, 8), *parameters(), 4, rotary=True)


def test_the_inputs_are_left_alone():
    arrays = (rows(5, 8), *parameters())
    for array in arrays:
        array.flags.writeable = False
    multi_head_attention(*arrays, 4)
