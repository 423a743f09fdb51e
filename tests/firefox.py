"""A Firefox for the tests, driven by its own Marionette protocol: no driver to install.

A message is one JSON array with its length before it: [0, number, command, parameters] is asked,
[1, number, error, result] is answered. Needs a Firefox: `apt-get install firefox-esr`, or the path
of one in QKV_FIREFOX.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

from browsing import PATIENCE
from driven import ELEMENT, Driven

FIREFOX = os.environ.get("QKV_FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")


class Firefox(Driven):
    """One window, with a profile of its own in `folder`."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        (folder / "user.js").write_text(f'user_pref("marionette.port", {port});\n')
        arguments = ["--headless", "--marionette", "--no-remote", "--profile", str(folder)]
        self.process = subprocess.Popen(
            [str(FIREFOX), *arguments],
            env={**os.environ, "HOME": str(folder)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.numbers = itertools.count(1)
        while True:  # until it listens, or is no more
            assert self.process.poll() is None, "Firefox ended before it could be asked"
            with contextlib.suppress(OSError):
                self.socket = socket.create_connection(("127.0.0.1", port))
                break
            time.sleep(0.1)
        self.socket.settimeout(10 * PATIENCE)
        self.answers = self.socket.makefile("rb")
        self.read()  # a greeting
        self.ask("WebDriver:NewSession")

    def read(self) -> Any:
        size = b""
        while (digit := self.answers.read(1)) not in (b":", b""):
            size += digit
        return json.loads(self.answers.read(int(size)))

    def ask(self, command: str, **parameters: object) -> Any:
        message = json.dumps([0, next(self.numbers), command, parameters]).encode()
        self.socket.sendall(b"%d:%b" % (len(message), message))
        _, _, error, result = self.read()
        assert not error, f"{command} {parameters}: {error['error']}: {error['message']}"
        return result.get("value", result)

    def go(self, address: str) -> None:
        self.ask("WebDriver:Navigate", url=address)

    def js(self, body: str, *arguments: object) -> Any:
        return self.ask("WebDriver:ExecuteScript", script=body, args=arguments)

    def find(self, css: str) -> str:
        found = self.ask("WebDriver:FindElement", using="css selector", value=css)
        return str(found[ELEMENT])

    def click(self, css: str) -> None:
        self.ask("WebDriver:ElementClick", id=self.find(css))

    def write(self, css: str, text: str) -> None:
        self.ask("WebDriver:ElementClear", id=self.find(css))
        self.ask("WebDriver:ElementSendKeys", id=self.find(css), text=text)

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(20)
        self.answers.close()
        self.socket.close()
