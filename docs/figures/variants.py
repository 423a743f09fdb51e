"""The figures of the page variants: what masks a line of code makes, and a workbench for them."""

from __future__ import annotations

from typing import Any

import numpy as np

from docs.figures.kit import GREY, HEAT, Label, Played
from qkv_docs import (
    and_masks,
    apply_score_mod,
    causal_mask,
    create_mask,
    heatmap,
    or_masks,
)
from qkv_docs.drawing import FULL, SMALL, Drawing, text

SIZE = 12  # the most tokens that the workbench takes

# The rules to start from: one function each, by its name.
MASKS = {
    "causal": """\
def causal(q_index, k_index):
    return k_index <= q_index
""",
    "window": """\
def window(q_index, k_index):
    return abs(q_index - k_index) < 3
""",
    "streaming": """\
def streaming(q_index, k_index):
    near = abs(q_index - k_index) < 3
    return near | (k_index < 1)
""",
    "prefix": """\
def prefix(q_index, k_index):
    return k_index < 3
""",
    "documents": """\
document = np.repeat([0, 1, 2], [3, 2, 7])

def documents(q_index, k_index):
    return document[q_index] == document[k_index]
""",
    "blocks": """\
def blocks(q_index, k_index):
    return q_index // 4 == k_index // 4
""",
    "strided": """\
def strided(q_index, k_index):
    return (q_index - k_index) % 3 == 0
""",
    "landmark": """\
def landmark(q_index, k_index):
    return (q_index == 0) | (k_index == 0)
""",
    "others": """\
def others(q_index, k_index):
    return q_index != k_index
""",
    "everyone": """\
def everyone(q_index, k_index):
    return True
""",
}
SCORES = {
    "alibi": """\
def alibi(score, q_index, k_index):
    return score - 0.5 * abs(q_index - k_index)
""",
    "relative": """\
table = np.array([1.0, 0.0, -1.0, -2.0])

def relative(score, q_index, k_index):
    distance = abs(q_index - k_index)
    return score + table[np.minimum(distance, 3)]
""",
    "softcap": """\
def softcap(score, q_index, k_index):
    return 2 * np.tanh(score / 2)
""",
    "sharper": """\
def sharper(score, q_index, k_index):
    return 2 * score
""",
    "positions": """\
def positions(score, q_index, k_index):
    return 0 * score
""",
}


def rule(code: str) -> Any:
    """The one function that such a piece of code defines."""
    names: dict[str, Any] = {"np": np}
    exec(code, names)
    return next(one for name, one in names.items() if callable(one) and not name.startswith("_"))


def workbench(t: Label) -> Played:
    """The matrix of the causal mask; a rule in an editor, beside what it makes of scores."""
    positions = [str(i) for i in range(8)]
    still = heatmap(
        causal_mask(8),
        positions,
        positions,
        title=t("掩码 causal", "mask causal"),
        row_title=t("查询 ↓", "query ↓"),
        column_title=t("键 →", "key →"),
    )
    names = {
        "causal": t("因果", "causal"),
        "window": t("窗口，两边各两个", "window, two on each side"),
        "streaming": t("窗口或第一个", "window or the first"),
        "prefix": t("前缀，前三个", "prefix, the first three"),
        "documents": t("文档", "documents"),
        "blocks": t("每四个一块", "blocks of four"),
        "strided": t("每隔三个", "every third"),
        "landmark": t("第一个看全部、被全部看", "the first sees all, is seen by all"),
        "others": t("不看自己", "all but itself"),
        "everyone": t("都能看", "everybody"),
        "alibi": t("ALiBi，每步扣 0.5", "ALiBi, 0.5 a step"),
        "relative": t("按距离查表", "a table of distances"),
        "softcap": t("软上限 2", "softcap at 2"),
        "sharper": t("乘以 2", "times 2"),
        "positions": t("全是 0", "all 0"),
    }
    # One score for each pair, in quarters: what a rule makes of them is short to write.
    raw = np.random.default_rng(0).integers(-8, 9, (SIZE, SIZE)) / 4
    masks = {
        name: {
            "label": names[name],
            "code": code,
            "bits": "".join(str(int(bit)) for bit in create_mask(rule(code), SIZE).flat),
        }
        for name, code in MASKS.items()
    }
    scores = {
        name: {
            "label": names[name],
            "code": code,
            "table": apply_score_mod(raw, rule(code)).round(4),
        }
        for name, code in SCORES.items()
    }
    return Played("workbench", still, {"masks": masks, "scores": scores, "raw": raw})


def rules(t: Label) -> Drawing:
    """Six compositions of rules for twelve tokens, small."""
    causal, window, streaming, prefix, documents, strided = (
        rule(MASKS[name])
        for name in ("causal", "window", "streaming", "prefix", "documents", "strided")
    )
    masks = {
        t("因果", "causal"): causal,
        t("& 窗口", "& window"): and_masks(causal, window),
        t("&（窗口 | 第一个）", "& (window | first)"): and_masks(causal, streaming),
        t("| 前缀", "| prefix"): or_masks(causal, prefix),
        t("& 文档", "& documents"): and_masks(causal, documents),
        t("& 间隔", "& strided"): and_masks(causal, strided),
    }
    side, parts = 8, []
    for index, (name, mask_mod) in enumerate(masks.items()):
        x, y = 6 + 122 * (index % 3), 136 * (index // 3)
        mask = create_mask(mask_mod, SIZE)
        parts.append(text(x + SIZE * side / 2, y + 13, name, size=SMALL, bold=True))
        for i, j in np.ndindex(mask.shape):
            fill = f'fill="{HEAT}"' if mask[i, j] else f'fill="none" stroke="{GREY}"'
            faint = "" if mask[i, j] else ' stroke-opacity="0.35"'
            gap = 0.5 if mask[i, j] else 1
            parts.append(
                f'<rect x="{x + j * side + gap:g}" y="{y + 22 + i * side + gap:g}" '
                f'width="{side - 2 * gap:g}" height="{side - 2 * gap:g}" {fill}{faint}/>'
            )
    label = t("六条规则的掩码，各十二个词元", "the masks of six rules, twelve tokens each")
    return Drawing(FULL, 256, "".join(parts), label)
