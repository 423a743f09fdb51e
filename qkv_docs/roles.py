"""Which weight? The word means a learned matrix to one reader, an attention weight to another."""

from dataclasses import dataclass
from typing import Literal

from qkv_docs._checks import instance


@dataclass(frozen=True, repr=False)
class Role:
    """What a name in attention stands for.

    Attributes:
        name: the name asked for.
        kind: `parameter` (stored in the model), `activation` (made anew from every input),
            `input` (what the model is given) or `setting` (chosen by whoever builds the model).
        origin: `learned`, `computed`, `given` or `chosen`.
        at_inference: `fixed`, or `changes with the input`.
        shape: its shape, for one sequence; `()` for a number.
        sentence: what it is, in one sentence.
    """

    name: str
    kind: Literal["parameter", "activation", "input", "setting"]
    origin: Literal["learned", "computed", "given", "chosen"]
    at_inference: Literal["fixed", "changes with the input"]
    shape: str
    sentence: str

    def __str__(self) -> str:
        facts = (
            f"{self.name}: {self.kind}, {self.origin}",
            f"at inference: {self.at_inference}",
            f"shape: {self.shape}",
            self.sentence,
        )
        return "\n  ".join(facts)

    __repr__ = __str__  # a prompt shows what print shows


def describe(name: str) -> Role:
    """Say what a name in attention stands for: parameter or activation, learned or computed.

    Args:
        name: one of `ids`, `embedding_table`, `X`, `W_Q`, `W_K`, `W_V`, `W_O`, `Q`, `K`, `V`,
            `scale`, `scores`, `mask`, `weights`, `heads`, `output`.

    Returns:
        A `Role`, with the fields `name`, `kind`, `origin`, `at_inference`, `shape`, `sentence`.

    Raises:
        TypeError: the name is not a string.
        ValueError: no such name; the message lists those there are.

    Source:
        [@vaswani2017, 3.2]

    Examples:
        >>> describe("W_K")
        W_K: parameter, learned
          at inference: fixed
          shape: (d_model, d_k)
          The matrix that turns each row of X into a key: K = X W_K.
        >>> describe("K").kind, describe("K").at_inference
        ('activation', 'changes with the input')
        >>> describe("weight")
        Traceback (most recent call last):
        ValueError: no role is called 'weight'; the names are ids, embedding_table, X, W_Q, ...
    """
    if instance("name", name, str) not in ROLES:
        raise ValueError(f"no role is called {name!r}; the names are {', '.join(ROLES)}")
    return ROLES[name]


def _parameter(name: str, shape: str, sentence: str) -> Role:
    return Role(name, "parameter", "learned", "fixed", shape, sentence)


def _activation(name: str, shape: str, sentence: str) -> Role:
    return Role(name, "activation", "computed", "changes with the input", shape, sentence)


ROLES = {
    role.name: role
    for role in (
        Role(
            "ids", "input", "given", "changes with the input", "(n,)",
            "The numbers of the tokens in the vocabulary, made by the tokeniser.",
        ),
        _parameter(
            "embedding_table", "(size, d_model)",
            "One row for each token of the vocabulary, the same in every sentence.",
        ),
        _activation(
            "X", "(n, d_model)",
            "One row for each token of this input: embeddings, or what the layer before made.",
        ),
        _parameter(
            "W_Q", "(d_model, d_k)",
            "The matrix that turns each row of X into a query: Q = X W_Q.",
        ),
        _parameter(
            "W_K", "(d_model, d_k)",
            "The matrix that turns each row of X into a key: K = X W_K.",
        ),
        _parameter(
            "W_V", "(d_model, d_v)",
            "The matrix that turns each row of X into a value: V = X W_V.",
        ),
        _parameter(
            "W_O", "(n_heads * d_v, d_model)",
            "The matrix that mixes the heads, set side by side, into one output row per token.",
        ),
        _activation(
            "Q", "(n_q, d_k)",
            "One query for each token that looks: what it is looking for.",
        ),
        _activation(
            "K", "(n_k, d_k)",
            "One key for each token that can be looked at: what a query is compared with.",
        ),
        _activation(
            "V", "(n_k, d_v)",
            "One value for each token that can be looked at: what it hands over when attended to.",
        ),
        Role(
            "scale", "setting", "chosen", "fixed", "()",
            "The number the dot products are multiplied by, 1 / sqrt(d_k).",
        ),
        _activation(
            "scores", "(n_q, n_k)",
            "Q K^T times the scale: how well each key fits each query, any real number.",
        ),
        Role(
            "mask", "setting", "chosen", "changes with the input", "(n_q, n_k)",
            "Which keys a query may attend to: a rule on positions and lengths, never learned.",
        ),
        _activation(
            "weights", "(n_q, n_k)",
            "The attention weights, softmax of the scaled scores; each row sums to 1.",
        ),
        _activation(
            "heads", "(n_heads, n_q, d_v)",
            "What each head found on its own, before W_O mixes them.",
        ),
        _activation(
            "output", "(n_q, d_v)",
            "For each query the values averaged by its attention weights, before W_O: weights V.",
        ),
    )
}  # fmt: skip
