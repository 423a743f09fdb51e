"""Measure what the page induction-heads says, and write two files beside this one.

`induction-heads.json` holds the measurements, `induction-heads-snapshots.json` the parameters of
one run at twelve steps, for the figure that can be played with. Run with
`python -m docs.data.induction_heads` (a minute on one core; NumPy only). Everything is seeded, and
the training is not sensitive: parameters that begin 1e-9 apart are still as close at the end.
After 1000 steps, and in two layers on one period, weights may differ by 0.02 on another processor.
tests/test_induction.py recomputes a part.
"""

import os
from collections.abc import Mapping
from typing import Any

if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is imported

import numpy as np

from docs.data import number, packing, write
from qkv_docs import InductionModel, induction_batch, rope, train_induction
from qkv_docs.induction import LETTERS, InductionScores

SEEDS, STEPS, EVERY = (0, 1, 2), 200, 10
SHOWN = (0, 20, 40, 50, 60, 70, 80, 90, 100, 120, 150, 200)  # the steps of the snapshots
CUTS = ("", "q", "k", "v", "o", "qvo", "qkvo")
D_K = {1: 32, 2: 16}  # one layer twice as wide: the same number of parameters
ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def exam(n=20, size=500, **periods):
    return induction_batch(np.random.default_rng(1000), size, n, **periods)


def trained(seed, n_layers=2, steps=STEPS, **options):
    """The model after training, and the history."""
    model = InductionModel.create(seed, n_layers=n_layers, d_k=D_K[n_layers])
    return model, train_induction(model, steps=steps, seed=seed, **options)


def curve(history):
    rows = {"steps": history.steps, "loss": [number(value) for value in history.loss]}
    for name in InductionScores._fields:
        rows[name] = [number(getattr(row, name)) for row in history.scores]
    return rows


def first_step(history, accuracy):
    """The first evaluated step with at least that accuracy."""
    pairs = zip(history.steps, history.scores, strict=True)
    return next((step for step, row in pairs if row.accuracy >= accuracy), None)


def scores(model, batch, cut=""):
    return {name: number(x) for name, x in model.scores(batch, cut=cut)._asdict().items()}


def matching(w: Mapping[str, np.ndarray], distance: int) -> np.ndarray:
    """Layer 2's scores by K-composition alone, (26, 26): the letter that asks, `distance` tokens
    on, and the letter that layer 1 has fetched into the key."""
    queries = rope(w["w_e"] @ w["w_q2"], np.full(LETTERS, distance))
    keys = w["w_e"] @ w["w_v1"] @ w["w_o1"] @ w["w_k2"]
    return queries @ keys.T / np.sqrt(keys.shape[-1])


def copying(w):
    """What looking at a letter in layer 2 adds to the 26 logits, (26, 26)."""
    return w["w_e"] @ w["w_v2"] @ w["w_o2"] @ w["w_u"]


def circuits(w):
    """On how many rows the largest entry is on the diagonal, and the mean on and off it."""
    matches = [matching(w, distance) for distance in range(10)]
    both = {"matching": np.mean(matches, axis=0), "copying": copying(w)}
    on = np.eye(LETTERS, dtype=bool)
    result = {
        "matching_on_diagonal": [int((m.argmax(axis=1) == range(LETTERS)).sum()) for m in matches],
        "copying_on_diagonal": int((both["copying"].argmax(axis=1) == range(LETTERS)).sum()),
    }
    for name, m in both.items():
        result |= {f"{name}_same": number(m[on].mean()), f"{name}_other": number(m[~on].mean())}
    return result


def composition(w):
    """Elhage et al.: the norm of the product of two heads' matrices over the product of norms."""
    ov_1, ov_2 = w["w_v1"] @ w["w_o1"], w["w_v2"] @ w["w_o2"]
    qk = w["w_q2"] @ w["w_k2"].T
    norm = np.linalg.norm
    pairs = {"q": (ov_1 @ qk, qk), "k": (ov_1 @ qk.T, qk), "v": (ov_1 @ ov_2, ov_2)}
    return {name: norm(both) / (norm(ov_1) * norm(one)) for name, (both, one) in pairs.items()}


def one_repeated_letter(model, size=500):
    """Fifteen different letters, then one of the first fourteen again: is its successor named?"""
    rng = np.random.default_rng(1001)
    ids = rng.permuted(np.tile(np.arange(LETTERS), (size, 1)), axis=1)[:, :16]
    rows, place = np.arange(size), rng.integers(14, size=size)
    ids[:, 15] = ids[rows, place]
    right = model.forward(ids)[0][:, -1].argmax(axis=-1) == ids[rows, place + 1]
    back = 15 - place
    return {
        f"{low} to {high} back": number(right[(low <= back) & (back <= high)].mean())
        for low, high in ((2, 4), (5, 10), (11, 15))
    }


def two_successors(model, size=500):
    """a b … a c … a: which of b and c is named, and what layer 2 gives to each."""
    rng = np.random.default_rng(1002)
    ids = rng.permuted(np.tile(np.arange(LETTERS), (size, 1)), axis=1)[:, :14]
    ids[:, 7] = ids[:, 13] = ids[:, 2]
    logits, weights = model.forward(ids)
    named = logits[:, -1].argmax(axis=-1)
    return {"earlier_named": number((named == ids[:, 3]).mean()),
            "later_named": number((named == ids[:, 8]).mean()),
            "earlier_weight": number(weights[1][:, 13, 3].mean()),
            "later_weight": number(weights[1][:, 13, 8].mean())}  # fmt: skip


def stream(model, seed, size=500):
    """What comes into layer 2, and the position of each row: (size * 20, 32) and (size * 20,)."""
    ids, w = induction_batch(np.random.default_rng(seed), size).inputs, model.parameters
    x, weights = w["w_e"][ids], model.forward(ids)[1][0]
    x = x + weights @ x @ w["w_v1"] @ w["w_o1"]
    return x.reshape(-1, x.shape[-1]), np.tile(np.arange(ids.shape[1]), size)


def position_read(model):
    """How much of the position can be read after layer 1: R² on sequences that nothing was fitted
    to, of a linear map and of one that has the products of all pairs of columns as well."""

    def columns(x, squares):
        i, j = np.triu_indices(x.shape[1])
        products = [x[:, i] * x[:, j]] if squares else []
        return np.column_stack([np.ones(len(x)), x, *products])

    (x, place), (x_new, place_new) = stream(model, 1003), stream(model, 1004)
    found = {}
    for name, squares in (("linear", False), ("quadratic", True)):
        fit, *_ = np.linalg.lstsq(columns(x, squares), place, rcond=None)
        left = place_new - columns(x_new, squares) @ fit
        found[name] = number(1 - left.var() / place_new.var())
    return found


def fixed_period(n_layers, period=7):
    """Trained on one period only: the accuracy there, and at other periods."""
    model, _ = trained(0, n_layers, shortest=period, longest=period)
    return {"n_layers": n_layers, "trained_on": period, "tested": [
        {"period": p, **scores(model, exam(shortest=p, longest=p))} for p in (6, 7, 8)
    ]}  # fmt: skip


def packed(w):
    """All parameters as whole numbers from -127 to 127, and what to multiply each matrix by."""
    scale = {name: float(np.abs(matrix).max() / 127) for name, matrix in w.items()}
    whole = [np.rint(matrix / scale[name]).ravel() for name, matrix in w.items()]
    return {"scale": {name: float(f"{s:.6g}") for name, s in scale.items()},
            "weights": packing.pack(np.concatenate(whole), "int8")}  # fmt: skip


def unpacked(snapshot: dict[str, Any], shapes: dict[str, list[int]]) -> InductionModel:
    """The model of a snapshot."""
    whole = packing.unpack(snapshot["weights"], "int8").astype(float)
    parameters, at = {}, 0
    for name, (rows, columns) in shapes.items():
        part = whole[at : at + rows * columns].reshape(rows, columns)
        parameters[name], at = part * snapshot["scale"][name], at + rows * columns
    return InductionModel(parameters)


def snapshots():
    """Seed 0 at the steps shown, each trained anew, and the last model, rounded."""
    taken, batch, moved = [], exam(), []
    for step in SHOWN:
        model, _ = trained(0, steps=step, every=STEPS)
        shapes = {name: list(w.shape) for name, w in model.parameters.items()}
        taken.append({"step": step, **packed(model.parameters)})
        rounded = unpacked(taken[-1], shapes)
        taken[-1]["accuracy"] = number(rounded.scores(batch).accuracy)
        exact, near = (m.forward(batch.inputs)[1] for m in (model, rounded))
        moved.append(max(np.abs(a - b).mean() for a, b in zip(exact, near, strict=True)))
    about = {
        "command": "python -m docs.data.induction_heads",
        "what": "parameters of the model of seed 0, 8 bits a number: matrix = scale * whole number,"
        " row after row, matrices in the order of shapes",
        "mean_change_of_an_attention_weight_by_rounding_at_most": float(f"{max(moved):.1g}"),
    }
    return {"about": about, "letters": ALPHABET, "shapes": shapes, "snapshots": taken}, rounded


def shown(model):
    """The numbers of two figures, one decimal: layer 2 on a word said twice, and the matching."""
    _, weights = model.forward([[ALPHABET.index(letter) for letter in "paintpaint"]])
    rows = {"layer_1": weights[0], "layer_2": weights[1]}
    rows = {f"paintpaint_{name}": w[0, 5:] for name, w in rows.items()}
    rows["matching_a_to_h"] = matching(model.parameters, 5)[:8, :8]
    return {
        name: [[number(x, ".1f") for x in row] for row in rows_] for name, rows_ in rows.items()
    }


def main():
    two_layers = [trained(seed) for seed in SEEDS]
    one_layer = [trained(seed, 1, steps=2 * STEPS) for seed in SEEDS]
    long = [trained(seed, steps=1000, every=1000)[0] for seed in SEEDS]
    start = [composition(InductionModel.create(seed).parameters) for seed in range(20)]
    recorded, last = snapshots()
    write("induction-heads-snapshots", recorded)
    write("induction-heads", {
        "about": {
            "command": "python -m docs.data.induction_heads",
            "ran_on": f"NumPy {np.__version__}, float64, one thread",
            "model": "d_model 32, one head a layer: two layers with d_k 16, or one with d_k 32; "
            "5760 parameters both; Adam 0.02, batches of 64 sequences of 20 letters, periods 5 to "
            "10; scores in the curves on 300 sequences, elsewhere on 500 others",
        },
        "parameters": sum(w.size for w in two_layers[0][0].parameters.values()),
        "two_layers": [
            {"seed": s, **curve(h)} for s, (_, h) in zip(SEEDS, two_layers, strict=True)
        ],
        "one_layer": [
            {"seed": s, "steps": h.steps, "accuracy": [number(row.accuracy) for row in h.scores]}
            for s, (_, h) in zip(SEEDS, one_layer, strict=True)
        ],
        "first_step": [
            {"seed": s, **{f"{a:.0%}": first_step(h, a) for a in (0.25, 0.5, 0.9, 0.99)}}
            for s, (_, h) in zip(SEEDS, two_layers, strict=True)
        ],
        "cuts": [
            {"seed": s, "cut": cut, **scores(model, exam(), cut)}
            for s, (model, _) in zip(SEEDS, two_layers, strict=True) for cut in CUTS
        ],
        "circuits": [
            {"seed": s, **circuits(model.parameters)}
            for s, (model, _) in zip(SEEDS, two_layers, strict=True)
        ],
        "composition": {
            "trained": [
                {"seed": s, **{n: number(x) for n, x in composition(model.parameters).items()}}
                for s, (model, _) in zip(SEEDS, two_layers, strict=True)
            ],
            "before_training_mean_of_20": {
                n: number(np.mean([c[n] for c in start])) for n in "qkv"
            },
        },
        "other_lengths": [
            {"seed": s, "n": n, "periods": [low, high],
             **scores(model, exam(n, 200, shortest=low, longest=high))}
            for s, (model, _) in zip(SEEDS, two_layers, strict=True)
            for n, low, high in ((20, 2, 4), (40, 5, 10), (40, 11, 20))
        ],
        "one_repeated_letter": [
            {"seed": s, **one_repeated_letter(m)}
            for s, (m, _) in zip(SEEDS, two_layers, strict=True)
        ],
        "two_successors": [
            {"seed": s, **two_successors(m)} for s, (m, _) in zip(SEEDS, two_layers, strict=True)
        ],
        "position_read": [
            {"seed": s, **position_read(m)} for s, (m, _) in zip(SEEDS, two_layers, strict=True)
        ],
        "fixed_period": [fixed_period(n_layers) for n_layers in (1, 2)],
        "figures": shown(last),
        "after_1000_steps": [
            {"seed": s, **scores(m, exam())} for s, m in zip(SEEDS, long, strict=True)
        ],
    })  # fmt: skip


if __name__ == "__main__":
    main()
