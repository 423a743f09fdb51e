"""The lookup model: its gradients are right, and training gives Q, K and V their roles."""

import copy
import dataclasses
import re

import numpy as np
import pytest
import torch

from qkv_docs.lookup import (
    DIGITS,
    LETTERS,
    PARAMETERS,
    QUESTION_MARK,
    LookupBatch,
    LookupModel,
    lookup_batch,
    train_lookup,
)

SEEDS = [0, 1, 2]


def exam(seed=1000, size=1000, n_pairs=8, **options):
    return lookup_batch(np.random.default_rng(seed), size, n_pairs, **options)


@pytest.fixture(scope="module", params=SEEDS)
def trained(request):
    """The model before and after 100 steps, and the history."""
    before = LookupModel.create(request.param)
    after = copy.deepcopy(before)
    return before, after, train_lookup(after, steps=100, seed=request.param)


# the task


@pytest.mark.parametrize("unseen", [False, True])
@pytest.mark.parametrize("n_pairs", [1, 8, 26])
def test_a_context_holds_different_letters_and_the_answer_stands_in_the_slot(n_pairs, unseen):
    batch = exam(size=200, n_pairs=n_pairs, unseen=unseen)
    assert batch.letters.shape == batch.digits.shape == (200, n_pairs)
    assert all(len(set(row)) == n_pairs for row in batch.letters.tolist())
    for i, slot in enumerate(batch.slots):
        assert batch.answers[i] == batch.digits[i, slot]
    context, question = batch.tokens()
    assert (question[:, 0, 0] == batch.letters[range(200), batch.slots]).all()
    assert (question[:, 0, 1] == QUESTION_MARK).all()
    assert (context[..., 1] - LETTERS == batch.digits).all()


def test_pairs_kept_out_of_training_never_appear_in_it():
    def pairs(batch):
        return set(zip(batch.letters.ravel().tolist(), batch.digits.ravel().tolist(), strict=True))

    seen, unseen = pairs(exam(size=2000)), pairs(exam(size=2000, unseen=True))
    assert not seen & unseen
    assert len(seen) == 208
    assert len(unseen) == 52
    assert {letter for letter, _ in unseen} == set(range(LETTERS))
    assert {digit for _, digit in unseen} == set(range(DIGITS))


def test_what_does_not_fit_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="there are 26 letters, got n_pairs=27"):
        lookup_batch(rng, n_pairs=27)
    with pytest.raises(ValueError, match="size must be at least 1, got 0"):
        lookup_batch(rng, size=0)
    with pytest.raises(ValueError, match="optimizer must be 'adam' or 'sgd', got 'adamw'"):
        train_lookup(LookupModel.create(), optimizer="adamw")
    with pytest.raises(TypeError, match="rng must be of type Generator, got int"):
        lookup_batch(0)


def test_matrices_that_do_not_fit_are_named():
    model, message = LookupModel.create(), "w_k needs the shape (d_model, d_k), got (64, 8) where"
    with pytest.raises(ValueError, match=re.escape(message + " d_model = 64, d_k = 16")):
        dataclasses.replace(model, w_k=model.w_k[:, :8])
    with pytest.raises(ValueError, match=re.escape("w needs the shape (64, d), got (16, 10)")):
        model.letter_share(model.w_o)
    with pytest.raises(TypeError, match="model must be of type LookupModel, got dict"):
        train_lookup({})
    batch = lookup_batch(np.random.default_rng(0), size=3)
    with pytest.raises(ValueError, match=re.escape("slots needs the shape (size,), got (1,)")):
        model.forward(batch._replace(slots=batch.slots[:1]))


def test_float16_cannot_learn():
    """Adam's smallest numbers are 0 there; in float32 nothing becomes nan."""
    message = "embedding must be an array in float32 or wider to learn, got float16"
    with pytest.raises(TypeError, match=message):
        LookupModel.create(dtype=np.float16)
    history = train_lookup(LookupModel.create(dtype=np.float32), steps=30, every=30)
    assert np.isfinite(history.loss).all()


# the start


@pytest.mark.parametrize("d_k", [8, 512])
def test_queries_and_keys_start_with_variance_1_and_scores_with_variance_d_k(d_k):
    """On average over models: one model shares its embeddings among all tokens."""
    squares = []
    for seed in range(20):
        q, k, _ = LookupModel.create(seed, d_k=d_k).project(exam(size=100))
        squares.append([(q**2).mean(), (k**2).mean(), ((q * k).sum(-1) ** 2).mean() / d_k])
    np.testing.assert_allclose(np.mean(squares, axis=0), 1, atol=0.15)


def test_the_parameters_of_create_do_what_they_say():
    model = LookupModel.create(
        3, d_model=32, d_k=5, d_v=7, scale=0.25, init_std=0.02, dtype=np.float32
    )
    shapes = {name: getattr(model, name).shape for name in ("embedding", *PARAMETERS)}
    assert shapes == {
        "embedding": (37, 32),
        "w_q": (32, 5),
        "w_k": (32, 5),
        "w_v": (32, 7),
        "w_o": (7, 10),
    }
    assert model.scale == 0.25
    assert LookupModel.create(d_k=16).scale == 0.25
    assert sum(getattr(LookupModel.create(), name).size for name in PARAMETERS) == 3232
    large = LookupModel.create(0, d_k=500, init_std=0.02)
    assert np.std([large.w_q, large.w_k]) == pytest.approx(0.02, rel=0.02)
    train_lookup(model, steps=2)
    assert {getattr(model, name).dtype for name in PARAMETERS} == {np.dtype(np.float32)}


def test_the_order_of_the_context_is_of_no_importance():
    batch, order = exam(size=50), np.random.default_rng(0).permutation(8)
    moved = LookupBatch(
        batch.letters[:, order], batch.digits[:, order], np.argsort(order)[batch.slots]
    )
    model = LookupModel.create()
    logits, weights = model.forward(batch)
    logits_moved, weights_moved = model.forward(moved)
    np.testing.assert_allclose(logits_moved, logits, atol=1e-12)
    np.testing.assert_allclose(weights_moved, weights[:, order], atol=1e-12)


# the gradients


@pytest.mark.parametrize("scale", [None, 1.0])
def test_loss_and_gradients_equal_autograd(scale):
    model = LookupModel.create(5, d_model=24, d_k=6, d_v=9, scale=scale)
    batch = exam(size=40)
    table = torch.tensor(model.embedding)
    w = {name: torch.tensor(getattr(model, name), requires_grad=True) for name in PARAMETERS}
    context = table[batch.letters] + table[26 + batch.digits]
    question = table[batch.letters[range(40), batch.slots]] + table[36]
    output = torch.nn.functional.scaled_dot_product_attention(
        question[:, None] @ w["w_q"], context @ w["w_k"], context @ w["w_v"], scale=scale
    )
    expected = torch.nn.functional.cross_entropy(
        output[:, 0] @ w["w_o"], torch.tensor(batch.answers)
    )
    expected.backward()
    loss, grads = model.loss_and_gradients(batch)
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    assert grads.keys() == w.keys()
    for name, grad in grads.items():
        np.testing.assert_allclose(grad, w[name].grad.numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", PARAMETERS)
def test_gradients_equal_finite_differences(name):
    model, batch = LookupModel.create(6, d_model=12, d_k=4, d_v=5), exam(size=30)
    grad = model.loss_and_gradients(batch)[1][name]
    w, step = getattr(model, name), 1e-5
    for i in np.ndindex(w.shape):
        middle, losses = w[i], []
        for w[i] in (middle + step, middle - step):
            losses.append(model.loss_and_gradients(batch)[0])
        w[i] = middle
        assert (losses[0] - losses[1]) / (2 * step) == pytest.approx(grad[i], rel=1e-5, abs=1e-9)


# the training


def test_training_is_repeatable_and_leaves_the_embeddings_alone():
    first, second = LookupModel.create(4), LookupModel.create(4)
    embedding = first.embedding.copy()
    history = train_lookup(first, steps=12, every=5, seed=4)
    assert history == train_lookup(second, steps=12, every=5, seed=4)
    assert history.steps == [0, 5, 10, 12]
    assert (first.embedding == embedding).all()
    for name in PARAMETERS:
        assert (getattr(first, name) == getattr(second, name)).all()
        assert (getattr(first, name) != getattr(LookupModel.create(4), name)).any()


def test_adam_equals_pytorchs_adam():
    """Three steps on the same batches, the gradients being the model's own."""
    model = LookupModel.create(7)
    w = {name: torch.tensor(getattr(model, name), requires_grad=True) for name in PARAMETERS}
    oracle = torch.optim.Adam(w.values(), lr=0.01)
    mirror, rng = copy.deepcopy(model), np.random.default_rng([7, 0])
    for _ in range(3):
        for name, tensor in w.items():
            setattr(mirror, name, tensor.detach().numpy().copy())
        _, grads = mirror.loss_and_gradients(lookup_batch(rng))
        for name, tensor in w.items():
            tensor.grad = torch.tensor(grads[name])
        oracle.step()
    train_lookup(model, steps=3, lr=0.01, seed=7)
    for name, tensor in w.items():
        np.testing.assert_allclose(getattr(model, name), tensor.detach().numpy(), rtol=1e-9)


def test_plain_gradient_descent_learns_it_too():
    history = train_lookup(LookupModel.create(), steps=60, lr=0.5, optimizer="sgd", stop_at=0.99)
    assert history.first_step(0.99) == history.steps[-1]
    assert history.steps[-1] <= 50


def test_every_evaluation_can_be_watched():
    snapshots = {}
    model = LookupModel.create()
    train_lookup(
        model, steps=4, every=2, on_evaluate=lambda i, m: snapshots.update({i: copy.deepcopy(m)})
    )
    assert list(snapshots) == [0, 2, 4]
    assert (snapshots[0].w_q == LookupModel.create().w_q).all()
    assert (snapshots[2].w_q != snapshots[4].w_q).any()
    assert (snapshots[4].w_q == model.w_q).all()


# what it learns: three seeds, 100 steps


def test_it_answers_within_a_hundred_steps(trained):
    _, after, history = trained
    assert history.accuracy[0] < 0.25
    assert history.first_step(0.99) <= 90
    assert after.accuracy(exam()) > 0.99
    assert history.loss[-1] < 0.1 < 2 < history.loss[0]


def test_it_answers_pairs_it_has_never_seen_and_contexts_of_other_lengths(trained):
    _, after, _ = trained
    assert after.accuracy(exam(unseen=True)) > 0.98
    assert after.accuracy(exam(n_pairs=2)) > 0.99
    assert after.accuracy(exam(n_pairs=26)) > 0.98


def test_attention_moves_to_the_right_slot(trained):
    before, after, history = trained
    assert before.attention_on_answer(exam()) == pytest.approx(1 / 8, abs=0.05)
    assert after.attention_on_answer(exam()) > 0.85
    assert history.attention[-1] == pytest.approx(after.attention_on_answer(exam()), abs=0.03)


def test_keys_come_to_carry_the_letter_and_values_the_digit(trained):
    before, after, _ = trained
    assert before.letter_share(before.w_k) == pytest.approx(0.5, abs=0.12)
    assert before.letter_share(before.w_v) == pytest.approx(0.5, abs=0.12)
    assert after.letter_share(after.w_k) > 0.75
    assert after.letter_share(after.w_v) < 0.25


def test_a_letter_finds_itself_and_a_digit_says_itself(trained):
    before, after, _ = trained

    def right(model):
        letters, digits = model.embedding[:26], model.embedding[26:36]
        finds = (letters @ model.w_q) @ (letters @ model.w_k).T  # (26, 26)
        says = digits @ model.w_v @ model.w_o  # (10, 10)
        return (
            (finds.argmax(axis=-1) == range(26)).mean(),
            (says.argmax(axis=-1) == range(10)).mean(),
        )

    assert max(right(before)) < 0.4
    assert right(after)[0] > 0.95
    assert right(after)[1] == 1


def test_swapping_w_k_and_w_v_breaks_it(trained):
    _, after, _ = trained
    swapped = dataclasses.replace(after, w_k=after.w_v, w_v=after.w_k)
    assert swapped.accuracy(exam()) < 0.25


def test_without_queries_it_averages_the_whole_context(trained):
    _, after, _ = trained
    unasked = dataclasses.replace(after, w_q=0 * after.w_q)
    _, weights = unasked.forward(exam())
    np.testing.assert_allclose(weights, 1 / 8)
    assert unasked.accuracy(exam()) < 0.4


@pytest.mark.parametrize(("d_k", "least", "most"), [(1, 0.3, 0.6), (2, 0.8, 0.95), (3, 0.99, 1)])
def test_how_many_dimensions_a_query_needs(d_k, least, most):
    history = train_lookup(LookupModel.create(d_k=d_k), steps=400, lr=0.01, every=400)
    assert least <= history.accuracy[-1] <= most
