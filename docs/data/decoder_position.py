"""SmolLM2-135M-Instruct with queries and keys turned in other ways than in its training.

Run with `python -m docs.data.decoder_position`; writes position-decoder.json, which `make decoder`
compares.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from docs.data import number, write
from docs.data.decoder_model import BASE, WORKS, about, load, losses, text
from qkv_docs import Decoder, linear_frequencies, ntk_frequencies, rope, yarn_frequencies

TRAINED = 8192  # positions, as the file says


def rotations() -> Iterator[tuple[str, int, Decoder]]:
    """The model with queries and keys turned in other ways than it was trained with."""
    decoder = load().decoder
    d_k = decoder.layers[0].w_q.shape[1] // decoder.n_heads

    def turned(scale: float | None = None, **settings: Any) -> Decoder:
        return replace(decoder, rotary=partial(rope, **settings), scale=scale)

    yield "as trained", 1, decoder
    yield "no rotation", 1, replace(decoder, rotary=lambda x, positions: x)
    yield "the other layout", 1, turned(base=BASE, layout="half")
    yield "base 10,000", 1, turned(base=10_000.0)
    for factor in (2, 8):
        yield "linear", factor, turned(frequencies=linear_frequencies(d_k, factor, BASE))
        yield "NTK-aware", factor, turned(frequencies=ntk_frequencies(d_k, factor, BASE))
        yarn = yarn_frequencies(d_k, factor, TRAINED, BASE)
        sharper = (0.1 * np.log(factor) + 1) ** 2 / np.sqrt(d_k)
        yield "YaRN", factor, turned(float(sharper), frequencies=yarn)


def measured(n: int = 256) -> dict[str, Any]:
    """What each rotation costs on texts much shorter than those of training."""
    rows: list[dict[str, Any]] = []
    texts, plain = {name: text(name, n) for name in WORKS}, {}
    for label, factor, decoder in rotations():
        found = {name: losses(decoder(ids), ids).mean() for name, ids in texts.items()}
        plain = plain or found
        more = [found[name] - plain[name] for name in texts]
        rows.append({
            "rotation": label, "factor": factor,
            **{name: number(loss) for name, loss in found.items()},
            "mean": number(np.mean(list(found.values()))), "mean_more": number(np.mean(more)),
            "least_more": number(min(more)), "most_more": number(max(more)),
        })  # fmt: skip
        print(rows[-1], flush=True)
    return {
        "about": about("decoder_position") | {
            "loss": "nats a token; more: than as trained, on the same text",
            "factor": "by which the text may be longer than in training; these texts are not, so "
            "what is measured is the price of stretching, not its use; nothing was trained again",
            "YaRN": "with its sharper scores",
        },
        "tokens": n, "trained": TRAINED, "rows": rows,
    }  # fmt: skip


if __name__ == "__main__":
    write("position-decoder", measured())
