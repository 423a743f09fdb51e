"""Attention: the laws it obeys, PyTorch as the oracle, and what happens at the edges."""

import functools
import math
import re
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qkv_docs import causal_mask, padding_mask, scaled_dot_product_attention, softmax

FLOATS = [np.float16, np.float32, np.float64]
# float16 is compared with the exact result, rounded once: half a unit in the last place.
TOLERANCE = {np.float16: 6e-4, np.float32: 1e-5, np.float64: 1e-12}

BATCHES = [
    ((), (), ()),
    ((2,), (2,), (2,)),
    ((2, 1), (3,), (2, 3)),
    ((), (2,), ()),
    ((), (), (3,)),
    ((4,), (1,), ()),
    ((0,), (), ()),
]


@st.composite
def attention_inputs(draw, dtypes=tuple(FLOATS)):
    """q, k, v and a mask (or None): n_q, n_k, d_k, d_v and the batch dimensions all differ."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_q, n_k, d_k, d_v = (draw(st.integers(1, 7)) for _ in range(4))
    batches = draw(st.sampled_from(BATCHES))
    dtype = draw(st.sampled_from(dtypes))
    shapes = (n_q, d_k), (n_k, d_k), (n_k, d_v)
    q, k, v = (
        rng.normal(size=(*batch, *shape)).astype(dtype)
        for batch, shape in zip(batches, shapes, strict=True)
    )
    batch = np.broadcast_shapes(*batches)
    mask_shape = draw(
        st.sampled_from([None, (n_q, n_k), (n_k,), (n_q, 1), (*batch, n_q, n_k), (*batch, 1, n_k)])
    )
    mask = None if mask_shape is None else rng.random(mask_shape) < 0.6
    return q, k, v, mask


def random_inputs(n_q=4, n_k=6, d_k=3, d_v=5, dtype=np.float64, seed=0):
    rng = np.random.default_rng(seed)
    shapes = (n_q, d_k), (n_k, d_k), (n_k, d_v)
    return tuple(rng.normal(size=shape).astype(dtype) for shape in shapes)


def pytorch(q, k, v, mask=None, scale=None):
    """PyTorch's function of the same name, and the weights that it does not return."""
    batch = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    identity = np.eye(k.shape[-2], dtype=q.dtype)
    # PyTorch broadcasts the batch dimensions and the mask in some of its kernels only.
    if mask is not None:
        mask = torch.from_numpy(np.broadcast_to(mask, (*batch, q.shape[-2], k.shape[-2])).copy())
    queries, keys, values, identity = (
        torch.from_numpy(np.broadcast_to(x, (*batch, *x.shape[-2:])).copy())
        for x in (q, k, v, identity)
    )
    attend = functools.partial(
        torch.nn.functional.scaled_dot_product_attention,
        attn_mask=mask,
        scale=scale,
    )
    output = attend(queries, keys, values)
    weights = attend(queries, keys, identity)  # with the identity as values
    # A query that may attend to nothing is nan in some versions of PyTorch and 0 in others; here
    # it is 0. The inputs are finite, so that no other nan can hide behind this line.
    return output.nan_to_num(nan=0.0).numpy(), weights.nan_to_num(nan=0.0).numpy()


# Softmax: laws


@st.composite
def rows(draw, dtypes=tuple(FLOATS)):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.sampled_from([(1,), (5,), (3, 4), (2, 3, 7)]))
    size = draw(st.sampled_from([0.0, 1.0, 30.0, 1e4]))
    return rng.uniform(-size, size, shape).astype(draw(st.sampled_from(dtypes)))


@given(x=rows())
def test_softmax_is_positive_and_sums_to_one(x):
    weights = softmax(x)
    assert weights.dtype == x.dtype
    assert (weights >= 0).all()
    total = weights.astype(np.float64).sum(axis=-1)
    np.testing.assert_allclose(total, 1, rtol=TOLERANCE[x.dtype.type] * x.shape[-1])


@given(x=rows([np.float64]), shift=st.sampled_from([-1000.0, -1.5, 700.0]))
def test_softmax_does_not_see_a_shift(x, shift):
    # x + shift is itself rounded: what is compared is known to eps * 1e4.
    np.testing.assert_allclose(softmax(x + shift), softmax(x), rtol=1e-11, atol=1e-300)


@given(x=rows())
def test_softmax_keeps_the_order(x):
    weights = softmax(x)
    order = x.argsort(axis=-1)
    assert (np.diff(np.take_along_axis(weights, order, axis=-1)) >= 0).all()


@given(x=rows())
def test_softmax_of_permuted_numbers_is_permuted(x):
    order = np.random.default_rng(0).permutation(x.shape[-1])
    np.testing.assert_allclose(
        softmax(x[..., order]), softmax(x)[..., order], rtol=TOLERANCE[x.dtype.type]
    )


def test_softmax_of_equal_numbers_is_uniform():
    np.testing.assert_array_equal(softmax(np.full(4, 7.0)), np.full(4, 0.25))


# Softmax: PyTorch


@given(x=rows(), data=st.data())
def test_softmax_is_pytorchs(x, data):
    axis = data.draw(st.integers(-x.ndim, x.ndim - 1))
    expected = torch.softmax(torch.from_numpy(x.astype(np.float64)), dim=axis).numpy()
    tolerance = TOLERANCE[x.dtype.type]
    # float16 has steps of 6e-8 near 0
    np.testing.assert_allclose(softmax(x, axis), expected, rtol=tolerance, atol=6e-8)
    if x.dtype == np.float64:
        np.testing.assert_allclose(softmax(x, axis), expected, rtol=tolerance, atol=1e-300)


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_softmax_in_short_dtypes_is_pytorchs_in_those_dtypes(dtype):
    x = np.random.default_rng(0).normal(scale=3, size=(4, 9)).astype(dtype)
    expected = torch.softmax(torch.from_numpy(x), dim=-1).numpy()
    tolerance = 2 * TOLERANCE[dtype]  # both sides are rounded
    np.testing.assert_allclose(softmax(x), expected, rtol=tolerance)


# Softmax: edges


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_row_of_minus_infinity_gives_zeros(dtype):
    x = np.array([[-np.inf, -np.inf], [-np.inf, 3]], dtype)
    np.testing.assert_array_equal(softmax(x), np.array([[0, 0], [0, 1]], dtype), strict=True)


@pytest.mark.parametrize("dtype", FLOATS)
def test_entries_at_infinity_share_the_whole_weight(dtype):
    x = np.array([[np.inf, 1, -np.inf], [np.inf, np.inf, 5]], dtype)
    expected = np.array([[1, 0, 0], [0.5, 0.5, 0]], dtype)
    np.testing.assert_array_equal(softmax(x), expected, strict=True)


@pytest.mark.parametrize("row", [[np.nan, 1.0], [np.nan, np.inf], [np.nan, -np.inf]])
def test_nan_spreads_over_its_row_and_no_further(row):
    weights = softmax([row, [0.0, 0.0]])
    assert np.isnan(weights[0]).all()
    np.testing.assert_array_equal(weights[1], [0.5, 0.5])


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_ends_of_the_dtype(dtype):
    info = np.finfo(dtype)
    x = np.array([info.max, info.min, 0], dtype)
    np.testing.assert_array_equal(softmax(x), np.array([1, 0, 0], dtype), strict=True)
    lowest = np.full(2, info.min, dtype)
    np.testing.assert_array_equal(softmax(lowest), np.array([0.5, 0.5], dtype), strict=True)


@pytest.mark.parametrize(("shape", "axis"), [((0,), -1), ((3, 0), -1), ((0, 3), 1), ((0, 3), 0)])
def test_softmax_of_nothing_is_nothing(shape, axis):
    assert softmax(np.zeros(shape), axis).shape == shape


def test_softmax_of_integers_is_float64():
    np.testing.assert_array_equal(softmax([0, 0]), np.array([0.5, 0.5]), strict=True)


def test_softmax_leaves_its_input_alone():
    x = np.array([1.0, 2.0])
    x.flags.writeable = False
    softmax(x)


def test_softmax_of_a_scalar_or_along_no_axis():
    with pytest.raises(ValueError, match="x needs one dimension or more, got a scalar"):
        softmax(1.0)
    with pytest.raises(ValueError, match="axis 2 is out of bounds"):
        softmax([[1.0]], axis=2)


# Attention: laws


@given(inputs=attention_inputs())
def test_shapes_and_dtypes(inputs):
    q, k, v, mask = inputs
    output, weights = scaled_dot_product_attention(q, k, v, mask)
    batch = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], v.shape[:-2])
    assert output.shape == (*batch, q.shape[-2], v.shape[-1])
    assert weights.shape == (*batch, q.shape[-2], k.shape[-2])
    assert output.dtype == weights.dtype == q.dtype


@given(inputs=attention_inputs())
def test_each_row_of_weights_sums_to_one_or_to_zero(inputs):
    q, k, v, mask = inputs
    _, weights = scaled_dot_product_attention(q, k, v, mask)
    allowed = np.broadcast_to(True if mask is None else mask, weights.shape)
    assert (weights >= 0).all()
    assert (weights[~allowed] == 0).all()
    total = weights.astype(np.float64).sum(axis=-1)
    tolerance = TOLERANCE[q.dtype.type] * k.shape[-2]
    np.testing.assert_allclose(total, allowed.any(axis=-1).astype(float), atol=tolerance)


@given(inputs=attention_inputs([np.float64]))
def test_the_output_is_the_weights_times_the_values(inputs):
    q, k, v, mask = inputs
    output, weights = scaled_dot_product_attention(q, k, v, mask)
    np.testing.assert_allclose(output, weights @ v, rtol=1e-12, atol=1e-12)


@given(inputs=attention_inputs([np.float64]))
def test_the_order_of_keys_with_their_values_does_not_matter(inputs):
    q, k, v, mask = inputs
    order = np.random.default_rng(0).permutation(k.shape[-2])
    output, weights = scaled_dot_product_attention(q, k, v, mask)
    if mask is not None and mask.shape[-1] == len(order):
        mask = mask[..., order]
    moved, moved_weights = scaled_dot_product_attention(q, k[..., order, :], v[..., order, :], mask)
    np.testing.assert_allclose(moved, output, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(moved_weights, weights[..., order], rtol=1e-12, atol=1e-12)


def test_permuted_queries_give_the_permuted_output():
    q, k, v = random_inputs()
    order = [2, 0, 3, 1]
    for before, after in zip(
        scaled_dot_product_attention(q, k, v),
        scaled_dot_product_attention(q[order], k, v),
        strict=True,
    ):
        np.testing.assert_allclose(after, before[order], rtol=1e-12)


def test_a_query_is_answered_without_the_others():
    q, k, v = random_inputs()
    together, _ = scaled_dot_product_attention(q, k, v)
    for i in range(len(q)):
        alone, _ = scaled_dot_product_attention(q[i : i + 1], k, v)
        np.testing.assert_allclose(alone[0], together[i], rtol=1e-12)


def test_the_output_lies_between_the_values():
    q, k, v = random_inputs()
    output, _ = scaled_dot_product_attention(q, k, v)
    assert (output >= v.min(axis=0) - 1e-12).all()
    assert (output <= v.max(axis=0) + 1e-12).all()


def test_equal_keys_give_the_mean_of_the_values():
    q, k, v = random_inputs()
    output, _ = scaled_dot_product_attention(q, np.tile(k[:1], (6, 1)), v)
    np.testing.assert_allclose(output, np.tile(v.mean(axis=0), (4, 1)), rtol=1e-12)


def test_one_key_gives_its_value():
    q, k, v = random_inputs(n_k=1)
    output, weights = scaled_dot_product_attention(q, k, v)
    np.testing.assert_array_equal(weights, np.ones((4, 1)))
    np.testing.assert_array_equal(output, np.tile(v, (4, 1)))


def test_a_direction_added_to_every_key_changes_nothing():
    # It adds the same number to all scores of a query: softmax does not see a shift.
    q, k, v = random_inputs()
    output, _ = scaled_dot_product_attention(q, k, v)
    shifted, _ = scaled_dot_product_attention(q, k + np.array([3.0, -2.0, 0.5]), v)
    np.testing.assert_allclose(shifted, output, rtol=1e-12, atol=1e-13)


def test_the_scale_is_one_over_the_square_root_of_d_k_unless_given():
    q, k, v = random_inputs(d_k=4)
    default = scaled_dot_product_attention(q, k, v)
    for scale in (0.5, np.float64(0.5), np.float32(0.5)):
        for a, b in zip(default, scaled_dot_product_attention(q, k, v, scale=scale), strict=True):
            np.testing.assert_array_equal(a, b)
    _, uniform = scaled_dot_product_attention(q, k, v, scale=0)
    np.testing.assert_array_equal(uniform, np.full((4, 6), 1 / 6))
    sharper, _ = scaled_dot_product_attention(q, k, v, scale=2.0)
    by_hand, _ = scaled_dot_product_attention(4 * q, k, v)
    np.testing.assert_allclose(sharper, by_hand, rtol=1e-12)


@pytest.mark.parametrize("dtype", FLOATS)
def test_no_scale_widens_the_dtype(dtype):
    q, k, v = random_inputs(dtype=dtype)
    for scale in (None, 0.3, np.float64(0.3)):
        output, weights = scaled_dot_product_attention(q, k, v, scale=scale)
        assert output.dtype == weights.dtype == dtype


def test_a_numpy_scale_does_not_widen_the_computation_either():
    # np.float64 scalars, such as np.sqrt(3), would turn float32 arrays into float64 on the way:
    # several times slower, and rounded differently.
    q, k, v = random_inputs(n_q=50, n_k=50, dtype=np.float32)
    expected, expected_weights = scaled_dot_product_attention(q, k, v, scale=1 / math.sqrt(3))
    for scale in (None, 1 / np.sqrt(3)):
        output, weights = scaled_dot_product_attention(q, k, v, scale=scale)
        np.testing.assert_array_equal(output, expected)
        np.testing.assert_array_equal(weights, expected_weights)


def test_different_floating_dtypes_give_the_wider_one():
    q, k, v = random_inputs()
    output, weights = scaled_dot_product_attention(q.astype(np.float16), k.astype(np.float32), v)
    assert output.dtype == weights.dtype == np.float64


# Attention: masks


@given(inputs=attention_inputs(), poison=st.sampled_from([np.nan, np.inf, -np.inf]))
def test_a_masked_key_has_no_influence_even_when_it_is_not_finite(inputs, poison):
    q, k, v, mask = inputs
    n_q, n_k = q.shape[-2], k.shape[-2]
    j = n_k // 2
    # Masked for the even queries; the odd ones keep whatever mask was drawn.
    hidden = np.zeros((n_q, n_k), bool)
    hidden[::2, j] = True
    mask = ~hidden if mask is None else mask & ~hidden
    clean_output, clean_weights = scaled_dot_product_attention(q, k, v, mask)
    bad_k, bad_v = k.copy(), v.copy()
    bad_k[..., j, 0] = poison
    bad_v[..., j, -1] = poison
    for keys, values in ((bad_k, v), (k, bad_v), (bad_k, bad_v)):
        output, weights = scaled_dot_product_attention(q, keys, values, mask)
        np.testing.assert_array_equal(output[..., ::2, :], clean_output[..., ::2, :])
        np.testing.assert_array_equal(weights[..., ::2, :], clean_weights[..., ::2, :])


def test_a_key_that_is_not_masked_does_show_its_nan():
    q, k, v = random_inputs(n_q=3, n_k=3)
    v[2, 1] = np.nan
    clean = np.where(np.isnan(v), 0, v)
    output, weights = scaled_dot_product_attention(q, k, v, causal_mask(3))
    expected, _ = scaled_dot_product_attention(q, k, clean, causal_mask(3))
    np.testing.assert_array_equal(output[:2], expected[:2])
    np.testing.assert_allclose(output[2, [0, 2, 3, 4]], expected[2, [0, 2, 3, 4]], rtol=1e-12)
    assert np.isnan(output[2, 1])
    k[2, 0] = np.nan
    output, weights = scaled_dot_product_attention(q, k, clean, causal_mask(3))
    assert np.isnan(weights[2]).all()
    assert np.isnan(output[2]).all()
    np.testing.assert_array_equal(output[:2], expected[:2])


def test_infinite_values_are_averaged_as_infinite():
    q, k = np.zeros((2, 1)), np.zeros((3, 1))
    v = np.array([[np.inf], [1.0], [-np.inf]])
    mask = np.array([[True, True, False], [True, True, True]])
    output, _ = scaled_dot_product_attention(q, k, v, mask)
    assert output[0, 0] == np.inf
    assert np.isnan(output[1, 0])  # inf - inf


def test_values_that_are_not_finite_in_one_batch_leave_the_others_alone():
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, 2, 4, 5))
    mask = padding_mask([3, 2], 4)
    expected, _ = scaled_dot_product_attention(q, k, v, mask)
    v[0, 3] = np.nan
    v[1, 2:] = np.inf
    output, _ = scaled_dot_product_attention(q, k, v, mask)
    np.testing.assert_allclose(output, expected, rtol=1e-12)


def test_masking_a_key_is_leaving_it_out():
    q, k, v = random_inputs()
    keep = np.array([True, False, True, True, False, True])
    output, weights = scaled_dot_product_attention(q, k, v, keep)
    short, short_weights = scaled_dot_product_attention(q, k[keep], v[keep])
    np.testing.assert_allclose(output, short, rtol=1e-12)
    np.testing.assert_allclose(weights[:, keep], short_weights, rtol=1e-12)
    assert (weights[:, ~keep] == 0).all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_query_that_may_attend_to_nothing_gives_zeros(dtype):
    q, k, v = random_inputs(dtype=dtype)
    q[1] = np.nan  # not even its own nan comes through
    mask = np.ones((4, 6), bool)
    mask[1] = False
    output, weights = scaled_dot_product_attention(q, k, v, mask)
    assert (weights[1] == 0).all()
    assert (output[1] == 0).all()
    assert np.isfinite(output).all()
    assert (output[[0, 2, 3]] != 0).any(axis=-1).all()


def test_no_keys_are_nothing_to_attend_to():
    q, k, v = random_inputs(n_k=0)
    for mask in (None, np.ones((4, 0), bool), True):
        output, weights = scaled_dot_product_attention(q, k, v, mask)
        np.testing.assert_array_equal(output, np.zeros((4, 5)))
        assert weights.shape == (4, 0)


def test_no_queries_and_no_columns():
    q, k, v = random_inputs(n_q=0)
    assert [x.shape for x in scaled_dot_product_attention(q, k, v)] == [(0, 5), (0, 6)]
    q, k, v = random_inputs(d_v=0)
    assert [x.shape for x in scaled_dot_product_attention(q, k, v)] == [(4, 0), (4, 6)]


@pytest.mark.parametrize("i", range(6))
def test_causal_output_does_not_depend_on_later_tokens(i):
    q, k, v = random_inputs(n_q=6)
    output, _ = scaled_dot_product_attention(q, k, v, causal_mask(6))
    for later in (100.0, np.nan):
        changed = [x.copy() for x in (q, k, v)]
        for x in changed:
            x[i + 1 :] = later
        again, _ = scaled_dot_product_attention(*changed, causal_mask(6))
        np.testing.assert_array_equal(again[: i + 1], output[: i + 1])
    prefix, _ = scaled_dot_product_attention(q[: i + 1], k[: i + 1], v[: i + 1], causal_mask(i + 1))
    np.testing.assert_allclose(prefix, output[: i + 1], rtol=1e-12)


def test_a_mask_of_true_is_no_mask():
    q, k, v = random_inputs()
    for a, b in zip(
        scaled_dot_product_attention(q, k, v, np.ones((4, 6), bool)),
        scaled_dot_product_attention(q, k, v),
        strict=True,
    ):
        np.testing.assert_array_equal(a, b)


# Attention: bias, softcap, sinks, grouped heads, blocks of queries


def test_a_bias_is_added_to_the_scores():
    q, k, v = random_inputs()
    bias = np.random.default_rng(1).normal(size=(4, 6))
    output, weights = scaled_dot_product_attention(q, k, v, bias=bias)
    np.testing.assert_allclose(weights, softmax(q @ k.T / math.sqrt(3) + bias), rtol=1e-12)
    np.testing.assert_allclose(output, weights @ v, rtol=1e-12)
    shifted, _ = scaled_dot_product_attention(q, k, v, bias=bias + 7)  # the same for every key
    np.testing.assert_allclose(shifted, output, rtol=1e-12)


@given(inputs=attention_inputs(), poison=st.sampled_from([0.0, np.nan, np.inf]))
def test_minus_infinity_in_a_bias_hides_as_a_mask_does(inputs, poison):
    q, k, v, mask = inputs
    hidden = np.random.default_rng(0).random((q.shape[-2], k.shape[-2])) < 0.3
    bias = np.where(hidden, -np.inf, 0.5)
    together = ~hidden if mask is None else mask & ~hidden
    if poison:
        k, v = k.copy(), v.copy()
        k[..., 0, 0], v[..., 0, 0] = poison, poison
    expected = scaled_dot_product_attention(q, k, v, together, bias=np.full(hidden.shape, 0.5))
    for a, b in zip(scaled_dot_product_attention(q, k, v, mask, bias=bias), expected, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_bias_does_not_widen_the_result(dtype):
    q, k, v = random_inputs(dtype=dtype)
    output, weights = scaled_dot_product_attention(q, k, v, bias=np.ones((4, 6)), sinks=1.0)
    assert output.dtype == weights.dtype == dtype


@given(inputs=attention_inputs([np.float32, np.float64]))
def test_the_same_as_pytorch_with_a_float_mask(inputs):
    q, k, v, _ = inputs
    bias = np.random.default_rng(0).normal(size=(q.shape[-2], k.shape[-2])).astype(q.dtype)
    bias[0, 0] = -np.inf
    expected, expected_weights = pytorch(q, k, v, bias)
    output, weights = scaled_dot_product_attention(q, k, v, bias=bias)
    tolerance = TOLERANCE[q.dtype.type]
    np.testing.assert_allclose(output, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(weights, expected_weights, rtol=tolerance, atol=tolerance)


def test_no_score_passes_the_softcap():
    q, k, v = random_inputs()
    _, weights = scaled_dot_product_attention(100 * q, k, v, softcap=2.0)
    assert (weights.max(axis=-1) / weights.min(axis=-1)).max() <= math.exp(
        4
    ) + 1e-9  # all scores within -2 .. 2
    capped = 2 * np.tanh(100 * q @ k.T / math.sqrt(3) / 2)
    np.testing.assert_allclose(weights, softmax(capped), rtol=1e-12)
    plain, _ = scaled_dot_product_attention(q, k, v)
    wide, _ = scaled_dot_product_attention(q, k, v, softcap=1e6)
    np.testing.assert_allclose(wide, plain, rtol=1e-9)


def test_a_sink_is_a_key_without_a_value():
    q, k, v = np.random.default_rng(0).normal(size=(3, 2, 4, 3))
    sinks, zeros = np.array([0.3, -1.0]), np.zeros((2, 1, 3))
    column = np.broadcast_to(sinks[:, None, None], (2, 4, 1))
    bias = np.concatenate([np.zeros((2, 4, 4)), column], axis=-1)
    more_k, more_v = np.concatenate([k, zeros], axis=1), np.concatenate([v, zeros], axis=1)
    expected, its_weights = scaled_dot_product_attention(q, more_k, more_v, bias=bias)
    output, weights = scaled_dot_product_attention(q, k, v, sinks=sinks)
    np.testing.assert_allclose(output, expected, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(weights, its_weights[..., :-1], rtol=1e-12)
    assert (weights.sum(axis=-1) < 1).all()
    nothing, _ = scaled_dot_product_attention(q, k, v, np.zeros((4, 4), bool), sinks=sinks)
    np.testing.assert_array_equal(nothing, np.zeros((2, 4, 3)))
    same, _ = scaled_dot_product_attention(q, k, v, sinks=-np.inf)
    np.testing.assert_array_equal(same, scaled_dot_product_attention(q, k, v)[0])


@pytest.mark.parametrize("n_kv_heads", [1, 2, 3, 6])
def test_grouped_heads_are_repeated_ones_and_pytorchs(n_kv_heads):
    rng = np.random.default_rng(0)
    q, k, v = (rng.normal(size=(2, heads, 5, 4)) for heads in (6, n_kv_heads, n_kv_heads))
    output, weights = scaled_dot_product_attention(q, k, v, causal_mask(5), grouped=True)
    k_each, v_each = (np.repeat(x, 6 // n_kv_heads, axis=1) for x in (k, v))
    expected, its_weights = scaled_dot_product_attention(q, k_each, v_each, causal_mask(5))
    np.testing.assert_allclose(output, expected, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(weights, its_weights, rtol=1e-12, atol=1e-13)
    theirs = torch.nn.functional.scaled_dot_product_attention(
        *map(torch.from_numpy, (q, k, v)), is_causal=True, enable_gqa=True
    )
    np.testing.assert_allclose(output, theirs.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    "kind", ["none", "causal", "window", "random", "row", "hidden", "bias", "sinks"]
)
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_in_blocks_of_queries_the_numbers_are_the_same(kind, dtype, monkeypatch):
    rng = np.random.default_rng(0)
    q, k, v = (rng.normal(size=shape).astype(dtype) for shape in [(2, 70, 4), (90, 4), (90, 3)])
    place, key = np.arange(70)[:, None], np.arange(90)
    mask = {
        "causal": key <= place,
        "window": (key <= place) & (key > place - 5),
        "random": rng.random((2, 70, 90)) < 0.3,
        "row": place % 2 == 0,
        "hidden": np.zeros((70, 90), bool),
    }.get(kind)
    bias = rng.normal(size=(2, 70, 90)) if kind == "bias" else None
    sinks = np.array([-1.0, 3.0]) if kind == "sinks" else None  # a head has its own
    whole = scaled_dot_product_attention(q, k, v, mask, bias=bias, sinks=sinks)
    monkeypatch.setattr("qkv_docs._blocks.SCORES", 4000)
    parts = scaled_dot_product_attention(q, k, v, mask, bias=bias, sinks=sinks)
    for a, b in zip(parts, whole, strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype])


def test_long_inputs_take_little_more_memory_than_the_weights():
    q, k, v = np.random.default_rng(0).normal(size=(3, 4, 1024, 16)).astype(np.float32)
    for mask in (None, causal_mask(1024)):
        tracemalloc.start()
        _, weights = scaled_dot_product_attention(q, k, v, mask)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2 * weights.nbytes


# Attention: PyTorch


@settings(max_examples=150)
@given(inputs=attention_inputs())
def test_the_same_as_pytorch(inputs):
    q, k, v, mask = inputs
    tolerance = TOLERANCE[q.dtype.type]
    # float16 is compared with the exact result for the float16 inputs, the others with their own.
    wide = np.float64 if q.dtype == np.float16 else q.dtype
    expected, expected_weights = pytorch(*(x.astype(wide) for x in (q, k, v)), mask)
    output, weights = scaled_dot_product_attention(q, k, v, mask)
    np.testing.assert_allclose(output, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(weights, expected_weights, rtol=tolerance, atol=tolerance)


@given(inputs=attention_inputs([np.float16]))
def test_float16_is_pytorchs_float16(inputs):
    q, k, v, mask = inputs
    expected, _ = pytorch(q, k, v, mask)
    output, _ = scaled_dot_product_attention(q, k, v, mask)
    # PyTorch rounds to float16 along the way, and the scores by up to 1e-3 of themselves.
    np.testing.assert_allclose(output, expected, rtol=1e-2, atol=1e-2)


@given(inputs=attention_inputs([np.float64]), scale=st.sampled_from([0.05, 1.0, 3.0]))
def test_the_same_as_pytorch_with_another_scale(inputs, scale):
    q, k, v, mask = inputs
    expected, expected_weights = pytorch(q, k, v, mask, scale)
    output, weights = scaled_dot_product_attention(q, k, v, mask, scale=scale)
    np.testing.assert_allclose(output, expected, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(weights, expected_weights, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_same_as_pytorchs_is_causal(dtype):
    q, k, v = random_inputs(n_q=6, dtype=dtype)
    expected = torch.nn.functional.scaled_dot_product_attention(
        *(torch.from_numpy(x) for x in (q, k, v)), is_causal=True
    )
    output, _ = scaled_dot_product_attention(q, k, v, causal_mask(6))
    np.testing.assert_allclose(output, expected.numpy(), rtol=TOLERANCE[dtype], atol=1e-6)


@pytest.mark.parametrize("dtype", FLOATS)
@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), masked=st.booleans())
def test_values_up_to_ten_thousand(dtype, seed, masked):
    # Scores reach 4e8, where the rounding of one product can decide a near tie. On multiples of
    # 1000 every product and every sum is exact in float32, so that both sides must agree.
    rng = np.random.default_rng(seed)
    q, k = (1000.0 * rng.integers(-10, 11, (n, 4)) for n in (5, 6))
    v = rng.uniform(-1e4, 1e4, (6, 3))
    q, k, v = (x.astype(dtype) for x in (q, k, v))
    mask = rng.random((5, 6)) < 0.6 if masked else None
    expected, expected_weights = pytorch(*(x.astype(np.float64) for x in (q, k, v)), mask, 1.0)
    output, weights = scaled_dot_product_attention(q, k, v, mask, scale=1.0)
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(output, expected, rtol=tolerance, atol=1e4 * tolerance)
    np.testing.assert_allclose(weights, expected_weights, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("d_k", [1, 2, 16, 64])
def test_large_numbers_are_scaled_before_they_can_overflow(d_k):
    q = np.full((1, d_k), 4e19, np.float32)
    k = np.repeat(np.float32([[0.9e18], [1e18]]), d_k, axis=-1)
    v = np.float32([[1], [2]])
    for ours, theirs in zip(scaled_dot_product_attention(q, k, v), pytorch(q, k, v), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("wrong", [1e200, -1e308, np.inf, np.nan])
def test_a_masked_key_may_hold_anything(wrong):
    """Without a warning: those are errors here."""
    q, k, v = random_inputs()
    mask = np.arange(6) < 5
    expected = scaled_dot_product_attention(q, k, v, mask)
    q[0], k[5], v[5] = 1e200, wrong, wrong
    for before, after in zip(expected, scaled_dot_product_attention(q, k, v, mask), strict=True):
        np.testing.assert_array_equal(after[1:], before[1:])


# Attention: errors


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((3, 4), (5, 8), (5, 8)), "q and k need the same d_k, got (3, 4) and (5, 8)"),
        (((3, 0), (5, 0), (5, 8)), "d_k must be at least 1, got q (3, 0) and k (5, 0)"),
        (
            ((3, 4), (5, 4), (6, 8)),
            "k and v need the same number of keys n_k, got (5, 4) and (6, 8)",
        ),
        (
            ((3, 4), (5, 4), (1, 8)),
            "k and v need the same number of keys n_k, got (5, 4) and (1, 8)",
        ),
        (
            ((2, 3, 4), (3, 5, 4), (5, 8)),
            "the batch dimensions of q, k and v need to broadcast, "
            "got (2, 3, 4), (3, 5, 4) and (5, 8)",
        ),
        (((4,), (5, 4), (5, 8)), "q needs two dimensions or more, (..., n, d), got (4,)"),
        (((3, 4), (4,), (5, 8)), "k needs two dimensions or more, (..., n, d), got (4,)"),
        (((3, 4), (5, 4), ()), "v needs two dimensions or more, (..., n, d), got ()"),
    ],
)
def test_wrong_shapes_are_named(shapes, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        scaled_dot_product_attention(*(np.ones(shape) for shape in shapes))


@pytest.mark.parametrize("shape", [(6, 4), (4, 5), (3, 6), (2, 4, 6), (2, 6)])
def test_a_mask_that_does_not_fit(shape):
    q, k, v = random_inputs()
    message = f"mask needs to broadcast to (..., n_q, n_k) = (4, 6), got {shape}"
    with pytest.raises(ValueError, match=re.escape(message)):
        scaled_dot_product_attention(q, k, v, np.ones(shape, bool))


def test_a_padding_mask_that_fits_the_heads_as_well():
    """Two sequences, two heads: the mask of a sequence is not handed to a head."""
    q, k, v = (np.random.default_rng(0).normal(size=(2, 2, n, 4)) for n in (5, 3, 3))
    padding = padding_mask([1, 3], 3)
    message = (
        "mask (2, 1, 3) fits two axes of (..., n_q, n_k) = (2, 2, 5, 3): "
        "reshape it to (2, 1, 1, 3) for a mask a sequence, (1, 2, 1, 3) for a mask a head"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        scaled_dot_product_attention(q, k, v, padding)
    _, weights = scaled_dot_product_attention(q, k, v, padding_mask([[1], [3]], 3))
    np.testing.assert_array_equal((weights > 0).sum(axis=-1)[:, :, 0], [[1, 1], [3, 3]])
    _, weights = scaled_dot_product_attention(q, k, v, padding[None])
    np.testing.assert_array_equal((weights > 0).sum(axis=-1)[:, :, 0], [[1, 3], [1, 3]])
    # where the sizes differ there is one way only, and masks of whole rows are those of the heads
    assert scaled_dot_product_attention(q[:1], k[:1], v[:1], padding)[1].shape == (1, 2, 5, 3)
    rows = np.array([np.eye(5, 3), 1 - np.eye(5, 3)]) > 0
    _, weights = scaled_dot_product_attention(q, k, v, rows)
    np.testing.assert_array_equal(weights > 0, np.broadcast_to(rows, weights.shape))
    hint = "got (3, 1, 3); for a mask a sequence, reshape it to (3, 1, 1, 3)"
    q, k, v = (np.ones((3, 2, n, 4)) for n in (5, 3, 3))
    with pytest.raises(ValueError, match=re.escape(hint)):
        scaled_dot_product_attention(q, k, v, padding_mask([1, 2, 3], 3))


def test_a_mask_does_not_stretch_a_single_query_or_key():
    q, k, v = random_inputs(n_q=1, n_k=1)
    for shape in ((4, 1), (1, 6)):
        with pytest.raises(ValueError, match=re.escape("= (1, 1), got")):
            scaled_dot_product_attention(q, k, v, np.ones(shape, bool))


def test_the_inputs_are_left_alone():
    arrays = (*random_inputs(), np.ones((4, 6), bool))
    for array in arrays:
        array.flags.writeable = False
    scaled_dot_product_attention(*arrays)


def test_lists_will_do():
    output, _ = scaled_dot_product_attention([[1.0]], [[1.0], [1.0]], [[2.0], [4.0]])
    np.testing.assert_array_equal(output, [[3.0]])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"grouped": True}, "grouped heads need an axis of heads, (..., n_heads, n, d), got q (4,"),
        ({"softcap": 0}, "softcap must be above 0, got 0"),
        ({"softcap": -1.0}, "softcap must be above 0, got -1.0"),
        ({"sinks": [1.0, 2.0]}, "sinks need one number for each head of q (4, 3) or for all, got"),
        (
            {"bias": np.ones((6, 4))},
            "bias needs to broadcast to (..., n_q, n_k) = (4, 6), got (6, 4)",
        ),
    ],
)
def test_settings_that_do_not_fit_are_named(settings, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        scaled_dot_product_attention(*random_inputs(), **settings)


def test_heads_that_cannot_be_grouped_are_named():
    q, k = np.ones((6, 2, 4)), np.ones((4, 5, 4))
    message = "grouped heads need as many heads of v as of k, and of q a multiple of that, got q (6"
    with pytest.raises(ValueError, match=re.escape(message)):
        scaled_dot_product_attention(q, k, k, grouped=True)
