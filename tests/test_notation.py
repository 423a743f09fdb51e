"""Other people's attention, read with one call, gives their numbers; back again it is theirs."""

from __future__ import annotations

import importlib.util
import math
import re
from functools import partial

import numpy as np
import oracles
import pytest
import torch

from docs import data
from qkv_docs import (
    causal_mask,
    from_bert,
    from_gpt2,
    from_llama,
    from_t5,
    from_torch_mha,
    linear_frequencies,
    llama3_frequencies,
    multi_head_attention,
    ntk_frequencies,
    rope,
    split_heads,
    t5_bias,
    to_bert,
    to_gpt2,
    to_llama,
    to_t5,
    to_torch_mha,
    yarn_frequencies,
)

RECORDED = np.load(oracles.FILE)
CAUSAL = {"mask": causal_mask(oracles.N)}
YARN = yarn_frequencies(8, factor=4, trained=2048)
LLAMA3 = llama3_frequencies(8)
READ = {  # how each is read, and what its layer does besides
    "gpt2": (partial(from_gpt2, n_heads=4), to_gpt2, CAUSAL),
    "gpt2-cross": (
        partial(from_gpt2, n_heads=4), partial(to_gpt2, cross=True),
        {"context": RECORDED["gpt2-cross/context"]},
    ),
    "bert": (partial(from_bert, n_heads=4), to_bert, {}),
    "llama": (partial(from_llama, n_heads=4, n_kv_heads=2), to_llama, CAUSAL),
    "llama-yarn": (
        partial(from_llama, n_heads=4, n_kv_heads=2, frequencies=YARN),
        to_llama,
        CAUSAL | {"scale": (0.1 * math.log(4) + 1) ** 2 / math.sqrt(8)},
    ),
    "llama-llama3": (
        partial(from_llama, n_heads=4, n_kv_heads=2, frequencies=LLAMA3), to_llama, CAUSAL
    ),
    "qwen3": (partial(from_llama, n_heads=4, n_kv_heads=2), to_llama, CAUSAL),
    "olmo2": (partial(from_llama, n_heads=4, n_kv_heads=2, eps=1e-5), to_llama, CAUSAL),
    "gemma2": (
        partial(from_llama, n_heads=4, n_kv_heads=2), to_llama,
        CAUSAL | {"scale": 1 / math.sqrt(5), "softcap": 2.0},
    ),
    "gpt-oss": (partial(from_llama, n_heads=4, n_kv_heads=2), to_llama, CAUSAL),
    "t5-encoder": (partial(from_t5, n_heads=4, n_q=24, max_distance=12), to_t5, {}),
    "t5-decoder": (
        partial(from_t5, n_heads=4, n_q=24, max_distance=12, bidirectional=False), to_t5,
        {"mask": causal_mask(24)},
    ),
}  # fmt: skip
TABLE = "relative_attention_bias.weight"


def state_of(name, arrays=RECORDED):
    start = f"{name}/state/"
    return {key.removeprefix(start): arrays[key] for key in arrays if key.startswith(start)}


@pytest.mark.parametrize("name", READ)
def test_one_call_gives_the_numbers_of_transformers(name):
    read, _, besides = READ[name]
    arguments = read(state_of(name)) | besides
    output, weights = multi_head_attention(RECORDED[f"{name}/x"], **arguments)
    assert output.dtype == np.float32
    np.testing.assert_allclose(output, RECORDED[f"{name}/output"], rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(weights, RECORDED[f"{name}/weights"], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", READ)
def test_back_again_it_is_the_state_that_came(name):
    read, back, _ = READ[name]
    state = state_of(name)
    again = back(read(state))
    expected = {
        key: value
        for key, value in state.items()
        if "LayerNorm" not in key and key != TABLE  # no part of attention, not in the bias
    }
    assert set(again) == set(expected)
    for key, value in expected.items():
        np.testing.assert_array_equal(again[key], value, strict=True)


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("linear", linear_frequencies(8, 4)),
        ("dynamic", ntk_frequencies(8, 4 * 256 / 64 - 3)),  # 256 tokens, trained on 64
        ("yarn", YARN),
        ("llama3", LLAMA3),
    ],
)
def test_frequencies_are_those_of_transformers(kind, make):
    np.testing.assert_allclose(make, RECORDED[f"frequencies/{kind}"], rtol=1e-5)


@pytest.mark.slow
def test_the_record_is_what_transformers_computes():
    if importlib.util.find_spec("transformers") is None:
        pytest.skip("transformers is not installed: pip install -e '.[oracles]'")
    computed = oracles.compute()
    assert set(computed) == set(RECORDED)
    for name, values in computed.items():
        np.testing.assert_allclose(RECORDED[name], values, rtol=1e-5, atol=1e-5, err_msg=name)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_a_layer_of_pytorch(bias, apart):
    torch.manual_seed(0)
    sizes = {"kdim": 6, "vdim": 7} if apart else {}
    layer = torch.nn.MultiheadAttention(8, 4, bias=bias, batch_first=True, **sizes)
    if bias:
        torch.nn.init.normal_(layer.in_proj_bias)
        torch.nn.init.normal_(layer.out_proj.bias)
    x, context, values = torch.randn(2, 5, 8), torch.randn(2, 5, 6), torch.randn(2, 5, 7)
    keys, values = (context, values) if apart else (x, x)
    with torch.no_grad():
        expected, its_weights = layer(
            x, keys, values, average_attn_weights=False,
            attn_mask=torch.nn.Transformer.generate_square_subsequent_mask(5),
        )  # fmt: skip
    arguments = from_torch_mha(layer.state_dict(), 4)
    output, weights = multi_head_attention(
        x, **arguments, context=keys, values=values, mask=causal_mask(5)
    )
    np.testing.assert_allclose(output, expected.numpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(weights, its_weights.numpy(), rtol=1e-5, atol=1e-5)
    again = to_torch_mha(arguments)
    layer.load_state_dict({name: torch.from_numpy(array) for name, array in again.items()})
    with torch.no_grad():
        same, _ = layer(
            x, keys, values, attn_mask=torch.nn.Transformer.generate_square_subsequent_mask(5)
        )
    np.testing.assert_array_equal(same, expected)


def test_parameters_that_learn_are_read_too():
    layer = torch.nn.MultiheadAttention(8, 4)
    read = from_torch_mha(dict(layer.named_parameters()), 4)
    for name, array in from_torch_mha(layer.state_dict(), 4).items():
        np.testing.assert_array_equal(read[name], array)


def test_from_one_library_to_another():
    state = state_of("gpt2")
    arguments = from_gpt2(state, 4)
    for read, back in ((from_torch_mha, to_torch_mha), (from_bert, to_bert)):
        for name, value in read(back(arguments), 4).items():
            np.testing.assert_array_equal(value, arguments[name])
    back = to_llama(arguments)
    assert {"q_proj.bias", "o_proj.bias"} <= set(back)


# Written out, as other teachers and projects have it


def test_heads_in_a_loop():
    """One small Linear a head, and the results side by side."""
    torch.manual_seed(0)
    heads = [[torch.nn.Linear(8, 4, bias=False) for _ in "qkv"] for _ in range(2)]
    mix = torch.nn.Linear(8, 8)
    x = torch.randn(3, 5, 8)
    future = torch.triu(torch.ones(5, 5, dtype=torch.bool), diagonal=1)
    outputs = []
    for to_q, to_k, to_v in heads:
        q, k, v = to_q(x), to_k(x), to_v(x)
        scores = (q @ k.transpose(1, 2)).masked_fill(future, -torch.inf)
        outputs.append(torch.softmax(scores / 4**0.5, dim=-1) @ v)
    expected = mix(torch.cat(outputs, dim=-1)).detach()
    stacked = [torch.cat([head[i].weight for head in heads]).detach().numpy().T for i in range(3)]
    w_o, b_o = mix.weight.detach().numpy().T, mix.bias.detach().numpy()
    output, _ = multi_head_attention(x, *stacked, w_o, 2, b_o=b_o, mask=causal_mask(5))
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-5)


def test_one_linear_layer_for_all_three():
    """`c_attn` as an nn.Linear, split and viewed: GPT-2's state, transposed."""
    torch.manual_seed(0)
    c_attn, c_proj = torch.nn.Linear(8, 24), torch.nn.Linear(8, 8)
    x = torch.randn(2, 5, 8)
    q, k, v = (m.view(2, 5, 4, 2).transpose(1, 2) for m in c_attn(x).split(8, dim=2))
    y = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    expected = c_proj(y.transpose(1, 2).contiguous().view(2, 5, 8)).detach()
    state = {"c_attn.weight": c_attn.weight.T, "c_attn.bias": c_attn.bias}
    state |= {"c_proj.weight": c_proj.weight.T, "c_proj.bias": c_proj.bias}
    output, _ = multi_head_attention(x, **from_gpt2(state, 4), mask=causal_mask(5))
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-5)


def test_valid_lengths_and_scores_of_minus_a_million():
    """A layer that fills what is padded with -1e6: the same where a length is 1 or more."""
    torch.manual_seed(0)
    to_q, to_k, to_v, to_o = (torch.nn.Linear(6, 6, bias=False) for _ in range(4))
    x, lengths = torch.randn(3, 4, 6), torch.tensor([1, 3, 4])

    def heads(rows):
        return rows.reshape(3, 4, 2, 3).permute(0, 2, 1, 3).reshape(6, 4, 3)

    q, k, v = heads(to_q(x)), heads(to_k(x)), heads(to_v(x))
    scores = torch.bmm(q, k.transpose(1, 2)) / 3**0.5
    each = torch.repeat_interleave(lengths, 2)[:, None, None]
    scores = torch.where(torch.arange(4) < each, scores, -1e6)
    out = torch.bmm(torch.softmax(scores, dim=-1), v)
    expected = to_o(out.reshape(3, 2, 4, 3).permute(0, 2, 1, 3).reshape(3, 4, 6)).detach()
    w = [layer.weight.detach().numpy().T for layer in (to_q, to_k, to_v, to_o)]
    mask = np.arange(4) < lengths.numpy()[:, None, None]
    output, _ = multi_head_attention(x, *w, 2, mask=mask)
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-5)


def test_the_two_layouts_of_rope_are_one_reordering_apart():
    """What the conversion of Llama's files does to W_Q and W_K."""
    arguments = from_llama(state_of("llama"), 4, 2)
    expected, _ = multi_head_attention(RECORDED["llama/x"], **arguments, **CAUSAL)
    apart = np.arange(8).reshape(2, 4).T.ravel()  # 0 4 1 5 2 6 3 7: pairs become neighbours
    moved = dict(arguments, rotary=rope)
    for name, heads in (("w_q", 4), ("w_k", 2), ("b_q", 4), ("b_k", 2)):
        columns = np.concatenate([8 * h + apart for h in range(heads)])
        moved[name] = arguments[name][..., columns]
    output, _ = multi_head_attention(RECORDED["llama/x"], **moved, **CAUSAL)
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-5)
    mixed, _ = multi_head_attention(RECORDED["llama/x"], **arguments | {"rotary": rope}, **CAUSAL)
    assert np.abs(mixed - expected).max() > 0.1


def test_the_last_queries_have_the_last_rows_of_the_bias():
    table = np.random.default_rng(0).normal(size=(32, 2))
    for both in (True, False):
        whole = t5_bias(table, 300, bidirectional=both)
        np.testing.assert_array_equal(t5_bias(table, 5, 300, bidirectional=both), whole[:, -5:])


# One mask, as each function of PyTorch wants it


@pytest.mark.filterwarnings("ignore:flex_attention called without torch.compile")
def test_the_polarities_of_pytorch():
    from torch.nn.attention.flex_attention import create_block_mask, flex_attention

    torch.manual_seed(0)
    layer = torch.nn.MultiheadAttention(8, 2, bias=False, batch_first=True)
    x, may = torch.randn(1, 5, 8), causal_mask(5)
    arguments = from_torch_mha(layer.state_dict(), 2)
    output, _ = multi_head_attention(x, **arguments, mask=may)
    hidden = torch.from_numpy(~may)
    with torch.no_grad():
        expected, _ = layer(x, x, x, attn_mask=hidden)
        added, _ = layer(x, x, x, attn_mask=torch.zeros(5, 5).masked_fill(hidden, -torch.inf))
        wrong, _ = layer(x, x, x, attn_mask=~hidden | torch.eye(5, dtype=torch.bool))
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(output, added, rtol=1e-5, atol=1e-6)
    assert not np.allclose(output, wrong, equal_nan=True)

    q, k, v = (
        torch.from_numpy(split_heads(x.numpy() @ arguments[name], 2).copy())
        for name in ("w_q", "w_k", "w_v")
    )  # (1, 2, 5, 4): the heads before the tokens
    w_o = torch.from_numpy(arguments["w_o"])
    blocks = create_block_mask(lambda b, h, i, j: i >= j, 1, 1, 5, 5, device="cpu")
    for heads in (
        torch.nn.functional.scaled_dot_product_attention(q, k, v, torch.from_numpy(may)),
        flex_attention(q, k, v, block_mask=blocks),
    ):
        merged = heads.transpose(1, 2).reshape(1, 5, 8) @ w_o
        np.testing.assert_allclose(output, merged, rtol=1e-5, atol=1e-6)


def test_what_was_measured_of_the_wrong_layout():
    """The file fits together; `make decoder` computes it again."""
    found = data.read("notation-decoder")
    assert found["same"] == sum(row["right"] == row["wrong"] for row in found["prompts"])
    assert found["prompts"][0] == {
        "prompt": "The capital of France is", "right": "Paris", "wrong": "Paris",
    }  # fmt: skip
    for name, mean in found["means"].items():
        assert mean == pytest.approx(np.mean([row[name] for row in found["texts"]]), abs=0.01)
    assert all(row["more"] > 1 for row in found["texts"])


# What does not fit


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: from_gpt2({"c_attn.weight": np.ones((2, 6))}, 1),
            "the state needs c_attn.bias, c_proj.weight, c_proj.bias, got c_attn.weight",
        ),
        (
            lambda: from_gpt2(state_of("gpt2-cross") | {"c_attn.weight": np.ones((2, 3))}, 1),
            "c_attn.weight holds two of equal size along axis 1, got (2, 3)",
        ),
        (
            lambda: from_gpt2(state_of("gpt2") | {"q_attn.weight": np.eye(16)}, 4),
            "the state needs q_attn.bias, got c_attn.weight",
        ),
        (
            lambda: from_torch_mha(
                {"in_proj_weight": np.ones((6, 2)), "out_proj.weight": np.eye(2), "bias_k": 1}, 1
            ),
            "the state has bias_k, which has no place here",
        ),
        (
            lambda: from_torch_mha({"in_proj_weight": np.ones((5, 2)), "out_proj.weight": 1}, 1),
            "in_proj_weight holds three of equal size along axis 0, got (5, 2)",
        ),
        (lambda: from_bert({}, 1), "the state needs self.query.weight, "),
        (lambda: from_t5(state_of("t5-encoder"), 4), f"the state has {TABLE}: n_q, the number"),
        (
            lambda: from_llama(state_of("llama"), 4, base=5.0, frequencies=[1.0]),
            "frequencies take the place of base, got base 5.0 as well",
        ),
        (
            lambda: from_llama(state_of("llama"), 4, frequencies=np.ones(5)),
            "frequencies need one number for each pair of columns, at most 4 of 8 columns",
        ),
        (lambda: to_gpt2({"w_q": np.eye(2)}), "the arguments need w_k, w_v, w_o, n_heads, got w_q"),
        (lambda: to_gpt2(from_llama(state_of("llama"), 4, 2)), "GPT-2 has no place for n_kv_heads"),
        (lambda: to_t5(from_bert(state_of("bert"), 4)), "T5 has no place for b_q, b_k, b_v, b_o"),
        (
            lambda: to_t5({**dict.fromkeys(["w_q", "w_k", "w_v", "w_o"], np.eye(2)), "n_heads": 1}),
            "T5's scale is 1, got None",
        ),
        (lambda: t5_bias(np.ones(4), 3), "table needs 4 rows or more, (n_buckets, n_heads), got"),
        (lambda: t5_bias(np.ones((8, 1)), 3, max_distance=2), "max_distance must be at least 3"),
    ],
)
def test_what_does_not_fit_is_named(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_what_is_no_state_or_no_array():
    with pytest.raises(TypeError, match="state must be a mapping of names to arrays, got list"):
        from_gpt2([], 1)
    with pytest.raises(TypeError, match=r"^c_proj.bias must hold real numbers"):
        from_gpt2(state_of("gpt2") | {"c_proj.bias": "x"}, 4)
