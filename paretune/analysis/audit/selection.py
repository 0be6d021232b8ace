"""Was something chosen after looking: variants left out, evaluations repeated, the best of several?"""

from __future__ import annotations

from collections.abc import Iterator

from paretune.analysis.audit.alike import FEWEST_TO_SPLIT, is_correct
from paretune.config import BASELINE
from paretune.findings import Figures, Finding, examples
from paretune.run.jsonl import read_header
from paretune.run.load import Run

ANSWERED = {"generate": "answers.jsonl", "choice": "choice.jsonl"}


def selection_findings(run: Run) -> Iterator[Finding]:
    """What the manifest, the work list and the files that were set aside tell of a choice."""
    yield from _stated(run)
    yield from _deleted(run)
    yield from _repeated(run)
    yield from _checkpoints(run)


def _stated(run: Run) -> Iterator[Finding]:
    """What the manifest of a folder made elsewhere says of its choice; else what these records allow."""
    selection = run.manifest.get("selection")
    if isinstance(selection, dict) and selection.get("rows"):
        if selection["rows"] == "test":
            yield Finding("warning", "selected-on-test", {"variant": str(selection.get("variant", "?"))})
        return
    tuned = [variant for variant in run.all_variants if variant.name != BASELINE]
    if len(tuned) < 2:
        return
    first = run.all_variants[0]
    asked = [len(lines) for lines in (first.verdicts, first.choice) if lines]
    if min(asked, default=FEWEST_TO_SPLIT) < FEWEST_TO_SPLIT:
        # Too few to choose on one half and judge on the other: whoever names the best has looked at the test rows.
        best = max(tuned, key=lambda variant: sum(map(is_correct, variant.verdicts)))
        yield Finding("warning", "selected-on-test", {"variant": best.name})
    elif len(tuned) > 2:
        yield Finding("note", "best-of-many", {"variants": len(tuned)})


def _deleted(run: Run) -> Iterator[Finding]:
    """Variants that were answered here by the work list and have no answers now, and those that left the experiment."""
    answered = {str(entry.get("variant")) for entry in _work(run) if entry.get("stage") in ("score", *ANSWERED)}
    present = {variant.name for variant in run.all_variants if variant.verdicts or variant.choice}
    known = {variant.name for variant in run.all_variants}
    gone = [name for name in sorted(answered) if name in known and name not in present]
    if gone:
        yield Finding("warning", "variants-deleted", {"count": len(gone), "variants": ", ".join(gone)})
    left = sorted({*run.former, *(answered - known - {"None"})})
    if left:
        yield Finding("warning", "variants-left", {"count": len(left), "variants": ", ".join(left)})


def _repeated(run: Run) -> Iterator[Finding]:
    """Answers, trainings and questions that were made before and set aside, or worked on under other fingerprints.

    Verdicts that were set aside count where they judged other answers: judging the same ones again chooses nothing.
    """
    for variant in run.all_variants:
        folder = run.path / variant.name
        kept = [path.name for name in ANSWERED.values() for path in folder.glob(f"{name}.old-*")]
        judged = variant.headers[run.facets.lines].get("answers")
        kept += [
            path.name
            for path in folder.glob(f"{run.facets.lines}.jsonl.old-*")
            if read_header(path).get("answers") != judged
        ]
        times = 0
        for stage, file in ANSWERED.items():
            present = variant.headers[file.removesuffix(".jsonl")].get("fingerprint")
            made = {e.get("made") for e in _work(run) if (e.get("stage"), e.get("variant")) == (stage, variant.name)}
            times = max(times, len(made - {None, present}))
        if kept or times:
            count = max(len(kept), times)
            yield Finding("warning", "evaluated-again", {"variant": variant.name, "count": count})
        trained = list(folder.glob("training.jsonl.old-*")) or list(folder.glob("adapter.old-*"))
        if trained:
            yield Finding("warning", "trained-again", {"variant": variant.name, "count": len(trained)})
    changed = sorted(path.name for path in (run.path / "prepared").glob("*.old-*"))
    if changed:
        yield Finding("note", "questions-changed", {"files": examples(changed)})


def _checkpoints(run: Run) -> Iterator[Finding]:
    """A checkpoint reported in place of the end of its training."""
    complete = {variant.name for variant in run.variants}
    for variant in run.variants:
        entry = variant.entry
        if entry.checkpoint is not None and entry.source not in complete:
            figures: Figures = {"variant": variant.name, "step": entry.checkpoint, "source": str(entry.source)}
            yield Finding("warning", "checkpoint-picked", figures)


def _work(run: Run) -> list[dict[str, object]]:
    work = run.manifest.get("work")
    return [entry for entry in work if isinstance(entry, dict)] if isinstance(work, list) else []
