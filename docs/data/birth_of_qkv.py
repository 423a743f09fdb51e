"""Measure what the page birth-of-qkv says and record one training run for its figure.

Run with `python -m docs.data.birth_of_qkv` (NumPy only, about a minute). It writes, beside this
file, birth-of-qkv.json (the experiments) and birth-of-qkv-snapshots.json (the run: the matrices at
every tenth step, as 16-bit integers). Every number is seeded. tests/test_birth_of_qkv.py
recomputes all of it, some of it only among the slow tests.
"""

import platform
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np

from docs.data import packing, write
from qkv_docs import LookupBatch, LookupHistory, LookupModel, lookup_batch, train_lookup
from qkv_docs.lookup import DIGITS, LETTERS, PARAMETERS

SEEDS = (0, 1, 2)
SPREAD = 21  # seeds over which the spread is taken
SAME_TABLE = 6  # models on one embedding table, compared in pairs
STEPS, EVERY = 100, 10  # of the recorded run; its curves have every second step
WIDTHS = (1, 2, 3, 16)
WIDTH_STEPS, WIDTH_LR = 400, 0.01
LARGEST = 32767  # a number is scale * integer


def exam(n_pairs: int = 8, *, unseen: bool = False) -> LookupBatch:
    """1000 questions that no model was trained on; only theirs are the accuracies below."""
    return lookup_batch(np.random.default_rng(1000), 1000, n_pairs, unseen=unseen)


def letters_found(model: LookupModel) -> int:
    """How many letters' questions have their largest score with that very letter's key."""
    return int((model.question_scores()[:, :LETTERS].argmax(1) == range(LETTERS)).sum())


def digits_said(model: LookupModel) -> int:
    """How many digits' values speak loudest for that very digit."""
    return int((model.value_logits()[LETTERS:].argmax(1) == range(DIGITS)).sum())


def most_frequent(batch: LookupBatch) -> float:
    """The accuracy of answering, whatever is asked, the digit that the context has most of."""
    counts = (batch.digits[..., None] == np.arange(DIGITS)).sum(axis=1)
    return float((counts.argmax(axis=1) == batch.answers).mean())


def one_seed(seed: int) -> dict[str, Any]:
    """The model before and after 100 steps, and what becomes of it when it is tampered with."""
    start = LookupModel.create(seed)
    model = deepcopy(start)
    exchanged = deepcopy(replace(start, w_k=start.w_v, w_v=start.w_k))
    letters: list[int] = []
    digits: list[int] = []

    def count(step: int, model: LookupModel) -> None:
        if step % EVERY == 0:
            letters.append(letters_found(model))
            digits.append(digits_said(model))

    history = train_lookup(model, steps=STEPS, seed=seed, every=1, on_evaluate=count)
    train_lookup(exchanged, steps=STEPS, seed=seed)
    return {
        "seed": seed,
        "first_step_with_0.99": history.first_step(),
        "accuracy_before": start.accuracy(exam()),
        "accuracy": model.accuracy(exam()),
        "accuracy_unseen": model.accuracy(exam(unseen=True)),
        "accuracy_26_pairs": model.accuracy(exam(26)),
        "accuracy_k_and_v_swapped": replace(model, w_k=model.w_v, w_v=model.w_k).accuracy(exam()),
        "accuracy_q_and_k_swapped": replace(model, w_q=model.w_k, w_k=model.w_q).accuracy(exam()),
        "accuracy_without_q": replace(model, w_q=0 * model.w_q).accuracy(exam()),
        "accuracy_without_k": replace(model, w_k=0 * model.w_k).accuracy(exam()),
        "accuracy_without_v": replace(model, w_v=0 * model.w_v).accuracy(exam()),
        "accuracy_swapped_at_the_start": exchanged.accuracy(exam()),
        "attention_before": start.attention_on_answer(exam()),
        "attention": model.attention_on_answer(exam()),
        "w_q_before_and_after": likeness(start.w_q, model.w_q),
        "w_k_before_and_after": likeness(start.w_k, model.w_k),
        "table_before_and_after": likeness(start.question_scores(), model.question_scores()),
        "attention_26_pairs": model.attention_on_answer(exam(26)),
        "k_from_letter_before": start.letter_share(start.w_k),
        "k_from_letter": model.letter_share(model.w_k),
        "k_from_letter_swapped_at_the_start": exchanged.letter_share(exchanged.w_k),
        "v_from_digit_before": 1 - start.letter_share(start.w_v),
        "v_from_digit": 1 - model.letter_share(model.w_v),
        "v_from_digit_swapped_at_the_start": 1 - exchanged.letter_share(exchanged.w_v),
        "letters_found_every_10_steps": letters,
        "digits_said_every_10_steps": digits,
    }


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """The correlation of two arrays, number by number."""
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


def spread(seeds: int) -> dict[str, Any]:
    """Least, median and most of what `one_seed` measures, and whether values came first."""
    rows = [one_seed(seed) for seed in range(seeds)]
    lists = ("letters_found_every_10_steps", "digits_said_every_10_steps")
    found: dict[str, Any] = {"seeds": seeds}
    for name in rows[0]:
        if name != "seed" and name not in lists:
            numbers = [row[name] for row in rows]
            found[name] = [min(numbers), float(np.median(numbers)), max(numbers)]
    for name in lists:
        ends = [row[name][at] for at in (0, -1) for row in rows]
        found[name] = {
            "before": [min(ends[:seeds]), max(ends[:seeds])],
            "after": [min(ends[seeds:]), max(ends[seeds:])],
        }
    found["all_digits_before_all_letters"] = sum(
        row[lists[1]].index(DIGITS) < row[lists[0]].index(LETTERS) for row in rows
    )
    return found


def same_table(models: int) -> dict[str, Any]:
    """Models trained from different starts on one embedding table: how alike two of them are."""
    embedding, trained = LookupModel.create(0).embedding, []
    for seed in range(models):
        model = replace(LookupModel.create(seed), embedding=embedding)
        train_lookup(model, steps=STEPS, seed=seed, every=STEPS)
        trained.append(model)
    measures: dict[str, Callable[[LookupModel], np.ndarray]] = {
        "w_q": lambda model: model.w_q,
        "w_k": lambda model: model.w_k,
        "product": lambda model: model.w_q @ model.w_k.T,
        "attention": lambda model: model.forward(exam())[1],
    }
    pairs = [(a, b) for i, a in enumerate(trained) for b in trained[:i]]
    found: dict[str, Any] = {"models": models, "pairs": len(pairs)}
    for name, of in measures.items():
        numbers = [likeness(of(a), of(b)) for a, b in pairs]
        found[name] = [min(numbers), max(numbers)]
    return found


def narrow(d_k: int, seed: int) -> LookupModel:
    """A model whose queries and keys have few dimensions, after a long training."""
    model = LookupModel.create(seed, d_k=d_k)
    train_lookup(model, steps=WIDTH_STEPS, lr=WIDTH_LR, seed=seed, every=WIDTH_STEPS)
    return model


def looks_right(model: LookupModel) -> tuple[float, float]:
    """How often the right pair has most of the attention; the accuracy where it has not (or 1)."""
    logits, weights = model.forward(exam())
    looks = weights.argmax(axis=1) == exam().slots
    right = logits.argmax(axis=1) == exam().answers
    return float(looks.mean()), float(right[~looks].mean()) if not looks.all() else 1.0


def one_width(d_k: int) -> dict[str, Any]:
    models = [narrow(d_k, seed) for seed in SEEDS]
    return {
        "d_k": d_k,
        "accuracy": [model.accuracy(exam()) for model in models],
        "letters_found": [letters_found(model) for model in models],
        "attention": [model.attention_on_answer(exam()) for model in models],
        "most_attention_on_the_right_pair": [looks_right(model)[0] for model in models],
        "accuracy_where_it_is_not": [looks_right(model)[1] for model in models],
    }


def plane() -> dict[str, Any]:
    """d_k = 2, seed 0: where the letters' parts of the keys and their questions lie, (26, 2)."""
    model = narrow(2, 0)
    letters, mark = model.embedding[:LETTERS], model.embedding[-1]
    right = model.question_scores()[:, :LETTERS].argmax(1) == range(LETTERS)
    return {
        "letters": "".join(chr(97 + i) for i in range(LETTERS)),
        "found": "".join(chr(97 + i) for i in range(LETTERS) if right[i]),
        "keys_x": (letters @ model.w_k)[:, 0].tolist(),
        "keys_y": (letters @ model.w_k)[:, 1].tolist(),
        "queries_x": ((letters + mark) @ model.w_q)[:, 0].tolist(),
        "queries_y": ((letters + mark) @ model.w_q)[:, 1].tolist(),
    }


def record(seed: int = 0) -> tuple[dict[int, LookupModel], LookupHistory]:
    """One run: a copy of the model at every second step, and the history at the same steps."""
    models: dict[int, LookupModel] = {}
    model = LookupModel.create(seed)
    history = train_lookup(
        model,
        steps=STEPS,
        seed=seed,
        every=2,
        on_evaluate=lambda step, model: models.update({step: deepcopy(model)}),
    )
    return models, history


def packed(numbers: np.ndarray) -> dict[str, Any]:
    """16-bit integers; wrong by at most half the scale."""
    scale = float(f"{np.abs(numbers).max() / LARGEST:.6g}") * 1.00001  # rounded up: none overflows
    return {
        "shape": list(numbers.shape),
        "scale": scale,
        "int16": packing.pack(np.rint(numbers / scale), "int16"),
    }


def unpacked(stored: dict[str, Any]) -> np.ndarray:
    integers = packing.unpack(stored["int16"], "int16")
    return stored["scale"] * integers.reshape(stored["shape"])


def experiments() -> dict[str, Any]:
    return {
        "about": {
            "command": "python -m docs.data.birth_of_qkv",
            "ran_on": f"NumPy {np.__version__}, float64, Python {platform.python_version()}",
            "model": "d_model 64, d_k 16, d_v 16, 3232 parameters, Adam, learning rate 3e-3, "
            f"batches of 128 contexts of 8 pairs, {STEPS} steps, evaluated at every one",
            "widths": f"the same with another d_k, learning rate {WIDTH_LR}, {WIDTH_STEPS} steps; "
            "one number for each of the seeds 0 to 2",
            "accuracies": "of 1000 contexts of 8 pairs, not trained on",
            "spread": f"least, median and most of seeds 0 to {SPREAD - 1}",
            "same_table": "correlations, least and most over all pairs of models that were trained "
            f"from seeds 0 to {SAME_TABLE - 1} on the embedding table of seed 0",
        },
        "most_frequent_digit": most_frequent(exam()),
        "seeds": [one_seed(seed) for seed in SEEDS],
        "spread": spread(SPREAD),
        "same_table": same_table(SAME_TABLE),
        "widths": [one_width(d_k) for d_k in WIDTHS],
        "plane": plane(),
    }


def restored(matrices: dict[str, Any], scale: float) -> list[LookupModel]:
    """The recorded models, one a kept step."""
    arrays = {name: unpacked(stored) for name, stored in matrices.items()}
    embedding = arrays.pop("embedding")
    steps = range(len(arrays["w_q"]))
    return [
        LookupModel(embedding, **{name: w[at] for name, w in arrays.items()}, scale=scale)
        for at in steps
    ]


def largest_error(models: list[LookupModel], others: list[LookupModel]) -> float:
    """How far the two tables of the models are from those of the others, at most."""
    return max(
        float(np.abs(table(a) - table(b)).max())
        for a, b in zip(models, others, strict=True)
        for table in (LookupModel.question_scores, LookupModel.value_logits)
    )


def run_for_the_figure() -> dict[str, Any]:
    models, history = record()
    kept = [models[step] for step in range(0, STEPS + 1, EVERY)]
    matrices = {"embedding": packed(kept[0].embedding)}
    for name in PARAMETERS:
        matrices[name] = packed(np.stack([getattr(model, name) for model in kept]))
    error = largest_error(restored(matrices, kept[0].scale), kept)
    return {
        "about": "python -m docs.data.birth_of_qkv; a number is scale * integer, which makes the "
        f"entries of the tables T and U wrong by at most {error:.4f}",
        "seed": 0,
        "scale": kept[0].scale,
        "steps": list(range(0, STEPS + 1, EVERY)),
        "matrices": matrices,
        "history": {
            "steps": history.steps,
            "loss": history.loss,
            "accuracy": history.accuracy,
            "attention": history.attention,
        },
    }


def main() -> None:
    write("birth-of-qkv", experiments(), digits=3)
    write("birth-of-qkv-snapshots", run_for_the_figure(), digits=3)


if __name__ == "__main__":
    main()
