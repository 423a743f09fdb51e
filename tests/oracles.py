"""What transformers computes, small and seeded, written to oracles.npz: python tests/oracles.py

tests/test_notation.py compares it with the package; where transformers is installed (the extra
`oracles`), a slow test computes it again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

FILE = Path(__file__).with_suffix(".npz")
N, D = 6, 16
SMALL = {"num_attention_heads": 4, "hidden_size": D, "attn_implementation": "eager"}
LLAMA = SMALL | {"num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 64}
ROPE = {
    "linear": {"rope_theta": 1e4, "factor": 4.0},
    "dynamic": {"rope_theta": 1e4, "factor": 4.0},
    "yarn": {"rope_theta": 1e4, "factor": 4.0, "original_max_position_embeddings": 2048},
    "llama3": {
        "rope_theta": 5e5, "factor": 8.0, "original_max_position_embeddings": 8192,
        "low_freq_factor": 1.0, "high_freq_factor": 4.0,
    },
}  # fmt: skip


def compute() -> dict[str, np.ndarray]:
    """All arrays, by names such as gpt2/state/c_attn.weight, gpt2/x and gpt2/output."""
    import torch
    import transformers
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS as MAKERS
    from transformers.models.bert.modeling_bert import BertAttention
    from transformers.models.gemma2.modeling_gemma2 import Gemma2Attention
    from transformers.models.gpt2.modeling_gpt2 import GPT2Attention
    from transformers.models.gpt_oss.modeling_gpt_oss import GptOssAttention, GptOssRotaryEmbedding
    from transformers.models.llama.modeling_llama import LlamaAttention, LlamaRotaryEmbedding
    from transformers.models.olmo2.modeling_olmo2 import Olmo2Attention
    from transformers.models.qwen3.modeling_qwen3 import Qwen3Attention
    from transformers.models.t5.modeling_t5 import T5Attention

    torch.manual_seed(0)
    found: dict[str, np.ndarray] = {}
    causal = torch.full((N, N), -torch.inf).triu(1)[None, None]

    def record(name: str, module: Any, run: Any, n: int = N) -> None:
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter, std=0.4)
        x = torch.randn(2 if n == N else 1, n, D)
        found[f"{name}/x"] = x.numpy()
        for key, value in module.state_dict().items():
            found[f"{name}/state/{key}"] = value.numpy().copy()
        with torch.no_grad():
            output, weights = run(x)
        found[f"{name}/output"], found[f"{name}/weights"] = output.numpy(), weights.numpy()

    def rotated(name: str, kind: Any, config: Any, turn: Any = LlamaRotaryEmbedding) -> None:
        module = kind(config, layer_idx=0).eval()
        angles = turn(config)
        places = torch.arange(N)[None]
        record(name, module, lambda x: module(x, angles(x, places), attention_mask=causal)[:2])

    gpt2 = GPT2Attention(
        transformers.GPT2Config(n_embd=D, n_head=4, attn_implementation="eager"), layer_idx=0
    ).eval()
    record("gpt2", gpt2, lambda x: gpt2(x, attention_mask=causal)[:2])

    bert = BertAttention(transformers.BertConfig(**SMALL)).eval()

    def attend(x: Any) -> Any:
        heads, weights = bert.self(x)
        return bert.output.dense(heads), weights

    record("bert", bert, attend)

    rotated("llama", LlamaAttention, transformers.LlamaConfig(**LLAMA, attention_bias=True))
    for kind, settings in ROPE.items():
        config = transformers.LlamaConfig(**LLAMA, rope_parameters=settings | {"rope_type": kind})
        frequencies, _ = MAKERS[kind](config, torch.device("cpu"), seq_len=256)
        found[f"frequencies/{kind}"] = frequencies.numpy()
        if kind in ("yarn", "llama3"):
            rotated(f"llama-{kind}", LlamaAttention, config)
    rotated("qwen3", Qwen3Attention, transformers.Qwen3Config(**LLAMA))
    rotated("olmo2", Olmo2Attention, transformers.Olmo2Config(**LLAMA))
    gemma2 = transformers.Gemma2Config(**LLAMA, query_pre_attn_scalar=5, attn_logit_softcapping=2.0)
    rotated("gemma2", Gemma2Attention, gemma2)
    plain = {"rope_type": "default", "rope_theta": 1e4}
    gpt_oss = transformers.GptOssConfig(**LLAMA, rope_parameters=plain)
    rotated("gpt-oss", GptOssAttention, gpt_oss, GptOssRotaryEmbedding)

    for name, decoder in (("t5-encoder", False), ("t5-decoder", True)):
        config = transformers.T5Config(
            d_model=D, d_kv=8, num_heads=4, is_decoder=decoder, attn_implementation="eager",
            relative_attention_num_buckets=8, relative_attention_max_distance=12,
        )  # fmt: skip
        t5 = T5Attention(config, has_relative_attention_bias=True, layer_idx=0).eval()
        hidden = torch.full((24, 24), -torch.inf).triu(1)[None, None] if decoder else None

        def both(x: Any, module: Any = t5, mask: Any = hidden) -> Any:
            output, _, weights = module(x, mask=mask)
            return output, weights

        record(name, t5, both, n=24)

    cross = GPT2Attention(
        transformers.GPT2Config(n_embd=D, n_head=4, attn_implementation="eager"),
        is_cross_attention=True,
        layer_idx=0,
    ).eval()
    context = torch.randn(2, N + 3, D)
    found["gpt2-cross/context"] = context.numpy()
    record("gpt2-cross", cross, lambda x: cross(x, encoder_hidden_states=context)[:2])
    return found


if __name__ == "__main__":
    np.savez_compressed(FILE, **compute())
    print(f"{FILE}: {FILE.stat().st_size} bytes")
