"""Two attention layers that learn to continue what they have seen before: an induction head.

A sequence is a few different letters, repeated: `k d x p m k d x p …`. What follows a letter is
random, and new in every sequence; from the second round on it can be read from the first. There
is no MLP and no normalisation, so only attention can read it. Positions enter through `rope`
alone: they are not put into the vectors that the layers hand on. A causal mask leaks a little of
them all the same, but nothing that a linear map, such as W_Q and W_K, can read.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qkv_docs._adam import Adam
from qkv_docs._checks import FloatArray, instance, integer, integers, known_ids, trainable
from qkv_docs._shapes import fit
from qkv_docs.attention import scaled_dot_product_attention, softmax
from qkv_docs.gradients import scaled_dot_product_attention_backward
from qkv_docs.masks import causal_mask
from qkv_docs.positions import rope

LETTERS = 26
PATHS = "qkvo"  # out of layer 1: into layer 2's queries, keys, values; straight to the output

Ids = NDArray[np.int64]


class InductionBatch(NamedTuple):
    """Sequences of letters that repeat, and after how many letters each of them does.

    Shapes: `letters` `(size, n + 1)`, `periods` `(size,)`.
    """

    letters: Ids  # 0 to 25
    periods: Ids

    def _known(self) -> Ids:
        """The letters, each of which there is."""
        letters = known_ids(self.letters, LETTERS, "letters")
        axes = {"letters": "size n+1", "periods": "size"}
        fit(axes, {"letters": letters, "periods": integers("periods", self.periods)})
        if not letters[:, 1:].size:
            raise ValueError(
                f"a batch needs a sequence of two letters or more, got {letters.shape}"
            )
        return letters

    @property
    def inputs(self) -> Ids:
        """All letters but the last, `(size, n)`: what the model reads."""
        return self._known()[:, :-1]

    @property
    def targets(self) -> Ids:
        """The letter that follows each input, `(size, n)`."""
        return self._known()[:, 1:]

    @property
    def known(self) -> NDArray[np.bool_]:
        """Where the target can be known, from the second round on, `(size, n)`."""
        return np.arange(self.inputs.shape[1]) >= integers("periods", self.periods)[:, None]

    @property
    def continuations(self) -> NDArray[np.bool_]:
        """Which tokens stand right after an earlier occurrence of the current letter.

        `(size, n, n)`, current token and those before it: where an induction head looks.
        """
        earlier = self.inputs[:, :, None] == self.inputs[:, None, :-1]  # (size, n, n - 1)
        after = np.pad(earlier, ((0, 0), (0, 0), (1, 0)))  # one to the right
        return after & causal_mask(self.inputs.shape[1])


def induction_batch(
    rng: np.random.Generator,
    size: int = 64,
    n: int = 20,
    *,
    shortest: int = 5,
    longest: int = 10,
) -> InductionBatch:
    """Draw sequences of different letters that repeat, each with a period of its own.

    The periods differ, so that a fixed distance to look back cannot be learned.

    Args:
        rng: where the randomness comes from.
        size: how many sequences.
        n: how many letters the model reads; one more is drawn, for the last answer.
        shortest: the shortest period, 1 or more.
        longest: the longest period, at most 26.

    Returns:
        The sequences, as an `InductionBatch`.

    Raises:
        TypeError: a number is not an integer, or rng no NumPy Generator.
        ValueError: a number is too small, longest less than shortest or more than 26.

    Examples:
        >>> batch = induction_batch(np.random.default_rng(0), size=2, n=12)
        >>> for row in batch.letters:
        ...     print("".join(chr(97 + letter) for letter in row))
        teklzcygqxtek
        esczvhulesczv
        >>> batch.periods.tolist()
        [10, 8]
    """
    instance("rng", rng, np.random.Generator)
    integer("size", size, least=1)
    integer("n", n, least=1)
    integer("longest", longest, least=integer("shortest", shortest, least=1))
    if longest > LETTERS:
        raise ValueError(f"there are {LETTERS} letters, got longest={longest}")
    alphabets = rng.permuted(np.tile(np.arange(LETTERS), (size, 1)), axis=1)
    periods = rng.integers(shortest, longest + 1, size=size)
    places = np.arange(n + 1) % periods[:, None]
    return InductionBatch(np.take_along_axis(alphabets, places, axis=1), periods)


class InductionScores(NamedTuple):
    """What a model does on a batch, each from 0 to 1."""

    accuracy: float
    """share of right answers where the answer can be known"""
    previous_token: float
    """mean attention weight that layer 1 gives to the token before"""
    induction: float
    """mean attention weight that the last layer gives, where the answer can be known, to tokens
    right after an earlier occurrence of the current letter"""


class _Layer(NamedTuple):
    """What one layer computed: kept for the way back."""

    x: FloatArray  # (size, n, d_model), what came in
    q: FloatArray  # (size, n, d_k), turned by rope, and so are the keys
    k: FloatArray
    v: FloatArray
    heads: FloatArray  # (size, n, d_k), weights @ v
    weights: FloatArray  # (size, n, n)


@dataclass
class InductionModel:
    """One or more layers with one attention head each, and nothing else.

    Each layer reads the residual stream and adds its output to it:
    `x + attention(x w_q, x w_k, x w_v) w_o`.

    Shapes: `parameters` holds `w_e` `(26, d_model)`, the embedding table; for layers 1, 2, …
    `w_q1`, `w_k1`, `w_v1` `(d_model, d_k)` and `w_o1` `(d_k, d_model)`; `w_u` `(d_model, 26)`,
    from the stream to the logits.

    Raises:
        TypeError: a parameter is not an array in float32 or wider.
        ValueError: one is missing, or the shapes do not fit.

    Examples:
        >>> model = InductionModel.create(seed=0)
        >>> sum(w.size for w in model.parameters.values())
        5760
        >>> logits, weights = model.forward([[3, 1, 4, 3]])
        >>> logits.shape, [w.shape for w in weights]
        ((1, 4, 26), [(1, 4, 4), (1, 4, 4)])
    """

    parameters: dict[str, FloatArray]

    def __post_init__(self) -> None:
        trainable(**self.parameters)
        axes = {"w_e": f"{LETTERS} d_model", "w_u": f"d_model {LETTERS}"}
        for i in range(1, self.n_layers + 1):
            axes |= dict.fromkeys((f"w_q{i}", f"w_k{i}", f"w_v{i}"), f"d_model d_k{i}")
            axes |= {f"w_o{i}": f"d_k{i} d_model"}
        if set(axes) != set(self.parameters):
            raise ValueError(f"parameters must be {', '.join(axes)}, got {[*self.parameters]}")
        fit(axes, self.parameters)

    @classmethod
    def create(
        cls, seed: int = 0, *, n_layers: int = 2, d_model: int = 32, d_k: int = 16
    ) -> "InductionModel":
        """A model before training: every entry random, independent, with mean 0.

        Args:
            seed: the same seed gives the same model.
            n_layers: how many layers.
            d_model: width of the residual stream.
            d_k: width of a query, a key and a value: even, for `rope`.

        Raises:
            TypeError: a number is not an integer.
            ValueError: a number is too small, or d_k is odd.
        """
        rng = np.random.default_rng(integer("seed", seed, least=0, most=None))
        integer("d_model", d_model, least=1)
        if integer("d_k", d_k, least=2) % 2:
            raise ValueError(f"d_k must be even, for rope turns pairs of columns, got {d_k}")
        parameters: dict[str, FloatArray] = {"w_e": rng.standard_normal((LETTERS, d_model))}
        for layer in range(1, integer("n_layers", n_layers, least=1) + 1):
            for name in ("w_q", "w_k", "w_v"):
                random = rng.standard_normal((d_model, d_k))
                parameters[f"{name}{layer}"] = random / np.sqrt(d_model)
            parameters[f"w_o{layer}"] = rng.standard_normal((d_k, d_model)) / np.sqrt(d_k)
        parameters["w_u"] = rng.standard_normal((d_model, LETTERS)) / np.sqrt(d_model)
        return cls(parameters)

    @property
    def n_layers(self) -> int:
        """How many layers the parameters are for."""
        return len(self.parameters) // 4

    def forward(self, ids: ArrayLike, *, cut: str = "") -> tuple[FloatArray, list[FloatArray]]:
        """Logits of the next letter, and the attention weights of every layer.

        Args:
            ids: letters, 0 to 25, `(size, n)`.
            cut: paths out of layer 1 to cut, in a model of two layers: `"q"`, `"k"`, `"v"` into
                the queries, keys or values of layer 2, which are then computed as if layer 1 had
                added nothing; `"o"` straight to the output; several of them, such as `"qkvo"`:
                all, as if there were no layer 1.

        Returns:
            `logits`, `(size, n, 26)`, and for each layer its attention weights, `(size, n, n)`.

        Raises:
            IndexError: there is no such letter.
            TypeError: the letters are not integers, or cut is not a string.
            ValueError: there is no such path, or the model does not have two layers.
        """
        logits, _, layers = self._run(ids, cut)
        return logits, [layer.weights for layer in layers]

    def _run(self, ids: ArrayLike, cut: str = "") -> tuple[FloatArray, FloatArray, list[_Layer]]:
        """Logits, the stream they are read from, and what every layer computed."""
        ids = known_ids(ids, LETTERS)
        if ids.ndim == 0:
            raise ValueError(f"ids must be rows of letters, (size, n), got {ids}")
        if instance("cut", cut, str) and (set(cut) - set(PATHS) or self.n_layers != 2):
            raise ValueError(f"cut: some of {PATHS!r}, in a model of two layers, got {cut!r} "
                             f"and {self.n_layers}")  # fmt: skip
        w, layers = self.parameters, []
        positions, mask = np.arange(ids.shape[-1]), causal_mask(ids.shape[-1])
        stream = embedded = w["w_e"][ids]  # (size, n, d_model)
        for layer in range(1, self.n_layers + 1):
            read = {path: embedded if layer == 2 and path in cut else stream for path in "qkv"}
            q = rope(read["q"] @ w[f"w_q{layer}"], positions)
            k = rope(read["k"] @ w[f"w_k{layer}"], positions)
            v = read["v"] @ w[f"w_v{layer}"]
            heads, weights = scaled_dot_product_attention(q, k, v, mask)
            layers.append(_Layer(stream, q, k, v, heads, weights))
            stream = stream + heads @ w[f"w_o{layer}"]
        if "o" in cut:
            stream = stream - layers[0].heads @ w["w_o1"]
        return stream @ w["w_u"], stream, layers

    def scores(self, batch: InductionBatch, *, cut: str = "") -> InductionScores:
        """Accuracy, previous-token attention and induction attention; `cut` as in `forward`.

        Raises:
            ValueError: no answer can be known, for no sequence of the batch has a second round.
        """
        if not instance("batch", batch, InductionBatch).known.any():
            raise ValueError(
                f"no answer can be known: {batch.inputs.shape[-1]} letters, no second round of "
                f"{batch.periods.min(initial=LETTERS)} or more"
            )
        logits, weights = self.forward(batch.inputs, cut=cut)
        right = logits.argmax(axis=-1) == batch.targets
        before = np.diagonal(weights[0], offset=-1, axis1=-2, axis2=-1)  # (size, n - 1)
        found = (weights[-1] * batch.continuations).sum(axis=-1)  # (size, n)
        return InductionScores(
            float(right[batch.known].mean()), float(before.mean()), float(found[batch.known].mean())
        )

    def loss_and_gradients(self, batch: InductionBatch) -> tuple[float, dict[str, FloatArray]]:
        """The mean cross-entropy over all letters, and its gradient for each parameter.

        Raises:
            IndexError: the batch holds letters that there are not.
            ValueError: the shapes of the batch do not fit.
        """
        logits, stream, layers = self._run(batch.inputs)
        w, (size, n) = self.parameters, batch.inputs.shape
        right = batch.targets[..., None]
        shifted = logits - logits.max(axis=-1, keepdims=True)
        losses = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        losses = losses - np.take_along_axis(shifted, right, axis=-1)

        # and back: the derivative of the cross-entropy is what was predicted minus what was right
        grad_logits = (softmax(logits) - np.eye(LETTERS)[batch.targets]) / (size * n)
        gradients = {"w_u": _product(stream, grad_logits)}
        grad = grad_logits @ w["w_u"].T  # (size, n, d_model), of the residual stream
        turn_back = -np.arange(n)
        for i, layer in reversed(list(enumerate(layers, 1))):
            gradients[f"w_o{i}"] = _product(layer.heads, grad)
            grad_q, grad_k, grad_v = scaled_dot_product_attention_backward(
                grad @ w[f"w_o{i}"].T, layer.q, layer.k, layer.v, causal_mask(n)
            )
            grad_q, grad_k = rope(grad_q, turn_back), rope(grad_k, turn_back)
            for name, g in ((f"w_q{i}", grad_q), (f"w_k{i}", grad_k), (f"w_v{i}", grad_v)):
                gradients[name] = _product(layer.x, g)
                grad = grad + g @ w[name].T  # what goes past the layer, plus what went through it
        gradients["w_e"] = np.zeros_like(w["w_e"])
        np.add.at(gradients["w_e"], batch.inputs, grad)
        return float(losses.mean()), gradients


def _product(x: FloatArray, grad: FloatArray) -> FloatArray:
    """The gradient of w in `x @ w`: x^T grad, summed over the batch."""
    product: FloatArray = x.reshape(-1, x.shape[-1]).T @ grad.reshape(-1, grad.shape[-1])
    return product


@dataclass
class InductionHistory:
    """What `train_induction` saw: one entry per evaluation."""

    steps: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    """on the training batch of that step, before its update"""
    scores: list[InductionScores] = field(default_factory=list)
    """on 300 sequences drawn like those of the training, but not trained on"""


def train_induction(
    model: InductionModel,
    *,
    steps: int = 150,
    lr: float = 0.02,
    batch_size: int = 64,
    seed: int = 0,
    every: int = 10,
    shortest: int = 5,
    longest: int = 10,
) -> InductionHistory:
    """Train the model in place to predict every next letter; the same arguments, the same run.

    Args:
        model: its parameters are changed.
        steps: how many updates, with Adam.
        lr: the learning rate.
        batch_size: sequences in a batch; every step draws a new one.
        seed: the seed of the batches.
        every: evaluate at step 0, then every so many steps, and at the last one.
        shortest: the shortest period of the sequences, as in `induction_batch`, which have 20
            letters.
        longest: the longest.

    Returns:
        The history: steps, loss and scores.

    Raises:
        TypeError: a number of steps or sequences is not an integer, or lr not a number.
        ValueError: one of those numbers is too small, or the periods so long that nothing repeats.

    Examples:
        >>> model = InductionModel.create(seed=0)
        >>> history = train_induction(model, steps=4, every=2)
        >>> history.steps, history.loss[0] > history.loss[-1]
        ([0, 2, 4], True)
    """
    integer("steps", steps, least=0)
    integer("every", every, least=1)
    integer("batch_size", batch_size, least=1)
    seed = integer("seed", seed, least=0, most=None)
    instance("model", model, InductionModel)
    rng = np.random.default_rng([seed, 0])
    periods = {"shortest": shortest, "longest": longest}
    test = induction_batch(np.random.default_rng([seed, 1]), 300, **periods)
    adam, history = Adam(model.parameters, lr), InductionHistory()
    for step in range(steps + 1):
        loss, gradients = model.loss_and_gradients(induction_batch(rng, batch_size, **periods))
        if step % every == 0 or step == steps:
            history.steps.append(step)
            history.loss.append(loss)
            history.scores.append(model.scores(test))
        if step < steps:
            adam.step(gradients)
    return history
