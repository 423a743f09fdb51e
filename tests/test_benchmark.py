"""What `make benchmark` measures is right, and the page states what was measured."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from sources import ROOT

from docs import data

pytest.importorskip("torch")
FILE = ROOT / "benchmarks/attention.py"


@pytest.fixture(scope="module")
def attention() -> ModuleType:
    spec = importlib.util.spec_from_file_location("attention", FILE)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_way_computes_attention_or_is_not_timed(attention: ModuleType) -> None:
    found = attention.compared(attention.ways(96))
    both = {"tiles", "whole", "tiles causal", "whole causal"}
    assert set(found) > {"textbook", "math", "flash causal"} | both
    found["textbook"] = lambda: np.zeros((attention.HEADS, 96, attention.D), np.float32)
    with pytest.raises(AssertionError, match="textbook"):
        attention.compared(found)


def test_tables_end_at_a_third_of_the_memory(
    attention: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = attention.HEADS * 1024**2 * 4
    monkeypatch.setattr(attention, "memory", lambda: 3 * 3 * table)
    assert attention.fits("textbook", 1024)
    assert not attention.fits("textbook", 1025)
    assert attention.fits("tiles", 2**20)


def test_the_ranges_of_the_page_are_those_of_the_rows(attention: ModuleType) -> None:
    kept = data.read("flash-attention")
    assert attention.summary(kept) == kept["summary"]
    for row in kept["time"]:
        assert row["rounds"] >= 3
        for name, one in row.items():
            if isinstance(one, dict):
                assert 0 < one["low"] <= one["median"] <= one["high"], name


@pytest.mark.slow
def test_one_command_measures_and_writes(tmp_path: Path) -> None:
    output = tmp_path / "found.json"
    command = [sys.executable, str(FILE), "--largest", "128", "--seconds", "0", "--threads", "1"]
    done = subprocess.run(
        [*command, "--output", str(output)], capture_output=True, text=True, check=True
    )
    assert done.stdout.rstrip().endswith("s in all")
    found = json.loads(output.read_text(encoding="utf-8"))
    assert [row["n"] for row in found["time"]] == [128]
    assert found["decoding"][0]["over_products"]["median"] > 0
