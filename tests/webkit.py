"""A WebKitGTK for the tests, driven over HTTP by the WebKitWebDriver that comes with it.

Safari's engine, as near as Linux has it: `apt-get install webkit2gtk-driver xvfb`. It cannot do
without a screen, and gets one that nobody sees.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from browsing import PATIENCE
from driven import ELEMENT, Driven

DRIVER = shutil.which("WebKitWebDriver")
SCREEN = shutil.which("Xvfb")
WEBKIT = DRIVER and SCREEN
# Elsewhere system-ui is the font of the system; here it is none, and the next in the list is taken.
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include>/etc/fonts/fonts.conf</include>
  <alias binding="same"><family>system-ui</family><prefer><family>{}</family></prefer></alias>
</fontconfig>
"""
OPTIONS = ["--automation", "--javascript-can-open-windows-automatically=true"]


class WebKit(Driven):
    """One window, of a browser that keeps nothing."""

    patience = 5  # compiling Python, it says nothing: half a minute, minutes beside other tests

    def __init__(self) -> None:
        self.programs = contextlib.ExitStack()
        try:
            self.begin()
        except BaseException:
            self.close()
            raise

    def begin(self) -> None:
        fonts = Path(self.programs.enter_context(tempfile.TemporaryDirectory()), "fonts.conf")
        match = ["fc-match", "--format=%{family[0]}", "sans-serif"]
        found = subprocess.run(match, capture_output=True, text=True, check=True)
        fonts.write_text(FONTS.format(found.stdout))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = self.start(
            [str(DRIVER), f"--port={port}"],
            env={
                **os.environ,
                "DISPLAY": f":{self.screen()}",
                "GDK_BACKEND": "x11",
                "FONTCONFIG_FILE": str(fonts),
            },
        )
        self.driver = process.pid
        while True:  # until it listens, or is no more
            assert process.poll() is None, "WebKitWebDriver ended before it could be asked"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.1)
        self.session = f"http://127.0.0.1:{port}/session"
        browser = {"webkitgtk:browserOptions": {"args": OPTIONS}}
        made = self.ask("", capabilities={"alwaysMatch": browser})
        self.session += f"/{made['sessionId']}"
        self.programs.callback(self.ask, "", method="DELETE")
        limit = 10_000 * PATIENCE
        self.ask("/timeouts", script=limit, pageLoad=limit)
        # The first window has buttons, and cannot be as narrow as a phone. A popup has none.
        (first,) = self.ask("/window/handles", method="GET")
        self.js("open('about:blank', '', 'popup')")
        while not (others := {*self.ask("/window/handles", method="GET")} - {first}):
            time.sleep(0.05)
        self.ask("/window", handle=others.pop())
        self.resize(1280)

    def start(self, command: list[str], **options: Any) -> subprocess.Popen[bytes]:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, **quiet, **options)

        def end() -> None:
            process.terminate()
            process.wait(20)

        self.programs.callback(end)
        return process

    def screen(self) -> str:
        """The number of a new one."""
        reads, writes = os.pipe()
        self.start(
            [str(SCREEN), "-displayfd", str(writes), "-screen", "0", "1600x1200x24"],
            pass_fds=[writes],
        )
        os.close(writes)
        with os.fdopen(reads) as told:
            return told.readline().strip()

    def ask(self, command: str, method: str = "POST", **parameters: object) -> Any:
        body = json.dumps(parameters).encode() if method == "POST" else None
        kind = {"Content-Type": "application/json"}
        request = Request(self.session + command, body, kind, method=method)
        try:
            with urlopen(request, timeout=10 * PATIENCE) as answer:
                return json.load(answer)["value"]
        except HTTPError as error:
            said = json.load(error)["value"]
            raise AssertionError(f"{command} {parameters}: {said}") from None

    def resize(self, width: int, height: int = 844) -> None:
        """The page; the window may have a frame."""
        self.ask("/window/rect", width=width, height=height)
        self.wait(f"innerWidth === {width} && innerHeight === {height}")

    def go(self, address: str) -> None:
        self.ask("/url", url=address)

    def js(self, body: str, *arguments: object) -> Any:
        return self.ask("/execute/sync", script=body, args=arguments)

    def find(self, css: str) -> str:
        found = self.ask("/element", using="css selector", value=css)
        return str(found[ELEMENT])

    def click(self, css: str) -> None:
        self.ask(f"/element/{self.find(css)}/click")

    def write(self, css: str, text: str) -> None:
        element = self.find(css)
        self.ask(f"/element/{element}/clear")
        enter = "\ue006"  # it knows a new line as a key only
        self.ask(f"/element/{element}/value", text=text.replace("\n", enter))

    def workers(self) -> int:
        """How many workers have a thread, ended or not."""
        of = {}  # the parent of each process
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                of[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
        ours = {self.driver}
        while more := {one for one, parent in of.items() if parent in ours} - ours:
            ours |= more
        names = [
            path.read_text() for one in ours for path in Path(f"/proc/{one}/task").glob("*/comm")
        ]
        return sum(name.startswith("WebCore: Worker") for name in names)

    def close(self) -> None:
        self.programs.close()
