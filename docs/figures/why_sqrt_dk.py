"""Figures of the page why-sqrt-dk: one query computed here, the rest from docs/data."""

import json
from pathlib import Path

import numpy as np

from qkv_docs import softmax
from qkv_docs.drawing import heatmap, line_chart

DATA = json.loads((Path(__file__).parents[1] / "data/why-sqrt-dk.json").read_text(encoding="utf-8"))
SCORES = np.random.default_rng(0).normal(size=8)  # those of the example file
NAMES = {"sqrt(d_k)": "÷ √d_k", "1": "÷ 1", "d_k": "÷ d_k", "sqrt(d_model)": "÷ √d_model"}


def one_query(t):
    """The same eight scores, as they are and as large as a dot product of d_k terms makes them."""
    sizes = (1, 4, 64, 1024)
    still = heatmap(
        [softmax(d_k**0.5 * SCORES) for d_k in sizes],
        ["÷ √d_k", *map(str, sizes[1:])],
        range(1, 9),
        row_title="d_k ↓",
        column_title=t("键", "key"),
        title=t("注意力权重", "attention weights"),
    )
    scores = json.dumps([round(float(score), 4) for score in SCORES])
    return f'<qkv-softmax data-scores="{scores}">{still}</qkv-softmax>'


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
