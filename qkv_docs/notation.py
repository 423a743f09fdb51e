"""Other people's attention in the notation of this package, and back.

Each `from_…` takes the state of one attention module, a mapping of names to arrays or tensors as
the library saves it, names counted from that module, and gives the keyword arguments of
`multi_head_attention`; `to_…` makes the state of them again. Here rows are tokens and
`Q = X W_Q`. `nn.Linear` keeps the transpose, GPT-2's `Conv1D` does not; some keep the three
matrices as one. What a state does not hold, a keyword says, with that library's default.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from qkv_docs._checks import integer, number
from qkv_docs._rotation import pair_frequencies
from qkv_docs._states import (
    Arguments,
    Arrays,
    State,
    equal_parts,
    linear,
    parameters,
    plain,
    read,
    transposed,
)
from qkv_docs.positions import rope
from qkv_docs.relative import t5_bias

BERT = {"q": "self.query", "k": "self.key", "v": "self.value", "o": "output.dense"}
LLAMA = {"q": "q_proj", "k": "k_proj", "v": "v_proj", "o": "o_proj"}
T5 = {letter: letter for letter in "qkvo"}
WEIGHTS, BIASES = "w_q w_k w_v w_o n_heads", "b_q b_k b_v b_o"


def from_torch_mha(state: State, n_heads: int) -> Arguments:
    """Read a `torch.nn.MultiheadAttention`.

    Its masks are the opposite of those here where they are boolean: give `mask=~attn_mask`. A
    float one is the `bias`. Of `batch_first` nothing is seen: here tokens are always the axis
    before the last.

    Args:
        state: `in_proj_weight` or `q_proj_weight`, `k_proj_weight` and `v_proj_weight`;
            `out_proj.weight`; `in_proj_bias` and `out_proj.bias` where it has biases.
        n_heads: the number of heads, its `num_heads`.

    Returns:
        Keyword arguments of `multi_head_attention`.

    Raises:
        TypeError: the state is not a mapping, an array does not hold real numbers, or n_heads is
            not an integer.
        ValueError: a name is missing or has no place here, or an array cannot be split.

    Source:
        [@pytorch-mha]

    Examples:
        >>> state = {"in_proj_weight": np.ones((12, 4)), "out_proj.weight": np.eye(4)}
        >>> sorted(from_torch_mha(state, n_heads=2))
        ['n_heads', 'w_k', 'w_o', 'w_q', 'w_v']
    """
    apart = "in_proj_weight" not in state
    names = ["q_proj_weight", "k_proj_weight", "v_proj_weight"] if apart else ["in_proj_weight"]
    arrays = read(state, [*names, "out_proj.weight"], ["in_proj_bias", "out_proj.bias"])
    if apart:
        w = [arrays[name] for name in names]
    else:
        w = equal_parts("in_proj_weight", arrays["in_proj_weight"], 3, axis=0)
    found: Arguments = {
        f"w_{letter}": transposed(name, matrix)
        for letter, name, matrix in zip("qkv", 3 * names, w, strict=False)
    }
    found["w_o"] = transposed("out_proj.weight", arrays["out_proj.weight"])
    if "in_proj_bias" in arrays:
        b = equal_parts("in_proj_bias", arrays["in_proj_bias"], 3, axis=0)
        found |= dict(zip(("b_q", "b_k", "b_v"), b, strict=True))
    if "out_proj.bias" in arrays:
        found["b_o"] = arrays["out_proj.bias"]
    return found | {"n_heads": integer("n_heads", n_heads, least=1)}


def to_torch_mha(arguments: Arguments) -> Arrays:
    """Make the state of a `torch.nn.MultiheadAttention`: `from_torch_mha` reversed.

    Args:
        arguments: of `multi_head_attention`: matrices, biases, n_heads.

    Returns:
        The arrays by name. With one bias there are all, 0 where none was given.

    Raises:
        TypeError: an array does not hold real numbers, or n_heads is not an integer.
        ValueError: an argument is missing, or the library has no place for it.

    Source:
        [@pytorch-mha]

    Examples:
        >>> state = {"in_proj_weight": np.ones((12, 4)), "out_proj.weight": np.eye(4)}
        >>> to_torch_mha(from_torch_mha(state, n_heads=2))["in_proj_weight"].shape
        (12, 4)
    """
    given = parameters(arguments, "torch.nn.MultiheadAttention", WEIGHTS, BIASES)
    w = [given[name].T for name in ("w_q", "w_k", "w_v")]
    if w[0].shape == w[1].shape == w[2].shape:
        state = {"in_proj_weight": np.concatenate(w)}
    else:
        state = {f"{letter}_proj_weight": m for letter, m in zip("qkv", w, strict=True)}
    if any(name in given for name in BIASES.split()):
        state["in_proj_bias"] = np.concatenate([bias(given, letter) for letter in "qkv"])
        state["out_proj.bias"] = bias(given, "o")
    return state | {"out_proj.weight": given["w_o"].T}


def from_gpt2(state: State, n_heads: int) -> Arguments:
    """Read the attention of GPT-2 as transformers saves it (`h.0.attn`).

    Its matrices are those of `Conv1D`, (d_in, d_out) as here, and `c_attn` is W_Q, W_K and W_V
    side by side. GPT-2 is causal: give `mask=causal_mask(n)`. In cross-attention (`crossattention`)
    W_Q stands apart as `q_attn`, and `c_attn` is W_K and W_V: give `context`, and no causal mask.

    Args:
        state: `c_attn.weight`, `c_attn.bias`, `c_proj.weight`, `c_proj.bias`, for cross-attention
            also `q_attn.weight`, `q_attn.bias`; the masks that older files have, `bias` and
            `masked_bias`, are passed over.
        n_heads: the number of heads, its `n_head`.

    Returns:
        Keyword arguments of `multi_head_attention`.

    Raises:
        TypeError: the state is not a mapping, an array does not hold real numbers, or n_heads is
            not an integer.
        ValueError: a name is missing or has no place here, or an array cannot be split.

    Source:
        [@transformers, modeling_gpt2.py]

    Examples:
        >>> from qkv_docs import causal_mask, multi_head_attention
        >>> state = {"c_attn.weight": np.ones((4, 12)), "c_attn.bias": np.zeros(12)}
        >>> state |= {"c_proj.weight": np.eye(4), "c_proj.bias": np.zeros(4)}
        >>> x = np.eye(3, 4)
        >>> _, weights = multi_head_attention(x, **from_gpt2(state, 2), mask=causal_mask(3))
        >>> weights.shape
        (2, 3, 3)
    """
    names = ("c_attn.weight", "c_attn.bias", "c_proj.weight", "c_proj.bias")
    cross = isinstance(state, Mapping) and "q_attn.weight" in state
    apart = ("q_attn.weight", "q_attn.bias") if cross else ()
    arrays = read(state, (*names, *apart), skipped="bias masked_bias")
    kept = "kv" if cross else "qkv"
    found: Arguments = {"w_o": arrays["c_proj.weight"], "b_o": arrays["c_proj.bias"]}
    for prefix, kind, axis in (("w", "weight", 1), ("b", "bias", 0)):
        parts = equal_parts(f"c_attn.{kind}", arrays[f"c_attn.{kind}"], len(kept), axis)
        found |= {f"{prefix}_{letter}": part for letter, part in zip(kept, parts, strict=True)}
        if cross:
            found[f"{prefix}_q"] = arrays[f"q_attn.{kind}"]
    return found | {"n_heads": integer("n_heads", n_heads, least=1)}


def to_gpt2(arguments: Arguments, *, cross: bool = False) -> Arrays:
    """Make the state of GPT-2's attention: `from_gpt2` reversed.

    Args:
        arguments: of `multi_head_attention`: matrices, biases (0 where none is given), n_heads.
        cross: whether it is cross-attention, which keeps W_Q apart in `q_attn`.

    Returns:
        The arrays by name.

    Raises:
        TypeError: an array does not hold real numbers, or n_heads is not an integer.
        ValueError: an argument is missing, or the library has no place for it.

    Source:
        [@transformers, modeling_gpt2.py]

    Examples:
        >>> w = dict.fromkeys(["w_q", "w_k", "w_v", "w_o"], np.eye(4))
        >>> to_gpt2(w | {"n_heads": 2})["c_attn.weight"].shape
        (4, 12)
    """
    given = parameters(arguments, "GPT-2", WEIGHTS, BIASES)
    fused = "kv" if cross else "qkv"
    apart = {"q_attn.weight": given["w_q"], "q_attn.bias": bias(given, "q")}
    return (apart if cross else {}) | {
        "c_attn.weight": np.concatenate([given[f"w_{letter}"] for letter in fused], axis=1),
        "c_attn.bias": np.concatenate([bias(given, letter) for letter in fused]),
        "c_proj.weight": given["w_o"],
        "c_proj.bias": bias(given, "o"),
    }


def from_bert(state: State, n_heads: int) -> Arguments:
    """Read the attention of BERT as transformers saves it (`encoder.layer.0.attention`).

    The residual connection and the layer normalisation that its module also does, in
    `output.LayerNorm`, are no part of attention and are passed over.

    Args:
        state: `self.query.weight`, `self.query.bias`, `self.key.…`, `self.value.…`,
            `output.dense.…`.
        n_heads: the number of heads, its `num_attention_heads`.

    Returns:
        Keyword arguments of `multi_head_attention`.

    Raises:
        TypeError: the state is not a mapping, an array does not hold real numbers, or n_heads is
            not an integer.
        ValueError: a name is missing or has no place here, or an array cannot be split.

    Source:
        [@transformers, modeling_bert.py]

    Examples:
        >>> arguments = dict.fromkeys(["w_q", "w_k", "w_v", "w_o"], np.eye(4)) | {"n_heads": 2}
        >>> from_bert(to_bert(arguments), 2)["b_q"]
        array([0., 0., 0., 0.])
    """
    names = [f"{prefix}.{kind}" for prefix in BERT.values() for kind in ("weight", "bias")]
    arrays = read(state, names, skipped="output.LayerNorm.")
    return linear(arrays, BERT) | {"n_heads": integer("n_heads", n_heads, least=1)}


def to_bert(arguments: Arguments) -> Arrays:
    """Make the state of BERT's attention, without its layer normalisation: `from_bert` reversed.

    Args:
        arguments: of `multi_head_attention`: matrices, biases (0 where none is given), n_heads.

    Returns:
        The arrays by name.

    Raises:
        TypeError: an array does not hold real numbers, or n_heads is not an integer.
        ValueError: an argument is missing, or the library has no place for it.

    Source:
        [@transformers, modeling_bert.py]

    Examples:
        >>> arguments = dict.fromkeys(["w_q", "w_k", "w_v", "w_o"], np.eye(4)) | {"n_heads": 2}
        >>> list(to_bert(arguments))[:3]
        ['self.query.weight', 'self.query.bias', 'self.key.weight']
    """
    given = parameters(arguments, "BERT", WEIGHTS, BIASES)
    state: Arrays = {}
    for letter, prefix in BERT.items():
        state |= {f"{prefix}.weight": given[f"w_{letter}"].T, f"{prefix}.bias": bias(given, letter)}
    return state


def from_llama(
    state: State,
    n_heads: int,
    n_kv_heads: int | None = None,
    *,
    base: float = 10000.0,
    frequencies: ArrayLike | None = None,
    eps: float = 1e-6,
) -> Arguments:
    """Read the attention of Llama and its kin as transformers saves it (`layers.0.self_attn`).

    Qwen 2's biases, the norms of Qwen 3 and OLMo 2 and the sinks of gpt-oss are read where they
    are. All rotate in the layout "half", to which transformers converts Llama's own files: the
    original ones, and GGUF files, are in the other. Causal: give `mask=causal_mask(n)`.

    Args:
        state: `q_proj.weight`, `k_proj.weight`, `v_proj.weight`, `o_proj.weight`, and where they
            are `q_proj.bias`, …, `q_norm.weight`, `k_norm.weight`, `sinks`.
        n_heads: the number of query heads, its `num_attention_heads`.
        n_kv_heads: the number of key and value heads, its `num_key_value_heads`; n_heads by
            default.
        base: of `rope`, its `rope_theta`: 10,000 by default, 500,000 in Llama 3.
        frequencies: in the place of base, see `llama3_frequencies` and the others.
        eps: of the norms, its `rms_norm_eps`.

    Returns:
        Keyword arguments of `multi_head_attention`.

    Raises:
        TypeError: the state is not a mapping, an array does not hold real numbers, a number of
            heads is not an integer, or a setting is not a number.
        ValueError: a name is missing or has no place here, or frequencies came with a base.

    Source:
        [@transformers, modeling_llama.py]; [@huggingface-qwen3];
        [@transformers, modeling_olmo2.py]; [@transformers, modeling_gpt_oss.py].

    Examples:
        >>> from qkv_docs import causal_mask, multi_head_attention
        >>> state = {f"{name}_proj.weight": np.eye(4) for name in "qo"}
        >>> state |= {f"{name}_proj.weight": np.eye(2, 4) for name in "kv"}
        >>> arguments = from_llama(state, n_heads=2, n_kv_heads=1)
        >>> _, weights = multi_head_attention(np.eye(3, 4), **arguments, mask=causal_mask(3))
        >>> weights.shape
        (2, 3, 3)
    """
    names = [f"{prefix}.weight" for prefix in LLAMA.values()]
    more = [f"{prefix}.bias" for prefix in LLAMA.values()]
    arrays = read(state, names, [*more, "q_norm.weight", "k_norm.weight", "sinks"])
    found = linear(arrays, LLAMA)
    norms = {"g_q": "q_norm.weight", "g_k": "k_norm.weight", "sinks": "sinks"}
    found |= {name: arrays[theirs] for name, theirs in norms.items() if theirs in arrays}
    found["n_heads"] = integer("n_heads", n_heads, least=1)
    found["n_kv_heads"] = n_heads if n_kv_heads is None else integer("n_kv_heads", n_kv_heads, 1)
    if number("eps", eps, least=0) and "g_q" in found:
        found["eps"] = eps
    if frequencies is not None:
        frequencies = plain("frequencies", frequencies)
    pair_frequencies(found["w_q"].shape[1] // n_heads, base, frequencies)  # whether they fit
    turn = partial(rope, base=base, frequencies=frequencies, layout="half")
    return found | {"rotary": turn}


def to_llama(arguments: Arguments) -> Arrays:
    """Make the state of Llama's attention, or its kin's: `from_llama` reversed.

    The rotation, eps and the numbers of heads stand in the configuration there.

    Args:
        arguments: of `multi_head_attention`: matrices, n_heads, n_kv_heads, and where given
            biases, gains and sinks.

    Returns:
        The arrays by name.

    Raises:
        TypeError: an array does not hold real numbers, or n_heads is not an integer.
        ValueError: an argument is missing, or the library has no place for it.

    Source:
        [@transformers, modeling_llama.py]

    Examples:
        >>> arguments = dict.fromkeys(["w_q", "w_k", "w_v", "w_o"], np.eye(4)) | {"n_heads": 2}
        >>> list(to_llama(arguments))
        ['q_proj.weight', 'k_proj.weight', 'v_proj.weight', 'o_proj.weight']
    """
    also = f"{BIASES} g_q g_k sinks"
    given = parameters(arguments, "Llama", WEIGHTS, also, kept="n_kv_heads rotary eps")
    state = {f"{prefix}.weight": given[f"w_{letter}"].T for letter, prefix in LLAMA.items()}
    theirs = {f"b_{letter}": f"{prefix}.bias" for letter, prefix in LLAMA.items()}
    theirs |= {"g_q": "q_norm.weight", "g_k": "k_norm.weight", "sinks": "sinks"}
    return state | {theirs[name]: given[name] for name in also.split() if name in given}


def from_t5(
    state: State,
    n_heads: int,
    n_q: int | None = None,
    n_k: int | None = None,
    *,
    bidirectional: bool = True,
    max_distance: int = 128,
) -> Arguments:
    """Read the attention of T5 as transformers saves it (`encoder.block.0.layer.0.SelfAttention`).

    T5 does not divide by sqrt(d_k). The table of relative positions stands in the first layer
    alone; the others take the `bias` made of it, `from_t5(…)["bias"]`.

    Args:
        state: `q.weight`, `k.weight`, `v.weight`, `o.weight`, and in the first layer
            `relative_attention_bias.weight`.
        n_heads: the number of heads, its `num_heads`.
        n_q: the number of queries, which the bias is made for.
        n_k: the number of keys; n_q by default.
        bidirectional: True in the encoder; False in the decoder, see `t5_bias`.
        max_distance: its `relative_attention_max_distance`.

    Returns:
        Keyword arguments of `multi_head_attention`.

    Raises:
        TypeError: the state is not a mapping, an array does not hold real numbers, or a number is
            not an integer.
        ValueError: a name is missing or has no place here, or there is a table and no n_q.

    Source:
        [@transformers, modeling_t5.py]

    Examples:
        >>> state = {f"{name}.weight": np.eye(4) for name in "qkvo"}
        >>> state["relative_attention_bias.weight"] = np.zeros((32, 2))
        >>> arguments = from_t5(state, n_heads=2, n_q=3)
        >>> arguments["scale"], arguments["bias"].shape
        (1.0, (2, 3, 3))
    """
    table = "relative_attention_bias.weight"
    arrays = read(state, [f"{letter}.weight" for letter in T5], [table])
    found = linear(arrays, T5) | {"scale": 1.0, "n_heads": integer("n_heads", n_heads, least=1)}
    if table in arrays and n_q is None:
        raise ValueError(
            f"the state has {table}: n_q, the number of queries, is needed for its bias"
        )
    if table in arrays and n_q is not None:
        found["bias"] = t5_bias(
            arrays[table], n_q, n_k, bidirectional=bidirectional, max_distance=max_distance
        )
    return found


def to_t5(arguments: Arguments) -> Arrays:
    """Make the state of T5's attention, without the table of positions: `from_t5` reversed.

    Args:
        arguments: of `multi_head_attention`: matrices, n_heads, and scale, which is 1. The bias
            does not say which table made it, and is left out.

    Returns:
        The arrays by name.

    Raises:
        TypeError: an array does not hold real numbers, or n_heads is not an integer.
        ValueError: an argument is missing, or the library has no place for it.

    Source:
        [@transformers, modeling_t5.py]

    Examples:
        >>> arguments = dict.fromkeys(["w_q", "w_k", "w_v", "w_o"], np.eye(4)) | {"n_heads": 2}
        >>> list(to_t5(arguments | {"scale": 1.0}))
        ['q.weight', 'k.weight', 'v.weight', 'o.weight']
    """
    given = parameters(arguments, "T5", WEIGHTS, kept="scale bias")
    if arguments.get("scale") != 1:
        raise ValueError(f"T5's scale is 1, got {arguments.get('scale')}")
    return {f"{letter}.weight": given[f"w_{letter}"].T for letter in T5}


def bias(given: Arrays, letter: str) -> Any:
    """The bias of that name, or zeros."""
    w = given[f"w_{letter}"]
    return given.get(f"b_{letter}", np.zeros(w.shape[1], w.dtype))
