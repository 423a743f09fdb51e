"""What experiments kept: docs/data/<name>.json, written by the script that its `about` names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def read(name: str) -> Any:
    """The contents of docs/data/<name>.json; FileNotFoundError where there is none."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


__all__ = ["FOLDER", "read"]
