"""What this site's Markdown means: Python-Markdown extensions, one idea a file, without MkDocs."""

from __future__ import annotations

from markdown.extensions import Extension

from theme.extensions.citations import Citations
from theme.extensions.numbers import Numbers
from theme.extensions.page import Page
from theme.extensions.references import References


def extensions(page: Page) -> list[Extension]:
    """All of them, for one page."""
    return [
        Numbers(page),
        References(page),
        Citations(page),
    ]
