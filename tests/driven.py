"""A browser that is driven by the W3C's WebDriver: what its protocol carries is the subclass's."""

from __future__ import annotations

import time
from typing import Any

from browsing import until

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # the standard's name for a reference

# What moves while something is waited for: files come, sentences change.
MOVING = """return JSON.stringify([
    location.href, document.readyState, performance.getEntriesByType("resource").length,
    [...document.querySelectorAll("[role=status], .snippet__out")].map((one) => one.textContent),
])"""


class Driven:
    """One window of a browser."""

    patience = 1  # how many times as long as others it may go without a sign of life

    def go(self, address: str) -> None:
        raise NotImplementedError

    def js(self, body: str, *arguments: object) -> Any:
        """What the body of a function returns; a promise is waited for."""
        raise NotImplementedError

    def click(self, css: str) -> None:
        raise NotImplementedError

    def write(self, css: str, text: str) -> None:
        """In the place of what is there."""
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def wait(self, what: str) -> Any:
        """The first value of the JavaScript expression `what` that is not false."""
        return until(
            lambda: self.js(f"return {what}"),
            lambda: self.js(MOVING),
            lambda: time.sleep(0.05),
            self.patience,
        )
