"""The figures of the page where-weights-come-from: the training run of its example file."""

from copy import deepcopy
from html import escape

import numpy as np

from qkv_docs import LookupModel, lookup_batch, train_lookup
from qkv_docs.drawing import COLOURS, heatmap, line_chart, stack

NAMES = {"W_Q": "w_q", "W_K": "w_k", "W_V": "w_v"}
KINDS = {"W_Q": "q", "W_K": "k", "W_V": "v"}


def _run():
    """The model at the start and at the end, and what was seen at every fourth batch.

    100 batches of training, then 48 that the model only answers.
    """
    model = LookupModel.create(seed=0)
    start = deepcopy(model)
    moved = {name: [] for name in NAMES}

    def measure(_step, model):
        for name, attribute in NAMES.items():
            before, after = getattr(start, attribute), getattr(model, attribute)
            distance = np.linalg.norm(after - before) / np.linalg.norm(before)
            moved[name].append(distance)

    history = train_lookup(model, steps=100, every=4, on_evaluate=measure)
    steps, loss = history.steps, history.loss
    rng = np.random.default_rng(3)
    for step in range(104, 149, 4):
        steps.append(step)
        loss.append(model.loss_and_gradients(lookup_batch(rng))[0])  # the gradients are not used
        measure(step, model)
    return start, model, steps, loss, moved


def training(t):
    """The loss falls, the matrices leave their random start, and then they stand still."""
    _, _, steps, loss, moved = _run()
    title = t("批：前 100 批训练，之后只回答", "batches: 100 to train, then only answers")
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
            y_title=t("离随机起点多远（起点的大小 = 1）", "distance from the start (its size = 1)"),
            kinds=KINDS,
        ),
    )


def look(t):
    """One question: where the model looks before and after training."""
    start, model, *_ = _run()
    one = lookup_batch(np.random.default_rng(1), size=1, n_pairs=4)
    pairs = [f"{chr(97 + a)}{d}" for a, d in zip(one.letters[0], one.digits[0], strict=True)]
    weights = np.vstack([m.forward(one)[1] for m in (start, model)])
    return heatmap(
        weights,
        [t("训练前", "before"), t("训练后", "after")],
        pairs,
        row_title=t("问 u?", "asked: u?"),
        column_title=t("看哪里 →", "looks at →"),
    )


def w_q(t):
    """The first 16 rows of W_Q before and after training; to be played step by step."""
    start, model, *_ = _run()
    limit = np.abs(model.w_q[:16]).max()
    parts = []
    for left, name, matrix in (
        (4, t("训练前", "before training"), start.w_q),
        (186, t("100 步之后", "after 100 steps"), model.w_q),
    ):
        parts.append(f'<text x="{left + 84}" y="14" text-anchor="middle">{escape(name)}</text>')
        for i, row in enumerate(matrix[:16]):
            for j, value in enumerate(row):
                colour = COLOURS["q"] if value > 0 else COLOURS["x"]
                opacity = min(1, 0.05 + 0.8 * abs(value) / limit)
                parts.append(
                    f'<rect x="{left + 10.5 * j:g}" y="{24 + 10.5 * i:g}" width="9.5" height="9.5" '
                    f'fill="{colour}" fill-opacity="{opacity:.2f}"/>'
                )
    still = (
        '<svg xmlns="http://www.w3.org/2000/svg" class="qkv-figure" width="360" height="196" '
        'viewBox="0 0 360 196" role="img" aria-label="W_Q" fill="currentColor" '
        f'font-family="inherit" font-size="13">{"".join(parts)}</svg>'
    )
    return f'<qkv-weights data-src="where-weights-come-from.json">{still}</qkv-weights>'
