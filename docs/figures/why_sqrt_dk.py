"""Figures of the page why-sqrt-dk: one query computed here, the rest from docs/data."""

import json
import re
from math import log10
from pathlib import Path

import numpy as np

from qkv_docs import softmax, softmax_backward
from qkv_docs.drawing import HEAT, LINE, heatmap, line_chart

HERE = Path(__file__).parents[1] / "data"
DATA = json.loads((HERE / "why-sqrt-dk.json").read_text(encoding="utf-8"))
SCORES = np.random.default_rng(0).normal(size=8)  # those of the example file
NAMES = {"sqrt(d_k)": "÷ √d_k", "1": "÷ 1", "d_k": "÷ d_k", "sqrt(d_model)": "÷ √d_model"}


def one_query(t):
    """The same eight scores, as they are and as large as a dot product of d_k terms makes them."""
    sizes = (1, 4, 64, 1024)
    return heatmap(
        [softmax(d_k**0.5 * SCORES) for d_k in sizes],
        ["÷ √d_k", *map(str, sizes[1:])],
        range(1, 9),
        row_title="d_k ↓",
        column_title=t("键", "key"),
        title=t("注意力权重", "attention weights"),
    )


def play(t):
    """The same eight scores with sliders, and the gradients of 2000 queries. Still: ÷ 1, d_k 64."""
    weights = softmax(8 * SCORES)
    row = heatmap(
        [weights],
        [t("查询", "query")],
        range(1, 9),
        title=t("注意力权重", "attention weights"),
        column_title=t("键", "key"),
    )
    height = float(re.search(r'height="([\d.]+)"', row)[1])
    row = re.sub("^<svg[^>]*>", '<g font-size="13">', row).replace("</svg>", "</g>")
    passed = np.linalg.norm(softmax_backward(np.eye(8), np.tile(weights, (8, 1))))
    label = t("八个注意力权重和梯度的分布", "eight attention weights, a distribution of gradients")
    still = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="qkv-figure" width="360" '
        f'height="{height + 230:g}" viewBox="0 0 360 {height + 230:g}" role="img" '
        f'aria-label="{label}" fill="currentColor" font-family="inherit" font-size="12" '
        f'font-variant="tabular-nums">{row}<g transform="translate(0 {height + 10:g})">'
        f"{_histogram(t, 64, 0, passed)}</g></svg>"
    )
    scores = json.dumps([round(float(score), 6) for score in SCORES])
    return (
        f'<qkv-softmax data-src="why-sqrt-dk-gradients.json" data-scores="{scores}">'
        f"{still}</qkv-softmax>"
    )


def _histogram(t, d_k, half_powers, passed):
    """What scripts/figures/softmax.mjs draws: bars, median, mean and the query above."""
    data = json.loads((HERE / "why-sqrt-dk-gradients.json").read_text(encoding="utf-8"))
    (row,) = [
        row for row in data["histograms"] if (row["d_k"], row["half_powers"]) == (d_k, half_powers)
    ]
    left, width, floor, high = 32, 5.7, 186, 110
    counts = {0: row["lower"]} | {row["first"] + i + 1: n for i, n in enumerate(row["counts"])}
    most = max(counts.values())

    def place(norm):
        bins = (log10(norm) - data["lowest"]) * data["bins_per_decade"]
        return left + width * (1 + max(-0.5, bins))

    parts = [
        f'<text x="0" y="12">{t("每个查询的雅可比矩阵范数", "norm of the Jacobian of each query")}'
        "</text>",
        f'<path d="M160 46h12v12h-12zM{left} {floor - high}H{place(0.01):g}V{floor}H{left}z" '
        f'fill="{LINE}" fill-opacity=".16"/>',
        f'<text x="178" y="56">&lt; 0.01: {100 * row["below_0.01"]:.0f}%</text>',
        f'<text x="{left - 5}" y="{floor - high + 9}" text-anchor="end">{most}</text>',
        f'<path d="M{left} {floor}H{left + 49 * width}" stroke="{LINE}"/>',
    ]
    for i, count in counts.items():
        tall = high * count / most
        parts.append(
            f'<rect x="{left + width * i:g}" y="{floor - tall:.1f}" width="{width - 1:g}" '
            f'height="{tall:.1f}" fill="{HEAT}"/>'
        )
    for power in range(-8, 1, 2):
        text = "1" if power == 0 else f'10<tspan dy="-4" font-size="9">−{-power}</tspan>'
        x = place(10.0**power)
        parts.append(f'<text x="{x:g}" y="{floor + 28}" text-anchor="middle">{text}</text>')
    for x, name, value, dashes in (
        (0, t("中位数", "median"), row["median"], ""),
        (160, t("平均", "mean"), row["mean"], "4 3"),
    ):
        line = f'stroke="currentColor" stroke-width="2" stroke-dasharray="{dashes}"'
        parts.append(
            f'<path d="M{x + 1} 24v14M{place(value):.1f} {floor}V{floor - high}" {line}/>'
            f'<text x="{x + 8}" y="36">{name} {value:.2f}</text>'
        )
    x = place(passed)
    parts.append(
        f'<path d="M0 57l5 -10 5 10zM{x - 5:.1f} {floor + 13}l5 -10 5 10z" fill="currentColor"/>'
        f'<text x="16" y="56">{t("上面的查询", "query above")} {passed:.2f}</text>'
    )
    return "".join(parts)


def _against_d_k(measure, divisors, **options):
    """One curve a divisor, from the table of random queries and keys."""
    rows = [row for row in DATA["random_attention"] if row["divisor"] in divisors]
    curves = {
        NAMES[divisor]: [row[measure] for row in rows if row["divisor"] == divisor]
        for divisor in divisors
    }
    d_k = sorted({row["d_k"] for row in rows})
    return line_chart(d_k, curves, x_title="d_k", log_x=True, **options)


def saturation(t):
    """The largest of eight attention weights, with and without the division."""
    return _against_d_k(
        "largest_weight",
        ("sqrt(d_k)", "1"),
        y_title=t("最大的注意力权重（平均）", "largest attention weight (mean)"),
        y_limits=(0, 1),
    )


def jacobian(t):
    """How much of a gradient the softmax of the median query lets through."""
    return _against_d_k(
        "jacobian_median",
        ("sqrt(d_k)", "1"),
        y_title=t("雅可比矩阵的范数（中位数）", "norm of the Jacobian (median)"),
        log_y=True,
    )


def divisors(t):
    """Standard deviation of the scores for four divisors."""
    return _against_d_k(
        "score_std",
        tuple(NAMES),
        y_title=t("分数的标准差", "standard deviation of the scores"),
        log_y=True,
    )


def training(t):
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
