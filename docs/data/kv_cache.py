"""Numbers of the page kv-cache: models and what a token of theirs takes, and decode steps timed.

Run with `python -m docs.data.kv_cache` (some minutes on one core; NumPy only); it writes
kv-cache.json. The models are counted from their configurations, as the sources named below have
them. The times are ratios: seconds would be those of one machine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

if __name__ == "__main__":
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # before NumPy is imported
        os.environ[name] = "1"

import numpy as np

from docs.data import number, write
from qkv_docs import KVCache, causal_mask, merge_heads, scaled_dot_product_attention, split_heads

# Layers, query heads, KV heads, d_head, d_model, d_mlp, rows of the embedding table, and how many
# tables there are (2 where the output has one of its own): litgpt/config.py
CONFIGURATIONS = {
    "SmolLM2 135M": (30, 9, 3, 64, 576, 1536, 49_152, 1),
    "Llama 2 7B": (32, 32, 32, 128, 4096, 11_008, 32_000, 2),
    "Llama 3.1 8B": (32, 32, 8, 128, 4096, 14_336, 128_256, 2),
    "Qwen3 8B": (36, 32, 8, 128, 4096, 12_288, 151_936, 2),
    "Llama 3.3 70B": (80, 64, 8, 128, 8192, 28_672, 128_256, 2),
}
QK_NORM = {"Qwen3 8B"}  # with gains for the queries and keys of a head
D_MODEL, N_HEADS, D_HEAD = 512, 8, 64
LENGTHS, ROUNDS, RUNS = (128, 512, 1024), 5, 20
Step = Callable[[], np.ndarray]


def parameters(name: str) -> int:
    """How many parameters a decoder with a gated MLP and RMS norms has."""
    layers, heads, kv_heads, d_head, d_model, d_mlp, rows, tables = CONFIGURATIONS[name]
    attention = 2 * (heads + kv_heads) * d_head * d_model  # W_Q and W_O; W_K and W_V
    norms = 2 * d_model + (2 * d_head if name in QK_NORM else 0)
    return layers * (attention + 3 * d_model * d_mlp + norms) + tables * rows * d_model + d_model


def models() -> list[dict[str, Any]]:
    """What of a model the cache depends on, and its parameters.

    `vectors` is 2 where a key and a value are kept for each KV head, 1 where both are computed
    from one vector (MLA): its d_head is that of the vector.
    """
    rows: list[dict[str, Any]] = [
        {"model": name, "layers": c[0], "heads": c[1], "kv_heads": c[2], "d_head": c[3],
         "vectors": 2, "parameters": parameters(name), "bytes_per_parameter": 2}
        for name, c in CONFIGURATIONS.items()
    ]  # fmt: skip
    # deepseek-ai/DeepSeek-V3: inference/configs/config_671B.json; the parameters: README.md
    rows.append({"model": "DeepSeek-V3", "layers": 61, "heads": 128, "kv_heads": 1,
                 "d_head": 512 + 64, "vectors": 1, "parameters": 671_000_000_000,
                 "bytes_per_parameter": 1})  # fmt: skip
    return rows


def per_token(row: dict[str, Any], size: int = 2) -> int:
    """Bytes that are kept for a token."""
    return int(row["vectors"] * row["layers"] * row["kv_heads"] * row["d_head"] * size)


class Layer:
    """One attention layer in float32, asked for the last of n tokens in four ways."""

    def __init__(self, n: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.x = rng.normal(size=(n, D_MODEL)).astype(np.float32)
        self.w = (rng.normal(size=(4, D_MODEL, D_MODEL)) / D_MODEL**0.5).astype(np.float32)
        self.mask = causal_mask(n)
        _, self.k, self.v = self.heads(self.x[:-1])
        self.new = self.x[-1:]
        self.cache = KVCache(n + ROUNDS * RUNS, N_HEADS, D_HEAD, dtype=np.float32)
        self.cache.append(self.k, self.v)

    def heads(self, x: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(split_heads(x @ w, N_HEADS) for w in self.w[:3])

    def out(self, heads: np.ndarray) -> np.ndarray:
        rows: np.ndarray = merge_heads(heads)[-1:] @ self.w[3]
        return rows

    def preallocated(self) -> np.ndarray:
        q, k, v = self.heads(self.new)
        self.cache.append(k, v)
        return self.out(self.cache.attend(q)[0])

    def concatenated(self) -> np.ndarray:
        q, k, v = self.heads(self.new)
        self.k, self.v = (np.concatenate(two, axis=1) for two in ((self.k, k), (self.v, v)))
        return self.out(scaled_dot_product_attention(q, self.k, self.v)[0])

    def keys_again(self) -> np.ndarray:
        q = split_heads(self.new @ self.w[0], N_HEADS)
        k, v = (split_heads(self.x @ w, N_HEADS) for w in self.w[1:3])
        return self.out(scaled_dot_product_attention(q, k, v)[0])

    def all_again(self) -> np.ndarray:
        q, k, v = self.heads(self.x)
        return self.out(scaled_dot_product_attention(q, k, v, self.mask)[0])


WAYS = ("preallocated", "concatenated", "keys_again", "all_again")


def fastest(step: Step) -> float:
    """Processor time of the fastest of a few runs in a row: other programs only make it longer."""
    times = []
    for _ in range(RUNS):
        begin = time.thread_time()
        step()
        times.append(time.thread_time() - begin)
    return min(times)


def measured(n: int) -> list[dict[str, Any]]:
    """Each way in turn, over the same with the preallocated cache: median, least and most."""
    layer = Layer(n)
    rounds = np.array([[fastest(getattr(layer, way)) for way in WAYS] for _ in range(ROUNDS)])
    ratios = np.sort(rounds / rounds[:, :1], axis=0)
    return [
        {"n": n, "way": way, **{
            key: number(float(ratios[at, i]), ".1f" if ratios[at, i] < 9.95 else ".0f")
            for key, at in (("ratio", ROUNDS // 2), ("low", 0), ("high", -1))
        }}
        for i, way in enumerate(WAYS)
    ]  # fmt: skip


def main() -> None:
    write("kv-cache", {
        "about": {
            "command": "python -m docs.data.kv_cache",
            "ran_on": f"NumPy {np.__version__}, float32, one thread, x86-64",
            "models": "layers, heads and d_head as configured; parameters counted, but for "
            "DeepSeek-V3, whose README states them",
            "measured": f"the last of n tokens through one layer, d_model {D_MODEL}, {N_HEADS} "
            f"heads; processor time of the fastest of {RUNS} runs over that with the "
            f"preallocated cache; median, least and most of {ROUNDS} rounds",
        },
        "models": models(),
        "measured": [row for n in LENGTHS for row in measured(n)],
    })  # fmt: skip


if __name__ == "__main__":
    main()
