"""The figure of the page grouped-query-attention: who reads which KV head, and what is kept."""

from __future__ import annotations

from docs.examples import values
from docs.figures.kit import BLUE, GREY, ORANGE, Label, Played, line
from qkv_docs.drawing import FULL, SMALL, Drawing, cell, stack, text

PAGE = values("grouped-query-attention", "numbers")
HEADS, D_HEAD, LATENT = 8, PAGE["d_head"], PAGE["latent"] + PAGE["turned"]
SHOWN = 2  # KV heads
WIDE, HIGH = FULL / HEADS, 28


def _heads(t: Label) -> Drawing:
    """Eight query heads above, the KV heads that they read below."""
    share = HEADS // SHOWN
    parts = [text(0, 14, t("查询头", "query heads"), "start", bold=True, size=SMALL)]
    for j in range(SHOWN):
        middle = (j + 0.5) * share * WIDE
        parts += [
            line(((h + 0.5) * WIDE, 22 + HIGH), (middle, 96), colour=GREY, width=1.5)
            for h in range(j * share, (j + 1) * share)
        ]
        parts.append(
            cell(middle - 45, 96, 90, HIGH, f"k, v {j}", fill=ORANGE, strength=0.8, size=SMALL)
        )
    parts += [
        cell(h * WIDE, 22, WIDE, HIGH, f"q {h}", fill=BLUE, strength=0.8, size=SMALL)
        for h in range(HEADS)
    ]
    parts.append(text(0, 143, t("KV 头", "KV heads"), "start", bold=True, size=SMALL))
    return Drawing(FULL, 150, "".join(parts))


def _kept(t: Label) -> Drawing:
    """How many numbers are kept for a token, by the number of KV heads."""
    rows = {f"{n}": 2 * n * D_HEAD for n in (8, 4, 2, 1)} | {"MLA": LATENT}
    title = t("每个词元留下多少个数", "numbers kept for a token")
    heads = t("（128 个头）", " (128 heads)")  # of DeepSeek-V2
    parts = [text(0, 14, title, "start", bold=True, size=SMALL)]
    for i, (name, many) in enumerate(rows.items()):
        y, long = 22 + 26 * i, many / (2 * HEADS * D_HEAD) * (FULL - 100)
        strength = 0.9 if name == f"{SHOWN}" else 0.3
        parts += [
            text(44, y + 17, name, "end", bold=name == f"{SHOWN}", size=SMALL),
            cell(50, y, long, 24, "", fill=ORANGE, strength=strength),
            text(56 + long, y + 17, f"{many}{heads if name == 'MLA' else ''}", "start", size=SMALL),
        ]
    return Drawing(FULL, 156, "".join(parts))


def groups(t: Label) -> Played:
    """Heads and groups, and what they keep: for readers to change."""
    label = t("查询头读哪个 KV 头，留下多少", "which KV head a query head reads, and what is kept")
    still = stack(_heads(t), _kept(t), label=label)
    return Played("groups", still, {"heads": HEADS, "d_head": D_HEAD, "latent": LATENT})
