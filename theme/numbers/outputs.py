"""How outputs of examples are compared: a printed number holds to half a unit of its last digit.

pytest's own option NUMBER allows a whole unit, so that 0.17 would pass for 0.18.
"""

from __future__ import annotations

import doctest

from theme.numbers.digits import numbers


class HalfAUnit(doctest.OutputChecker):
    """Equal but for digits that are not printed: a number of `got` that agrees becomes `want`'s."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        if super().check_output(want, got, optionflags):
            return True
        here, there = numbers(want), numbers(got)
        if len(here) == len(there):
            for printed, computed in reversed(list(zip(here, there, strict=True))):
                if not printed.exact and printed.agrees(computed.value):
                    got = got[: computed.start] + printed.text + got[computed.end :]
        return super().check_output(want, got, optionflags)
