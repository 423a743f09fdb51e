"""The figure of the page notation: the same three matrices as four libraries keep them."""

from __future__ import annotations

from docs.examples import values
from docs.figures.kit import Label, Played, cells, frame
from qkv_docs.drawing import FULL, SMALL, Drawing, text

PAGE = values("notation", "fused")
MATRICES = {letter: PAGE[f"W_{letter.upper()}"] for letter in "qkv"}  # each (4, 4)
D, D_K = len(PAGE["W_Q"]), PAGE["W_Q"].shape[1] // 2  # rows of each, columns of a head
WIDE, HIGH = 20, 18
LEFT, GAP = 4, 6
LETTER, ROW, COLUMN = "k", 2, 1  # the number that is followed at first
HERE, GPT2, LINEAR = 52, 162, 272  # tops of what stands on the left
RIGHT = LEFT + 3 * (D * WIDE + GAP) + 18  # where in_proj_weight stands


def corners(letter: str) -> dict[str, tuple[float, float]]:
    """Where the block of that matrix begins in each of the four."""
    at = "qkv".index(letter)
    return {
        "here": (LEFT + at * (D * WIDE + GAP), HERE),
        "gpt2": (LEFT + at * D * WIDE, GPT2),
        "linear": (LEFT + at * (D * WIDE + GAP), LINEAR),
        "mha": (RIGHT, HERE + at * D * HIGH),
    }


def mark(letter: str, i: int, j: int) -> str:
    """A frame around number [i, j] of that matrix, wherever it is kept."""
    found = []
    for where, (x, y) in corners(letter).items():
        row, column = (j, i) if where in ("linear", "mha") else (i, j)
        found.append(frame(x + column * WIDE, y + row * HIGH, WIDE, HIGH))
    return f'<g data-mark="">{"".join(found)}</g>'


def stored(t: Label) -> Played:
    """W_Q, W_K and W_V here, in GPT-2, in three nn.Linear and in nn.MultiheadAttention."""
    parts = []
    for letter, matrix in MATRICES.items():
        for where, (x, y) in corners(letter).items():
            turned = where in ("linear", "mha")
            kept = matrix.T if turned else matrix
            parts.append(cells(x, y, kept, letter, WIDE, HIGH, limit=2))
            if where == "here":
                name = text(x + D * WIDE / 2, y - 8, f"W_{letter.upper()}", bold=True)
            elif where == "linear":
                name = text(x + D * WIDE / 2, y - 6, f"{letter}_proj", size=SMALL)
            elif where == "mha":
                name = text(x - 8, y + D * HIGH / 2 + 4, letter.upper(), "end", bold=True)
            parts.append(name if where != "gpt2" else "")
    shapes = {name: f" {PAGE[name].shape}" for name in ("c_attn", "in_proj")}
    parts += [
        text(LEFT, 14, t("这里", "here"), "start", bold=True, light=" X W"),
        text(LEFT, GPT2 - 20, "GPT-2", "start", bold=True, light=" X W"),
        text(LEFT, GPT2 - 6, f"c_attn{shapes['c_attn']}", "start", size=SMALL),
        text(LEFT, LINEAR - 21, "nn.Linear", "start", bold=True, light=" X Wᵀ"),
        text(FULL - 4, 14, "nn.MultiheadAttention", "end", bold=True, light=" X Wᵀ"),
        text(FULL - 4, 30, f"in_proj{shapes['in_proj']}", "end", size=SMALL),
    ]
    still = Drawing(
        FULL,
        LINEAR + D * HIGH + 4,
        "".join(parts) + mark(LETTER, ROW, COLUMN),
        t("同样三个矩阵，四种存法", "the same three matrices, kept in four ways"),
    )
    given = {
        "first": {"m": LETTER, "i": ROW, "j": COLUMN},
        "size": (WIDE, HIGH),
        "corners": {letter: corners(letter) for letter in MATRICES},
        "w": MATRICES,
        "columns": D_K,
    }
    return Played("storage", still, given)
