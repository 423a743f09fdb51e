"""The site's modules in V8, without a browser: one after the other, each in a function."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from py_mini_racer import MiniRacer
from sources import ROOT

SCRIPTS = ROOT / "theme/templates/assets/scripts"
IMPORT = re.compile(r'^import ([^;]*?) from "(\.[\w./-]+)";\n', re.M)
EXPORT = re.compile(r"^export (?:async )?(?:const|class|function) (?:\{ (.*?) \}|(\w+))", re.M)
# What a browser has and V8 alone does not; enough to load what is not called here.
BROWSER = """
globalThis.qkv = { language: "en" };
const MODULES = {};
class HTMLElement {}
class CSSStyleSheet { replaceSync() {} }
const customElements = { define() {} }, document = { adoptedStyleSheets: [] };
const atob = (text) => {
  const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  let bits = 0, held = 0, out = "";
  for (const one of text.replace(/=+$/, "")) {
    held = held << 6 | digits.indexOf(one); bits += 6;
    if (bits >= 8) { bits -= 8; out += String.fromCharCode(held >> bits & 255); }
  }
  return out;
};
"""


def resolve(path: str, by: str) -> str:
    """The module that another one names, from the folder of the scripts."""
    return ((SCRIPTS / by).parent / path).resolve().relative_to(SCRIPTS).as_posix()


def source(name: str) -> str:
    return (SCRIPTS / name).read_text("utf-8")


def needed(name: str) -> list[str]:
    """A module and all that it imports; what is imported comes first."""
    found = [module for _, path in IMPORT.findall(source(name))
             for module in needed(resolve(path, name))]  # fmt: skip
    return list(dict.fromkeys([*found, name]))


def as_function(name: str) -> str:
    """A module as a script that puts what it exports into MODULES, and where all can see it."""

    def bring(match: re.Match[str]) -> str:
        names = match[1].replace(" as ", ": ")
        return f"const {names} = MODULES[{resolve(match[2], name)!r}];\n"

    text = source(name)
    exports = ", ".join(a or b for a, b in EXPORT.findall(text))
    text = IMPORT.sub(bring, text).replace("import.meta.url", "''")
    text = re.sub(r"^export ", "", text, flags=re.M)
    return (
        f"(() => {{{text}\nMODULES[{name!r}] = {{ {exports} }};"
        f"Object.assign(globalThis, MODULES[{name!r}]);}})();\n"
    )


@contextmanager
def engine(*names: str) -> Iterator[Any]:
    """A function that evaluates an expression where these modules are, with what it is given."""
    modules = dict.fromkeys(module for name in names for module in needed(name))
    with MiniRacer() as racer:
        racer.eval(BROWSER + "".join(map(as_function, modules)))

        def call(expression: str, **given: Any) -> Any:
            names = "".join(f"const {name} = {json.dumps(x)};" for name, x in given.items())
            return json.loads(racer.eval(f"{{{names} JSON.stringify({expression})}}"))

        yield call
