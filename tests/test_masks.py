"""Masks: True = may attend, and the last query lines up with the last key."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from qkv_docs import (
    causal_mask,
    document_mask,
    padding_mask,
    prefix_mask,
    sliding_window_mask,
)

SIZES = st.integers(0, 9)


# Laws


@given(n_q=SIZES, n_k=SIZES)
def test_a_query_sees_its_own_position_and_those_before(n_q, n_k):
    mask = causal_mask(n_q, n_k)
    assert mask.shape == (n_q, n_k)
    assert mask.dtype == np.bool_
    for i in range(n_q):
        position = n_k - n_q + i  # the last query stands where the last key stands
        assert mask[i].tolist() == [j <= position for j in range(n_k)]


@given(n=SIZES)
def test_as_many_keys_as_queries_is_the_default(n):
    np.testing.assert_array_equal(causal_mask(n), causal_mask(n, n))
    np.testing.assert_array_equal(causal_mask(n), np.tril(np.ones((n, n), bool)))


@given(n=st.integers(1, 9), n_q=st.integers(1, 9))
def test_the_last_rows_of_a_square_mask_are_the_mask_of_the_last_queries(n, n_q):
    n_q = min(n_q, n)
    np.testing.assert_array_equal(causal_mask(n)[n - n_q :], causal_mask(n_q, n))


@given(n_k=SIZES)
def test_a_single_last_query_sees_every_key(n_k):
    assert causal_mask(1, n_k).all()


def test_more_queries_than_keys_leave_the_first_ones_with_nothing():
    assert causal_mask(3, 1).tolist() == [[False], [False], [True]]


@given(lengths=st.lists(st.integers(0, 6), max_size=4))
def test_a_sequence_of_length_l_shows_its_first_l_keys(lengths):
    mask = padding_mask(lengths, 6)
    assert mask.shape == (len(lengths), 1, 6)
    assert mask.dtype == np.bool_
    for row, length in zip(mask, lengths, strict=True):
        assert row.tolist() == [[True] * length + [False] * (6 - length)]


def test_lengths_may_have_any_shape():
    assert padding_mask(2, 3).tolist() == [[True, True, False]]
    assert padding_mask([[1, 2], [3, 0]], 3).shape == (2, 2, 1, 3)
    assert padding_mask(np.array([], int), 3).shape == (0, 1, 3)


@given(n=SIZES, window=st.integers(1, 12))
def test_a_window_counts_the_keys_seen_with_the_own_one(n, window):
    mask = sliding_window_mask(n, window)
    assert mask.shape == (n, n)
    assert mask.dtype == np.bool_
    for i in range(n):
        assert np.flatnonzero(mask[i]).tolist() == list(range(max(0, i - window + 1), i + 1))


@given(n=SIZES)
def test_a_window_of_one_is_the_diagonal_and_a_wide_one_is_causal(n):
    np.testing.assert_array_equal(sliding_window_mask(n, 1), np.eye(n, dtype=bool))
    np.testing.assert_array_equal(sliding_window_mask(n, max(n, 1)), causal_mask(n))


@given(n=st.integers(1, 9), n_q=st.integers(0, 9), window=st.integers(1, 12))
def test_the_last_rows_of_a_window_are_those_of_the_last_queries(n, n_q, window):
    n_q = min(n_q, n)
    last = sliding_window_mask(n_q, window, n)
    np.testing.assert_array_equal(last, sliding_window_mask(n, window)[n - n_q :])


@given(n=SIZES, window=st.integers(1, 12))
def test_a_window_on_both_sides_is_that_to_the_left_and_its_mirror_image(n, window):
    left = sliding_window_mask(n, window)
    both = sliding_window_mask(n, window, both_sides=True)
    np.testing.assert_array_equal(both, left | left.T)


@given(lengths=st.lists(st.integers(1, 4), min_size=1, max_size=4))
def test_packed_documents_see_what_they_see_alone(lengths):
    documents = np.repeat(np.arange(len(lengths)) * 7, lengths)
    mask = document_mask(documents) & causal_mask(len(documents))
    start = 0
    for length in lengths:
        rows = slice(start, start + length)
        np.testing.assert_array_equal(mask[rows, rows], causal_mask(length))
        assert mask[rows].sum() == causal_mask(length).sum()  # and nothing elsewhere
        start += length


def test_each_sequence_has_documents_of_its_own():
    assert document_mask([[0, 0, 1], [0, 1, 1]]).shape == (2, 3, 3)
    assert document_mask([]).shape == (0, 0)


@given(n=SIZES, length=SIZES)
def test_a_prefix_is_seen_by_all_and_the_rest_is_causal(n, length):
    length = min(length, n)
    mask = prefix_mask(length, n)
    assert mask[:, :length].all()
    assert not mask[:length, length:].any()
    np.testing.assert_array_equal(mask[length:, length:], causal_mask(n - length))
    assert prefix_mask([length, 0], n).shape == (2, n, n)


def test_masks_combine_with_and():
    both = causal_mask(4) & padding_mask([2, 4], 4)
    assert both.shape == (2, 4, 4)
    np.testing.assert_array_equal(both[0, 3], [True, True, False, False])
    np.testing.assert_array_equal(both[1], causal_mask(4))


# PyTorch


@given(n_q=st.integers(1, 9), n_k=st.integers(1, 9))
def test_the_causal_mask_is_pytorchs_lower_right_one(n_q, n_k):
    from torch.nn.attention.bias import causal_lower_right

    n_q, n_k = sorted((n_q, n_k))  # PyTorch warns of nan where queries see nothing
    expected = causal_lower_right(n_q, n_k)._materialize().numpy()
    np.testing.assert_array_equal(causal_mask(n_q, n_k), expected)


def test_the_causal_mask_is_the_opposite_of_pytorchs_additive_one():
    additive = torch.nn.Transformer.generate_square_subsequent_mask(5).numpy()
    np.testing.assert_array_equal(causal_mask(5), additive == 0)


# Awkward input


def test_a_window_may_be_as_wide_as_one_likes():
    np.testing.assert_array_equal(sliding_window_mask(3, 2**63), causal_mask(3))


def test_numpy_integers_are_integers():
    np.testing.assert_array_equal(causal_mask(np.int32(2), np.int64(3)), causal_mask(2, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: causal_mask(-1), "n_q must be at least 0, got -1"),
        (lambda: causal_mask(1, -2), "n_k must be at least 0, got -2"),
        (lambda: padding_mask([1], -1), "n must be at least 0, got -1"),
        (lambda: padding_mask([1, 4], 3), "lengths must be in 0 .. 3, got 4"),
        (lambda: padding_mask([1, -1], 3), "lengths must be in 0 .. 3, got -1"),
        (lambda: sliding_window_mask(-1, 1), "n_q must be at least 0, got -1"),
        (lambda: sliding_window_mask(3, 1, -1), "n_k must be at least 0, got -1"),
        (lambda: document_mask(3), "documents need one number for each token, (..., n), got a s"),
        (lambda: prefix_mask([1, 4], 3), "lengths must be in 0 .. 3, got 4"),
        (lambda: sliding_window_mask(3, 0), "window must be at least 1, got 0"),
    ],
)
def test_numbers_out_of_range(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


@pytest.mark.parametrize("lengths", [[1.0], [True], ["1"]])
def test_lengths_that_are_not_integers(lengths):
    with pytest.raises(TypeError, match="lengths must be integers, got"):
        padding_mask(lengths, 3)
