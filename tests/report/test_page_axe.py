"""The page through axe-core, the accessibility checker, in a real browser: contrast, names, roles, order of heads.

axe-core comes from the npm registry into pytest's cache; where it cannot be fetched the tests are skipped and say why.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.report.chromium import Browser
from tests.report.conftest import fresh

AXE = "axe-core@4.14.1"
LIMIT_SECONDS = 300.0  # the checker looks at every element
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture(scope="session")
def axe(pytestconfig: pytest.Config) -> str:
    """The checker's program."""
    cache = getattr(pytestconfig, "cache", None)
    if cache is None:
        pytest.skip("pytest runs without its cache, where axe-core would be kept")
    folder: Path = cache.mkdir(AXE.replace("@", "-"))
    program = folder / "axe.min.js"
    if not program.is_file():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("no npm here to fetch axe-core with")
        asked = [npm, "pack", AXE, "--pack-destination", str(folder)]
        done = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode:
            pytest.skip(f"axe-core cannot be fetched: {done.stderr.strip()[-200:]}")
        with tarfile.open(folder / done.stdout.split()[-1]) as packed:
            member = packed.extractfile("package/axe.min.js")
            assert member is not None
            program.write_bytes(member.read())
    return program.read_text(encoding="utf-8")


def violations(browser: Browser, axe: str, within: str = "body") -> list[str]:
    """What axe finds within an element, one line per rule, with the first elements."""
    browser.run(f"window.axe === undefined && (0, eval)({json.dumps(axe)})")
    found: dict[str, Any] = browser.run(f"axe.run({json.dumps(within)}, {json.dumps(RULES)})", LIMIT_SECONDS)
    return [
        f"{item['id']}: {item['help']}: " + "; ".join(node["html"][:120] for node in item["nodes"][:3])
        for item in found["violations"]
    ]


@pytest.fixture
def evaluated(browser: Browser) -> Browser:
    """A browser that lets a test put the checker into the page, whose policy allows no evaluation."""
    browser.ask("Page.setBypassCSP", enabled=True)
    return browser


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_page_has_no_violation(evaluated: Browser, allowing: Path, axe: str, scheme: str, width: int) -> None:
    fresh(evaluated, allowing, width=width, scheme=scheme)
    evaluated.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert violations(evaluated, axe) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "place", ["#explorer?axis=sql&variant=qwen2.5-7b-lora-r64-lr2e-4-epochs3-cosine-00", "#explorer?axis=choice"]
)
def test_explorer_and_question_have_no_violation(
    evaluated: Browser, long_names: Path, axe: str, scheme: str, place: str
) -> None:
    fresh(evaluated, long_names, place, scheme=scheme)
    evaluated.wait_for("document.querySelector('#results tbody tr') !== null")
    assert violations(evaluated, axe, "#explorer") == []
    evaluated.run("document.querySelector('.open').click()")
    assert violations(evaluated, axe, "#question") == []


def test_page_in_portuguese_with_another_budget_has_no_violation(evaluated: Browser, allowing: Path, axe: str) -> None:
    fresh(evaluated, allowing)
    evaluated.run("setLanguage('pt-BR')")
    evaluated.run("document.querySelector('.view:not([hidden]) [data-allow]').click()")
    assert violations(evaluated, axe) == []
    evaluated.run("localStorage.clear()")
