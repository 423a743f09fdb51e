"""Embedding: a lookup is a product with one-hot rows, and nothing outside the table is found."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from qkv_docs import embed, one_hot

SIZE, D_MODEL = 7, 5
ID_ARRAYS = hnp.arrays(
    np.int64,
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    elements=st.integers(0, SIZE - 1),
)


@pytest.fixture
def table():
    return np.random.default_rng(0).normal(size=(SIZE, D_MODEL))


# Laws


@given(ids=ID_ARRAYS)
def test_a_one_hot_row_sums_to_one_and_points_at_its_id(ids):
    rows = one_hot(ids, SIZE)
    assert rows.shape == (*ids.shape, SIZE)
    assert rows.dtype == np.float64
    np.testing.assert_array_equal(rows.sum(axis=-1), np.ones(ids.shape))
    np.testing.assert_array_equal(rows.argmax(axis=-1), ids)


@given(ids=ID_ARRAYS)
def test_a_lookup_is_a_product_with_one_hot_rows(ids):
    table = np.random.default_rng(1).normal(size=(SIZE, D_MODEL))
    np.testing.assert_allclose(one_hot(ids, SIZE) @ table, embed(ids, table), rtol=1e-15)


def test_every_occurrence_of_a_token_gets_the_same_vector(table):
    rows = embed([3, 1, 3], table)
    np.testing.assert_array_equal(rows[0], rows[2])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.int32])
def test_the_dtype_of_the_table_is_kept(table, dtype):
    assert embed([0, 2], table.astype(dtype)).dtype == dtype


def test_the_result_is_a_copy(table):
    before = table.copy()
    embed([0], table)[...] = 9
    np.testing.assert_array_equal(table, before)


# PyTorch


@given(ids=ID_ARRAYS)
def test_the_same_as_pytorch(ids):
    table = np.random.default_rng(2).normal(size=(SIZE, D_MODEL))
    tokens = torch.from_numpy(ids)
    found = torch.nn.functional.embedding(tokens, torch.from_numpy(table))
    np.testing.assert_array_equal(embed(ids, table), found.numpy())
    rows = torch.nn.functional.one_hot(tokens, SIZE)
    np.testing.assert_array_equal(one_hot(ids, SIZE), rows.numpy())


# Awkward input


def test_no_ids_give_no_rows(table):
    assert embed([], table).shape == (0, D_MODEL)
    assert one_hot([], 3).shape == (0, 3)


def test_a_single_id_gives_a_single_vector(table):
    np.testing.assert_array_equal(embed(4, table), table[4])
    np.testing.assert_array_equal(one_hot(1, 3), [0, 1, 0])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint64])
def test_ids_may_have_any_integer_dtype(table, dtype):
    np.testing.assert_array_equal(embed(np.array([6, 0], dtype), table), table[[6, 0]])
    assert one_hot(np.array([2], dtype), 3).tolist() == [[0, 0, 1]]


@pytest.mark.parametrize("wrong", [-1, SIZE, 10**6])
def test_an_unknown_id_is_named_with_the_size(table, wrong):
    message = f"id {wrong} is outside a table of size {SIZE} (ids run from 0 to {SIZE - 1})"
    with pytest.raises(IndexError, match=re.escape(message)):
        embed([0, wrong], table)
    with pytest.raises(IndexError, match=re.escape(message)):
        one_hot([[0, wrong]], SIZE)


def test_an_empty_table_has_no_ids():
    with pytest.raises(IndexError, match=re.escape("size 0 (it has no ids)")):
        embed([0], np.zeros((0, 4)))
    assert embed([], np.zeros((0, 4))).shape == (0, 4)


def test_a_size_below_one():
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        one_hot([0], 0)


@pytest.mark.parametrize("shape", [(), (3,), (2, 3, 4)])
def test_a_table_without_two_dimensions(shape):
    with pytest.raises(ValueError, match=re.escape(f"(size, d_model), got {shape}")):
        embed([0], np.zeros(shape))
