"""Positions: attention sees no order without them; with them, what each way promises holds."""

import math
import re

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from qkv_docs import (
    alibi_bias,
    causal_mask,
    linear_frequencies,
    llama3_frequencies,
    multi_head_attention,
    ntk_frequencies,
    rope,
    rope_frequencies,
    scaled_dot_product_attention,
    sinusoidal_positions,
    softmax,
    yarn_frequencies,
)

PLACES = st.integers(-200, 5000)
PAIRS = st.integers(1, 8)
SEEDS = st.integers(0, 2**32 - 1)
TOLERANCE = {np.float16: 4e-3, np.float32: 1e-5, np.float64: 1e-12}


def vectors(seed, *shape):
    return np.random.default_rng(seed).normal(size=shape)


# Laws: without positions


@given(seed=SEEDS, n=st.integers(1, 7))
def test_attention_without_positions_only_reorders_with_the_words(seed, n):
    x, *w = vectors(seed, n, 8), *vectors(seed, 4, 8, 8)
    order = np.random.default_rng(seed).permutation(n)
    output, weights = multi_head_attention(x, *w, n_heads=2)
    shuffled, shuffled_weights = multi_head_attention(x[order], *w, n_heads=2)
    np.testing.assert_allclose(shuffled, output[order], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(shuffled_weights, weights[:, order][:, :, order], atol=1e-9)


@given(seed=SEEDS, n=st.integers(2, 7))
def test_a_query_sees_keys_and_values_as_a_bag(seed, n):
    q, k, v = vectors(seed, 1, 4), vectors(seed + 1, n, 4), vectors(seed + 2, n, 3)
    order = np.random.default_rng(seed).permutation(n)
    expected, _ = scaled_dot_product_attention(q, k, v)
    output, _ = scaled_dot_product_attention(q, k[order], v[order])
    np.testing.assert_allclose(output, expected, rtol=1e-12, atol=1e-12)


def test_a_causal_mask_alone_shows_the_set_of_predecessors_and_two_layers_their_order():
    x, mask = vectors(0, 4, 6), causal_mask(4)

    def layers(x, number):
        for _ in range(number):
            x = x + scaled_dot_product_attention(x, x, x, mask)[0]
        return x

    turned = x[[2, 0, 1, 3]]
    np.testing.assert_allclose(layers(turned, 1)[3], layers(x, 1)[3], atol=1e-12)
    assert not np.allclose(layers(turned, 1)[:3], layers(x, 1)[[2, 0, 1]])
    assert not np.allclose(layers(turned, 2)[3], layers(x, 2)[3])


# Laws: sinusoidal positions


@given(n=st.integers(0, 40), pairs=PAIRS)
def test_sinusoids_are_those_of_the_paper(n, pairs):
    d = 2 * pairs
    vectors = sinusoidal_positions(n, d)
    assert vectors.shape == (n, d)
    assert vectors.dtype == np.float64
    assert (np.abs(vectors) <= 1).all()
    for position in range(n):
        for i in range(pairs):
            angle = position / 10000 ** (2 * i / d)
            assert vectors[position, 2 * i] == pytest.approx(math.sin(angle), abs=1e-12)
            assert vectors[position, 2 * i + 1] == pytest.approx(math.cos(angle), abs=1e-12)


def test_position_0_is_0_1_0_1():
    assert sinusoidal_positions(1, 6).tolist() == [[0, 1, 0, 1, 0, 1]]


@given(pairs=PAIRS, step=st.integers(0, 30))
def test_a_step_is_one_linear_map_for_all_positions_and_it_is_a_rotation(pairs, step):
    vectors = sinusoidal_positions(60, 2 * pairs)
    count = 60 - step
    np.testing.assert_allclose(
        rope(vectors[:count], np.full(count, -step)), vectors[step:], atol=1e-12
    )


def test_every_position_has_a_vector_of_its_own():
    vectors = sinusoidal_positions(2000, 16)
    apart = np.linalg.norm(vectors[1:] - vectors[:-1], axis=-1)
    assert len(np.unique(vectors.round(9), axis=0)) == 2000
    np.testing.assert_allclose(apart, apart[0])  # and neighbours are equally far apart


# Laws: RoPE


@given(seed=SEEDS, pairs=PAIRS, m=PLACES, n=PLACES, shift=PLACES)
def test_the_dot_product_depends_on_the_distance_alone(seed, pairs, m, n, shift):
    q, k = vectors(seed, 2, 1, 2 * pairs) / math.sqrt(2 * pairs)
    here = rope(q, [m]) @ rope(k, [n]).T
    there = rope(q, [m + shift]) @ rope(k, [n + shift]).T
    np.testing.assert_allclose(there, here, rtol=0, atol=2e-12)
    np.testing.assert_allclose(rope(q, [m - n]) @ k.T, here, rtol=0, atol=2e-12)


def test_the_dot_product_does_depend_on_the_distance():
    q, k = vectors(0, 2, 1, 4)
    scores = [float(rope(q, [m])[0] @ k[0]) for m in range(-4, 5)]
    assert len({round(score, 6) for score in scores}) == 9  # before and after differ, too


@given(seed=SEEDS, pairs=PAIRS, places=st.lists(PLACES, min_size=1, max_size=5))
def test_lengths_are_kept_and_position_0_changes_nothing(seed, pairs, places):
    x = vectors(seed, len(places), 2 * pairs)
    lengths = np.linalg.norm(x, axis=-1)
    np.testing.assert_allclose(np.linalg.norm(rope(x, places), axis=-1), lengths, rtol=1e-12)
    np.testing.assert_array_equal(rope(x, np.zeros(len(places))), x)


@given(seed=SEEDS, pairs=PAIRS, a=PLACES, b=PLACES)
def test_rotations_compose(seed, pairs, a, b):
    x = vectors(seed, 1, 2 * pairs)
    np.testing.assert_allclose(rope(rope(x, [a]), [b]), rope(x, [a + b]), atol=5e-12)


def test_a_quarter_turn():
    np.testing.assert_allclose(rope([[3.0, 0.0]], [math.pi / 2]), [[0.0, 3.0]], atol=1e-15)


@given(pairs=PAIRS, base=st.sampled_from([1.0, 10.0, 10000.0, 500000.0]))
def test_pair_i_turns_by_base_to_the_minus_2i_over_d(pairs, base):
    x = np.tile([1.0, 0.0], pairs)[None]
    turned = rope(x, [1], base=base).reshape(pairs, 2)
    angles = np.arctan2(turned[:, 1], turned[:, 0])
    np.testing.assert_allclose(angles, [base ** (-i / pairs) for i in range(pairs)])


def test_each_row_turns_by_its_own_position_in_every_batch_and_head():
    x = vectors(0, 2, 3, 4, 6)  # (batch, heads, n, d)
    places = np.array([[[5, 6, 7, 8]], [[0, 1, 2, 3]]])  # (batch, 1, n)
    rotated = rope(x, places)
    assert rotated.shape == x.shape
    for batch, head, i in np.ndindex(2, 3, 4):
        expected = rope(x[batch, head, i][None], [places[batch, 0, i]])[0]
        np.testing.assert_allclose(rotated[batch, head, i], expected, atol=1e-14)
    assert rope(x[0, 0], places[:, 0]).shape == (2, 4, 6)  # one sequence at two places


def test_decoding_with_a_cache_is_the_last_row_of_the_whole():
    q, k, v = vectors(0, 3, 6, 8)
    here = np.arange(6)
    whole, _ = scaled_dot_product_attention(rope(q, here), rope(k, here), v, causal_mask(6))
    last, _ = scaled_dot_product_attention(rope(q[5:], [5]), rope(k, here), v)
    restarted, _ = scaled_dot_product_attention(rope(q[5:], [0]), rope(k, here), v)
    np.testing.assert_allclose(last, whole[5:], atol=1e-12)
    assert not np.allclose(restarted, whole[5:])


def test_turning_the_values_makes_the_output_depend_on_the_absolute_position():
    q, k, v = vectors(0, 3, 5, 4)

    def output(start, values):
        places = np.arange(5) + start
        v_used = rope(v, places) if values else v
        return scaled_dot_product_attention(rope(q, places), rope(k, places), v_used)[0]

    np.testing.assert_allclose(output(40, values=False), output(0, values=False), atol=1e-12)
    assert not np.allclose(output(40, values=True), output(0, values=True))


# Other layouts and PyTorch


def rope_half(x, positions):
    """The layout of code with a function `rotate_half`: x_i goes with x_(i + d/2)."""
    x = torch.from_numpy(x)
    d = x.shape[-1]
    steps = 1.0 / 10000 ** (torch.arange(0, d, 2, dtype=x.dtype) / d)
    angles = torch.as_tensor(positions, dtype=x.dtype)[:, None] * steps
    angles = torch.cat([angles, angles], dim=-1)
    a, b = x[..., : d // 2], x[..., d // 2 :]
    rotate_half = torch.cat([-b, a], dim=-1)
    return (x * angles.cos() + rotate_half * angles.sin()).numpy()


@given(seed=SEEDS, pairs=PAIRS, n=st.integers(1, 6))
def test_rotate_half_is_a_permutation_of_the_columns(seed, pairs, n):
    x, places = vectors(seed, n, 2 * pairs), np.arange(n) * 3
    columns = np.arange(2 * pairs).reshape(pairs, 2).T.ravel()  # 0, 2, 4, …, 1, 3, 5, …
    np.testing.assert_allclose(
        rope_half(x[:, columns], places), rope(x, places)[:, columns], atol=1e-12
    )


def test_mixing_the_layouts_loses_the_distance():
    q, k = vectors(0, 2, 6, 8)
    near, far = np.arange(6), np.arange(6) + 7
    for turn in (rope, rope_half):
        np.testing.assert_allclose(turn(q, near) @ turn(k, near).T, turn(q, far) @ turn(k, far).T)
    mixed = rope(q, near) @ rope_half(k, near).T
    assert not np.allclose(mixed, rope(q, far) @ rope_half(k, far).T)
    assert not np.allclose(mixed, rope(q, near) @ rope(k, near).T)


@given(
    seed=SEEDS,
    pairs=PAIRS,
    n=st.integers(1, 6),
    batch=st.sampled_from([(), (2,), (2, 3)]),
    dtype=st.sampled_from([np.float16, np.float32, np.float64]),
    start=st.sampled_from([0, 1, 100_000]),
)
def test_rope_is_a_product_of_complex_numbers(seed, pairs, n, batch, dtype, start):
    x = vectors(seed, *batch, n, 2 * pairs).astype(dtype)
    places = np.arange(n) + start
    rotated = rope(x, places)
    assert rotated.dtype == dtype
    numbers = torch.view_as_complex(
        torch.from_numpy(x.astype(np.float64)).reshape(*batch, n, pairs, 2)
    )
    steps = 10000.0 ** (-torch.arange(0, 2 * pairs, 2, dtype=torch.float64) / (2 * pairs))
    angles = torch.outer(torch.from_numpy(places).double(), steps)
    turned = numbers * torch.polar(torch.ones_like(angles), angles)
    expected = torch.view_as_real(turned).reshape(*batch, n, 2 * pairs).numpy()
    np.testing.assert_allclose(rotated, expected, rtol=0, atol=4 * TOLERANCE[dtype])


@given(
    seed=SEEDS,
    pairs=PAIRS,
    shown=st.integers(0, 8),
    layout=st.sampled_from(["half", "interleaved"]),
)
def test_layouts_and_partial_rotation_are_the_same_rotation_elsewhere(seed, pairs, shown, layout):
    x, places = vectors(seed, 3, 2 * pairs), [0, 5, -2]
    some = rope_frequencies(2 * pairs)[:shown]
    turned = rope(x, places, frequencies=some, layout=layout)
    columns = np.arange(2 * len(some))
    if layout == "half":
        columns = columns.reshape(2, -1).T.ravel()
    inner = rope(x[:, columns], places, frequencies=some)
    np.testing.assert_array_equal(turned[:, columns], inner)
    np.testing.assert_array_equal(turned[:, 2 * len(some) :], x[:, 2 * len(some) :])


@pytest.mark.parametrize("pairs", [4, 32])
def test_stretched_frequencies_lie_between_the_plain_and_the_divided_ones(pairs):
    d, factor = 2 * pairs, 4.0
    plain, linear = rope_frequencies(d), linear_frequencies(d, factor)
    np.testing.assert_allclose(linear * factor, plain, rtol=1e-15)
    for made in (
        ntk_frequencies(d, factor),
        yarn_frequencies(d, factor, 2048),
        llama3_frequencies(d, factor, 2048, base=10000.0),
    ):
        assert made[0] == plain[0]
        assert (made <= plain * (1 + 1e-12)).all()
        assert (made >= linear * (1 - 1e-12)).all()
        np.testing.assert_allclose(made[-1], linear[-1], rtol=1e-12)
    for same in (
        linear_frequencies(d, 1),
        ntk_frequencies(d, 1),
        yarn_frequencies(d, 1, 2048),
        llama3_frequencies(d, 1, 2048, base=10000.0),
    ):
        np.testing.assert_allclose(same, plain, rtol=1e-12)


# Laws: ALiBi


@given(n_heads=st.integers(1, 40), n=st.integers(0, 9))
def test_the_bias_falls_linearly_with_the_distance_and_hides_the_future(n_heads, n):
    bias = alibi_bias(n_heads, n)
    assert bias.shape == (n_heads, n, n)
    assert bias.dtype == np.float64
    slopes = -alibi_bias(n_heads, 2)[:, 1, 0]
    for h, i, j in np.ndindex(*bias.shape):
        if j > i:
            assert bias[h, i, j] == -np.inf
        else:
            assert bias[h, i, j] == pytest.approx(-slopes[h] * (i - j))
    assert (np.diagonal(bias, axis1=1, axis2=2) == 0).all()


def authors_slopes(n):
    """The rule of the authors' code, as a recursion: see the source named in `alibi_bias`."""
    if math.log2(n).is_integer():
        first = 2.0 ** (-8 / n)
        return [first ** (h + 1) for h in range(n)]
    below = 2 ** math.floor(math.log2(n))
    return authors_slopes(below) + authors_slopes(2 * below)[::2][: n - below]


@pytest.mark.parametrize("n_heads", range(1, 41))
def test_slopes_are_those_of_the_authors(n_heads):
    slopes = -alibi_bias(n_heads, 2)[:, 1, 0]
    np.testing.assert_allclose(slopes, authors_slopes(n_heads), rtol=1e-12)
    assert len(np.unique(slopes)) == n_heads
    assert (slopes > 0).all()
    assert (slopes < 1).all()


def test_slopes_in_the_paper():
    np.testing.assert_array_equal(-alibi_bias(8, 2)[:, 1, 0], [2.0**-h for h in range(1, 9)])
    sixteen = -alibi_bias(16, 2)[:, 1, 0]
    np.testing.assert_allclose(sixteen, [2 ** (-h / 2) for h in range(1, 17)])


def test_adding_the_bias_masks_and_prefers_what_is_near():
    for weights in softmax(np.zeros((6, 6)) + alibi_bias(4, 6)):
        np.testing.assert_allclose(weights.sum(axis=-1), 1)
        assert (weights[~causal_mask(6)] == 0).all()
        assert (np.diff(weights[5]) > 0).all()


def test_the_bias_is_one_more_column_of_the_key():
    q, k, v = vectors(0, 3, 5, 4)
    slope = -alibi_bias(2, 2)[0, 1, 0]
    q_more = np.column_stack([q, np.full(5, slope * 2)])  # 2 = sqrt(d_k)
    k_more = np.column_stack([k, np.arange(5)])
    _, weights = scaled_dot_product_attention(q_more, k_more, v, causal_mask(5), scale=1 / 2)
    np.testing.assert_allclose(weights, softmax(q @ k.T / 2 + alibi_bias(2, 5)[0]), atol=1e-12)


# Awkward input


def test_nothing_gives_nothing():
    assert sinusoidal_positions(0, 4).shape == (0, 4)
    assert rope(np.ones((2, 0, 4)), []).shape == (2, 0, 4)
    assert rope(np.ones((3, 0)), [0, 1, 2]).shape == (3, 0)
    assert alibi_bias(3, 0).shape == (3, 0, 0)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
@pytest.mark.parametrize("places", [[0, 1, 2], np.array([0, 1, 2], np.uint8), [0.5, -1.5, 2.0]])
def test_the_dtype_is_that_of_x(dtype, places):
    assert rope(np.ones((3, 4), dtype), places).dtype == dtype


def test_angles_are_exact_far_out_even_in_float32():
    x = vectors(0, 1, 8)
    far = rope(x.astype(np.float32), np.array([10_000_019], np.int32))
    np.testing.assert_allclose(far, rope(x, [10_000_019]), rtol=0, atol=1e-6)


def test_a_row_that_is_not_finite_spoils_no_other_and_warns_of_nothing():
    x = np.ones((3, 4))
    x[1] = np.inf, np.nan, np.inf, -np.inf
    rotated = rope(x, [0, 1, 2])
    np.testing.assert_array_equal(rotated[[0, 2]], rope(np.ones((3, 4)), [0, 1, 2])[[0, 2]])
    assert not np.isfinite(rotated[1]).any()


def test_the_input_is_left_alone():
    x = np.ones((2, 4))
    rope(x, [1, 2])
    assert (x == 1).all()


def test_each_sequence_or_each_head_has_positions_of_its_own():
    """As many sequences as heads: the axis of 1 says which of them is meant."""
    x, own = np.random.default_rng(0).normal(size=(2, 2, 5, 4)), np.array([range(5), range(3, 8)])
    turned = rope(x, own[:, None])
    for b in range(2):
        np.testing.assert_array_equal(turned[b], rope(x[b], own[b]))
    np.testing.assert_array_equal(rope(x, own[None])[:, 1], rope(x[:, 1], own[1]))
    np.testing.assert_array_equal(rope(x[:1], own)[:, 1], rope(x[:1, 1], own[1]))


X = np.ones((3, 4))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: sinusoidal_positions(-1, 4), ValueError, "n must be at least 0, got -1"),
        (lambda: sinusoidal_positions(3, 0), ValueError, "d must be at least 2, got 0"),
        (
            lambda: sinusoidal_positions(3, 5),
            ValueError,
            "d must be even, for columns come in pairs, got 5",
        ),
        (
            lambda: rope(np.ones((3, 5)), [0, 1, 2]),
            ValueError,
            "d must be even, for columns come in pairs, got 5",
        ),
        (lambda: rope(np.ones(4), [0]), ValueError, "x needs two dimensions or more"),
        (
            lambda: rope(X, [0, 1]),
            ValueError,
            "positions need one number for each row of x (3, 4), got (2,)",
        ),
        (
            lambda: rope(X, [5]),  # never the same position for all rows by broadcasting
            ValueError,
            "positions need one number for each row of x (3, 4), got (1,)",
        ),
        (lambda: rope(X, 5), ValueError, "for each row of x (3, 4), got ()"),
        (
            lambda: rope(np.ones((2, 3, 4)), np.zeros((5, 3))),
            ValueError,
            "positions need one number for each row of x (2, 3, 4), got (5, 3)",
        ),
        (lambda: rope(X, [0, 1, np.nan]), ValueError, "positions must be finite, got nan or inf"),
        (lambda: rope(X, [0, 1, -np.inf]), ValueError, "positions must be finite"),
        (lambda: rope(X, range(3), base=0), ValueError, "base must be a positive number, got 0"),
        (lambda: rope(X, range(3), base=-1.0), ValueError, "base must be a positive number"),
        (
            lambda: rope(np.ones((2, 2, 5, 4)), np.zeros((2, 5))),
            ValueError,
            "positions (2, 5) fit two axes of x (2, 2, 5, 4): "
            "reshape them to (2, 1, 5) for those of a sequence, (1, 2, 5) for those of a head",
        ),
        (
            lambda: rope(np.ones((2, 3, 5, 4)), np.zeros((2, 5))),
            ValueError,
            "for each row of x (2, 3, 5, 4), got (2, 5); "
            "for those of a sequence, reshape them to (2, 1, 5)",
        ),
        (
            lambda: rope(X, range(3), layout="pairs"),
            ValueError,
            'layout must be "interleaved" or "half", got \'pairs\'',
        ),
        (
            lambda: rope(X, range(3), 500.0, frequencies=[1.0]),
            ValueError,
            "frequencies take the place of base, got base 500.0 as well",
        ),
        (
            lambda: rope(X, range(3), frequencies=[1.0, 0.1, 0.01]),
            ValueError,
            "frequencies need one number for each pair of columns, at most 2 of 4 columns",
        ),
        (
            lambda: rope(X, range(3), frequencies=[np.nan]),
            ValueError,
            "frequencies must be finite, got nan or inf",
        ),
        (lambda: linear_frequencies(4, 0.5), ValueError, "factor must be at least 1, got 0.5"),
        (lambda: ntk_frequencies(2, 2), ValueError, "d must be at least 4, got 2"),
        (
            lambda: yarn_frequencies(4, 2, 9, base=1.0),
            ValueError,
            "base must be above 1, got 1.0",
        ),
        (
            lambda: yarn_frequencies(4, 2, 9, slow=40.0),
            ValueError,
            "slow must be above 0 and below fast, got slow 40.0 and fast 32.0",
        ),
        (
            lambda: llama3_frequencies(4, slow=4.0),
            ValueError,
            "slow must be below fast, got slow 4.0 and fast 4.0",
        ),
        (lambda: alibi_bias(0, 3), ValueError, "n_heads must be at least 1, got 0"),
        (lambda: alibi_bias(2, -1), ValueError, "n must be at least 0, got -1"),
    ],
)
def test_errors_say_what_was_asked_and_what_came(call, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call()
