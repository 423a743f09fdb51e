"""A model small enough to watch: one attention head that learns to look things up.

The context is a list of pairs, a letter and a digit each (`b7 k2 q0`); the question is a letter
(`k?`); the answer is its digit (`2`). There are no positions, no MLP and no residual path, so only
attention can find the answer. The embeddings are random and stay as they are; what learns is W_Q,
W_K, W_V and W_O.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from qkv_docs._adam import Adam
from qkv_docs._checks import (
    FloatArray,
    float_dtype,
    instance,
    integer,
    integers,
    known_ids,
    number,
    real_arrays,
    trainable,
)
from qkv_docs._shapes import fit
from qkv_docs.attention import scaled_dot_product_attention, softmax
from qkv_docs.gradients import scaled_dot_product_attention_backward

LETTERS, DIGITS = 26, 10
QUESTION_MARK = LETTERS + DIGITS  # the last row of the embedding table
AXES = {
    "embedding": f"{QUESTION_MARK + 1} d_model",
    "w_q": "d_model d_k",
    "w_k": "d_model d_k",
    "w_v": "d_model d_v",
    "w_o": f"d_v {DIGITS}",
}
PARAMETERS = ("w_q", "w_k", "w_v", "w_o")  # those that learn

# A pair whose two ids add up to a multiple of 5 is kept out of training: 2 of a letter's 10 digits.
_KEPT_OUT = (np.arange(LETTERS)[:, None] + np.arange(DIGITS)) % 5 == 0
_SEEN = np.nonzero(~_KEPT_OUT)[1].reshape(LETTERS, 8)
_UNSEEN = np.nonzero(_KEPT_OUT)[1].reshape(LETTERS, 2)

Ids = NDArray[np.int64]


class LookupBatch(NamedTuple):
    """Contexts of pairs, and which pair of each is asked for.

    Shapes: `letters` and `digits` `(size, n_pairs)`, `slots` `(size,)`.
    """

    letters: Ids  # 0 to 25
    digits: Ids  # 0 to 9
    slots: Ids  # 0 to n_pairs - 1

    @property
    def answers(self) -> Ids:
        """The digit in the slot asked for, `(size,)`."""
        _, digits, slots = self._known()
        return np.take_along_axis(digits, slots[:, None], axis=1)[:, 0]

    def _known(self) -> "LookupBatch":
        """The same, in arrays of one size, with letters, digits and slots that there are."""
        letters = known_ids(self.letters, LETTERS, "letters")
        digits = known_ids(self.digits, DIGITS, "digits")
        slots = integers("slots", self.slots)
        axes = {"letters": "size n_pairs", "digits": "size n_pairs", "slots": "size"}
        sizes = fit(axes, {"letters": letters, "digits": digits, "slots": slots})
        slots = known_ids(slots, sizes["n_pairs"], "slots")
        if not letters.size:
            raise ValueError(f"a batch needs a sequence and a pair or more, got {letters.shape}")
        return LookupBatch(letters, digits, slots)

    def tokens(self) -> tuple[Ids, Ids]:
        """The two rows of the embedding table whose sum is the token.

        Returns:
            `context` `(size, n_pairs, 2)`, letter and digit, and `question` `(size, 1, 2)`, letter
            and question mark.

        Raises:
            IndexError: there is no such letter, digit or slot.
        """
        letters, digits, slots = self._known()
        context = np.stack([letters, LETTERS + digits], axis=-1)
        asked = np.take_along_axis(letters, slots[:, None], axis=1)
        return context, np.stack([asked, np.full_like(asked, QUESTION_MARK)], axis=-1)


def lookup_batch(
    rng: np.random.Generator, size: int = 128, n_pairs: int = 8, *, unseen: bool = False
) -> LookupBatch:
    """Draw contexts of different letters, each with a digit, and a slot to ask for.

    Args:
        rng: where the randomness comes from.
        size: how many contexts.
        n_pairs: how many pairs a context holds, 1 to 26.
        unseen: draw only pairs that are kept out of training (two digits of each letter), instead
            of only the others.

    Returns:
        The contexts, as a `LookupBatch` with `letters` and `digits`, `(size, n_pairs)`, `slots`
        and `answers`, `(size,)`.

    Raises:
        TypeError: size or n_pairs is not an integer, or rng no NumPy Generator.
        ValueError: more pairs than letters, or less than one context or pair.

    Examples:
        >>> batch = lookup_batch(np.random.default_rng(0), size=1, n_pairs=3)
        >>> [f"{chr(97 + a)}{b}" for a, b in zip(batch.letters[0], batch.digits[0])]
        ['t4', 'e4', 'k1']
        >>> batch.slots.tolist(), batch.answers.tolist()
        ([0], [4])
    """
    instance("rng", rng, np.random.Generator)
    instance("unseen", unseen, bool)
    integer("size", size, least=1)
    if integer("n_pairs", n_pairs, least=1) > LETTERS:
        raise ValueError(f"there are {LETTERS} letters, got n_pairs={n_pairs}")
    letters = rng.permuted(np.tile(np.arange(LETTERS), (size, 1)), axis=1)[:, :n_pairs]
    allowed = _UNSEEN if unseen else _SEEN
    digits = allowed[letters, rng.integers(allowed.shape[1], size=letters.shape)]
    return LookupBatch(letters, digits, rng.integers(n_pairs, size=size))


@dataclass
class LookupModel:
    """One attention head between fixed embeddings and a choice of ten digits.

    Shapes: `embedding` `(37, d_model)` (26 letters, 10 digits, the question mark), `w_q` and `w_k`
    `(d_model, d_k)`, `w_v` `(d_model, d_v)`, `w_o` `(d_v, 10)`. `scale` is what the dot products
    are multiplied by.

    Raises:
        TypeError: a matrix is not an array in float32 or wider, or scale is not a number.
        ValueError: the shapes do not fit.

    Examples:
        >>> model = LookupModel.create(seed=0)
        >>> batch = lookup_batch(np.random.default_rng(0), size=4)
        >>> logits, weights = model.forward(batch)
        >>> logits.shape, weights.shape
        ((4, 10), (4, 8))
    """

    embedding: FloatArray
    w_q: FloatArray
    w_k: FloatArray
    w_v: FloatArray
    w_o: FloatArray
    scale: float

    def __post_init__(self) -> None:
        trainable(**{name: getattr(self, name) for name in AXES})
        number("scale", self.scale)
        fit(AXES, vars(self))

    @classmethod
    def create(
        cls,
        seed: int = 0,
        *,
        d_model: int = 64,
        d_k: int = 16,
        d_v: int = 16,
        scale: float | None = None,
        init_std: float | None = None,
        dtype: DTypeLike = np.float64,
    ) -> "LookupModel":
        """A model before training: every entry random, independent, with mean 0.

        Args:
            seed: the same seed gives the same model.
            d_model: width of an embedding.
            d_k: width of a query and of a key.
            d_v: width of a value.
            scale: what the dot products are multiplied by; `1 / sqrt(d_k)` by default.
            init_std: standard deviation of W_Q and W_K. The default, `1 / sqrt(d_model)`, gives
                queries and keys whose entries have variance 1.
            dtype: what to compute in: float32, float64 or longdouble.

        Raises:
            TypeError: a size is not an integer, a setting not a number, or the dtype not one of
                those: the small steps of training are lost in float16.
            ValueError: a size is less than 1, the seed or init_std negative.
        """
        rng = np.random.default_rng(integer("seed", seed, least=0, most=None))
        dtype = float_dtype(dtype)
        sizes = (("d_model", d_model), ("d_k", d_k), ("d_v", d_v))
        d_model, d_k, d_v = (integer(name, size, least=1) for name, size in sizes)

        def normal(std: float, rows: int, columns: int) -> FloatArray:
            return (std * rng.standard_normal((rows, columns))).astype(dtype)

        std = d_model**-0.5 if init_std is None else number("init_std", init_std, least=0)
        return cls(
            # a token is the sum of two rows: 1/2 + 1/2 makes its entries' variance 1
            embedding=normal(0.5**0.5, QUESTION_MARK + 1, d_model),
            w_q=normal(std, d_model, d_k),
            w_k=normal(std, d_model, d_k),
            w_v=normal(d_model**-0.5, d_model, d_v),
            w_o=normal(d_v**-0.5, d_v, DIGITS),
            scale=d_k**-0.5 if scale is None else scale,
        )

    def project(self, batch: LookupBatch) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Queries `(size, 1, d_k)`, keys `(size, n_pairs, d_k)`, values `(size, n_pairs, d_v)`."""
        context, question = batch.tokens()
        # (e_letter + e_digit) W = e_letter W + e_digit W: project the table once, then look up
        q, k, v = (
            (self.embedding @ w)[ids].sum(axis=-2)
            for ids, w in ((question, self.w_q), (context, self.w_k), (context, self.w_v))
        )
        return q, k, v

    def forward(self, batch: LookupBatch) -> tuple[FloatArray, FloatArray]:
        """Logits of the ten digits `(size, 10)` and attention weights `(size, n_pairs)`."""
        output, weights = scaled_dot_product_attention(*self.project(batch), scale=self.scale)
        return output[:, 0] @ self.w_o, weights[:, 0]

    def accuracy(self, batch: LookupBatch) -> float:
        """The share of questions whose largest logit is that of the right digit."""
        logits, _ = self.forward(batch)
        return float((logits.argmax(axis=-1) == batch.answers).mean())

    def attention_on_answer(self, batch: LookupBatch) -> float:
        """The mean attention weight of the slot that holds the answer."""
        _, weights = self.forward(batch)
        return float(np.take_along_axis(weights, batch.slots[:, None], axis=1).mean())

    def letter_share(self, w: FloatArray) -> float:
        """How much of the variance of `x @ w` comes from the letter; the rest comes from the digit.

        Half for a random matrix. `model.letter_share(model.w_k)` rises in training, for a key must
        say which letter it is; `model.letter_share(model.w_v)` falls.
        """
        (w,), _ = real_arrays(w=w)
        fit({"w": f"{self.embedding.shape[1]} d"}, {"w": w})
        rows = self.embedding @ w
        letters, digits = rows[:LETTERS], rows[LETTERS:QUESTION_MARK]
        by_letter, by_digit = letters.var(axis=0).sum(), digits.var(axis=0).sum()
        return float(by_letter / (by_letter + by_digit))

    def question_scores(self) -> FloatArray:
        """The score of each letter's question with each part of a key, `(26, 36)`.

        Columns are the 26 letters, then the 10 digits. A token is a letter plus a digit, and so is
        its key: its score is the sum of two entries of a row.

        Examples:
            >>> scores = LookupModel.create(seed=0).question_scores()
            >>> scores.shape, round(float(scores[10, 10] + scores[10, 26 + 2]), 3)  # k? and k2
            ((26, 36), 0.705)
        """
        asked = self.embedding[:LETTERS] + self.embedding[QUESTION_MARK]
        scores: FloatArray = (asked @ self.w_q) @ (self.embedding[:QUESTION_MARK] @ self.w_k).T
        return self.scale * scores

    def value_logits(self) -> FloatArray:
        """What each part of a value says for each of the ten digits, `(36, 10)`.

        Rows are the 26 letters, then the 10 digits. The model's logits are sums of these rows, in
        proportion to the attention weights; nothing else enters.

        Examples:
            >>> LookupModel.create(seed=0).value_logits().shape
            (36, 10)
        """
        return self.embedding[:QUESTION_MARK] @ self.w_v @ self.w_o

    def loss_and_gradients(self, batch: LookupBatch) -> tuple[float, dict[str, FloatArray]]:
        """The mean cross-entropy, and its gradient for each of W_Q, W_K, W_V and W_O."""
        context, question = batch.tokens()
        q, k, v = self.project(batch)
        output, _ = scaled_dot_product_attention(q, k, v, scale=self.scale)
        output = output[:, 0]  # (size, d_v)
        logits = output @ self.w_o  # (size, 10)

        rows = np.arange(len(logits))
        shifted = logits - logits.max(axis=-1, keepdims=True)
        losses = np.log(np.exp(shifted).sum(axis=-1)) - shifted[rows, batch.answers]

        # and back: the derivative of the cross-entropy is what was predicted minus what was right
        grad_logits = softmax(logits)
        grad_logits[rows, batch.answers] -= 1
        grad_logits /= len(logits)
        grad_output = (grad_logits @ self.w_o.T)[:, None, :]  # (size, 1, d_v)
        grad_q, grad_k, grad_v = scaled_dot_product_attention_backward(
            grad_output, q, k, v, scale=self.scale
        )
        return float(losses.mean()), {
            "w_q": self._grad_projection(question, grad_q),
            "w_k": self._grad_projection(context, grad_k),
            "w_v": self._grad_projection(context, grad_v),
            "w_o": output.T @ grad_logits,
        }

    def _grad_projection(self, ids: Ids, grad: FloatArray) -> FloatArray:
        """X^T grad, (d_model, d): the gradients of all tokens that share a row add up first."""
        rows = np.zeros((len(self.embedding), grad.shape[-1]), grad.dtype)
        np.add.at(rows, ids, grad[..., None, :])
        return self.embedding.T @ rows


@dataclass
class LookupHistory:
    """What `train_lookup` saw: one entry per evaluation."""

    steps: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    """on the training batch of that step, before its update"""
    accuracy: list[float] = field(default_factory=list)
    """on 500 contexts drawn like those of the training, but not trained on"""
    attention: list[float] = field(default_factory=list)
    """mean attention weight of the right slot, on the same contexts"""

    def first_step(self, accuracy: float = 0.99) -> int | None:
        """The first evaluated step with at least that accuracy; None if there is none."""
        number("accuracy", accuracy)
        pairs = zip(self.steps, self.accuracy, strict=True)
        return next((step for step, value in pairs if value >= accuracy), None)


def train_lookup(
    model: LookupModel,
    *,
    steps: int = 100,
    lr: float = 3e-3,
    batch_size: int = 128,
    n_pairs: int = 8,
    optimizer: Literal["adam", "sgd"] = "adam",
    seed: int = 0,
    every: int = 10,
    stop_at: float | None = None,
    on_evaluate: Callable[[int, LookupModel], None] | None = None,
    history: LookupHistory | None = None,
) -> LookupHistory:
    """Train the model in place; the same arguments give the same run.

    Args:
        model: its four matrices are changed, the embeddings are not.
        steps: how many updates.
        lr: the learning rate.
        batch_size: contexts in a batch; every step draws a new one.
        n_pairs: pairs in a context.
        optimizer: `"adam"`, or `"sgd"` for plain gradient descent.
        seed: the seed of the batches.
        every: evaluate at step 0, then every so many steps, and at the last one.
        stop_at: stop as soon as this accuracy is reached.
        on_evaluate: called with the step and the model at every evaluation; `copy.deepcopy` the
            model there to keep it.
        history: what to append to, for an `on_evaluate` that reads it; a new one by default.

    Returns:
        The history: steps, loss, accuracy and attention on the answer.

    Raises:
        TypeError: a number of steps, contexts or pairs is not an integer.
        ValueError: the optimiser is unknown, one of those numbers is too small, or there are more
            pairs than letters.

    Examples:
        >>> model = LookupModel.create(seed=0)
        >>> history = train_lookup(model, steps=80, stop_at=0.99)
        >>> round(history.accuracy[0], 1), history.first_step(0.99)
        (0.1, 70)
    """
    if instance("optimizer", optimizer, str) not in ("adam", "sgd"):
        raise ValueError(f"optimizer must be 'adam' or 'sgd', got {optimizer!r}")
    integer("steps", steps, least=0)
    integer("every", every, least=1)
    integer("batch_size", batch_size, least=1)
    seed = integer("seed", seed, least=0, most=None)
    instance("model", model, LookupModel)
    if stop_at is not None:
        number("stop_at", stop_at)
    rng = np.random.default_rng([seed, 0])
    test = lookup_batch(np.random.default_rng([seed, 1]), 500, n_pairs)
    parameters = {name: getattr(model, name) for name in PARAMETERS}
    adam = Adam(parameters, lr)
    history = LookupHistory() if history is None else history
    for step in range(steps + 1):
        loss, grads = model.loss_and_gradients(lookup_batch(rng, batch_size, n_pairs))
        if step % every == 0 or step == steps:
            history.steps.append(step)
            history.loss.append(loss)
            history.accuracy.append(model.accuracy(test))
            history.attention.append(model.attention_on_answer(test))
            if on_evaluate is not None:
                on_evaluate(step, model)
            if stop_at is not None and history.accuracy[-1] >= stop_at:
                break
        if step == steps:
            break
        if optimizer == "adam":
            adam.step(grads)
        else:
            for name, grad in grads.items():
                parameters[name][...] -= lr * grad
    return history
