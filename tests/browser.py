"""A headless Chromium for the browser tests: playwright's own or the system's; where there is none, a skip, in CI a failure."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WIDTHS = (1280, 768, 390)


def executable(own: str) -> str | None:
    """Path of a Chromium: playwright's if it was downloaded, else the system's."""
    found = [own, *(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))]
    return next((path for path in found if path and Path(path).is_file()), None)


def missing(reason: str) -> None:
    """Skip with a reason; in CI, where a browser is to be there, fail."""
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@contextmanager
def launched() -> Iterator[Any]:
    """A browser, closed in the end."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed: nothing is opened in a browser")
    with sync_playwright() as playwright:
        path = executable(playwright.chromium.executable_path)
        if path is None:
            missing("no Chromium here (apt-get install chromium): nothing is opened in a browser")
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


@dataclass
class Opened:
    """A page with all that it said and asked for since it was opened."""

    page: Any
    console: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)

    def text(self, selector: str) -> str:
        """Text of an element as the reader sees it."""
        return str(self.page.inner_text(selector))

    def move(self, slider: str, value: float) -> None:
        """Move a slider, or change a date, as a reader's hand does."""
        change = (
            "(input, value) => { input.value = value; input.dispatchEvent(new Event('input', { bubbles: true })); }"
        )
        self.page.locator(f"#{slider}").evaluate(change, str(value))

    def cells(self, table: str) -> list[list[str]]:
        """Texts of a table's body, row by row."""
        rows = "rows => rows.map(row => [...row.children].map(cell => cell.textContent.trim()))"
        return list(self.page.eval_on_selector_all(f"#{table} tbody tr", rows))


@contextmanager
def opened(browser: Any, address: str, width: int = 1280, ready: bool = True, **options: Any) -> Iterator[Opened]:
    """Open an address in a fresh context and wait until its chart is there."""
    context = browser.new_context(viewport={"width": width, "height": 900}, **options)
    seen = Opened(context.new_page())
    seen.page.on("console", lambda message: seen.console.append(message.text))
    seen.page.on("pageerror", lambda error: seen.console.append(str(error)))
    seen.page.on("request", lambda request: seen.requests.append(request.url))
    seen.page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
    seen.page.goto(address)
    if ready:
        seen.page.wait_for_selector("html[data-ready]", timeout=15_000)
    yield seen
    context.close()


class _Quiet(SimpleHTTPRequestHandler):
    asked: list[str]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name in the base class
        self.asked.append(self.path)


@contextmanager
def served(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Address of a folder served on this machine, and the paths that were asked for."""
    asked: list[str] = []
    handler = type("Handler", (_Quiet,), {"asked": asked})
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", asked
    server.shutdown()
    server.server_close()
