"""Similarity: what the dot product and the cosine keep, and what they ignore."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from qkv_docs import cosine_similarity, dot_product

FLOATS = [np.float16, np.float32, np.float64]
TOLERANCE = {np.float16: 1e-3, np.float32: 1e-5, np.float64: 1e-12}


@st.composite
def vector_pairs(draw):
    """Two arrays of vectors whose batch dimensions broadcast, with entries of one magnitude."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    d = draw(st.integers(1, 16))
    left, right = draw(
        st.sampled_from([((), ()), ((3,), (3,)), ((3, 1), (4,)), ((), (2, 3)), ((0,), (1,))])
    )
    size = draw(st.sampled_from([1e-3, 1.0, 1e4]))
    dtype = draw(st.sampled_from(FLOATS))
    # float16 ends at 65504: the products of 16 pairs must stay below
    size = min(size, 10.0) if dtype is np.float16 else size
    a = rng.uniform(-size, size, (*left, d)).astype(dtype)
    b = rng.uniform(-size, size, (*right, d)).astype(dtype)
    return a, b


def random_pair(d=6):
    return np.random.default_rng(0).normal(size=(2, d))


# Laws


@given(pair=vector_pairs())
def test_neither_depends_on_the_order(pair):
    a, b = pair
    np.testing.assert_array_equal(dot_product(a, b), dot_product(b, a))
    np.testing.assert_array_equal(cosine_similarity(a, b), cosine_similarity(b, a))


def test_the_dot_product_grows_with_length_and_the_cosine_does_not():
    a, b = random_pair()
    np.testing.assert_allclose(dot_product(3 * a, b), 3 * dot_product(a, b), rtol=1e-12)
    np.testing.assert_allclose(cosine_similarity(3 * a, b), cosine_similarity(a, b), rtol=1e-12)
    np.testing.assert_allclose(cosine_similarity(-2 * a, b), -cosine_similarity(a, b), rtol=1e-12)


@given(pair=vector_pairs())
def test_the_cosine_stays_between_minus_one_and_one(pair):
    cosines = cosine_similarity(*pair)
    assert (np.abs(cosines) <= 1).all()


def test_rounding_does_not_push_the_cosine_past_one():
    a = np.random.default_rng(0).normal(size=(1000, 3))
    assert cosine_similarity(a, a).max() == 1
    assert cosine_similarity(a, -a).min() == -1


@given(pair=vector_pairs())
def test_a_vector_has_cosine_one_with_itself(pair):
    a, _ = pair
    tolerance = TOLERANCE[a.dtype.type]
    np.testing.assert_allclose(cosine_similarity(a, a), np.ones(a.shape[:-1]), atol=tolerance)
    np.testing.assert_allclose(cosine_similarity(a, -a), -np.ones(a.shape[:-1]), atol=tolerance)


def test_right_angles_give_zero():
    assert dot_product([1.0, 0.0], [0.0, 5.0]) == 0
    assert cosine_similarity([1.0, 0.0], [0.0, 5.0]) == 0


def test_the_dot_product_of_a_vector_with_itself_is_its_squared_length():
    a, _ = random_pair()
    np.testing.assert_allclose(dot_product(a, a), np.linalg.norm(a) ** 2, rtol=1e-12)


@pytest.mark.parametrize("function", [dot_product, cosine_similarity])
@pytest.mark.parametrize("dtype", FLOATS)
def test_the_dtype_is_kept(function, dtype):
    a, b = random_pair().astype(dtype)
    assert function(a, b).dtype == dtype
    assert function(a[None], b).dtype == dtype


# PyTorch


@given(pair=vector_pairs())
def test_the_same_as_pytorch(pair):
    a, b = pair
    tolerance = TOLERANCE[a.dtype.type]
    # In float64, so that the oracle's own rounding is out of the way.
    left, right = (torch.from_numpy(x.astype(np.float64)) for x in (a, b))
    dots = (left * right).sum(-1).numpy()
    # What cancels in a sum is lost: the error is relative to the terms, not to the sum.
    terms = (left * right).abs().sum(-1).numpy()
    assert (np.abs(dot_product(a, b) - dots) <= tolerance * (terms + np.abs(dots)) + 1e-7).all()
    cosines = torch.nn.functional.cosine_similarity(left, right, dim=-1).numpy()
    np.testing.assert_allclose(cosine_similarity(a, b), cosines, atol=tolerance)


# Awkward input


def test_a_vector_of_zeros_has_cosine_zero():
    np.testing.assert_array_equal(cosine_similarity(np.zeros((2, 3)), [1.0, 2.0, 3.0]), [0, 0])
    assert cosine_similarity([0.0, 0.0], [0.0, 0.0]) == 0


@pytest.mark.parametrize("dtype", FLOATS)
def test_very_long_and_very_short_vectors_have_a_direction(dtype):
    info = np.finfo(dtype)
    for size in (info.max, info.tiny, info.smallest_subnormal):
        a = np.full(4, size, dtype)
        np.testing.assert_allclose(cosine_similarity(a, np.ones(4, dtype)), 1, rtol=1e-3)


def test_vectors_without_entries():
    assert dot_product(np.zeros((2, 0)), np.zeros((2, 0))).tolist() == [0, 0]
    assert cosine_similarity(np.zeros((2, 0)), np.zeros((2, 0))).tolist() == [0, 0]


def test_nan_propagates():
    assert np.isnan(dot_product([np.nan, 1.0], [1.0, 1.0]))
    assert np.isnan(cosine_similarity([np.nan, 1.0], [1.0, 1.0]))


def test_an_infinite_vector_has_no_direction():
    assert dot_product([np.inf, 1.0], [1.0, 1.0]) == np.inf
    assert np.isnan(cosine_similarity([np.inf, 1.0], [1.0, 1.0]))


def test_integers_are_computed_in_float64():
    small = np.array([100, 100], np.int8)  # 100 * 100 does not fit an int8
    result = dot_product(small, small)
    assert result == 20_000
    assert result.dtype == np.float64
    np.testing.assert_allclose(cosine_similarity([3, 4], [4, 3]), 24 / 25, rtol=1e-12)


def test_float16_is_added_up_in_float32():
    a = np.full(4096, 1.0, np.float16)  # a float16 sum, entry by entry, stops at 2048
    assert dot_product(a, a) == 4096


@pytest.mark.parametrize("function", [dot_product, cosine_similarity])
class TestErrors:
    def test_different_lengths(self, function):
        message = "a and b need the same last axis d, got (3,) and (2, 4)"
        with pytest.raises(ValueError, match=re.escape(message)):
            function(np.ones(3), np.ones((2, 4)))

    def test_a_length_of_one_is_not_stretched(self, function):
        with pytest.raises(ValueError, match="same last axis"):
            function(np.ones((2, 1)), np.ones((2, 4)))

    def test_batches_that_do_not_broadcast(self, function):
        message = "a and b need to broadcast, got (2, 4) and (3, 4)"
        with pytest.raises(ValueError, match=re.escape(message)):
            function(np.ones((2, 4)), np.ones((3, 4)))

    def test_scalars(self, function):
        with pytest.raises(ValueError, match=re.escape("got () and (3,)")):
            function(1.0, np.ones(3))
