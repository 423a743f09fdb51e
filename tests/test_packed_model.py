"""A reader's own sentence: the model as it is packed for the browser, and what is made of it there.

Here in CPython, on a small model with random parameters, and on the real one where it is at hand;
tests/test_model.py asks the same in a browser.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sources import ROOT
from test_pretrained import e5_file, small_encoder

from docs.data import pretrained_models as models
from qkv_docs._erf import erf
from theme.site import model as packing
from theme.site.packing import UNUSED, named

sys.path.insert(0, str(ROOT / "theme/runtime"))
import sentence


def brought(files: dict[str, bytes], *left_out: str) -> Any:
    """The browser's model with all its files, in the order in which a page brings them."""
    found = sentence.Sentences()
    first = ["frame", "vocabulary"]
    for name in [*first, *(name for name in files if name not in first)]:
        if name not in left_out:
            found.bring(name, files[name])
    return found


def ask(model: Any, **question: Any) -> tuple[dict[str, Any], list[Any]]:
    about, arrays = model.ask(json.dumps(question))
    return json.loads(about), arrays


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[models.E5File, Any, Any]:
    """The file of a small model, the model as docs/data reads it, and as the browser does."""
    path = tmp_path_factory.mktemp("model") / "small.bin"
    path.write_bytes(e5_file(small_encoder(d=32, mlp=64)))
    file = models.parse_e5(path)
    return file, models.read_e5(path), brought(packing.pack(file))


def test_what_is_packed_computes_what_the_file_does(small: Any) -> None:
    _, whole, packed = small
    text = "苹果 Ａ"
    ids = whole.tokenize(text)
    trace = whole.encoder(ids)
    about, arrays = ask(packed, ask="sentence", text=text, cuts=[])
    assert [piece["id"] for piece in about["pieces"]] == ids
    assert about["end"] == ""
    assert (about["layers"], about["heads"], len(arrays)) == (3, 4, 7)
    n = len(ids)
    np.testing.assert_array_equal(np.reshape(arrays[:4], (4, n, 32)), trace.hidden)
    np.testing.assert_array_equal(np.reshape(arrays[4:], (3, 4, n, n)), trace.weights)
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_one_head_taken_apart(small: Any) -> None:
    """Scores are those whose softmax the weights are; what tokens give adds up to the output."""
    _, whole, packed = small
    ids = whole.tokenize("苹果苹 A")
    trace, n = whole.encoder(ids), len(ids)
    added = np.zeros((n, 32))
    for head in range(4):
        _, (q, k, v, scores, out) = ask(
            packed, ask="vectors", text="苹果苹 A", cuts=[], layer=1, head=head
        )
        for mine, theirs in zip((q, k, v), (trace.q, trace.k, trace.v), strict=True):
            np.testing.assert_array_equal(mine.reshape(n, 8), theirs[1, head])
        powers = np.exp(scores.reshape(n, n) - scores.max())
        weights = powers / powers.sum(axis=-1, keepdims=True)
        np.testing.assert_allclose(weights, trace.weights[1, head], atol=2e-6)
        added += weights @ out.reshape(n, 32)
    merged = np.concatenate(list(trace.weights[1] @ trace.v[1]), axis=-1)
    np.testing.assert_allclose(added, merged @ whole.encoder.layers[1].w_o, rtol=1e-4, atol=1e-3)


A_APPLE = "A苹果苹"  # <s> ▁A 苹果 苹 </s>, three words
CUTS: list[tuple[list[dict[str, Any]], list[Any]]] = [
    ([{"layer": 1, "head": 2, "words": None}], [np.s_[1, 2]]),
    ([{"layer": 2}], [np.s_[2]]),
    ([{}], [np.s_[...]]),
    ([{"words": [[0, 1]]}], [np.s_[..., 1, 2]]),
    (
        [{"tokens": [[2, 0], [2, 4]]}, {"words": [[0, 1]]}],
        [np.s_[..., 2, [0, 4]], np.s_[..., 1, 2]],
    ),
    ([{"layer": 0, "words": [[1, 0], [2, 2]]}], [np.s_[0, :, 2, 1], np.s_[0, :, 3, 3]]),
    ([{"layer": 0, "head": 1, "words": [[1, 0]]}, {"layer": 2}], [np.s_[0, 1, 2, 1], np.s_[2]]),
]


@pytest.mark.parametrize(("cuts", "gone"), CUTS)
def test_what_is_cut_is_nothing_and_the_rest_is_the_encoders(
    small: Any, cuts: list[Any], gone: list[Any]
) -> None:
    _, whole, packed = small
    ids = whole.tokenize(A_APPLE)
    mask = np.ones((3, 4, 5, 5), bool)
    for place in gone:
        mask[place] = False
    trace = whole.encoder(ids, mask)
    about, arrays = ask(packed, ask="sentence", text=A_APPLE, cuts=cuts)
    assert [word["pieces"] for word in about["words"]] == [[1], [2], [3]]
    weights = np.reshape(arrays[4:], (3, 4, 5, 5))
    assert not weights[~mask].any()
    np.testing.assert_array_equal(weights, trace.weights)
    np.testing.assert_array_equal(np.reshape(arrays[:4], (4, 5, 32)), trace.hidden)
    assert (trace.hidden[-1] != whole.encoder(ids).hidden[-1]).any()


def test_codes(small: Any) -> None:
    file, _, packed = small
    for text, wanted in (
        ("", {"end": "empty"}),
        ("  ", {"end": "empty"}),
        ("A " * 300, {"end": "too-long", "tokens": 302, "most": 9}),
    ):
        assert ask(packed, ask="sentence", text=text, cuts=[])[0] == wanted
    strange = brought(
        packing.pack(file._replace(pieces=[*file.pieces[:-1], "▁Жé"])),
    )
    about, _ = ask(strange, ask="sentence", text="苹果 Жа caf\u0065\u0301 苹", cuts=[])
    assert about == {"end": "unknown", "words": ["Жа", "cafe\u0301"]}
    about, _ = ask(strange, ask="sentence", text="苹果“Жа”，我在café喝. Жа", cuts=[])
    assert about == {"end": "unknown", "words": ["Жа", "café"]}
    assert ask(strange, ask="wants", text="苹果")[0]["end"] == ""


def test_what_is_in_no_piece_is_named_once(small: Any) -> None:
    """The model has one vector for all of it."""
    _, _, packed = small
    about, arrays = ask(packed, ask="sentence", text="苹果 🫠 苹🫠", cuts=[])
    assert about["unknown"] == ["🫠"]
    _, same = ask(packed, ask="sentence", text="苹果 🪿 苹🪿", cuts=[])
    np.testing.assert_array_equal(np.concatenate(same, None), np.concatenate(arrays, None))
    assert ask(packed, ask="sentence", text=A_APPLE, cuts=[])[0]["unknown"] == []


def test_rows_that_are_not_here_are_asked_for_by_the_words_that_need_them(small: Any) -> None:
    file, _, _ = small
    files = packing.pack(file, rows=2, frequent=1)
    assert [name for name in files if name.startswith("rows")] == [
        "rows", "rows-001", "rows-002", "rows-003",
    ]  # fmt: skip
    packed = brought(files, "rows-002", "rows-003")
    about, _ = ask(packed, ask="wants", text="苹 苹果")
    # <s> <pad>; </s> <unk>; ▁ 苹果; 苹 ▁A
    assert about == {"end": "", "blocks": [2, 3], "words": ["苹", "苹果"]}
    about, arrays = ask(packed, ask="sentence", text="苹果", cuts=[])
    assert about == {"end": "needs", "blocks": [2], "words": ["苹果"]}
    assert not arrays
    packed.bring("rows-002", files["rows-002"])
    assert ask(packed, ask="sentence", text="苹果", cuts=[])[0]["end"] == ""
    assert ask(packed, ask="wants", text="苹果")[0]["blocks"] == []


def test_the_same_bytes_from_the_same_file(small: Any) -> None:
    file, _, _ = small
    once, again = (named(packing.pack(file)) for _ in range(2))
    assert once == again
    (listing,) = (data for name, data in once.items() if name.startswith("files-"))
    for about in json.loads(listing).values():
        assert len(once[about["file"]]) == about["bytes"]
        assert about["sha256"][:12] in about["file"]


def test_without_the_model_a_build_goes_on_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def gone(name: str) -> list[Path]:
        raise OSError("no network")

    monkeypatch.setattr(models, "CACHE", tmp_path)
    monkeypatch.setattr(models, "fetch", gone)
    packing.folder.cache_clear()
    with caplog.at_level("INFO"):
        assert packing.files() == []
    packing.folder.cache_clear()
    assert "left out, it cannot be had: no network" in caplog.text
    assert not list(tmp_path.iterdir())


def test_erf_is_pythons() -> None:
    edges = [0, -0.0, 1e-300, 5e-324, 0.46875, 4, 6, 1e300, math.inf]
    x = np.concatenate([np.linspace(-7, 7, 70_001), edges, np.negative(edges)])
    wanted = np.array([math.erf(one) for one in x])
    np.testing.assert_allclose(erf(x), wanted, rtol=1e-15, atol=0)
    assert np.array_equal(np.signbit(erf(x)), np.signbit(wanted))
    assert np.isnan(erf(np.array(math.nan)))
    assert erf(np.zeros((0, 3))).shape == (0, 3)


def test_what_other_code_packed_goes_when_no_build_uses_it(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another build has just used or is writing stays, and so does what is not ours."""
    file, _, _ = small
    monkeypatch.setattr(models, "CACHE", tmp_path)
    monkeypatch.setattr(models, "fetch", lambda name: [tmp_path])
    monkeypatch.setattr(models, "parse_e5", lambda path: file)
    old = time.time() - 2 * UNUSED
    for name, used in (
        ("e5-small-0", old),
        ("e5-small-1.99", old),
        ("e5-small-2", None),
        ("e5-small-3.99", None),
        ("model", old),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "rows.bin").write_bytes(b"rows")
        if used:
            os.utime(tmp_path / name, (used, used))
    packing.folder.cache_clear()
    own = packing.files()[0].parent
    assert {path.name for path in tmp_path.iterdir()} == {
        own.name, "e5-small-2", "e5-small-3.99", "model",
    }  # fmt: skip

    os.utime(own, (old, old))
    packing.files()  # a server builds again
    assert own.stat().st_mtime > old
    shutil.rmtree(own)  # another build thought it was not used
    assert all(path.exists() for path in packing.files())
    packing.folder.cache_clear()


def test_what_was_damaged_in_the_cache_is_packed_again(
    small: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, _, _ = small
    monkeypatch.setattr(models, "CACHE", tmp_path)
    monkeypatch.setattr(models, "fetch", lambda name: [tmp_path])
    monkeypatch.setattr(models, "parse_e5", lambda path: file)
    packing.folder.cache_clear()
    once = {path: path.read_bytes() for path in packing.files()}
    packing.folder.cache_clear()
    path = next(path for path in once if path.name.startswith("layer-01"))
    path.write_bytes(once[path][:-1])
    assert {path: path.read_bytes() for path in packing.files()} == once
    packing.folder.cache_clear()
