"""The figure of the page models: two models side by side, their heads and what they keep."""

from __future__ import annotations

from typing import Any

from docs import data
from docs.data.models import GIB, KIB, cache
from docs.figures.kit import BLUE, GREY, ORANGE, Label, Played
from qkv_docs.drawing import FULL, SMALL, Drawing, text

ROWS = data.read("models")["models"]
FIRST, SECOND, POWER = "Llama 2 7B", "Llama 3.1 8B", 15  # tokens: two to this power
CELL = 10  # of a head
ACROSS = 16  # heads in a line
NAMES = (
    "name", "kind", "layers", "heads", "key_heads", "d_head", "windowed", "window", "linear",
    "latent", "full_key_heads", "full_d_head", "longest", "kib",
)  # fmt: skip


def squares(x: float, y: float, n: int, colour: str) -> str:
    """Heads, as many in a line as go in."""
    return "".join(
        f'<rect x="{x + CELL * (i % ACROSS) + 1:g}" y="{y + CELL * (i // ACROSS) + 1:g}" '
        f'width="{CELL - 2}" height="{CELL - 2}" rx="1.5" fill="{colour}"/>'
        for i in range(n)
    )


def heads(x: float, y: float, row: dict[str, Any]) -> tuple[str, float]:
    """One layer: a bar for each KV head over its query heads; and how far down that goes.

    Of MLA one dashed bar over all of them: what is kept is not divided among heads.
    """
    group = row["heads"] if row["latent"] else row["group"]
    lines = -(-group // ACROSS)  # rounded up
    wide, high = CELL * min(group, ACROSS), CELL * (lines + 1) + 4
    in_a_line = ACROSS // min(group, ACROSS)
    parts = []
    for i in range(row["heads"] // group):
        left, top = x + wide * (i % in_a_line), y + high * (i // in_a_line)
        look = (
            f'fill="none" stroke="{ORANGE}" stroke-dasharray="3 2"' if row["latent"]
            else f'fill="{ORANGE}"'
        )  # fmt: skip
        parts.append(
            f'<rect x="{left + 1:g}" y="{top + 1:g}" width="{wide - 2:g}" height="{CELL - 2}" '
            f'rx="1.5" {look}/>' + squares(left, top + CELL, group, BLUE)
        )
    return "".join(parts), y + high * -(-row["heads"] // group // in_a_line)


def two(t: Label) -> Played:
    """Llama 2 7B, where each query head has a KV head, beside Llama 3.1 8B, where four share."""
    chosen = [next(row for row in ROWS if row["name"] == name) for name in (FIRST, SECOND)]
    n = 2**POWER
    kept = [cache(row, n) or 0 for row in chosen]
    parts = [
        squares(0, 2, 1, BLUE), text(14, 12, t("查询头", "query head"), "start", size=SMALL),
        squares(96, 2, 1, ORANGE),
        text(110, 12, t("KV 头", "KV head"), "start", size=SMALL),
    ]  # fmt: skip
    bottom = 0.0
    for row, x in zip(chosen, (0, 190), strict=True):
        drawn, low = heads(x, 48, row)
        bottom = max(bottom, low)
        parts += [text(x, 38, row["name"], "start", bold=True), drawn]
    for i, (row, size) in enumerate(zip(chosen, kept, strict=True)):
        y = bottom + 26 + 44 * i
        wide = FULL * size / max(kept)
        words = t(
            f"{row['name']}：每词元 {row['kib']:g} KiB，{n:,} 个词元 {size / GIB:.2f} GiB",
            f"{row['name']}: {row['kib']:g} KiB a token, {size / GIB:.2f} GiB for {n:,}",
        )
        parts += [
            text(0, y, words, "start", size=SMALL),
            f'<rect x="0" y="{y + 6:g}" width="{FULL}" height="10" fill="{GREY}" '
            f'fill-opacity=".15"/><rect x="0" y="{y + 6:g}" width="{wide:g}" height="10" '
            f'fill="{ORANGE}"/>',
        ]
    label = t("两个模型的头和缓存", "heads and cache of two models")
    still = Drawing(FULL, bottom + 26 + 44 + 24, "".join(parts), label)
    given = {
        "rows": [{name: row[name] for name in NAMES} for row in ROWS],
        "first": {"a": FIRST, "b": SECOND, "p": POWER},
        "kib": KIB,
    }
    return Played("models", still, given)
