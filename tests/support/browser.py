"""A headless Chromium driven over the WebDriver protocol, for tests of the page."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import tempfile
import urllib.request
from pathlib import Path
from typing import Any

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
MISSING = (
    ""
    if CHROMIUM.exists() and DRIVER.exists()
    else (
        "needs the Debian packages chromium and chromium-driver (/usr/bin/chromium,"
        " /usr/bin/chromedriver)"
    )
)
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
]


class Browser:
    """A browser with a profile of its own; a context manager."""

    def __enter__(self) -> Browser:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._driver = subprocess.Popen(
            [str(DRIVER), "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            port = next(
                found[1]
                for line in self._driver.stdout
                if (found := re.search(r"on port ([1-9]\d*)", line))
            )
            self._root = f"http://127.0.0.1:{port}"
            flags = [*FLAGS, f"--user-data-dir={self._profile.name}", "about:blank"]
            options = {"binary": str(CHROMIUM), "args": flags}
            made = self._call(
                "POST",
                "/session",
                {
                    "capabilities": {
                        "alwaysMatch": {
                            "browserName": "chrome",
                            "goog:chromeOptions": options,
                            "goog:loggingPrefs": {
                                "browser": "ALL",
                                "performance": "ALL",
                            },
                        }
                    }
                },
            )
            self._root += f"/session/{made['sessionId']}"
            self._call("POST", "/url", {"url": "about:blank"})
            self.requested()  # what the browser's own first page asks for
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._call("DELETE", "")
        finally:
            self._end()

    def _end(self) -> None:
        self._driver.terminate()
        self._driver.wait(timeout=60)
        self._driver.stdout.close()
        self._profile.cleanup()

    def _call(self, method: str, path: str, given: dict[str, Any] | None = None) -> Any:
        body = None if method != "POST" else json.dumps(given or {}).encode()
        asked = urllib.request.Request(
            self._root + path, body, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
            asked, timeout=60
        ) as answer:
            return json.loads(answer.read())["value"]

    def size(self, wide: int, high: int, dark: bool = False) -> None:
        """Set the size of the screen, and whether the reader prefers dark pages."""
        self._devtools(
            "Emulation.setDeviceMetricsOverride",
            width=wide,
            height=high,
            deviceScaleFactor=1,
            mobile=wide < 600,
        )
        scheme = "dark" if dark else "light"
        self._devtools(
            "Emulation.setEmulatedMedia",
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def _devtools(self, command: str, **given: Any) -> Any:
        return self._call(
            "POST", "/goog/cdp/execute", {"cmd": command, "params": given}
        )

    def open(self, path: Path) -> None:
        """Open a page from disk."""
        self._call("POST", "/url", {"url": path.resolve().as_uri()})

    def run(self, script: str, *given: Any) -> Any:
        """Run a script in the page and return what it returns."""
        return self._call(
            "POST", "/execute/sync", {"script": script, "args": list(given)}
        )

    def wait_until(self, condition: str, *given: Any) -> None:
        """Wait until a script returns true; the driver gives up after 30 seconds."""
        script = f"""
          const given = [...arguments];
          const done = given.pop();
          const holds = function () {{ {condition} }};
          const look = () => holds(...given) ? done(true) : requestAnimationFrame(look);
          look();
        """
        self._call("POST", "/execute/async", {"script": script, "args": list(given)})

    def complaints(self) -> list[str]:
        """Return the messages of the console since the last call."""
        return [
            line["message"]
            for line in self._call("POST", "/se/log", {"type": "browser"})
        ]

    def requested(self) -> list[str]:
        """Return the addresses requested since the last call."""
        lines = [
            json.loads(line["message"])["message"]
            for line in self._call("POST", "/se/log", {"type": "performance"})
        ]
        return [
            line["params"]["request"]["url"]
            for line in lines
            if line["method"] == "Network.requestWillBeSent"
        ]

    def screenshot(self, path: Path) -> None:
        """Write what is on the screen as PNG."""
        path.write_bytes(base64.b64decode(self._call("GET", "/screenshot")))
