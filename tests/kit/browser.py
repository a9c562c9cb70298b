"""A headless browser, where there is one: what a page looks like from inside, and what it asks the network for."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip
MAKERS = {"accounts.google.com", "update.googleapis.com", "clients2.google.com"}
ANSWER = re.compile(r'<pre id="asked">(.*?)</pre>', re.DOTALL)


def run(page: Path, *flags: str) -> str:
    """What chromium prints about a page."""
    with tempfile.TemporaryDirectory() as folder:
        command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={folder}", *flags, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=90).stdout


def ask(html: str, script: str, folder: Path, *flags: str) -> object:
    """What a script that runs in the page returns, as JSON."""
    asking = (
        "<script>addEventListener('load', () => { const answer = (() => { %s })(); const pre = "
        "document.createElement('pre'); pre.id = 'asked'; pre.textContent = JSON.stringify(answer); "
        "document.body.append(pre); });</script></body>"
    )
    page = folder / "asked.html"
    page.write_text(html.replace("</body>", asking % script), encoding="utf-8")
    found = ANSWER.search(run(page, "--dump-dom", "--virtual-time-budget=2000", *flags))
    assert found is not None, "the page did not answer"
    return json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def list_requests(page: Path, folder: Path) -> set[str]:
    """Every host that the page asks for, from the browser's own log: without what it asks of its maker by itself."""
    return list_hosts(page, folder) - hosts_of_nothing() - MAKERS


@cache
def hosts_of_nothing() -> frozenset[str]:
    """What the browser asks for when it shows an empty page."""
    with tempfile.TemporaryDirectory() as name:
        blank = Path(name) / "blank.html"
        blank.write_text("<p>nothing</p>", encoding="utf-8")
        return frozenset(list_hosts(blank, Path(name)))


def list_hosts(page: Path, folder: Path) -> set[str]:
    """The hosts of all addresses of the network's log."""
    log = folder / "net.json"
    run(page, "--dump-dom", f"--log-net-log={log}", "--host-resolver-rules=MAP * ~NOTFOUND")
    return set(re.findall(r'"url":"(?:https?|wss?|ftp)://([^/"]+)', log.read_text(encoding="utf-8")))
