"""The figures of the page kv-cache: what a step keeps, what it costs, how much memory it takes."""

from __future__ import annotations

import numpy as np

from docs import data
from docs.data.kv_cache import per_token
from docs.examples import values
from docs.figures.kit import BLUE, GREEN, GREY, ORANGE, Label, Played, frame
from qkv_docs import line_chart
from qkv_docs.drawing import FULL, SMALL, Drawing, cell, text

PAGE = values("kv-cache", "bytes")
MODELS = data.read("kv-cache")["models"]
DECODER = data.read("kv-cache-decoder")["time"]
SHOWN, TOKENS, BATCH = "Llama 3.1 8B", 8192, 16  # what the calculator opens with
CARDS = (24, 80)  # GiB


def steps(t: Label) -> Drawing:
    """Three steps: one query, and the keys and values of all words so far, the new ones framed."""
    words = [t("我", "I"), t("吃", "eat"), t("苹果", "apples")]
    wide, high, first, gap = 94, 25, 62, 7
    parts = []
    for j, (name, colour) in enumerate((("Q", BLUE), ("K", ORANGE), ("V", GREEN))):
        x = first + j * (wide + gap)
        parts.append(text(x + wide / 2, 16, name, bold=True, fill=colour))
        y = 26.0
        for i in range(3):
            if j == 0:
                words_now = t(f"第 {i + 1} 步", f"step {i + 1}")
                parts.append(text(0, y + 16.5, words_now, "start", bold=True, size=SMALL))
            for row in range(i + 1):
                new, at = row == i, y + row * high
                if new or j:
                    parts.append(
                        cell(
                            x,
                            at,
                            wide,
                            high,
                            words[row],
                            fill=colour,
                            strength=0.8 if new else 0.15,
                        )
                    )
                else:
                    parts.append(
                        f'<rect x="{x + 1.5:g}" y="{at + 1.5:g}" width="{wide - 3}" '
                        f'height="{high - 3}" rx="3" fill="none" stroke="{GREY}" '
                        f'stroke-dasharray="3 3"/>'
                    )
                if new:
                    parts.append(frame(x, at, wide, high))
            y += (i + 1) * high + 14
    label = t("三步里算了什么、留着什么", "what three steps compute and what is kept")
    return Drawing(FULL, 222, "".join(parts), label)


def cost(t: Label) -> Drawing:
    """Multiplications of one step, by the number of tokens: three ways."""
    tokens = 4 ** np.arange(7)
    step = PAGE["step"]
    ways = {
        t("全部重算", "all again"): [step(n, n, n) for n in tokens.tolist()],
        t("重算 K、V", "K, V again"): [step(n, 1, n) for n in tokens.tolist()],
        t("有缓存", "cached"): [step(n, 1, 1) for n in tokens.tolist()],
    }
    return line_chart(
        tokens,
        ways,
        x_title=t("第几个词元", "tokens so far"),
        y_title=t("这一步的乘法次数", "multiplications of the step"),
        log_x=True,
        log_y=True,
    )


def size(t: Label) -> Played:
    """The cache beside the weights on two cards: for readers to change."""
    model = next(row for row in MODELS if row["model"] == SHOWN)
    weights = model["parameters"] * model["bytes_per_parameter"] / 2**30
    cache = per_token(model) * TOKENS * BATCH / 2**30
    left, full, high = 0.0, FULL - 2.0, 34
    title = t(
        f"{SHOWN}，{TOKENS} 个词元，{BATCH} 条序列",
        f"{SHOWN}, {TOKENS} tokens, {BATCH} sequences",
    )
    parts = [text(0, 16, title, "start", bold=True)]
    for i, card in enumerate(CARDS):
        y, scale = 30.0 + 72 * i, full / max(card, weights + cache)
        fits = weights + cache <= card
        verdict = t("放得下", "fits") if fits else t("放不下", "does not fit")
        card_name = t(f"{card} GiB 的卡：", f"card of {card} GiB: ")
        parts.append(text(0, y + 12, card_name + verdict, "start", size=SMALL))
        for at, part, colour, name in (
            (left, weights, GREY, t("参数", "model")),
            (left + weights * scale, cache, ORANGE, t("缓存", "cache")),
        ):
            words = f"{name} {part:.1f}" if part * scale > 80 else ""
            parts.append(
                cell(at, y + 18, part * scale, high, words, fill=colour, strength=0.9, size=SMALL)
            )
        parts.append(frame(left, y + 18, card * scale, high))
    label = t("缓存和参数各占多少显存", "what cache and model take of a card's memory")
    still = Drawing(FULL, 164, "".join(parts), label)
    return Played("cache", still, {"models": MODELS, "cards": CARDS, "shown": SHOWN})


def decoder(t: Label) -> Played:
    """A token of a real model without the cache, in times of one with it: for readers to try."""
    tokens = [row["tokens_before"] for row in DECODER]
    ways = {
        t("没有缓存", "without"): [row["ratio"] for row in DECODER],
        t("有缓存", "with"): [1 for _ in DECODER],
    }
    still = line_chart(
        tokens,
        ways,
        x_title=t("前面的词元数", "tokens before"),
        y_title=t("时间（有缓存时为 1）", "time (with the cache: 1)"),
        log_x=True,
        log_y=True,
    )
    return Played("decoder", still, {"time": DECODER})
