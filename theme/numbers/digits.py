"""Numbers as they stand in text: what they say, how exactly, and another value in the same hand.

A number says its value to half a unit of its last digit. 0.17 holds for all of 0.165 to 0.175,
31% for 0.305 to 0.315, $1.8\\times10^{-3}$ for 0.00175 to 0.00185.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
NUMBER = re.compile(
    r"(?:(?<![\w.)\]}])(?P<sign>[-−]))?"  # after an operand it is a minus between two numbers
    r"(?<![A-Za-z0-9_.^])(?<![_^]\{)(?<!\^[-−])(?<!\^\{[-−])"  # d_1, x^2, x^{-1}, float16
    r"(?P<whole>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.(?P<fraction>\d+))?(?!\d|\.\d)"
    r"(?P<power>(?P<e>[eE])(?P<plain>[-+]?\d+)|\s*×\s*10(?:\^\{?(?P<tex>[-−]?\d+)\}?|(?P<small>[⁰¹²³⁴-⁹⁻]+)))?"
    r"(?![⁰¹²³⁴-⁹⁻^])(?P<percent>\s?\\?%)?"
)
COMMAND = re.compile(r"\\([A-Za-z]+)")  # of TeX; its letters are no part of a number
FORMULA = re.compile(r"\$\$.+?\$\$|(?<![\\$])\$[^$\n]+\$", re.S)
NEAR = Decimal("1e-6")  # of the value: this close to a boundary, a machine may round the other way


@dataclass(frozen=True)
class Number:
    """A number in a text, at `start`, with all that belongs to it: sign, power of ten, percent."""

    start: int
    text: str
    value: Decimal
    half: Decimal  # half a unit of the last digit

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    @property
    def exact(self) -> bool:
        """Whether it is written as a whole number, as counts are."""
        return self.half == Decimal("0.5") or ("." not in self.text and "%" not in self.text)

    def agrees(self, value: Decimal) -> bool:
        return abs(value - self.value) <= self.half

    def wavers(self, value: Decimal) -> bool:
        """Whether `value` lies so near a boundary of rounding that another digit is as right.

        A count does not: 1,048,576 was not rounded.
        """
        if value == self.value == value.to_integral_value():
            return False
        return abs(abs(value - self.value) - self.half) <= NEAR * abs(value)


def numbers(text: str) -> list[Number]:
    """Every number in `text`, in order.

    >>> [str(n.value) for n in numbers("从 26 到 −0.5，31% of $1.8\\\\times10^{-3}$, d_1, 2.0.2")]
    ['26', '-0.5', '0.31', '0.0018']
    """
    clear = COMMAND.sub(lambda m: ("×" if m[1] in ("times", "cdot") else "").ljust(len(m[0])), text)
    return [read(match, text) for match in NUMBER.finditer(clear)]


def read(match: re.Match[str], text: str) -> Number:
    fraction = match["fraction"] or ""
    mantissa = Decimal(match["whole"].replace(",", "") + "." + fraction if fraction else
                       match["whole"].replace(",", ""))  # fmt: skip
    power = match["plain"] or match["tex"] or (match["small"] or "0").translate(SUPERSCRIPTS)
    exponent = int(power.replace("−", "-")) - (2 if match["percent"] else 0)
    unit = Decimal(1).scaleb(exponent - len(fraction))
    value = mantissa.scaleb(exponent) * (-1 if match["sign"] else 1)
    return Number(match.start(), text[match.start() : match.end()], value, unit / 2)


def counted(text: str) -> list[Number]:
    """The numbers of an addressed text: in a formula with decimals its whole numbers are not.

    >>> [n.text for n in counted(r"row 3: $0.045\\,(0, 1) + 0.768\\,(1, 0)$")]
    ['3', '0.045', '0.768']
    """
    found = numbers(text)
    for formula in FORMULA.finditer(text):
        inside = [n for n in found if formula.start() <= n.start < formula.end()]
        if any("." in n.text for n in inside):
            found = [n for n in found if n not in inside or "." in n.text]
    return found


def rewritten(number: Number, value: Decimal) -> str:
    """`value` written as `number` is: as many digits, its minus sign, its power, its percent.

    >>> (n,) = numbers("1,234.56%")
    >>> rewritten(n, Decimal("-23.45678"))
    '-2,345.68%'
    """
    match = NUMBER.match(COMMAND.sub(lambda m: "×".ljust(len(m[0])), number.text))
    assert match is not None
    digits = len(match["fraction"] or "")
    tail = number.text[match.start("percent") :] if match["percent"] else ""
    if match["percent"]:
        value *= 100
    power = ""
    if match["power"]:
        exponent = value.adjusted() if value else 0
        if abs(round(value.scaleb(-exponent), digits)) >= 10:
            exponent += 1
        value = value.scaleb(-exponent)
        shown = number.text[match.start("power") : match.end("power")]
        power = exponent_as(shown, match, exponent)
    value = value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
    whole = f"{abs(value):,f}" if "," in match["whole"] else f"{abs(value):f}"
    minus = match["sign"] or ("−" if "$" not in number.text and power and not match["e"] else "-")
    return f"{minus if value < 0 else ''}{whole}{power}{tail}"


def exponent_as(shown: str, match: re.Match[str], exponent: int) -> str:
    """The power of ten `shown`, with another exponent."""
    if match["plain"]:
        width = len(match["plain"].lstrip("+-"))
        sign = "-" if exponent < 0 else "+" if "+" in match["plain"] else ""
        return f"{match['e']}{sign}{abs(exponent):0{width}d}"
    if match["small"]:
        raised = str(exponent).translate(str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"))
        return shown.replace(match["small"], raised)
    return shown.replace(match["tex"], str(exponent))
