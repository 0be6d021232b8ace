"""How fast and how large is the page of a great run?

12 variants with names of 45 letters x (1034 target + 14042 general) questions: seconds to write it, its size, and in
headless Chromium the milliseconds until its rows stand and until a filter, letters typed, the other axis, a question,
another language or budget are shown. Run: python -m benchmarks.page [WIDTH ...]
"""

from __future__ import annotations

import gzip
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from paretune.analysis.audit import audit_run
from paretune.analysis.comparison import compare_run
from paretune.report.page import write_page
from paretune.run.load import load_run
from paretune.text import Voice
from tests.report.chromium import Browser, find_chromium
from tests.simulated_run import SimulatedVariant, write_run

VARIANTS = 11  # beside the base model
STEPS = {
    "filter, target": "choose('flip', 'lost')",
    "filter off, target": "choose('flip', '')",
    "letters typed, target": "typed('name')",
    "to general questions, first time": "turn('choice')",
    "filter, general": "choose('flip', 'changed')",
    "letters typed, general": "typed('question 1')",
    "question opened": "opened()",
    "next question": "document.getElementById('next').click()",
    "question closed": "document.getElementById('close').click()",
    "other budget": "withBudget(document.querySelector('.view:not([hidden])'), 3)",
    "other language": "setLanguage('pt-BR')",
}
HELPERS = """
  const choose = (name, value) => { const select = document.getElementById("filter-" + name);
    select.value = value; select.dispatchEvent(new Event("change")); };
  const axis = () => document.querySelector('.tabs [aria-pressed=true]').id.slice(5);
  const typed = (text) => explorer.show({ axis: axis(), text });
  const turn = async (axis) => { document.getElementById('axis-' + axis).click();
    while (!document.getElementById('filter-suite')) await new Promise((done) => setTimeout(done, 1)); };
  const opened = () => document.querySelector('.open').click();
"""


def main(widths: Sequence[str]) -> None:
    """Write one page and time it at each width."""
    program = find_chromium()
    if program is None:
        sys.exit("no chromium here; apt-get install chromium")
    with tempfile.TemporaryDirectory() as scratch:
        page = _written(Path(scratch))
        print(f"page: {page.stat().st_size / 1e6:.1f} MB, {len(gzip.compress(page.read_bytes())) / 1e6:.1f} MB packed")
        profile = Path(scratch) / "profile"
        profile.mkdir()
        browser = Browser(program, profile)
        try:
            for width in widths or ("400", "1024", "1400"):
                browser.resize(int(width))
                _timed(browser, page, int(width))
        finally:
            browser.close()


def _written(scratch: Path) -> Path:
    names = [f"qwen2.5-7b-lora-r64-lr2e-4-epochs3-cosine-{at:03d}" for at in range(VARIANTS)]
    planted = [SimulatedVariant(name, gain=20.0 - at, loss=at / 2) for at, name in enumerate(names)]
    folder = write_run(scratch / "run", planted, size="spider")
    records = load_run(folder)
    comparison, findings = compare_run(records, replicates=200), audit_run(records)
    start = time.perf_counter()
    page = write_page(records, comparison, findings, folder / "report", Voice("en"))
    print(f"written in {time.perf_counter() - start:.1f} s")
    return page


def _timed(browser: Browser, page: Path, width: int) -> None:
    browser.errors.clear()
    browser.requests.clear()
    browser.ask("Performance.enable", timeDomain="threadTicks")
    start = time.perf_counter()
    browser.open(page)
    took = 1000 * (time.perf_counter() - start)
    print(f"\n{width} pixels: rows after {took:.0f} ms, of them {_busy(browser):.0f} ms of the processor")
    print(f"  load event: {browser.run('performance.getEntriesByType(`navigation`)[0].loadEventEnd'):.0f} ms")
    print(f"  elements: {browser.run('document.querySelectorAll(`*`).length')}")
    for name, step in STEPS.items():
        busy = _busy(browser)
        took = browser.run(
            f"(async () => {{ {HELPERS} const start = performance.now(); await {step};"
            " void document.body.offsetHeight; return performance.now() - start; })()"
        )
        print(f"  {name}: {took:.0f} ms, of them {_busy(browser) - busy:.0f} ms of the processor")
    overflow = browser.run("document.documentElement.scrollWidth") - width
    asked = [url for url in browser.requests if url not in (page.as_uri(), "data:,")]
    print(f"  wider than the window by: {max(0, overflow)}; console: {browser.errors}; requests: {asked}")
    browser.run("localStorage.clear()")


def _busy(browser: Browser) -> float:
    """Milliseconds of a processor that the main thread has had since the page was opened, whatever else the machine
    does."""
    found = browser.ask("Performance.getMetrics")["metrics"]
    return 1000 * float(next(metric["value"] for metric in found if metric["name"] == "TaskDuration"))


if __name__ == "__main__":
    main(sys.argv[1:])
