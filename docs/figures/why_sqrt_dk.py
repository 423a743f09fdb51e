"""The figures of the page why-sqrt-dk: one query computed on the page, the rest from docs/data."""

from __future__ import annotations

from math import log10
from typing import Any

import numpy as np

from docs.data import read
from docs.examples import values
from docs.figures.kit import GREY, HEAT, INK, Label, Played, path
from qkv_docs import heatmap, line_chart, softmax, softmax_backward
from qkv_docs.drawing import FULL, SMALL, Drawing, arrange, power_of_ten, text

SCORES = values("why-sqrt-dk", "one-query")["eight"]
DATA = read("why-sqrt-dk")
GRADIENTS = "why-sqrt-dk-gradients"
NAMES = {"sqrt(d_k)": "÷ √d_k", "1": "÷ 1", "d_k": "÷ d_k", "sqrt(d_model)": "÷ √d_model"}


def _row(t: Label, rows: list[np.ndarray], names: list[str], row_title: str | None) -> Drawing:
    return heatmap(
        rows,
        names,
        range(1, len(SCORES) + 1),
        row_title=row_title,
        column_title=t("键", "key"),
        title=t("注意力权重", "attention weights"),
    )


def one_query(t: Label) -> Drawing:
    """Eight scaled scores, as they are and as large as a dot product of d_k terms makes them."""
    sizes = (1, 4, 64, 1024)
    rows = [softmax(d_k**0.5 * SCORES) for d_k in sizes]
    return _row(t, rows, ["÷ √d_k", *(f"d_k = {d_k}" for d_k in sizes[1:])], None)


def play(t: Label) -> Played:
    """The same eight scores with sliders, and the gradients of 2000 queries. Still: ÷ 1, d_k 64."""
    d_k = 64
    weights = softmax(d_k**0.5 * SCORES)
    row = _row(t, [weights], [t("查询", "query")], None)
    passed = softmax_backward(np.eye(len(weights)), np.tile(weights, (len(weights), 1)))
    norms = _histogram(t, d_k, 0, float(np.linalg.norm(passed)))
    label = t("八个注意力权重和梯度的分布", "eight attention weights, a distribution of gradients")
    still = arrange([(row, 0, 0), (norms, 0, row.height + 10)], label=label)
    return Played("softmax", still, {"scores": SCORES.round(6)}, GRADIENTS)


def _histogram(t: Label, d_k: int, half_powers: int, passed: float) -> Drawing:
    """What scripts/figures/softmax.mjs draws: bars, median, mean and the query above."""
    data = read(GRADIENTS)
    (row,) = [
        row for row in data["histograms"] if (row["d_k"], row["half_powers"]) == (d_k, half_powers)
    ]
    left, width, floor, high = 32, 5.7, 194, 110
    counts = {0: row["lower"]} | {row["first"] + i + 1: n for i, n in enumerate(row["counts"])}
    most = max(counts.values())

    def place(norm: float) -> float:
        bins: float = (log10(norm) - data["lowest"]) * data["bins_per_decade"]
        return left + width * (1 + max(-0.5, bins))

    def note(x: float, y: float, words: str) -> str:
        return text(x, y, words, "start", size=SMALL)

    share = f"{100 * row['below_0.01']:.0f}%"
    parts = [
        note(0, 12, t("每个查询的雅可比矩阵范数", "norm of the Jacobian of each query")),
        f'<path d="M160 46h12v12h-12zM{left} {floor - high}H{place(0.01):g}V{floor}H{left}z" '
        f'fill="{GREY}" fill-opacity=".24"/>',
        note(178, 56, t(f"小于 0.01：{share}", f"< 0.01: {share}")),
        note(left, floor - high - 6, t(f"最高：{most} 个查询", f"tallest: {most} queries")),
        path(f"M{left} {floor}H{left + 49 * width}", width=1),
    ]
    for i, count in counts.items():
        tall = high * count / most
        parts.append(
            f'<rect x="{left + width * i:g}" y="{floor - tall:.1f}" width="{width - 1:g}" '
            f'height="{tall:.1f}" fill="{HEAT}"/>'
        )
    for power in range(-8, 1, 2):
        words = power_of_ten(power) if power else "1"
        parts.append(text(place(10.0**power), floor + 28, words, size=SMALL))
    for x, name, value, dash in (
        (0, t("中位数", "median"), row["median"], ""),
        (160, t("平均", "mean"), row["mean"], "4 3"),
    ):
        sign_and_line = f"M{x + 1} 24v14M{place(value):.1f} {floor}V{floor - high}"
        parts += [path(sign_and_line, INK, 2, dash=dash), note(x + 8, 36, f"{name} {value:.2f}")]
    parts += [
        f'<path d="M0 57l5 -10 5 10zM{place(passed) - 5:.1f} {floor + 13}l5 -10 5 10z" '
        f'fill="{INK}"/>',
        note(16, 56, f"{t('上面这个查询：', 'this query: ')}{passed:.2f}"),
    ]
    return Drawing(FULL, 228, "".join(parts))


def _against_d_k(measure: str, divisors: tuple[str, ...], **options: Any) -> Drawing:
    """One curve a divisor, from the table of random queries and keys."""
    rows = [row for row in DATA["random_attention"] if row["divisor"] in divisors]
    curves = {
        NAMES[divisor]: [row[measure] for row in rows if row["divisor"] == divisor]
        for divisor in divisors
    }
    d_k = sorted({row["d_k"] for row in rows})
    return line_chart(d_k, curves, x_title="d_k", log_x=True, **options)


def saturation(t: Label) -> Drawing:
    """The largest of eight attention weights, with and without the division."""
    return _against_d_k(
        "largest_weight",
        ("sqrt(d_k)", "1"),
        y_title=t("最大的注意力权重（平均）", "largest attention weight (mean)"),
        y_limits=(0, 1),
    )


def jacobian(t: Label) -> Drawing:
    """How much of a gradient the softmax of the median query lets through.

    Divided, 2000 queries are enough; without the division the median of few is off by half.
    """
    plain = read("why-sqrt-dk-spread")["jacobian"]
    divided = {
        row["d_k"]: row["jacobian_median"]
        for row in DATA["random_attention"]
        if row["divisor"] == "sqrt(d_k)"
    }
    d_k = [row["d_k"] for row in plain]
    return line_chart(
        d_k,
        {
            NAMES["sqrt(d_k)"]: [divided[width] for width in d_k],
            NAMES["1"]: [row["median"] for row in plain],
        },
        x_title="d_k",
        log_x=True,
        y_title=t("雅可比矩阵的范数（中位数）", "norm of the Jacobian (median)"),
        log_y=True,
    )


def divisors(t: Label) -> Drawing:
    """Standard deviation of the scores after each of four divisors."""
    return _against_d_k(
        "score_std",
        tuple(NAMES),
        y_title=t("除完之后的标准差", "standard deviation after the division"),
        log_y=True,
    )


def training(t: Label) -> Drawing:
    """Accuracy during training at d_k = 512, each curve at its best learning rate."""
    names = {
        ("sqrt(d_k)", "unit"): "÷ √d_k",
        ("1", "unit"): "÷ 1",
        ("1", "small"): t("÷ 1，小", "÷ 1, small"),
        ("1", "double"): t("÷ 1，大", "÷ 1, large"),
    }
    curves = {(row["divisor"], row["start"]): row for row in DATA["training_curves"]["means"]}
    return line_chart(
        DATA["training_curves"]["steps"],
        {name: curves[key]["accuracy"] for key, name in names.items()},
        x_title=t("训练步数", "training step"),
        y_title=t("正确率", "accuracy"),
        y_limits=(0, 1),
    )
