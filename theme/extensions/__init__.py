"""What this site's Markdown means: Python-Markdown extensions, one idea a file, without MkDocs."""

from __future__ import annotations

from markdown.extensions import Extension

from theme.extensions.citations import Citations
from theme.extensions.figures import Figures
from theme.extensions.folds import Folds
from theme.extensions.formulas import Formulas
from theme.extensions.glossary import Glossary
from theme.extensions.includes import Includes
from theme.extensions.numbers import Numbers
from theme.extensions.page import Page
from theme.extensions.predictions import Predictions
from theme.extensions.references import References
from theme.extensions.snippets import Snippets
from theme.extensions.terms import Terms
from theme.extensions.times import Times


def extensions(page: Page) -> list[Extension]:
    """All of them for one page, in the order in which they work."""
    return [
        # lines of Markdown
        Numbers(page),
        References(page),
        Glossary(page),
        Snippets(page),
        Includes(page),
        # text in a line
        Citations(page),
        Times(page),
        # elements of the page
        Predictions(page),
        Figures(page),
        Folds(page),
        Terms(page),
        Formulas(page),
    ]
