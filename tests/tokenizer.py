"""What SentencePiece makes of some texts, written to tokenizer.json: python tests/tokenizer.py

It is given the pieces and scores of multilingual-e5-small and its own rule of normalisation,
nmt_nfkc. tests/test_tokenizer.py compares what is recorded with the package; where sentencepiece
is installed (the extra `oracles`), a slow test compares ten thousand texts.
"""

from __future__ import annotations

import functools
import json
import random
import struct
import tempfile
from pathlib import Path
from typing import Any

from docs.data import pretrained_models as models

FILE = Path(__file__).with_suffix(".json")
DOCS = Path(__file__).parents[1] / "docs"
TEXTS = [
    *("", " ", "   \n", "▁", "<s>", "<mask> a </s>", "a" * 70, "苹果" * 20, "!?!?", "…——……"),
    "I ate an orange and an apple",
    "Apple released a new phone",
    "苹果发布了新手机",
    "请买一个苹果和一个橙子",
    "The antidisestablishmentarianism of floccinaucinihilipilification",
    "他说：“你好，world！”（完）",
    "ＡＢＣ　１２３％，全角。",
    "ﬁ ½ ² ™ ① ㊙ ㎏ Ⅳ",
    "😀😍🎉 ok 👩‍👩‍👧‍👦 🇨🇳 ❤️ 👍🏽",
    "Let's go, it's 3.14 o'clock: 50% off!!",
    "softmax(QKᵀ/√d_k)V",
    "饕餮盛宴，魑魅魍魉",
    "龘𠮷𪚥",
    "第1章 第２节 2026年11月30日",
    "https://example.org/a?b=c#d",
    'print(f"{x:>10}")\n\treturn None',
    "don\u2019t “quote” ‘me’ — no",
    "MixedCASE and  double  spaces ",
    "cafe\u0301 e\u0301 A\u030a",
    "中文English混排123abc",
    "我爱NumPy和Python3.12",
    "０．５＋１＝１．５",
    "a\u200bb\ufeffc\u00a0d\u3000e\tf\rg",
    "\x01\x02hidden\x7f",
]


@functools.cache
def sentencepiece() -> Any:
    """SentencePiece's processor with the pieces of the model, which come without its own file."""
    import sentencepiece as sp

    def number(n: int) -> bytes:
        out = b""
        while n > 127:
            out, n = out + bytes([n & 127 | 128]), n >> 7
        return out + bytes([n])

    def field(place: int, kind: int, data: bytes) -> bytes:  # a protocol buffer's
        return number(place << 3 | kind) + data

    def text(place: int, data: bytes) -> bytes:
        return field(place, 2, number(len(data)) + data)

    with tempfile.TemporaryDirectory() as folder:  # any model has the rule that it was trained by
        sp.SentencePieceTrainer.train(
            sentence_iterator=iter(["a b c", "c b a"] * 9),
            model_prefix=f"{folder}/m",
            vocab_size=9,
            normalization_rule_name="nmt_nfkc",
            hard_vocab_limit=False,
            minloglevel=2,
        )
        raw = Path(folder, "m.model").read_bytes()
    at, rule = 0, b""

    def take() -> int:
        nonlocal at
        shift = found = 0
        while True:
            byte, at = raw[at], at + 1
            found, shift = found | (byte & 127) << shift, shift + 7
            if byte < 128:
                return found

    while at < len(raw):
        place, size = take() >> 3, take()
        rule, at = raw[at : at + size] if place == 3 else rule, at + size
    (path,) = models.fetch(models.E5)
    file = models.parse_e5(path)
    controls = file.controls
    pieces = b"".join(
        text(
            1,
            text(1, piece.encode())
            + field(2, 5, struct.pack("<f", score))
            + field(3, 0, number(2 if i == file.unknown else 3 if i in controls else 1)),
        )
        for i, (piece, score) in enumerate(zip(file.pieces, file.scores, strict=True))
    )
    marks = [(40, file.unknown), (41, file.start), (42, file.end), (43, 1)]
    trainer = field(3, 0, number(1)) + b"".join(field(n, 0, number(i)) for n, i in marks)
    trainer += text(45, b"<unk>") + text(46, b"<s>") + text(47, b"</s>") + text(48, b"<pad>")
    return sp.SentencePieceProcessor(model_proto=pieces + text(2, trainer) + text(3, rule))


def younger(file: models.E5File) -> set[str]:
    """Characters that SentencePiece's rule changes now and did not when the model was trained."""
    import sentencepiece as sp

    rule = sp.SentencePieceNormalizer(
        rule_name="nmt_nfkc", add_dummy_prefix=False, escape_whitespaces=False,
        remove_extra_whitespaces=False,
    )  # fmt: skip
    every = (chr(code) for code in range(1, 0x110000) if not 0xD800 <= code < 0xE000)
    return {c for c in every if rule.normalize(c) != file.changes.get(ord(c), c)}


def many() -> list[str]:
    """Ten thousand: parts of the pages, both languages and mixed, and characters by chance."""
    draw = random.Random(0)
    pages = ["".join(p.read_text("utf-8") for p in sorted(DOCS.glob(f"{x}/*.md"))) for x in
             ("zh", "en")]  # fmt: skip
    odd = "😀🎉❤️👍🏽①Ａ％ｌ！，。～　ﬁ½²™…“”‘’—·\t\r\n\u200b\u3000㊙" + "ab cd苹果 手机"
    marks = "eano\u0301\u0308\u0323\u0302éêạＡ가\u1100\u1161\u11a8がか\u3099 "

    def part(page: str, most: int) -> str:
        at = draw.randrange(len(page))
        return page[at : at + draw.randrange(1, most)]

    texts = [part(page, 200) for page in pages for _ in range(3500)]
    texts += [part(pages[0], 20) + draw.choice(["", " "]) + part(pages[1], 20) for _ in range(1000)]
    for alphabet, count in ((odd, 1200), (marks, 400)):
        texts += ["".join(draw.choices(alphabet, k=draw.randrange(1, 30))) for _ in range(count)]
    codes = [c for c in range(1, 0x30000) if not 0xD800 <= c < 0xE000]
    texts += ["".join(map(chr, draw.choices(codes, k=draw.randrange(1, 10)))) for _ in range(400)]
    return [*texts, "苹果" * 2000, "ab " * 2000]


def main() -> None:
    (path,) = models.fetch(models.E5)
    file = models.parse_e5(path)
    cut = models.Unigram(file.pieces, file.scores, file.unknown, file.controls, file.changes)
    new = younger(file)
    texts = [text for text in TEXTS if not new.intersection(text)]
    used, changes = {file.unknown}, {}
    for text in texts:
        marked = "".join(cut.normalised(text)[0])
        spans = {marked[a:b] for a in range(len(marked)) for b in range(a + 1, a + cut.longest + 1)}
        used |= {cut.ids[span] for span in spans if span in cut.ids}
        changes |= {str(ord(c)): cut.changes[ord(c)] for c in text if ord(c) in cut.changes}
    least = min(range(len(file.pieces)), key=lambda i: file.scores[i])  # what is unknown lies below
    order = [file.unknown, *sorted((used | {least}) - {file.unknown})]
    found = {
        "pieces": [[file.pieces[i], i, float(file.scores[i])] for i in order],
        "changes": changes,
        "sentences": [[text, sentencepiece().encode(text)] for text in texts],
    }
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in found["sentences"])
    head = json.dumps({k: found[k] for k in ("pieces", "changes")}, ensure_ascii=False)
    FILE.write_text(f'{head[:-1]}, "sentences": [\n{rows}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
