"""The page through axe-core, the accessibility checker, in a real browser: contrast, names, roles, order of heads.

axe-core comes from the npm registry into pytest's cache; where it cannot be fetched the tests are skipped and say why.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from paretune.cli import main
from tests.report.chromium import Browser
from tests.report.conftest import fresh
from tests.simulated_run import variants, write_run
from tests.undrawn import draw_nothing

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
def evaluated(browser: Browser) -> Iterator[Browser]:
    """A browser that lets a test put the checker into the page, whose policy allows no evaluation; for that test only,
    since other modules test the policy in the same browser."""
    browser.ask("Page.setBypassCSP", enabled=True)
    yield browser
    browser.ask("Page.setBypassCSP", enabled=False)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
def test_page_has_no_violation(evaluated: Browser, allowing: Path, axe: str, scheme: str, width: int) -> None:
    fresh(evaluated, allowing, width=width, scheme=scheme)
    evaluated.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert violations(evaluated, axe) == []


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "place", ["#explorer?axis=sql&variant=qwen2.5-7b-lora-r64-lr2e-4-epochs3-cosine-00", "#explorer?axis=choice"]
)
def test_explorer_and_question_have_no_violation(
    evaluated: Browser, long_names: Path, axe: str, scheme: str, place: str, width: int
) -> None:
    fresh(evaluated, long_names, place, width=width, scheme=scheme)
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


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pages beside that of a complete run: of a folder of runs, of a run without a complete base model, of a run
    that lacks a variant, and of logs."""
    folder = tmp_path_factory.mktemp("others")
    runs = folder / "runs"
    partly = write_run(runs / "partly", variants(3))
    (partly / "run-2" / "choice.jsonl").unlink()
    begun = write_run(runs / "begun", variants(2))
    (begun / "baseline" / "choice.jsonl").unlink()
    logs = []
    for name, gained in (("base", 0), ("tuned", 15)):
        rows = [f"q{at},{int(at % 2 == 0 or at < 2 * gained)},t{at // 8},How much is {at}?" for at in range(120)]
        logs.append(folder / f"{name}.csv")
        logs[-1].write_text("\n".join(["id,correct,topic,question", *rows]) + "\n", encoding="utf-8")
    compared = folder / "logs.html"
    with pytest.MonkeyPatch.context() as patch:
        draw_nothing(patch)
        for words in (["report", partly], ["report", begun], ["report", runs], ["compare", *logs, "--html", compared]):
            assert main([str(word) for word in words]) == 0
    page = Path("report") / "index.html"
    return {"runs": runs / "index.html", "begun": begun / page, "partly": partly / page, "logs": compared}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("name", ["runs", "begun", "partly", "logs"])
def test_other_page_has_no_violation_and_fits_the_window(
    evaluated: Browser, others: dict[str, Path], axe: str, name: str, width: int, scheme: str
) -> None:
    evaluated.resize(width)
    evaluated.prefer(scheme)
    evaluated.errors.clear()
    evaluated.ask("Page.navigate", url=others[name].as_uri())
    evaluated.wait_for("document.readyState === 'complete' && document.querySelector('h1') !== null")
    evaluated.run("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert violations(evaluated, axe) == []
    assert evaluated.run("document.documentElement.scrollWidth") <= width
    assert evaluated.errors == []


@pytest.mark.parametrize("name", ["runs", "begun"])
def test_page_without_a_script_changes_its_language(browser: Browser, others: dict[str, Path], name: str) -> None:
    shown = "[...document.querySelectorAll('.view')].filter(v => v.checkVisibility()).map(v => v.lang)"
    browser.ask("Page.navigate", url=others[name].as_uri())
    browser.wait_for("document.readyState === 'complete'")
    assert browser.run(shown) == ["en"]
    browser.run("document.getElementById('in-pt-BR').click()")
    assert browser.run(shown) == ["pt-BR"]
