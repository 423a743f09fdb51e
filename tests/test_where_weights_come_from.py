"""The recorded training of the page where-weights-come-from: recorded again, and the page's."""

import runpy
from types import SimpleNamespace

import numpy as np
import pytest
from sources import DOCS

from docs import data

SCRIPT = SimpleNamespace(**runpy.run_path(str(DOCS / "data/where_weights_come_from.py")))
DATA = data.read("where-weights-come-from")


def agree(found, stored):
    """The same run: packed numbers to a unit or two, the others to the last digit but one."""
    assert found.keys() == stored.keys()
    for name, value in found.items():
        if name in ("w_q", "q"):
            np.testing.assert_allclose(
                SCRIPT.unpack(value), SCRIPT.unpack(stored[name]), rtol=0, atol=2 * SCRIPT.UNIT
            )
        elif name in ("loss", "accuracy", "moved", "largest"):
            assert stored[name] == pytest.approx(value, abs=0.0101), name
        elif name == "weights":
            assert stored[name] == pytest.approx(value, abs=2e-4), name
        else:
            assert stored[name] == value, name


def test_the_training_is_reproduced():
    found = SCRIPT.record()
    assert (found["unit"], found["shape"]) == (DATA["unit"], DATA["shape"])
    for part in ("snapshots", "questions"):
        assert len(found[part]) == len(DATA[part])
        for again, stored in zip(found[part], DATA[part], strict=True):
            agree(again, stored)


def test_training_moves_every_number_and_answering_none():
    first, *rest = DATA["snapshots"]
    assert first["moved"] == 0
    assert all(shot["changed"] == 64 * 16 for shot in rest)
    assert all(question["changed"] == 0 for question in DATA["questions"])


def test_what_the_page_asks():
    """Right from step 35 on; questions 3 and 6 ask for the same letter, the others do not."""
    right = [shot["says"] == DATA["questions"][0]["answer"] for shot in DATA["snapshots"]]
    assert right == [shot["step"] >= 35 for shot in DATA["snapshots"]]
    assert all(question["says"] == question["answer"] for question in DATA["questions"])
    queries = [question["q"] for question in DATA["questions"]]
    assert queries[2] == queries[5]
    assert len(set(queries)) == len(queries) - 1


def test_the_data_are_small():
    assert (data.FOLDER / "where-weights-come-from.json").stat().st_size <= 20_000
