"""Record the training of the page where-weights-come-from, for its figure of W_Q.

Run with `python -m docs.data.where_weights_come_from` (NumPy only, a second); it writes
where-weights-come-from.json beside this file. The run is that of the page's example file: the same
model, seed and steps. Drawn are the first 16 rows of W_Q, as integers of 1/10000 in base64.
tests/test_where_weights_come_from.py records it again.
"""

from copy import deepcopy
from typing import Any

import numpy as np

from docs.data import packing, write
from qkv_docs import LookupBatch, LookupModel, lookup_batch, train_lookup

STEPS, EVERY, ROWS, UNIT = 100, 5, 16, 1e-4
N_QUESTIONS = 8


def pack(array: np.ndarray[Any, Any]) -> str:
    """Numbers between -3.2 and 3.2 as multiples of UNIT in 16 bits."""
    return packing.pack(np.rint(array / UNIT), "int16")


def unpack(text: str) -> np.ndarray[Any, Any]:
    return UNIT * packing.unpack(text, "int16")


def asked(model: LookupModel, batch: LookupBatch) -> dict[str, Any]:
    """What the model does with one question: its query, where it looks and what it says."""
    logits, weights = model.forward(batch)
    q, _, _ = model.project(batch)
    return {
        "q": pack(q[0, 0]),
        "weights": [round(float(weight), 4) for weight in weights[0]],
        "says": int(logits[0].argmax()),
    }


def question(batch: LookupBatch) -> dict[str, Any]:
    """The pairs of a context, the letter that is asked for, and the right answer."""
    letters, digits = batch.letters[0], batch.digits[0]
    return {
        "pairs": [f"{chr(97 + a)}{d}" for a, d in zip(letters, digits, strict=True)],
        "asked": chr(97 + letters[batch.slots[0]]),
        "answer": int(batch.answers[0]),
    }


def record() -> dict[str, Any]:
    """The run, a snapshot at every fifth step; then eight questions that are only answered."""
    model = LookupModel.create(seed=0)
    start = model.w_q.copy()
    one = lookup_batch(np.random.default_rng(1), size=1, n_pairs=4)  # the page's question
    before = start
    snapshots: list[dict[str, Any]] = []

    def look(_step: int, model: LookupModel) -> None:
        nonlocal before
        snapshots.append(
            {
                "w_q": pack(model.w_q[:ROWS]),
                "largest": round(float(np.abs(model.w_q[:ROWS]).max()), 2),
                "moved": round(float(np.linalg.norm(model.w_q - start) / np.linalg.norm(start)), 2),
                "changed": int((model.w_q != before).sum()),  # of all 64 x 16, since the last
                **asked(model, one),
            }
        )
        before = deepcopy(model.w_q)

    history = train_lookup(model, steps=STEPS, every=EVERY, on_evaluate=look)
    for snapshot, step, loss, accuracy in zip(
        snapshots, history.steps, history.loss, history.accuracy, strict=True
    ):
        snapshot |= {"step": step, "loss": round(loss, 2), "accuracy": round(accuracy, 2)}

    questions = []
    rng = np.random.default_rng(4)
    for number in range(N_QUESTIONS):
        batch = one if number == 0 else lookup_batch(rng, size=1, n_pairs=4)
        before = model.w_q.copy()
        answer = asked(model, batch)
        changed = int((model.w_q != before).sum())
        questions.append({**question(batch), **answer, "changed": changed})
    return {
        "unit": UNIT,
        "shape": list(model.w_q.shape),
        "snapshots": snapshots,
        "questions": questions,
    }


if __name__ == "__main__":
    write("where-weights-come-from", record(), compact=True)
