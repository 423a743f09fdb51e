"""The figures of the page backpropagation: one query there and back, a Jacobian, one sentence."""

from __future__ import annotations

from docs.examples import values
from docs.figures.kit import INK, ROW, Label, Played, Point, arrow, cells
from qkv_docs import heatmap
from qkv_docs.drawing import FULL, SMALL, Drawing, text

ONE = values("backpropagation", "query-and-keys")  # one query, the keys of two words
SENTENCE = values("backpropagation", "scores")

WIDE, NARROW = 43, 54  # of the cells of a matrix of two columns, and of a single column
LEFT = {"K": 44, "s": 139, "a": 203, "V": 271}
TOP = {"q": 36, "there": 122, "o": 232, "grad_o": 318, "back": 410, "grad_q": 510}
# name: column, band, kind
PLACES = {
    "q": ("K", "q", "q"),
    "K": ("K", "there", "k"),
    "s": ("s", "there", "scores"),
    "a": ("a", "there", "weights"),
    "V": ("V", "there", "v"),
    "o": ("V", "o", "output"),
    "grad_o": ("V", "grad_o", "output"),
    "grad_V": ("V", "back", "v"),
    "grad_a": ("a", "back", "weights"),
    "grad_s": ("s", "back", "scores"),
    "grad_K": ("K", "back", "k"),
    "grad_q": ("K", "grad_q", "q"),
}


def _words(t: Label) -> list[str]:
    return [t("我", "I"), t("吃", "eat"), t("苹果", "apples")]


def _named(name: str) -> str:
    """A matrix, or a vector in the direction it has here, under its name and shape."""
    column, band, kind = PLACES[name]
    x, y, array = LEFT[column], TOP[band], ONE[name]
    columns, wide = (2, WIDE) if column in "KV" else (1, NARROW)
    middle = x + columns * wide / 2
    return "".join(
        [
            text(middle, y - 21, name, bold=True, size=SMALL),
            text(middle, y - 6, str(array.shape), size=SMALL),
            cells(x, y, array.reshape(-1, columns), kind, wide,
                  decimals=0 if name in "qKV" else 3, size=SMALL),
        ]
    )  # fmt: skip


def there_and_back(t: Label) -> Played:
    """One query, two keys: numbers to the right above, gradients to the left below."""
    x, y, (_, eat, apples) = LEFT, TOP, _words(t)
    there, back = y["there"] + ROW, y["back"] + ROW  # the middles of the bands

    def goes(*points: Point) -> str:
        return arrow(*points, colour=INK, head=(5, 4))

    def note(x: float, y: float, words: str, *, bold: bool = False) -> str:
        return text(x, y, words, "end", bold=bold, size=SMALL)

    parts = [
        note(358, y["q"] + 16.5, t("前向 →", "forward →"), bold=True),
        *(_named(name) for name in PLACES),
        goes((x["K"] + 88, y["q"] + 16), (x["s"] + 22, y["there"] - 34)),
        goes((x["K"] + 87, there), (x["s"], there)),
        goes((x["s"] + 55, there), (x["a"], there)),
        goes((x["a"] + 28, there + 28), (x["V"] + 6, y["o"] - 34)),
        goes((x["V"] + 43, there + 28), (x["V"] + 43, y["o"] - 34)),
        goes((x["V"] - 4, y["o"] + 14), (216, y["o"] + 30)),
        note(212, y["o"] + 38, f"L = ½ ‖o − target‖² = {ONE['loss']:.3f}"),
        note(212, y["o"] + 55, "target = ({:g}, {:g})".format(*ONE["target"])),
        goes((216, y["o"] + 50), (x["V"] - 4, y["grad_o"] + 8)),
        goes((x["V"] + 43, y["grad_o"] + 28), (x["V"] + 43, y["back"] - 34)),
        goes((x["V"] + 6, y["grad_o"] + 28), (x["a"] + 28, y["back"] - 34)),
        goes((x["a"], back), (x["s"] + 55, back)),
        goes((x["s"], back), (x["K"] + 87, back)),
        goes((x["s"] + 22, back + 28), (x["K"] + 88, y["grad_q"] + 8)),
        note(358, y["grad_q"] + 16.5, t("← 反向", "← backward"), bold=True),
        *(note(39, y[band] + 16.5, apples) for band in ("q", "grad_q")),
        *(
            note(39, y[band] + i * ROW + 16.5, word)
            for band in ("there", "back")
            for i, word in enumerate((eat, apples))
        ),
    ]
    label = t("一个查询、两个键的前向与反向", "one query and two keys, forward and backward")
    still = Drawing(FULL, y["grad_q"] + 28, "".join(parts), label)
    given = {name.lower(): ONE[name] for name in "qKV"} | {"t": ONE["target"]}
    return Played("gradient", still, {"words": [eat, apples], **given})


def jacobian(t: Label) -> Drawing:
    """What one score does to each attention weight, for the query of apples."""
    return heatmap(
        ONE["J"],
        _words(t),
        _words(t),
        title="J",
        row_title=t("a 动多少 ↓", "a moves ↓"),
        column_title=t("推一下 s →", "push s →"),
        decimals=3,
        kind="scores",
    )


def scores(t: Label) -> Drawing:
    """The gradient of every score of the sentence."""
    return heatmap(
        SENTENCE["grad_S"],
        _words(t),
        _words(t),
        title="grad_S",
        row_title=t("查询 ↓", "query ↓"),
        column_title=t("键 →", "key →"),
        decimals=3,
        kind="scores",
    )
