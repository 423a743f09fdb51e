"""SmolLM2-135M-Instruct turned in other ways than in its training, on short texts and on long ones.

Run with `python -m docs.data.decoder_position` (a quarter of an hour of one quiet core, almost
all of it for the long texts, of which as many are read at once as there are cores); writes
position-decoder.json and position-long-decoder.json, which `make decoder` compares.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy

import numpy as np

from docs.data import number, write
from docs.data.decoder_model import BASE, WORKS, about, cross_entropy, load, losses, text
from qkv_docs import (
    Decoder,
    KVCache,
    causal_mask,
    flash_attention,
    linear_frequencies,
    ntk_frequencies,
    rope,
    yarn_frequencies,
)

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


def short(n: int = 256) -> dict[str, Any]:
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


# positions beyond those of training

LONG, RANGE = 10_240, 1024  # tokens of a long text, and of each range whose mean loss is kept
READ = ("morris", "street")  # long texts
STRETCHED = (("as trained", 1), ("NTK-aware", 2), ("YaRN", 2))  # long texts: minutes each
BLOCK = 512  # tokens that go through the layers at once
SPANS = ((0, TRAINED), (TRAINED, LONG))
BEFORE, AFTER = 256, 128  # tokens of a short text before a gap, and after it
GAPS = (0, 4096, 8192, 12_288, 16_384, 32_768, 65_536)  # positions that are left out
TRIED = (*STRETCHED, ("linear", 2), ("NTK-aware", 8), ("YaRN", 8))


class Tiled(KVCache):
    """A cache that answers tile by tile: there is never a table of weights over all its keys."""

    def attend(self, q: Any, *, scale: float | None = None, **settings: Any) -> Any:
        seen = causal_mask(q.shape[-2], self.keys.shape[-2])
        output = flash_attention(
            q, self.keys, self.values, seen, scale=scale, grouped=True, **settings
        )
        return output, None


def losses_in_blocks(decoder: Decoder, ids: list[int], block: int = BLOCK) -> Any:
    """The losses of a text that goes through the decoder a block at a time, (n - 1,)."""
    cache = [
        Tiled(len(ids), kept.keys.shape[0], kept.keys.shape[-1], dtype=kept.keys.dtype)
        for kept in decoder.cache(1)
    ]
    found = []
    for first in range(0, len(ids) - 1, block):
        following = ids[first + 1 : first + block + 1]
        logits = decoder(ids[first : first + len(following)], cache=cache)
        found.append(cross_entropy(logits, following))
    return np.concatenate(found)


def after_gaps(
    decoder: Decoder, ids: list[int], before: int = BEFORE, gaps: Sequence[int] = GAPS
) -> list[Any]:
    """The mean loss of the tokens after a gap: they stand as many positions further on."""
    cache = decoder.cache(len(ids))
    decoder(ids[:before], cache=cache, last=True)
    rest, found = ids[before:], []
    for gap in gaps:

        def rotary(x: Any, positions: Any, gap: int = gap) -> Any:
            return decoder.rotary(x, positions + gap)

        logits = replace(decoder, rotary=rotary)(rest, cache=deepcopy(cache))
        found.append(losses(logits, rest).mean())
    return found


def long() -> dict[str, Any]:
    """What stretching costs within the length of training, and what it brings beyond."""
    ways = {(label, factor): decoder for label, factor, decoder in rotations()}
    jobs = list(product(STRETCHED, READ))
    texts = {name: text(name, LONG) for name in READ}
    with ThreadPoolExecutor(min(os.cpu_count() or 1, 4)) as pool:  # a gigabyte each
        found = pool.map(lambda job: losses_in_blocks(ways[job[0]], texts[job[1]]), jobs)
        read = dict(zip(jobs, found, strict=True))
    gaps = {
        (way, name): after_gaps(ways[way], text(name, BEFORE + AFTER))
        for way in TRIED
        for name in WORKS
    }
    return {
        "about": about("decoder_position") | {
            "loss": "nats a token; more: than as trained, without a gap, on the same tokens of the "
            "same text: mean, least and most of the texts",
            "factor": "by which the text may be longer than in training: linear, NTK-aware and "
            "YaRN (with its sharper scores); nothing was trained again",
            "read": "the beginnings of two of the texts",
            "apart": "the beginnings of the four texts; the tokens from 256 on stand `gap` "
            "positions further on, and losses are of tokens 257 to 383",
        },
        "trained": TRAINED, "tokens": LONG, "texts": len(READ), "range": RANGE,
        **in_ranges(read),
        "before": BEFORE, "after": AFTER, "short_texts": len(WORKS), "apart": by_gap(gaps),
    }  # fmt: skip


def compared(row: dict[str, Any], losses: Any, plain: Any) -> dict[str, Any]:
    """A row with its mean loss, and by how much that is more than another, text by text."""
    more = np.subtract(losses, plain)
    return row | {
        "loss": number(np.mean(losses)), "more": number(more.mean()),
        "least_more": number(more.min()), "most_more": number(more.max()),
    }  # fmt: skip


def in_ranges(read: dict[tuple[tuple[str, int], str], Any]) -> dict[str, Any]:
    """Of the losses of all tokens of long texts but the first: means over ranges and over spans."""
    whole = {job: np.concatenate([[np.nan], found]) for job, found in read.items()}
    means = {job: np.nanmean(found.reshape(-1, RANGE), axis=1) for job, found in whole.items()}
    spans = []
    for first, end in SPANS:
        plain = [np.nanmean(whole[STRETCHED[0], name][first:end]) for name in READ]
        for way in STRETCHED:
            found = [np.nanmean(whole[way, name][first:end]) for name in READ]
            row = {"rotation": way[0], "factor": way[1], "from": first, "to": end - 1}
            spans.append(compared(row, found, plain))
    return {
        "spans": spans,
        "means": [
            {"rotation": label, "factor": factor, "losses": [
                number(x) for x in np.mean([means[(label, factor), name] for name in READ], axis=0)
            ]}
            for label, factor in STRETCHED
        ],
        "read": [
            {"rotation": label, "factor": factor, "text": name,
             "losses": [number(x) for x in found]}
            for ((label, factor), name), found in means.items()
        ],
    }  # fmt: skip


def by_gap(gaps: dict[tuple[tuple[str, int], str], Any]) -> list[dict[str, Any]]:
    """Of the losses after each gap: means over the texts."""
    plain = [gaps[TRIED[0], name][0] for name in WORKS]
    return [
        compared({"rotation": label, "factor": factor, "gap": gap},
                 [gaps[(label, factor), name][i] for name in WORKS], plain)
        for label, factor in TRIED
        for i, gap in enumerate(GAPS)
    ]  # fmt: skip


if __name__ == "__main__":
    write("position-decoder", short())
    write("position-long-decoder", long())
