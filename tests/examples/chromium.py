"""Chromium without a window, by its DevTools protocol over pipes (https://chromedevtools.github.io/devtools-protocol/)."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from base64 import b64decode
from collections.abc import Generator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

# Chromium takes its orders from file descriptor 3 and answers on 4; these may be taken in this process.
LAUNCHER = """
import fcntl, os, sys
orders, answers = (fcntl.fcntl(int(text), fcntl.F_DUPFD, 10) for text in sys.argv[1:3])
os.dup2(orders, 3)
os.dup2(answers, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
SECONDS = 60
"""How long an answer may take."""


class Tab:
    """A tab of a browser.

    Attributes:
        complaints: what pages wrote to the console, and what the browser reports of them: policies, scripts, statuses.
    """

    def __init__(self, orders: int, answers: int) -> None:
        self.complaints: list[str] = []
        self._orders = orders
        self._answers = answers
        self._received = b""
        self._numbers = count(1)
        self._session: dict[str, str] = {}
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self._session = {"sessionId": session}
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def open(self, address: str) -> None:
        """Go to a page."""
        self._call("Page.navigate", url=address)
        self._wait("Page.loadEventFired")

    def click(self, selector: str) -> None:
        """Click what leads to another page."""
        self.run(f"document.querySelector({json.dumps(selector)}).click()")
        self._wait("Page.loadEventFired")

    def fill(self, selector: str, value: str) -> None:
        """Write into a field."""
        self.run(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(value)}")

    def texts(self, selector: str) -> list[str]:
        """The visible texts of elements."""
        texts: list[str] = self.run(
            f"[...document.querySelectorAll({json.dumps(selector)})].map(element => element.innerText.trim())"
        )
        return texts

    def run(self, script: str) -> Any:
        """The value of a script in the page."""
        outcome = self._call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in outcome, outcome
        return outcome["result"].get("value")

    def appear(self, *, width: int, scheme: str) -> None:
        """Change the width of the window, and whether light or dark is preferred."""
        self._call(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600
        )
        self._call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self) -> bytes:
        """What the page looks like, as PNG."""
        return b64decode(self._call("Page.captureScreenshot", format="png")["data"])

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        order = {"id": number, "method": method, "params": parameters, **self._session}
        os.write(self._orders, json.dumps(order).encode() + b"\0")
        while (message := self._next()).get("id") != number:
            pass
        assert "error" not in message, message
        result: dict[str, Any] = message["result"]
        return result

    def _wait(self, event: str) -> None:
        while self._next().get("method") != event:
            pass

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._answers], [], [], SECONDS)
            assert ready, "Chromium does not answer"
            read = os.read(self._answers, 1 << 16)
            assert read, "Chromium has ended"
            self._received += read
        text, _, self._received = self._received.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        match message:
            case {"method": "Log.entryAdded", "params": {"entry": entry}}:
                self.complaints.append(entry["text"])
            case {"method": "Runtime.consoleAPICalled" | "Runtime.exceptionThrown", "params": details}:
                self.complaints.append(json.dumps(details))
            case _:
                pass
        return message


@contextmanager
def tab_of(chromium: str, profile: Path) -> Generator[Tab]:
    """Start Chromium with a profile of its own, and give a tab of it."""
    their_orders, orders = os.pipe()
    answers, their_answers = os.pipe()
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", LAUNCHER, str(their_orders), str(their_answers)),
            *(chromium, *options, "--remote-debugging-pipe", f"--user-data-dir={profile}"),
        ],
        pass_fds=(their_orders, their_answers),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(their_orders)
    os.close(their_answers)
    try:
        yield Tab(orders, answers)
    finally:
        os.close(orders)  # at which Chromium ends
        os.close(answers)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
