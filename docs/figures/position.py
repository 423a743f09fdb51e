"""The figures of the page position: who bites whom, and three ways to say where a word is."""

from __future__ import annotations

import numpy as np

from docs import data
from docs.examples import values
from docs.figures.kit import BLUE, HEAT, INK, ORANGE, Label, Played, arrow, line, minus, path, ring
from qkv_docs import alibi_bias, heatmap, line_chart, rope, softmax
from qkv_docs.drawing import FULL, SMALL, Drawing, text

PAGE = values("position", "rope-sentence")
X, ORDER = PAGE["X"], PAGE["order"]
FAR = data.read("position-long-decoder")
BITES = 1  # the word in the middle, of both sentences
QUERY, KEY = (values("position", "turn")[name][0] for name in "qk")  # turned in two figures
FLIP = np.array([1, -1])  # y grows upwards


def who(t: Label) -> Drawing:
    """The output of "bites" in both sentences, without positions and with RoPE."""
    attend, places = PAGE["attend_rope"], range(len(X))
    rows = {
        t("无位置：狗咬人", "none: dog bites man"): PAGE["attend"](X),
        t("无位置：人咬狗", "none: man bites dog"): PAGE["attend"](X[ORDER]),
        t("RoPE：狗咬人", "RoPE: dog bites man"): attend(X, places),
        t("RoPE：人咬狗", "RoPE: man bites dog"): attend(X[ORDER], places),
    }
    return heatmap(
        [output[BITES] for output, _ in rows.values()],
        list(rows),
        [t("狗", "dog"), t("人", "man")],
        title=t("“咬”的输出", "output of “bites”"),
        decimals=3,
        kind="output",
    )


def sinusoids(t: Label) -> Drawing:
    """Eight positions, six columns: a sine and a cosine for each of three speeds."""
    shown = PAGE["P"][:8]
    return heatmap(
        shown,
        range(len(shown)),
        [f"{name} {i}" for i in range(3) for name in ("sin", "cos")],
        title=t("正弦位置编码", "sinusoidal positions"),
        row_title=t("位置", "position"),
        column_title=t("第几对 →", "pair →"),
        kind="scores",
    )


def _plane(x: float, y: float, m: int, n: int, t: Label) -> str:
    """One query at position m and one key at position n, turned, with their dot product."""
    unit, middle = 32, np.array([x + 85, y + 124])
    q, k = rope([QUERY], [m])[0], rope([KEY], [n])[0]
    parts = [
        text(x + 85, y + 16, t(f"q 在 {m}，k 在 {n}", f"q at {m}, k at {n}"), bold=True),
        text(x + 85, y + 34, minus(f"q·k = {round(float(q @ k), 3):g}")),
        path(f"M{x + 8} {middle[1]}H{x + 162}M{middle[0]} {y + 46}V{y + 202}", width=1,
             opacity=0.5),
    ]  # fmt: skip
    for name, vector, colour, width in (("k", k, ORANGE, 2), ("q", q, BLUE, 3)):
        tip = middle + unit * vector * FLIP
        beyond = tip + 12 * vector / np.linalg.norm(vector) * FLIP
        parts += [
            arrow(middle, tip, colour=colour, width=width, head=(9, 4.5)),
            text(beyond[0], beyond[1] + 4.5, name, bold=True, fill=colour),
        ]
    return "".join(parts)


def turn(t: Label) -> Drawing:
    """The same query and key at four pairs of positions."""
    parts = [
        _plane(0, 0, 0, 0, t),
        _plane(185, 0, 1, 0, t),
        _plane(0, 212, 3, 2, t),
        _plane(185, 212, 0, 1, t),
    ]
    label = t("同一对查询和键，站在四组位置上", "one query and one key at four pairs of positions")
    return Drawing(FULL, 420, "".join(parts), label)


def pairs(t: Label) -> Played:
    """Four pairs of a query and a key turning, and the score over distance. Still: 3 and 2."""
    q_0, k_0 = np.tile(QUERY, 4), np.tile(KEY, 4)
    q, k = rope([q_0], [3])[0], rope([k_0], [2])[0]
    adds = (q * k).reshape(4, 2).sum(axis=-1)
    parts = []
    for i, add in enumerate(adds):
        middle = np.array([45 + 90 * i, 66])
        own = slice(2 * i, 2 * i + 2)
        before_q, before_k, tip_q, tip_k = (
            middle + 17 * row[own] * FLIP for row in (q_0, k_0, q, k)
        )
        parts += [
            text(middle[0], 14, t(f"第 {i} 对", f"pair {i}"), size=SMALL),
            ring(middle, 34, opacity=0.4),
            *(
                line(middle, tip, colour=INK, width=1, dash="2 3", opacity=0.3)
                for tip in (before_q, before_k)
            ),
            arrow(middle, tip_k, colour=ORANGE, width=2, head=(9, 4.5)),
            arrow(middle, tip_q, colour=BLUE, width=3, head=(9, 4.5)),
            text(middle[0], 118, f"θ = {10.0**-i:g}", size=SMALL),
            text(middle[0], 136, minus(f"{add:.3f}"), bold=True, size=SMALL),
        ]
    far = np.arange(-40, 40.1, 0.25)
    scores = rope(np.tile(q_0, (len(far), 1)), far) @ k_0

    def at(difference: float, score: float) -> tuple[float, float]:
        return 34 + 3.9 * (difference + 40), 240 - 5 * score

    title = t("点积 q·k，横轴是位置之差 m − n", "dot product q·k over the difference m − n")
    x, y = at(3 - 2, adds.sum())
    parts += [
        text(0, 168, title, "start", bold=True, size=SMALL),
        path(f"M34 180V300M34 240H346M{at(0, 0)[0]:g} 180V300", width=1, opacity=0.7),
        *(text(29, at(0, s)[1] + 4, minus(s), "end", size=SMALL) for s in (12, 0, -12)),
        *(text(at(d, 0)[0], 320, minus(d), size=SMALL) for d in range(-40, 41, 20)),
        path(f"M{x:g} 180V300", INK, 1, dash="4 3"),
        line(*map(at, far, scores), colour=HEAT, width=2),
        f'<circle cx="{x:g}" cy="{y:.1f}" r="5" fill="{HEAT}" stroke="{INK}"/>',
    ]
    label = t("四对分量各转各的，点积只看位置之差", "four pairs turn, each at its own speed")
    still = Drawing(FULL, 328, "".join(parts), label)
    return Played("positions", still, {"q": QUERY, "k": KEY})


def distance(t: Label) -> Drawing:
    """A vector against itself, further and further away."""
    distances = np.linspace(0, 60, 241)  # quarters of a position, for a smooth curve
    curves = {}
    for d in (64, 8, 2):
        x = np.ones((len(distances), d)) / np.sqrt(d)
        curves[f"d = {d}"] = rope(x, distances) @ x[0]
    return line_chart(
        distances,
        curves,
        x_title=t("相隔几个位置", "positions apart"),
        y_title=t("同一向量的 q·k", "q·k of a vector with itself"),
        y_limits=(-1, 1),
        width=360,
    )


def gaps(t: Label) -> Drawing:
    """By how much the loss of SmolLM2 rises after a gap in the positions."""
    rows: dict[str, list[float]] = {}
    columns = list(dict.fromkeys(row["gap"] for row in FAR["apart"]))
    names = {"as trained": t("照训练时", "as trained"), "linear": t("插值", "interpolation")}
    for row in FAR["apart"]:
        by = f" × {row['factor']}" if row["factor"] > 1 else ""
        name = names.get(row["rotation"], row["rotation"]) + by
        rows.setdefault(name, []).append(row["more"])
    return heatmap(
        list(rows.values()),
        list(rows),
        [f"{gap // 1024}K" if gap else 0 for gap in columns],
        title=t("损失多出（nat）", "rise of the loss (nats)"),
        column_title=t("空隙（1K = 1024 个位置）→", "gap (1K = 1024 positions) →"),
        decimals=1,
        kind="scores",
    )


def penalty(t: Label) -> Drawing:
    """The ALiBi bias of the first of eight heads."""
    return heatmap(
        alibi_bias(8, 6)[0],
        range(6),
        range(6),
        title=t("第 1 个头的偏置", "bias of the first head"),
        row_title=t("查询 ↓", "query ↓"),
        column_title=t("键 →", "key →"),
        decimals=1,
        kind="scores",
    )


def slope(t: Label) -> Played:
    """Bias and attention weights of the last of five tokens, a head at a time. Still: head 1."""
    bias = alibi_bias(8, 5)[0][4:]
    still = heatmap(
        np.concatenate([bias, softmax(bias)]),
        [t("偏置", "bias"), t("注意力权重", "attention weights")],
        range(5),
        title=t("第 1 个头，位置 4 的查询", "head 1, query at position 4"),
        column_title=t("键 →", "key →"),
        decimals=3,
        kind="scores",
    )
    return Played("alibi", still)
