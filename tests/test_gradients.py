"""Gradients: equal to autograd, equal to finite differences, and zero where nothing flows."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from qkv_docs import (
    causal_mask,
    scaled_dot_product_attention,
    scaled_dot_product_attention_backward,
    softmax,
    softmax_backward,
)

FLOATS = [np.float16, np.float32, np.float64]
TOLERANCE = {np.float16: 2e-3, np.float32: 1e-5, np.float64: 1e-12}

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
def attention_inputs(draw, dtypes=(np.float32, np.float64)):
    """The gradient of the output, q, k, v and a mask (or None)."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_q, n_k, d_k, d_v = (draw(st.integers(1, 6)) for _ in range(4))
    batches = draw(st.sampled_from(BATCHES))
    batch = np.broadcast_shapes(*batches)
    dtype = draw(st.sampled_from(dtypes))
    shapes = [(*batch, n_q, d_v)]
    shapes += [(*b, *s) for b, s in zip(batches, ((n_q, d_k), (n_k, d_k), (n_k, d_v)), strict=True)]
    arrays = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    mask_shape = draw(st.sampled_from([None, (n_q, n_k), (n_k,), (*batch, n_q, n_k)]))
    mask = None if mask_shape is None else rng.random(mask_shape) < 0.6
    return *arrays, mask


def random_inputs(n_q=4, n_k=6, d_k=3, d_v=5, dtype=np.float64):
    rng = np.random.default_rng(0)
    shapes = (n_q, d_v), (n_q, d_k), (n_k, d_k), (n_k, d_v)
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def autograd(grad_output, q, k, v, mask=None, scale=None):
    """PyTorch's gradients of q, k and v."""
    if mask is not None:
        # A query that may attend to nothing has output 0 whatever q, k and v are, so nothing
        # flows through it. PyTorch makes nan of such rows in some versions: let the query see
        # everything, and take the gradient of its output away instead.
        mask = np.broadcast_to(mask, (*grad_output.shape[:-1], k.shape[-2]))
        empty = ~mask.any(axis=-1, keepdims=True)
        mask, grad_output = mask | empty, np.where(empty, 0, grad_output)
    tensors = [torch.from_numpy(x).requires_grad_() for x in (q, k, v)]
    # PyTorch broadcasts the batch dimensions in some of its kernels only.
    output = torch.nn.functional.scaled_dot_product_attention(
        *(t.expand(*grad_output.shape[:-2], *t.shape[-2:]) for t in tensors),
        attn_mask=None if mask is None else torch.from_numpy(mask),
        scale=scale,
    )
    output.backward(torch.from_numpy(grad_output.astype(q.dtype)))
    return [t.grad.numpy() for t in tensors]


def finite_differences(function, array, step=1e-6):
    """The gradient of a number with respect to each entry of the array."""
    grad = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        up, down = array.copy(), array.copy()
        up[index] += step
        down[index] -= step
        grad[index] = (function(up) - function(down)) / (2 * step)
    return grad


# Softmax


@st.composite
def grads_and_weights(draw, dtypes=tuple(FLOATS)):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.sampled_from([(1,), (5,), (3, 4), (2, 3, 7)]))
    dtype = draw(st.sampled_from(dtypes))
    size = draw(st.sampled_from([1.0, 30.0]))
    scores = rng.normal(scale=size, size=shape).astype(dtype)
    return rng.normal(size=shape).astype(dtype), scores


@given(pair=grads_and_weights([np.float64]))
def test_each_row_of_score_gradients_sums_to_zero(pair):
    grad, scores = pair
    result = softmax_backward(grad, softmax(scores))
    np.testing.assert_allclose(result.sum(axis=-1), 0, atol=1e-14)


@given(pair=grads_and_weights())
def test_softmax_backward_is_autograd(pair):
    grad, scores = pair
    x = torch.from_numpy(scores.astype(np.float64)).requires_grad_()
    torch.softmax(x, dim=-1).backward(torch.from_numpy(grad.astype(np.float64)))
    result = softmax_backward(grad, softmax(scores))
    assert result.dtype == scores.dtype
    np.testing.assert_allclose(result, x.grad.numpy(), atol=TOLERANCE[scores.dtype.type])


def test_softmax_backward_is_the_finite_difference():
    rng = np.random.default_rng(0)
    grad, scores = rng.normal(size=(2, 3, 5))
    expected = finite_differences(lambda x: float((grad * softmax(x)).sum()), scores)
    np.testing.assert_allclose(softmax_backward(grad, softmax(scores)), expected, atol=1e-9)


def test_an_equal_gradient_for_all_weights_moves_no_score():
    weights = softmax([1.0, 2.0, 3.0])
    np.testing.assert_allclose(softmax_backward(np.ones(3), weights), 0, atol=1e-15)


def test_nothing_flows_through_a_saturated_softmax():
    result = softmax_backward(np.array([3.0, -1.0, 2.0]), np.array([0.0, 1.0, 0.0]))
    np.testing.assert_array_equal(result, [0, 0, 0])


def test_nothing_flows_through_a_row_of_zeros():
    np.testing.assert_array_equal(softmax_backward([1.0, 2.0], [0.0, 0.0]), [0, 0])
    assert softmax_backward(np.zeros((3, 0)), np.zeros((3, 0))).shape == (3, 0)


@pytest.mark.parametrize(
    ("shapes", "named"), [(((3,), (4,)), "(3,) and (4,)"), (((2, 3), (3,)), "(2, 3) and (3,)")]
)
def test_different_shapes_are_named(shapes, named):
    message = f"grad and weights need the same shape (..., n), got {named}"
    with pytest.raises(ValueError, match=re.escape(message)):
        softmax_backward(*(np.ones(shape) for shape in shapes))


def test_scalars_have_no_softmax_gradient():
    with pytest.raises(ValueError, match=re.escape("got () and ()")):
        softmax_backward(1.0, 1.0)


# Attention


@settings(max_examples=150)
@given(inputs=attention_inputs(), scale=st.sampled_from([None, 0.1, 1.0]))
def test_the_gradients_are_autograds(inputs, scale):
    expected = autograd(*inputs, scale)
    dtype = inputs[0].dtype.type
    for array, grad, right in zip(
        inputs[1:4],
        scaled_dot_product_attention_backward(*inputs, scale=scale),
        expected,
        strict=True,
    ):
        assert grad.shape == array.shape
        assert grad.dtype == dtype
        # What was broadcast is a sum of up to a hundred terms of the order of 1.
        np.testing.assert_allclose(grad, right, rtol=TOLERANCE[dtype], atol=10 * TOLERANCE[dtype])


@given(inputs=attention_inputs([np.float16]))
def test_float16_is_the_exact_gradient_rounded_once(inputs):
    *arrays, mask = inputs
    expected = autograd(*(x.astype(np.float64) for x in arrays), mask)
    for grad, right in zip(
        scaled_dot_product_attention_backward(*arrays, mask), expected, strict=True
    ):
        assert grad.dtype == np.float16
        np.testing.assert_allclose(grad, right, rtol=6e-4, atol=2e-5)


@pytest.mark.parametrize("mask", [None, causal_mask(4, 6), np.arange(6) != 2])
def test_the_gradients_are_finite_differences(mask):
    grad_output, *arrays = random_inputs()
    grads = scaled_dot_product_attention_backward(grad_output, *arrays, mask)
    for position, grad in enumerate(grads):

        def loss(array, position=position):
            changed = [*arrays[:position], array, *arrays[position + 1 :]]
            output, _ = scaled_dot_product_attention(*changed, mask)
            return float((grad_output * output).sum())

        expected = finite_differences(loss, arrays[position])
        np.testing.assert_allclose(grad, expected, rtol=1e-6, atol=1e-8)


def test_a_numpy_scale_does_not_widen_the_computation():
    inputs = random_inputs(n_q=50, n_k=50, dtype=np.float32)
    expected = scaled_dot_product_attention_backward(*inputs, scale=1 / math.sqrt(3))
    for scale in (None, 1 / np.sqrt(3)):
        grads = scaled_dot_product_attention_backward(*inputs, scale=scale)
        for grad, right in zip(grads, expected, strict=True):
            np.testing.assert_array_equal(grad, right)


def test_the_gradients_grow_with_that_of_the_output():
    grad_output, *arrays = random_inputs()
    for once, twice in zip(
        scaled_dot_product_attention_backward(grad_output, *arrays),
        scaled_dot_product_attention_backward(2 * grad_output, *arrays),
        strict=True,
    ):
        np.testing.assert_allclose(twice, 2 * once, rtol=1e-12)


def test_the_gradient_of_the_values_is_shared_out_by_the_weights():
    grad_output, q, k, v = random_inputs()
    _, weights = scaled_dot_product_attention(q, k, v)
    _, _, grad_v = scaled_dot_product_attention_backward(grad_output, q, k, v)
    np.testing.assert_allclose(grad_v, weights.T @ grad_output, rtol=1e-12)


def test_moving_every_key_alike_changes_nothing():
    grad_output, *arrays = random_inputs()
    _, grad_k, _ = scaled_dot_product_attention_backward(grad_output, *arrays)
    np.testing.assert_allclose(grad_k.sum(axis=0), 0, atol=1e-14)


@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e200])
def test_a_masked_key_gets_no_gradient_and_spoils_none(poison):
    grad_output, q, k, v = random_inputs()
    mask = np.ones((4, 6), bool)
    mask[:, 2] = False  # nobody sees key 2
    expected = scaled_dot_product_attention_backward(grad_output, q, k, v, mask)
    k[2], v[2] = poison, poison
    for grad, right in zip(
        scaled_dot_product_attention_backward(grad_output, q, k, v, mask), expected, strict=True
    ):
        np.testing.assert_array_equal(grad, right)
    assert (expected[1][2] == 0).all()
    assert (expected[2][2] == 0).all()


@pytest.mark.parametrize("poison", [np.nan, np.inf, 1e200])
def test_a_query_that_sees_nothing_gets_no_gradient_and_spoils_none(poison):
    grad_output, q, k, v = random_inputs()
    mask = np.ones((4, 6), bool)
    mask[1] = False
    expected = scaled_dot_product_attention_backward(grad_output, q, k, v, mask)
    grad_output[1], q[1] = poison, poison
    grads = scaled_dot_product_attention_backward(grad_output, q, k, v, mask)
    for grad, right in zip(grads, expected, strict=True):
        np.testing.assert_array_equal(grad, right)
    assert (grads[0][1] == 0).all()


def test_a_later_token_spoils_the_gradients_of_its_own_query_only():
    grad_output, q, k, v = random_inputs(n_q=4, n_k=4)
    expected, _, _ = scaled_dot_product_attention_backward(grad_output, q, k, v, causal_mask(4))
    v[3] = np.nan
    grad_q, _, _ = scaled_dot_product_attention_backward(grad_output, q, k, v, causal_mask(4))
    np.testing.assert_array_equal(grad_q[:3], expected[:3])
    assert np.isnan(grad_q[3]).all()


def test_no_keys_and_no_queries():
    for sizes in ({"n_k": 0}, {"n_q": 0}):
        grad_output, *arrays = random_inputs(**sizes)
        grads = scaled_dot_product_attention_backward(grad_output, *arrays)
        for array, grad in zip(arrays, grads, strict=True):
            np.testing.assert_array_equal(grad, np.zeros(array.shape))


def test_a_gradient_of_the_wrong_shape_is_named():
    grad_output, *arrays = random_inputs()
    message = "grad_output needs the shape of the output, (4, 5), got (4, 4)"
    with pytest.raises(ValueError, match=re.escape(message)):
        scaled_dot_product_attention_backward(grad_output[:, :4], *arrays)
    with pytest.raises(ValueError, match=re.escape("got ()")):
        scaled_dot_product_attention_backward(1.0, *arrays)


def test_the_forward_checks_hold_for_the_backward_pass():
    grad_output, q, k, v = random_inputs()
    with pytest.raises(ValueError, match="q and k need the same d_k"):
        scaled_dot_product_attention_backward(grad_output, q, k[:, :2], v)


def test_the_inputs_are_left_alone():
    arrays = random_inputs()
    for array in arrays:
        array.flags.writeable = False
    scaled_dot_product_attention_backward(*arrays, causal_mask(4, 6))
