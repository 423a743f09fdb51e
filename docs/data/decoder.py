"""Measure what the pages say of a real decoder, SmolLM2-135M-Instruct, and write their data.

Run with `python -m docs.data.decoder` (half an hour on one quiet core; 98 MB fetched once, see
decoder_model.py), or with the names of some of the files that it writes beside this one:

- kv-cache-decoder.json: greedy text with and without a cache, its bytes, the time a token takes,
  and that of a pass with many tokens,
- grouped-query-attention-decoder.json: what the query heads that share a KV head have in common,
- variants-decoder.json: the first token as a sink, and what a window loses without it,
- notation-decoder.json: the wrong layout of RoPE, on prompts where it shows and where it does not,
- position-decoder.json, position-long-decoder.json: other rotations, by decoder_position.py,
- induction-heads-decoder.json: by decoder_induction.py;

with `pretrained-group`, qkv_docs/pretrained-group.npz: three heads and what comes into them.

With `--check`, which is `make decoder`, it writes nothing, but compares the model with PyTorch and
transformers, and the files with what comes out now. Times are CPU times, in ratios.
"""

import itertools
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"  # before NumPy

import numpy as np

from docs import data
from docs.data import decoder_induction, decoder_position, number
from docs.data.decoder_model import (
    BASE,
    WORKS,
    about,
    load,
    losses,
    text,
    torch_logits,
    transformers_logits,
)
from qkv_docs import (
    Decoder,
    causal_mask,
    rms_norm,
    rope,
    sliding_window_mask,
)
from qkv_docs.pretrained import GROUP

ABOUT = about("decoder")
PROMPTS = [
    "The capital of France is",
    "Once upon a time there was a small house at the edge of a",
    "Water boils at a lower temperature on a mountain because",
    "def factorial(n):\n    ",
]
NEW = 40  # tokens that are written after each prompt


# with and without a cache


def greedy(decoder: Decoder, ids: list[int], new: int, cached: bool) -> tuple[list[int], Any]:
    """The most probable tokens one after the other, and the logits each was taken from."""
    cache = decoder.cache(len(ids) + new) if cached else None
    ids, fed, seen = list(ids), list(ids), []
    for _ in range(new):
        seen.append(decoder(fed, cache=cache, last=True)[0])
        ids.append(int(seen[-1].argmax()))
        fed = ids[-1:] if cached else ids
    return ids[-new:], np.stack(seen)


def written() -> Iterator[dict[str, Any]]:
    """Every prompt continued in both ways."""
    model = load()
    for prompt in PROMPTS:
        ids = model.tokenize(prompt)
        (with_it, logits), (without, again) = (
            greedy(model.decoder, ids, NEW, cached) for cached in (True, False)
        )
        top = np.sort(logits, axis=-1)
        yield {
            "prompt": prompt,
            "prompt_tokens": len(ids),
            "new_tokens": NEW,
            "same_tokens": sum(a == b for a, b in zip(with_it, without, strict=True)),
            "text": model.spell(with_it),
            "largest_difference_of_a_logit": number(abs(logits - again).max(), ".0e"),
            "smallest_lead_of_the_first": number((top[:, -1] - top[:, -2]).min(), ".3f"),
        }


def cpu(run: Callable[[], Any]) -> float:
    start = time.process_time()
    run()
    return time.process_time() - start


def time_per_token(n: int, runs: int) -> dict[str, Any]:
    """The next token after n: all of them again, over the last alone and the cache."""
    decoder, ids = load().decoder, text("morris", n + runs + 1)
    cache, ratios = decoder.cache(n + runs + 1), []
    decoder(ids[:n], cache=cache, last=True)
    decoder(ids[n : n + 1], cache=cache, last=True)  # the first is not timed
    for i in range(n + 1, n + runs + 1):
        again = cpu(lambda i=i: decoder(ids[: i + 1], last=True))  # type: ignore[misc]
        ratios.append(again / cpu(lambda i=i: decoder(ids[i : i + 1], cache=cache, last=True)))  # type: ignore[misc]
    low, middle, high = np.quantile(ratios, (0, 0.5, 1))
    return {
        "tokens_before": n, "runs": runs, "ratio": round(middle), "least": round(low),
        "most": round(high),
    }  # fmt: skip


def time_of_passes(runs: int = 7) -> Iterator[dict[str, Any]]:
    """A pass that carries n tokens, with none before them, over one that carries a single token."""
    decoder, ids = load().decoder, text("morris", 256)
    for n in (4, 16, 64, 256):
        ratios = []
        for _ in range(runs):
            one = min(cpu(lambda: decoder(ids[:1], last=True)) for _ in range(3))
            ratios.append(cpu(lambda n=n: decoder(ids[:n], last=True)) / one)  # type: ignore[misc]
        low, middle, high = np.quantile(ratios, (0, 0.5, 1))
        yield {
            "tokens": n, "runs": runs, "ratio": round(middle), "least": round(low),
            "most": round(high),
        }  # fmt: skip


def kv_cache() -> dict[str, Any]:
    decoder = load().decoder
    shared = sum(kept.nbytes for kept in decoder.cache(1))  # of one token, in float32
    own = shared * decoder.n_heads // decoder.n_kv_heads
    rows = list(written())
    return {
        "about": ABOUT | {
            "ratio": "CPU time of the next token computed from the whole text, over that with the "
            "cache: median, least and most over runs; one thread",
            "passes": "CPU time of one pass with n tokens, none before them, over that with one: "
            "median, least and most over runs; one thread",
        },
        "greedy": rows,
        "prompts": len(rows),
        "tokens": sum(row["new_tokens"] for row in rows),
        "same_tokens": sum(row["same_tokens"] for row in rows),
        "bytes": [
            {
                "number": name,
                "bytes_of_a_number": size,
                "per_token_3_key_heads": shared * size // 4,
                "per_token_9_key_heads": own * size // 4,
                **{
                    f"megabytes_{heads}_key_heads_{n}_tokens": number(part * size // 4 * n / 1e6,
                                                                     ".0f")
                    for heads, part in ((3, shared), (9, own)) for n in (2048, 8192)
                },
            }
            for name, size in (("float32", 4), ("float16", 2))
        ],
        "time": [time_per_token(n, 7 if n < 512 else 5) for n in (32, 128, 512, 2048)],
        "passes": list(time_of_passes()),
    }  # fmt: skip


# query heads that share keys


def overlap(a: Any, b: Any) -> Any:
    """What two attention patterns have in common: the sum of the lesser weights, 0 to 1."""
    return np.minimum(a, b).sum(axis=-1).mean(axis=-1)


def without_first(weights: Any, start: int) -> Any:
    """Patterns from the query `start` on without the first key, each row again of sum 1."""
    rest = weights[..., start:, 1:]
    return rest / rest.sum(axis=-1, keepdims=True)


def partitions(n: int = 9, size: int = 3) -> list[tuple[frozenset[int], ...]]:
    """All ways to part the heads into groups; the first is that of the model, neighbours."""

    def parts(left: tuple[int, ...]) -> Iterator[tuple[frozenset[int], ...]]:
        if not left:
            yield ()
        for others in itertools.combinations(left[1:], size - 1):
            rest = tuple(x for x in left[1:] if x not in others)
            for more in parts(rest):
                yield (frozenset((left[0], *others)), *more)

    return list(parts(tuple(range(n))))


def pairs_within(groups: tuple[frozenset[int], ...]) -> list[tuple[int, int]]:
    return [pair for group in groups for pair in itertools.combinations(sorted(group), 2)]


def likeness(name: str, n: int, start: int = 16) -> dict[str, Any]:
    """Of every two heads of a layer: the overlap of their patterns, and whether the same key leads.

    (n_layers, 9, 9) each.
    """
    trace = load().decoder.trace(text(name, n))
    rest, found = without_first(trace.weights, start), {}
    leads = rest.argmax(axis=-1)
    for measure in ("overlap", "overlap_without_first", "same_key_leads"):
        found[measure] = np.zeros((len(rest), 9, 9))
        for i, j in itertools.combinations(range(9), 2):
            if measure == "overlap":
                pair = overlap(trace.weights[:, i, start:], trace.weights[:, j, start:])
            elif measure == "overlap_without_first":
                pair = overlap(rest[:, i], rest[:, j])
            else:
                pair = (leads[:, i] == leads[:, j]).mean(axis=-1)
            found[measure][:, i, j] = found[measure][:, j, i] = pair
    return found


def grouped(n: int = 256) -> dict[str, Any]:
    every = partitions()
    inside = pairs_within(every[0])
    across = [pair for pair in itertools.combinations(range(9), 2) if pair not in inside]
    found = {name: likeness(name, n) for name in WORKS}

    def mean(values: Any, pairs: list[tuple[int, int]]) -> Any:
        return np.mean([values[:, i, j] for i, j in pairs], axis=0)  # (n_layers,)

    rows, layers = [], []
    for measure in ("overlap", "overlap_without_first", "same_key_leads"):
        for name in WORKS:
            values = found[name][measure]
            own, other = mean(values, inside), mean(values, across)
            rows.append({
                "measure": measure, "text": name, "within": number(own.mean()),
                "across": number(other.mean()), "layers_with_more_within": int((own > other).sum()),
            })  # fmt: skip
    values = np.mean([found[name]["overlap_without_first"] for name in WORKS], axis=0)
    scores = np.stack([mean(values, pairs_within(groups)) for groups in every])  # (280, n_layers)
    ranks = (scores > scores[0]).sum(axis=0) + 1
    for layer, rank in enumerate(ranks):
        layers.append({
            "layer": layer, "within": number(mean(values, inside)[layer]),
            "across": number(mean(values, across)[layer]), "rank": int(rank),
        })  # fmt: skip
    return {
        "about": ABOUT | {
            "overlap": "sum over keys of the lesser of two attention weights, 0 to 1, mean over "
            "queries from 16 on; without_first: the first key left out and each row made to sum 1",
            "same_key_leads": "share of queries whose largest weight, the first key left out, is "
            "on the same key in both heads",
            "within": "mean over the 9 pairs of heads of a layer that share a KV head; across: "
            "over the 27 others",
            "rank": "of the model's own grouping among all 280 ways to part 9 heads into threes, "
            "by overlap_without_first within groups, mean of the texts",
            "tokens": n,
        },
        "layers_of_the_model": len(layers), "pairs_within": len(inside),
        "pairs_across": len(across), "partitions": len(every), "rows": rows, "layers": layers,
        "ranked_first": int((ranks == 1).sum()), "ranked_in_the_first_14": int((ranks <= 14).sum()),
        "median_rank": float(np.median(ranks)),
    }  # fmt: skip


# the first token as a sink


def sinks(n: int, before: tuple[int, ...] = ()) -> list[Any]:
    """Mean weight on the first token, all queries but its own: (n_layers, n_heads) for each text.

    `before`: tokens put before the text, of which the first is then the sink or not.
    """
    decoder = load().decoder
    return [
        decoder.trace([*before, *text(name, n)[: n - len(before)]]).weights[..., 1:, 0].mean(-1)
        for name in WORKS
    ]


def first_values(n: int) -> list[dict[str, Any]]:
    """How long the value of the first token is, over the mean of the others: median over heads."""
    rows = []
    for name in WORKS:
        trace = load().decoder.trace(text(name, n))
        size = np.linalg.norm(trace.v, axis=-1)  # (n_layers, n_kv_heads, n)
        ratio = size[..., 0] / size[..., 1:].mean(axis=-1)
        share = trace.weights[..., 1:, 0].mean(axis=-1)  # (n_layers, n_heads)
        rows.append({
            "text": name, "median_length_over_others": number(np.median(ratio)),
            "of_sink_heads": number(np.median(np.repeat(ratio, 3, axis=1)[share > 0.5])),
        })  # fmt: skip
    return rows


def window(n: int, size: int, kept: tuple[int, ...]) -> Any:
    """The causal window of that size, and the tokens that stay in sight whatever the distance."""
    mask = sliding_window_mask(n, size)
    mask[:, list(kept)] = True
    return mask & causal_mask(n)


WINDOWED, FROM = 1024, 256  # tokens of a text, and the first that counts
KEPT = {"none": (), "first": (0,), "first_four": (0, 1, 2, 3), "another": (16,)}
TRIED = [(64, kept) for kept in KEPT] + [(256, "none"), (256, "first")]  # windows


def window_losses(n: int, count_from: int) -> list[dict[str, Any]]:
    """The loss of each text, in nats a token, over the tokens that no window sees whole."""
    decoder, rows = load().decoder, []

    def loss(ids: list[int], mask: Any = None) -> Any:
        return losses(decoder(ids, mask), ids)[count_from:].mean()

    for name in WORKS:
        ids = text(name, n)
        full = loss(ids)
        row = {"text": name, "tokens": n, "full": number(full)}
        rows.append({**row, "window": n, "kept": "all", "loss": number(full), "more": number(0)})
        for size, label in TRIED:
            now = loss(ids, window(n, size, KEPT[label]))
            rows.append({
                **row, "window": size, "kept": label, "loss": number(now),
                "more": number(now - full),
            })  # fmt: skip
            print(rows[-1], flush=True)
    return rows


def variants() -> dict[str, Any]:
    counts = []
    labels = {"nothing": (), "<|endoftext|>": (0,), "a line break": tuple(load().tokenize("\n"))}
    for n in (64, 512):
        for label, before in labels.items():
            if n == 64 or label == "nothing":
                shares = sinks(n, before)
                heads = np.stack(shares) > 0.5
                counts += [
                    {"tokens": n, "put_before": label, "text": name, "heads": int(on.sum()),
                     "mean_share": number(share.mean())}
                    for name, on, share in zip(WORKS, heads, shares, strict=True)
                ]  # fmt: skip
                counts.append({
                    "tokens": n, "put_before": label, "text": "in all four",
                    "heads": int(heads.all(axis=0).sum()), "mean_share": number(np.mean(shares)),
                })  # fmt: skip
    rows = window_losses(WINDOWED, FROM)
    return {
        "about": ABOUT | {
            "heads": "of 270, those whose mean attention weight on the first token is above one "
            "half, over all queries but its own",
            "loss": "nats a token, over tokens 257 to 1023 of each text; every condition on the "
            "same tokens. kept: tokens in sight beside the window, at their own positions",
        },
        "heads_of_the_model": 270, "sinks": counts, "values": first_values(256),
        "windows": rows,
        "means": [
            {
                "window": size, "kept": label,
                **{
                    f"{name}_more": number(function(
                        [float(r["more"]) for r in rows
                         if r["window"] == size and r["kept"] == label]
                    ))
                    for name, function in (("mean", np.mean), ("least", min), ("most", max))
                },
            }
            for size, label in TRIED
        ],
    }  # fmt: skip


# the layout that the parameters were not trained for

BEGINNINGS = (
    "The capital of France is",
    "The capital of Japan is",
    "The opposite of hot is",
    "Monday, Tuesday, Wednesday,",
    "One, two, three, four,",
    "Water freezes at a temperature of zero degrees",
)


def notation(n: int = 256) -> dict[str, Any]:
    model = load()
    wrong = replace(model.decoder, rotary=partial(rope, base=BASE, layout="half"))

    def next_word(decoder: Decoder, ids: list[int]) -> str:
        return model.spell([int(decoder(ids)[-1].argmax())]).strip()

    prompts = []
    for prompt in BEGINNINGS:
        ids = model.tokenize(prompt)
        words = [next_word(decoder, ids) for decoder in (model.decoder, wrong)]
        prompts.append({"prompt": prompt, "right": words[0], "wrong": words[1]})
    rows = []
    for name in WORKS:
        ids = text(name, n)
        right, other = (losses(d(ids), ids).mean() for d in (model.decoder, wrong))
        rows.append({"text": name, "right": number(right), "wrong": number(other),
                     "more": number(other - right)})  # fmt: skip
        print(rows[-1], flush=True)
    means = {key: number(np.mean([float(row[key]) for row in rows]))
             for key in ("right", "wrong", "more")}  # fmt: skip
    return {
        "about": ABOUT | {
            "layouts": "right: interleaved, as the file was trained and stored; wrong: half",
            "loss": "nats a token, the mean over each text",
            "next": "the likeliest next token, without spaces around it",
        },
        "tokens": n, "same": sum(row["right"] == row["wrong"] for row in prompts),
        "prompts": prompts, "texts": rows, "means": means,
    }  # fmt: skip


# the excerpt in the package

GROUP_OF = (17, 1)  # layer and KV head: its three query heads are induction heads
SENTENCES = (
    "Alice gave Bob a book, and Bob gave Alice a pen.",
    "The cat sat on the mat because the cat was tired.",
)


def excerpt() -> dict[str, Any]:
    """One group of heads with its weights as they are, and what comes in for two sentences."""
    model, (n, group) = load(), GROUP_OF
    decoder, layer = model.decoder, model.decoder.layers[n]
    shared = decoder.n_heads // decoder.n_kv_heads
    heads = range(group * shared, (group + 1) * shared)
    d_k = layer.w_q.shape[1] // decoder.n_heads
    arrays: dict[str, Any] = {"layer_and_heads": np.array([n, *heads]), "base": np.array(BASE)}
    for part, first, last in (
        ("q", heads[0], heads[-1] + 1), ("k", group, group + 1), ("v", group, group + 1)
    ):  # fmt: skip
        arrays[f"w_{part}"] = model.blocks(f"blk.{n}.attn_{part}.weight")[first * d_k : last * d_k]
    for i, sentence in enumerate(SENTENCES):
        ids = model.tokenize(sentence)
        rows = rms_norm(decoder.trace(ids).hidden[n], layer.gain_1, decoder.eps)
        arrays[f"text_{i}"] = np.array(sentence)
        arrays[f"pieces_{i}"] = np.array([model.spell([token]) for token in ids])
        arrays[f"x_{i}"] = rows.astype(np.float16)
    return arrays


FILES: dict[str, Callable[[], dict[str, Any]]] = {
    "kv-cache-decoder": kv_cache,
    "grouped-query-attention-decoder": grouped,
    "variants-decoder": variants,
    "notation-decoder": notation,
    "position-decoder": decoder_position.short,
    "position-long-decoder": decoder_position.long,
    "induction-heads-decoder": decoder_induction.measured,
}


# comparing


def compare() -> None:
    """Logits on every text, by PyTorch and by transformers."""
    decoder, worst = load().decoder, np.zeros(3)
    for name in WORKS:
        ids = text(name, 200)
        trace = decoder.trace(ids)
        logits, weights = torch_logits(decoder, ids, BASE)
        others = transformers_logits(decoder, ids, BASE)
        size = abs(logits).max()
        worst = np.maximum(worst, [
            abs(trace.logits - logits).max() / size, abs(trace.logits - others).max() / size,
            abs(trace.weights - weights).max(),
        ])  # fmt: skip
    print(
        f"{len(WORKS)} texts of 200 tokens: logits are at most {worst[0]:.1e} of the largest from "
        f"PyTorch and {worst[1]:.1e} from transformers, attention weights {worst[2]:.1e}"
    )
    if worst.max() > 1e-4:
        raise SystemExit("that is more than 1e-4")


def different(stored: Any, now: Any, at: str) -> Iterator[str]:
    """Where two files differ by more than rounding; times are the machine's."""
    if at.endswith((".time", ".passes", ".about", ".largest_difference_of_a_logit")):
        return
    if isinstance(stored, dict) and isinstance(now, dict) and stored.keys() == now.keys():
        for key in stored:
            yield from different(stored[key], now[key], f"{at}.{key}")
    elif isinstance(stored, list) and isinstance(now, list) and len(stored) == len(now):
        for i, (a, b) in enumerate(zip(stored, now, strict=True)):
            yield from different(a, b, f"{at}[{i}]")
    elif isinstance(stored, (int, float)) and isinstance(now, (int, float)):
        if abs(stored - now) > (0.021 if isinstance(stored, float) else 1):
            yield f"{at}: {stored} is stored, {now} comes out"
    elif stored != now:
        yield f"{at}: {stored!r} is stored, {now!r} comes out"


def check(names: list[str]) -> None:
    compare()
    for name in names:
        now = json.loads(data.text(FILES[name]()))
        found = list(different(data.read(name), now, name))
        if found:
            raise SystemExit("\n".join([f"{name}.json is not what comes out:", *found[:20]]))
    with np.load(GROUP) as stored:
        for name, array in excerpt().items():
            exact = array.dtype.kind != "f"
            if not (np.array_equal(stored[name], array) if exact else
                    np.allclose(stored[name], array, atol=1e-2)):  # fmt: skip
                raise SystemExit(f"{GROUP.name}: {name} is not what comes out")
    print("all files are what comes out")


def main(arguments: list[str]) -> None:
    names = [name for name in arguments if not name.startswith("-")] or [*FILES, "pretrained-group"]
    if "--check" in arguments:
        check([name for name in names if name in FILES])
        return
    if "pretrained-group" in names:
        np.savez_compressed(GROUP, **excerpt())
        print(f"{GROUP.name}: {GROUP.stat().st_size:,} bytes")
    for name in (name for name in names if name in FILES):
        start = time.monotonic()
        data.write(name, FILES[name]())
        print(f"{name}.json: {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
