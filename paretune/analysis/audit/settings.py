"""Settings that all variants share, so that no comparison shows them, and that decide the figures all the same."""

from __future__ import annotations

import re
from collections.abc import Iterator

from paretune.findings import Finding
from paretune.run.load import Run

SHORTEST_LIMIT = 1.0  # seconds of one execution
_INSTRUCT = re.compile(r"(?:^|[-_/ ])(?:instruct|chat|it|sft|dpo)(?:$|[-_. ])", re.IGNORECASE)
_TEMPLATE = re.compile(
    r"<\|[a-z_]+\|>|\[/?INST\]|<start_of_turn>|<\|?(?:user|assistant|im_start)|###\s*(?:Instruction|User|Human)|"
    r"\b(?:USER|Human|User|Instruction):",
)


def settings_findings(run: Run) -> Iterator[Finding]:
    """Sampling, lenient rules, short limits, and an instruct model asked without its chat template."""
    headers = [variant.headers[file] for variant in run.all_variants for file in ("answers", run.facets.lines)]
    decodings = {str(header["decoding"]) for header in headers if "decoding" in header}
    temperatures = [header["temperature"] for header in headers if header.get("temperature")]
    if decodings - {"greedy"} or temperatures:
        said = ", ".join([*sorted(decodings - {"greedy"}), *(f"temperature {value}" for value in temperatures[:1])])
        yield Finding("warning", "not-greedy", {"decoding": said})
    if any(header.get("rules") == "tp4" for header in headers):
        yield Finding("warning", "lenient-rules", {"rules": "tp4"})
    limits = [header["limit_seconds"] for header in headers if isinstance(header.get("limit_seconds"), int | float)]
    if limits and min(limits) < SHORTEST_LIMIT:
        yield Finding("warning", "short-limit", {"seconds": float(min(limits))})
    yield from _template(run)


def _template(run: Run) -> Iterator[Finding]:
    model = str((run.manifest.get("model") or {}).get("name") or "")
    prompts = [row.prompt for row in run.questions if row.prompt]
    if prompts and _INSTRUCT.search(model) and not any(map(_TEMPLATE.search, prompts)):
        yield Finding("warning", "no-chat-template", {"model": model})
