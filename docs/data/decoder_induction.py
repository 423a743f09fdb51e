"""Induction heads in SmolLM2-135M-Instruct: scored on repeated random tokens, then cut.

Run with `python -m docs.data.decoder_induction`; writes induction-heads-decoder.json, which
`make decoder` compares. A text is `<|endoftext|>`, then 50 random
tokens, then the same 50: what follows can be known in the second round only, and from the first.
Heads are chosen on some seeds and cut on others; a head that is cut sees nothing and adds nothing.
"""

from typing import Any

import numpy as np

from docs.data import number, write
from docs.data.decoder_model import WORKS, about, load, losses, text

PERIOD, START = 50, 0  # START: <|endoftext|>, so that the first token, a sink, is none of the 50
CHOSEN_ON, CUT_ON = range(5), range(100, 105)
SIZES = (1, 4, 8, 16)
DRAWS = 3  # of random heads, for each size
FIRST_WORD = 17  # the tokens before are marks


def repeated(seed: int) -> list[int]:
    rng = np.random.default_rng(seed)
    size = len(load().decoder.tokens)
    once = rng.choice(np.arange(FIRST_WORD, size), PERIOD, replace=False).tolist()
    return [START, *once, *once]


def scores(weights: Any) -> tuple[Any, Any]:
    """Of every head: the weight on what followed the same token in the first round, mean over the
    second; and the weight on the token before, mean over all. (n_layers, n_heads) each."""
    second = np.arange(1 + PERIOD, 1 + 2 * PERIOD)
    every = np.arange(2, 1 + 2 * PERIOD)
    return (
        weights[..., second, second - PERIOD + 1].mean(axis=-1),
        weights[..., every, every - 1].mean(axis=-1),
    )


def cut(heads: list[tuple[int, int]]) -> Any:
    """The mask in which these heads see nothing, (n_layers, n_heads, 1, 1)."""
    decoder = load().decoder
    mask = np.ones((len(decoder.layers), decoder.n_heads, 1, 1), dtype=bool)
    for layer, head in heads:
        mask[layer, head] = False
    return mask


def rounds(seed: int, heads: list[tuple[int, int]]) -> tuple[float, float]:
    """The loss in the first round and in the second, its first token left out, nats a token."""
    ids = repeated(seed)
    return by_round(load().decoder(ids, cut(heads)), ids)


def by_round(logits: Any, ids: list[int]) -> tuple[float, float]:
    found = losses(logits, ids)  # of tokens 1, 2, …
    return float(found[:PERIOD].mean()), float(found[PERIOD + 1 :].mean())


def best(score: Any, n: int, spared: Any = ()) -> list[tuple[int, int]]:
    """The n heads with the highest scores."""
    order = [divmod(int(at), score.shape[1]) for at in np.argsort(-score, axis=None)]
    return [head for head in order if head not in spared][:n]


def of_the_same_layers(
    rng: np.random.Generator, heads: list[tuple[int, int]], spared: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """As many heads drawn at random, each from the layer of one of these, none of those spared.

    Where a layer has none left, from any layer.
    """
    found: list[tuple[int, int]] = []
    decoder = load().decoder
    every = [(i, j) for i in range(len(decoder.layers)) for j in range(decoder.n_heads)]
    free = [head for head in every if head not in spared]
    for layer, _ in heads:
        left = [head for head in free if head not in found]
        near = [head for head in left if head[0] == layer] or left
        found.append(near[rng.integers(len(near))])
    return found


def named(head: tuple[int, int]) -> str:
    return f"L{head[0]}H{head[1]}"


def spread(values: list[float]) -> dict[str, Any]:
    return {
        "mean": number(np.mean(values)), "least": number(min(values)), "most": number(max(values)),
    }  # fmt: skip


def measured() -> dict[str, Any]:
    decoder = load().decoder
    both = [scores(decoder.trace(repeated(seed)).weights) for seed in CHOSEN_ON]
    induction, previous = (np.stack(kind) for kind in zip(*both, strict=True))
    score, before = induction.mean(axis=0), previous.mean(axis=0)  # (n_layers, n_heads)
    order = best(score, max(SIZES))
    spared = best(score, 2 * max(SIZES))
    rng = np.random.default_rng(0)
    draws = {k: [of_the_same_layers(rng, order[:k], spared) for _ in range(DRAWS)] for k in SIZES}

    # the loss of the second round
    plain = [rounds(seed, []) for seed in CUT_ON]
    cuts = [{
        "cut": "nothing", "heads": 0, "first_round": spread([a for a, _ in plain]),
        "second_round": spread([b for _, b in plain]),
    }]  # fmt: skip
    for k in SIZES:
        for label, chosen in (("top", [order[:k]]), ("random", draws[k])):
            found = [rounds(seed, heads) for heads in chosen for seed in CUT_ON]
            cuts.append({
                "cut": label, "heads": k, "first_round": spread([a for a, _ in found]),
                "second_round": spread([b for _, b in found]),
            })  # fmt: skip
            print(cuts[-1], flush=True)

    # ordinary text
    ordinary = []
    for name in WORKS:
        ids = text(name, 128)
        whole = losses(decoder(ids), ids).mean()
        for label, chosen in (("top", [order[:8]]), ("random", draws[8])):
            more = [losses(decoder(ids, cut(heads)), ids).mean() - whole for heads in chosen]
            ordinary.append({
                "text": name, "cut": label, "heads": 8, "loss": number(whole),
                "more": number(np.mean(more)), "most": number(max(more)),
            })  # fmt: skip

    # what the induction heads are left with when heads before them are cut
    top = order[:8]
    first = min(layer for layer, _ in top)
    earlier = before.copy()
    earlier[first:] = -1
    keys = []
    for k in (2, 8):
        heads = best(earlier, k)
        others = [of_the_same_layers(rng, heads, best(earlier, 16)) for _ in range(DRAWS)]
        for label, chosen in (("previous_token", [heads]), ("random", others)):
            left, after = [], []
            for one in chosen:
                for seed in CUT_ON:
                    trace = decoder.trace(repeated(seed), cut(one))
                    seen = scores(trace.weights)[0]
                    left.append(float(np.mean([seen[head] for head in top])))
                    after.append(by_round(trace.logits, repeated(seed))[1])
            keys.append({
                "cut": label, "heads": k, "names": [named(head) for head in heads]
                if label == "previous_token" else [],
                "score_of_top_8": spread(left), "second_round": spread(after),
            })  # fmt: skip
            print(keys[-1], flush=True)
    whole = [
        float(np.mean([scores(decoder.trace(repeated(seed)).weights)[0][head] for head in top]))
        for seed in CUT_ON
    ]

    return {
        "about": about("decoder_induction") | {
            "text": "<|endoftext|>, 50 different random tokens, the same 50 again",
            "score": "mean attention weight in the second round on the token that followed the "
            "same token in the first, 5 seeds; previous: on the token before, all tokens",
            "cut": "heads see nothing and add nothing (zero); chosen on seeds 0 to 4, cut on seeds "
            "100 to 104; random: 3 draws for each number, from the same layers (any, where such a "
            "layer has none left), none of the 32 with the highest scores",
            "loss": "nats a token; the second round without its first token",
            "previous_token": "heads in the layers before the first of the top 8",
        },
        "heads_of_the_model": score.size, "seeds": len(CHOSEN_ON), "period": PERIOD,
        "above": [
            {"score": number(least), "induction": int((score > least).sum()),
             "previous_token": int((before > least).sum())}
            for least in (0.25, 0.5, 0.75)
        ],
        "top": [
            {"head": named(head), "score": number(score[head]),
             "least": number(induction[:, head[0], head[1]].min()),
             "most": number(induction[:, head[0], head[1]].max()),
             "previous": number(before[head])}
            for head in order[:16]
        ],
        "previous_token": [
            {"head": named(head), "score": number(before[head]),
             "least": number(previous[:, head[0], head[1]].min()),
             "most": number(previous[:, head[0], head[1]].max())}
            for head in best(before, 8)
        ],
        "scores": [[number(x) for x in row] for row in score],
        "previous_scores": [[number(x) for x in row] for row in before],
        "cuts": cuts, "ordinary_text": ordinary, "score_of_top_8": spread(whole),
        "keys": keys,
    }  # fmt: skip


if __name__ == "__main__":
    write("induction-heads-decoder", measured())
