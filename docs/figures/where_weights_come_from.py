"""The figures of the page where-weights-come-from: its training run, before, during and after."""

from __future__ import annotations

from copy import deepcopy
from functools import cache

import numpy as np

from docs.examples import values
from docs.figures.kit import BLUE, GREY, Label, Played
from qkv_docs import LookupModel, heatmap, line_chart, lookup_batch, train_lookup
from qkv_docs.drawing import FULL, Drawing, stack, text

PAGE = values("where-weights-come-from", "one-question")
START, MODEL = PAGE["start"], PAGE["model"]  # before training and after it


@cache
def _run() -> tuple[list[int], list[float], dict[str, list[float]]]:
    """Batches, losses, and how far each matrix is from its start, at every fourth batch.

    100 batches of training, then 48 that the model only answers.
    """
    model = deepcopy(START)
    moved: dict[str, list[float]] = {"W_Q": [], "W_K": [], "W_V": []}

    def measure(_step: int, model: LookupModel) -> None:
        for name, distances in moved.items():
            before, after = getattr(START, name.lower()), getattr(model, name.lower())
            distances.append(float(np.linalg.norm(after - before) / np.linalg.norm(before)))

    history = train_lookup(model, steps=100, every=4, on_evaluate=measure)
    steps, loss = history.steps, history.loss
    rng = np.random.default_rng(3)
    for step in range(104, 149, 4):
        steps.append(step)
        loss.append(model.loss_and_gradients(lookup_batch(rng))[0])  # the gradients are not used
        measure(step, model)
    return steps, loss, moved


def training(t: Label) -> Drawing:
    """The loss falls, the matrices leave their random start, and then they stand still."""
    steps, loss, moved = _run()
    title = t("批；第 100 批以后不再训练", "batch; training stops at 100")
    return stack(
        line_chart(
            steps,
            {t("损失", "loss"): loss},
            x_title=title,
            y_title=t("损失", "loss"),
            height=170,
        ),
        line_chart(
            steps,
            moved,
            x_title=title,
            y_title=t("离随机起点多远（起点的大小 = 1）", "how far moved (starting size = 1)"),
            kinds={name: name[-1].lower() for name in moved},
        ),
    )


def look(t: Label) -> Drawing:
    """One question: where the model looks before and after training."""
    one = PAGE["one"]
    pairs = [f"{chr(97 + a)}{d}" for a, d in zip(one.letters[0], one.digits[0], strict=True)]
    asked = chr(97 + one.letters[0, one.slots[0]])
    return heatmap(
        np.vstack([model.forward(one)[1] for model in (START, MODEL)]),
        [t("训练前", "before"), t("训练后", "after")],
        pairs,
        row_title=t(f"问 {asked}?", f"asked: {asked}?"),
        column_title=t("看哪里 →", "looks at →"),
    )


def w_q(t: Label) -> Played:
    """The first 16 rows of W_Q before and after training; to be played step by step."""
    limit = np.abs(MODEL.w_q[:16]).max()
    parts = []
    for left, name, matrix in (
        (4, t("训练前", "before training"), START.w_q),
        (186, t("100 步之后", "after 100 steps"), MODEL.w_q),
    ):
        parts.append(text(left + 84, 14, name))
        for (i, j), value in np.ndenumerate(matrix[:16]):
            opacity = min(1, 0.05 + 0.8 * abs(value) / limit)
            parts.append(
                f'<rect x="{left + 10.5 * j:g}" y="{24 + 10.5 * i:g}" width="9.5" height="9.5" '
                f'fill="{BLUE if value > 0 else GREY}" fill-opacity="{opacity:.2f}"/>'
            )
    still = Drawing(FULL, 196, "".join(parts), "W_Q")
    return Played("weights", still, source="where-weights-come-from")
