"""The figures of the page induction-heads: a circuit by hand, and what training made of one."""

from __future__ import annotations

from docs.data import read
from docs.data.induction_heads import matching as composed
from docs.data.induction_heads import unpacked
from docs.examples import values
from docs.figures.kit import BLUE, GREEN, GREY, INK, ORANGE, Label, Played, line, path
from qkv_docs import InductionModel, heatmap, line_chart
from qkv_docs.drawing import FULL, SMALL, Drawing, stack, text

SNAPSHOTS = "induction-heads-snapshots"
WORD = "paintpaint"


def _recorded() -> InductionModel:
    """The recorded model at the end of its training."""
    recorded = read(SNAPSHOTS)
    return unpacked(recorded["snapshots"][-1], recorded["shapes"])


def idea(t: Label) -> Drawing:
    """Two looks back: at the token before, and at the token whose key says what came before."""
    letters, left, step, y = "paintpa?", 24, 44.5, 84
    x = [left + step * i for i in range(len(letters))]

    def arc(a: int, b: int, height: float, colour: str, dash: str = "") -> str:
        """From letter a to letter b, above or, where the height is negative, below them."""
        up = 1 if height > 0 else -1
        start = y - 20 * up
        bend, barbs = start - height, start - 5 * up
        return path(
            f"M{x[a]:g} {start}C{x[a]:g} {bend} {x[b]:g} {bend} {x[b]:g} {start}",
            colour,
            2,
            dash=dash,
        ) + line((x[b] - 4, barbs), (x[b], start), (x[b] + 4, barbs), colour=colour, width=2)

    def note(x: float, y: float, words: str, colour: str, anchor: str = "middle") -> str:
        return text(x, y, words, anchor, size=SMALL, fill=colour)

    parts = []
    for i, letter in enumerate(letters):
        strong = i in (1, 2, 6, 7)
        parts += [
            f'<rect x="{x[i] - 15:g}" y="{y - 16}" width="30" height="32" rx="5" fill="{GREY}" '
            f'fill-opacity=".12" stroke="{INK if strong else GREY}" '
            f'stroke-width="{1.5 if strong else 1}"/>',
            text(x[i], y + 5, letter, bold=True, size=16),
        ]
    middle = (x[2] + x[6]) / 2
    looks = t("第 1 层：看前一个，记下", "layer 1 looks one back and notes:")
    asks = t("第 2 层：“谁跟在 a 后面？”", "layer 2: “who follows a?”")
    parts += [
        arc(2, 1, 44, ORANGE),
        note(x[2] + 6, 28, looks, ORANGE, "start"),
        note(x[2] + 6, 46, t("“我前面是 a”", "“before me stood a”"), ORANGE, "start"),
        arc(6, 2, -82, BLUE),
        note(middle + 18, y + 99, asks, BLUE),
        arc(2, 7, -172, GREEN, dash="6 4"),
        note(middle + 22, y + 166, t("把找到的 i 抄到输出", "copy the i to the output"), GREEN),
    ]
    label = t("两次向前看", "two looks back")
    return Drawing(FULL, 258, "".join(parts), label)


def hand(t: Label) -> Drawing:
    """The attention weights of the circuit that is written down."""
    layers = [values("induction-heads", section) for section in ("layer-one", "layer-two")]
    return stack(
        *(
            heatmap(
                layer["weights"],
                list(layer["text"]),
                list(layer["text"]),
                title=t(f"第 {i} 层", f"layer {i}"),
                row_title=t("查询", "query"),
                column_title=t("键", "key"),
                decimals=i,  # what is shared out in the second is not in tenths
            )
            for i, layer in enumerate(layers, 1)
        ),
        gap=22,
    )


def two_layers(t: Label) -> Played:
    """Both layers of the recorded model on a word said twice: the rows of its second round."""
    _, weights = _recorded().forward([[ord(letter) - 97 for letter in WORD]])
    again = len(WORD) // 2
    still = stack(
        *(
            heatmap(
                w[0, again:],
                list(WORD[again:]),
                list(WORD),
                title=t(f"第 {i} 层的注意力权重", f"attention weights, layer {i}"),
                row_title=t("查询", "query"),
                decimals=1,
            )
            for i, w in enumerate(weights, 1)
        ),
        gap=22,
    )
    return Played("induction", still, source=SNAPSHOTS)


def phase_change(t: Label) -> Drawing:
    """One run: accuracy, what the two layers look at, and one layer alone."""
    measured = read("induction-heads")
    run, alone = measured["two_layers"][0], measured["one_layer"][0]
    return line_chart(
        run["steps"],
        {
            t("正确率", "accuracy"): run["accuracy"],
            t("第 2 层：归纳", "layer 2: induction"): run["induction"],
            t("第 1 层：前一个", "layer 1: one back"): run["previous_token"],
            t("只有一层", "one layer"): alone["accuracy"][: len(run["steps"])],
        },
        x_title=t("训练步数", "training step"),
        y_title=t("正确率；注意力权重", "accuracy; attention weight"),
        y_limits=(0, 1),
        width=360,
        height=260,
    )


def matching(t: Label) -> Drawing:
    """Layer 2's scores by K-composition alone, for the first eight letters."""
    scores = composed(_recorded().parameters, 5)
    names = "abcdefgh"
    return heatmap(
        scores[: len(names), : len(names)],
        list(names),
        list(names),
        row_title=t("在问的", "asking"),
        column_title=t("键里记着的前一个字母", "the letter before, noted in the key"),
        title=t("缩放后的分数，经过第 1 层", "scaled scores by way of layer 1"),
        decimals=1,
        kind="scores",
    )
