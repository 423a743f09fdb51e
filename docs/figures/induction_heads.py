"""Figures of the page induction-heads: a circuit by hand, and what training made of the model."""

import base64
import json
from html import escape
from pathlib import Path

import numpy as np

from qkv_docs import InductionModel, causal_mask, rope, scaled_dot_product_attention
from qkv_docs.drawing import heatmap, line_chart, stack

DATA = Path(__file__).parents[1] / "data"
MEASURED = json.loads((DATA / "induction-heads.json").read_text(encoding="utf-8"))
RECORDED = json.loads((DATA / "induction-heads-snapshots.json").read_text(encoding="utf-8"))
WORD = "paintpaint"


def recorded(step):
    """The recorded model at a step: 8 bits a number, times one scale for each matrix."""
    (snapshot,) = [s for s in RECORDED["snapshots"] if s["step"] == step]
    whole = np.frombuffer(base64.b64decode(snapshot["weights"]), np.int8).astype(float)
    parameters, at = {}, 0
    for name, (rows, columns) in RECORDED["shapes"].items():
        part = whole[at : at + rows * columns].reshape(rows, columns)
        parameters[name], at = part * snapshot["scale"][name], at + rows * columns
    return InductionModel(parameters)


def by_hand():
    """The attention weights of both layers of the example file, for ^ A B C A."""
    tok, pos, prev = slice(0, 4), slice(4, 9), slice(9, 13)
    x, eye, mask = np.zeros((5, 17)), np.eye(17), causal_mask(5)
    x[:, tok], x[:, pos] = np.eye(4)[[0, 1, 2, 3, 1]], np.eye(5)
    ask = 20 * eye[:, pos] @ np.eye(5, k=-1)
    head, first = scaled_dot_product_attention(x @ ask, x @ eye[:, pos], x @ eye[:, tok], mask)
    x = x + head @ eye[prev]
    _, second = scaled_dot_product_attention(
        20 * x @ eye[:, tok], x @ eye[:, prev], x @ eye[:, tok], mask
    )
    return first, second


def idea(t):
    """Two looks back: at the token before, and at the token whose key says what came before."""
    letters, left, step, y = "paintpa?", 24, 44.5, 84
    line = "var(--qkv-line, #8a8f98)"
    blue, orange, green = (
        "var(--qkv-q, #0061b5)",
        "var(--qkv-k, #a84300)",
        "var(--qkv-v, #007a57)",
    )
    x = [left + step * i for i in range(8)]

    def text(x, y, words, more="", anchor="middle"):
        return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{more}>{escape(words)}</text>'

    def arc(a, b, height, colour, dash=""):
        top = y - 20 if height > 0 else y + 20
        bend = top - height
        tip = 5 if height > 0 else -5
        return (
            f'<path d="M{x[a]:g} {top}C{x[a]:g} {bend} {x[b]:g} {bend} {x[b]:g} {top}" '
            f'fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
            f'<path d="M{x[b] - 4:g} {top - tip}L{x[b]:g} {top}L{x[b] + 4:g} {top - tip}" '
            f'fill="none" stroke="{colour}" stroke-width="2"/>'
        )

    parts = []
    for i, letter in enumerate(letters):
        strong = i in (1, 2, 6, 7)
        parts.append(
            f'<rect x="{x[i] - 15:g}" y="{y - 16}" width="30" height="32" rx="5" fill="{line}" '
            f'fill-opacity=".12" stroke="{"currentColor" if strong else line}" '
            f'stroke-width="{1.5 if strong else 1}"/>'
        )
        parts.append(text(x[i], y + 5, letter, ' font-size="16" font-weight="600"'))
    small, middle = ' font-size="12"', (x[2] + x[6]) / 2
    parts += [
        arc(2, 1, 44, orange),
        text(x[2] + 6, 28, t("第 1 层：看前一个，记下", "layer 1 looks one back and notes:"),
             f' fill="{orange}"{small}', "start"),
        text(x[2] + 6, 46, t("“我前面是 a”", "“before me stood a”"),
             f' fill="{orange}"{small}', "start"),
        arc(6, 2, -82, blue),
        text(middle + 18, y + 99, t("第 2 层：“谁跟在 a 后面？”", "layer 2: “who follows a?”"),
             f' fill="{blue}"{small}'),
        arc(2, 7, -172, green, ' stroke-dasharray="6 4"'),
        text(middle + 22, y + 166, t("把找到的 i 抄到输出", "copy the i to the output"),
             f' fill="{green}"{small}'),
    ]  # fmt: skip
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" class="qkv-figure" width="360" height="258" '
        'viewBox="0 0 360 258" role="img" aria-label="" fill="currentColor" font-family="inherit" '
        f'font-size="13">{"".join(parts)}</svg>'
    )


def hand(t):
    """The attention weights of the circuit that is written down."""
    names, (first, second) = list("^ABCA"), by_hand()
    return stack(
        heatmap(first, names, names, title=t("第 1 层", "layer 1"), row_title=t("查询", "query"),
                column_title=t("键", "key"), decimals=1),
        heatmap(second, names, names, title=t("第 2 层", "layer 2"), row_title=t("查询", "query"),
                column_title=t("键", "key"), decimals=1),
        gap=22,
    )  # fmt: skip


def two_layers(t):
    """Both layers of the recorded model on a word said twice: the rows of its second round."""
    _, weights = recorded(200).forward([[ord(letter) - 97 for letter in WORD]])
    still = stack(
        *(
            heatmap(
                w[0, 5:],
                list(WORD[5:]),
                list(WORD),
                title=t(f"第 {i} 层的注意力权重", f"attention weights, layer {i}"),
                row_title=t("查询", "query"),
                decimals=1,
            )
            for i, w in enumerate(weights, 1)
        ),
        gap=22,
    )
    return f'<qkv-induction data-src="induction-heads-snapshots.json">{still}</qkv-induction>'


def phase_change(t):
    """One run: accuracy, what the two layers look at, and one layer alone."""
    run, alone = MEASURED["two_layers"][0], MEASURED["one_layer"][0]
    n = len(run["steps"])
    curves = {
        t("正确率", "accuracy"): run["accuracy"],
        t("归纳", "induction"): run["induction"],
        t("看前一个", "one back"): run["previous_token"],
        t("只有一层", "one layer"): alone["accuracy"][:n],
    }
    return line_chart(
        run["steps"],
        curves,
        x_title=t("训练步数", "training step"),
        y_title=t("正确率；注意力权重", "accuracy; attention weight"),
        y_limits=(0, 1),
        width=360,
        height=260,
    )


def matching(t):
    """Layer 2's scores by K-composition alone, for the first eight letters."""
    w = recorded(200).parameters
    queries = rope(w["w_e"] @ w["w_q2"], np.full(26, 5))
    scores = queries @ (w["w_e"] @ w["w_v1"] @ w["w_o1"] @ w["w_k2"]).T / 4
    names = list("abcdefgh")
    return heatmap(
        scores[:8, :8],
        names,
        names,
        row_title=t("在问的", "asking"),
        column_title=t("键里记着的前一个字母", "the letter before, noted in the key"),
        title=t("经过第 1 层的分数", "scores by way of layer 1"),
        decimals=1,
        kind="scores",
    )
