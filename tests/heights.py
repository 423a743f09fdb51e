"""`make heights`: how tall is every figure that can be played with, in a box of every width?

Measured in a browser, kept in theme/finish/heights.json. Where the site's text is drawn in other
fonts than here lines break elsewhere, so the width of some text is kept beside.
"""

from __future__ import annotations

import functools
import json
import math
import tempfile
import threading
from pathlib import Path
from typing import Any

from browsing import CHROMIUM, FLAGS, PATIENCE, Handler, Server, build, wake
from playwright.sync_api import Browser, Page, sync_playwright

from theme.finish.heights import FILE, MODELS, WITHOUT, steps

GRID = 8  # pixels between two widths of a box
SLACK = 24  # pixels: what a figure may be lower than its place, so that there are few steps
# The width of a window, the pixels of its rem, and the boxes that there are in windows with its
# style: the narrowest is that of 320 pixels; from 720 on there is more space, and a box has 686 at
# least; from 1600 on text is larger, drawings are not, and there is one box.
PHONE = 358  # the box in a window of 390 pixels
WINDOWS = {
    "narrow": (390, 20, [*range(288, 688, GRID), PHONE, 687]),
    "roomy": (1280, 20, [686, *range(688, 801, GRID)]),
    "wide": (1600, 22, [871]),
}

AWAKE = """() => [...document.querySelectorAll(".drawing__box > [data-ready]")]
    .every((one) => one.querySelector(".play__read").textContent)
    && !document.querySelector(".play [aria-busy]")"""
# Awake or asleep, whichever is taller.
HEIGHT = """const height = (one) => {
    const still = one.querySelector(".play__still");
    still.style.display = "block";
    const asleep = still.getBoundingClientRect().height;
    still.style.display = "";
    return Math.max(asleep, one.querySelector(".play").getBoundingClientRect().height);
};"""
# Where something breaks into another line the height jumps: to the pixel, also between two widths.
MEASURE = f"""([widths, slack]) => {{
    {HEIGHT}
    return Object.fromEntries(
        [...document.querySelectorAll(".drawing__box > [data-ready]")].map((one) => {{
            const heights = new Map();
            const at = (width) => {{
                if (!heights.has(width)) {{
                    one.parentNode.style.width = `${{width}}px`;
                    heights.set(width, height(one));
                }}
                return heights.get(width);
            }};
            const sorted = widths.toSorted((a, b) => a - b);
            for (let [i, low] of sorted.slice(0, -1).entries()) {{
                let high = sorted[i + 1];
                while (high - low > 1 && Math.abs(at(high) - at(low)) > slack / 2) {{
                    const middle = Math.floor((low + high) / 2);
                    const nearer = Math.abs(at(middle) - at(low)) < Math.abs(at(middle) - at(high));
                    if (nearer) low = middle;
                    else high = middle;
                }}
            }}
            sorted.forEach(at);
            one.parentNode.style.width = "";
            return [one.closest("figure").id.replace("figure-", ""), [...heights]];
        }}));
}}"""
LEAVE_OUT = """names => names.forEach((name) => {
    const script = document.querySelector(`script[data-${name}]`);
    if (script) delete script.dataset[name];
})"""
PLACES = f"""() => {{
    {HEIGHT}
    return [...document.querySelectorAll(".drawing__box > [data-ready]")].map((one) => [
        one.closest("figure").id,
        parseFloat(getComputedStyle(one).minHeight) || 0,
        height(one),
    ]);
}}"""
FACE = """() => {
    const text = document.createElement("span");
    text.style = "position: absolute; white-space: nowrap; font-size: 100px";
    text.textContent = "Queries, keys and values: 0.125 → 查询";
    document.querySelector("article").append(text);
    const { width } = text.getBoundingClientRect();
    text.remove();
    return Math.round(width);
}"""


def wake_figures(page: Page) -> int:
    """All figures of a page; how many there are."""
    wake(page)
    # Not those of a figure that is awake already: a reader opens them later.
    page.locator("details:not(.play details)").evaluate_all(
        "all => all.forEach(one => { one.open = true })"
    )
    figures = page.locator(".drawing__box > :not(svg, img)").filter(has=page.locator("svg"))
    for figure in figures.all():
        figure.evaluate("one => qkv.reveal(one)")  # out of its fold
        figure.scroll_into_view_if_needed()
        figure.and_(page.locator("[data-ready]")).wait_for(state="attached")
    page.wait_for_function(AWAKE)
    return figures.count()


def misfits(page: Page) -> list[str]:
    """The awake figures whose place is too low or too high."""
    same = page.evaluate(FACE) == json.loads(FILE.read_text("utf-8"))["face"]
    share = 0 if same else 0.2  # in other fonts there are more or fewer lines
    return [
        f"{page.url}#{name} is {height:.0f} pixels tall, its place {place:.0f}: make heights"
        for name, place, height in page.evaluate(PLACES)
        # Too high by what steps leave, and by half of that between two widths of the grid.
        if not -2 - share * height <= place - height <= 1.5 * SLACK + share * height
    ]


def measured(browser: Browser, root: str, site: Path) -> dict[str, Any]:
    heights: dict[str, dict[str, Any]] = {}
    face = 0
    with browser.new_context() as context:
        context.set_default_timeout(1000 * PATIENCE)
        pages = [path for path in site.rglob("index.html") if "<qkv-" in path.read_text("utf-8")]
        asking = [
            path for path in pages if any(f"<{tag}" in path.read_text("utf-8") for tag in MODELS)
        ]
        for path, without in [*((path, "") for path in sorted(pages)),
                              *((path, f" {WITHOUT}") for path in sorted(asking))]:  # fmt: skip
            way = path.parent.relative_to(site).parts
            language = "en" if way[:1] == ("en",) else "zh"
            name = "/".join(way[language == "en" :]) or "index"
            page = context.new_page()
            page.goto(f"{root}/{'/'.join(way)}/")
            if without:
                page.evaluate(LEAVE_OUT, list(MODELS.values()))
            wake_figures(page)
            face = page.evaluate(FACE)
            for style, (window, rem, widths) in WINDOWS.items():
                page.set_viewport_size({"width": window, "height": 844})
                for figure, found in page.evaluate(MEASURE, [widths, SLACK]).items():
                    whole = f"{name}/{figure}{without}"
                    of = heights.setdefault(whole, {}).setdefault(language, {})
                    of[style] = [
                        [round(width / rem, 2), math.ceil(10 * height / rem) / 10]
                        for width, height in steps(found, SLACK)
                    ]
            page.close()
            print(language, name + without)
    same = [name for name in heights if heights[name] == heights.get(f"{name} {WITHOUT}")]
    for name in same:
        del heights[f"{name} {WITHOUT}"]
    return {"face": face, "heights": dict(sorted(heights.items()))}


def written(found: dict[str, Any]) -> str:
    """As JSON, a line a figure and language."""
    figures = ",\n".join(
        f"{json.dumps(name)}: {{\n"
        + ",\n".join(
            f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in sorted(of.items())
        )
        + "\n}"
        for name, of in found["heights"].items()
    )
    return f'{{"face": {found["face"]},\n"heights": {{\n{figures}\n}}}}\n'


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        root = f"http://127.0.0.1:{server.server_port}"
        build(Path(folder), SITE_URL=f"{root}/", QKV_DECODER="1")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        FILE.write_text(written(measured(browser, root, Path(folder))), encoding="utf-8")
        browser.close()
        server.shutdown()


if __name__ == "__main__":
    main()
