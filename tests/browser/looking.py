"""What a test sees on a page: faults of access, sideways scroll, errors, foreign requests."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from axe_playwright_python.base import AXE_SCRIPT

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, Request, Response

# target-size is WCAG 2.2 AA and is off unless asked for.
_OPTIONS = {
    "resultTypes": ["violations"],
    "rules": {"target-size": {"enabled": True}},
    "preload": False,
}
_COLOURS = {**_OPTIONS, "rules": {}, "runOnly": ["color-contrast", "link-in-text-block"]}
_RUN = "options => axe.run(document, options).then(found => found.violations)"
_TOO_WIDE = """() => {
  const width = window.innerWidth, page = document.scrollingElement;
  if (page.scrollWidth <= width) return [];
  const over = [...document.querySelectorAll("body *")].filter(one => {
    const box = one.getBoundingClientRect();
    return box.width && (box.right > width + 1 || box.left < -1);
  });
  const named = over.slice(0, 4).map(one => one.outerHTML.slice(0, 120));
  return [`${page.scrollWidth} > ${width}`, ...named];
}"""


@dataclass
class Watch:
    """Notes what a page asks for and complains of. host: the only one it may ask."""

    page: Page
    host: str
    faults: list[str] = field(default_factory=list)
    status: int = 0

    def __post_init__(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", self._request)
        self.page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # The browser says so of every error page, also of those that are asked for on purpose.
        told = message.text.startswith(
            "Failed to load resource: the server responded with a status"
        )
        if message.type in {"error", "warning"} and not told:
            self.faults.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.host, "data:", "about:")):
            self.faults.append(f"asked a stranger: {request.url}")

    def _response(self, response: Response) -> None:
        if response.request.is_navigation_request():
            self.status = response.status
        elif response.status >= 400:
            self.faults.append(f"{response.status} for {response.url}")

    def take(self) -> list[str]:
        """Return the faults since the last time."""
        found, self.faults = self.faults, []
        return found


def access_faults(page: Page, *, colours_only: bool = False) -> list[str]:
    """Return what axe finds wrong with the page as it is shown now, target sizes included.

    colours_only: for a page that was looked at in full, and is now shown in other colours.
    """
    if not page.evaluate("() => typeof axe !== 'undefined'"):
        page.evaluate(AXE_SCRIPT)
    violations: list[dict[str, Any]] = page.evaluate(_RUN, _COLOURS if colours_only else _OPTIONS)
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:160]} | "
        + json.dumps([check["message"] for check in node["any"] + node["all"] + node["none"]][:2])
        for one in violations
        for node in one["nodes"][:3]
    ]


def too_wide(page: Page) -> list[str]:
    """Return what stands out sideways of the page, nothing when it fits its window."""
    found: list[str] = page.evaluate(_TOO_WIDE)
    return found
