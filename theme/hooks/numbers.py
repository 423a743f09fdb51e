"""assets/numbers/<language>/<page>.json: where the numbers of a page come from, for who asks."""

from __future__ import annotations

import sys

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from place import OFFLINE, ROOT, is_main

sys.path.insert(0, str(ROOT))

from theme.numbers import answers


def on_files(files: Files, config: MkDocsConfig) -> Files:
    languages = ("zh", "en") if is_main(config) and not OFFLINE else ()
    for language in languages:
        for path in sorted((ROOT / "docs" / language).glob("*.md")):
            if "](=" in path.read_text(encoding="utf-8"):
                text = answers.text(path.stem, language, config.repo_url)
                name = f"assets/numbers/{language}/{path.stem}.json"
                files.append(File.generated(config, name, content=text))
    return files
