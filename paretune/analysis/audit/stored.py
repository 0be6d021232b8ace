"""Do headers, manifest, adapters and lines say the same? Every fingerprint that can be found again is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from paretune.config import BASELINE, EngineConfig
from paretune.errors import ModelError
from paretune.files import fingerprint
from paretune.findings import Figures, Finding
from paretune.models.adapters import adapter_fingerprint, fingerprint_as_written
from paretune.run.jsonl import Record
from paretune.run.load import Run, Variant

# Of a header, the keys that its fingerprint does not cover; of verdicts, "answers" is covered apart.
NOT_COVERED = ("kind", "fingerprint")
EMBEDDED = EngineConfig().kind
ANSWERING = ("weights", "adapter", "adapter_scale", "precision", "quantization")


def stored_findings(run: Run) -> Iterator[Finding]:
    """Prepared lines, headers, adapters and manifest against each other. What an older folder does not say is not
    missed."""
    yield from _prepared(run)
    yield from _databases(run)
    for variant in run.all_variants:
        if variant.entry.unusable:
            figures: Figures = {"variant": variant.name, "reason": variant.entry.unusable}
            yield Finding("warning", "unusable-adapter", figures)
        yield from _headers(run, variant)
        yield from _one_model(variant)
        yield from _configured(run, variant)
        yield from _adapter(run, variant)
        yield from _other_names(variant)
    yield from _derived_adapters(run)


def _prepared(run: Run) -> Iterator[Finding]:
    for name in (run.facets.lines, "train", "choice"):
        header = run.headers.get(name, {})
        if header.get("kind") == f"prepared-{name}" and run.content.get(name) != header.get("fingerprint"):
            yield Finding("invalid", "prepared-changed", {"file": f"prepared/{name}.jsonl"})
    asked = run.config.get("target", {}).get("questions")
    if isinstance(asked, int) and 0 < len(run.questions) < asked:
        yield Finding("warning", "fewer-questions", {"count": len(run.questions), "questions": asked})


def _databases(run: Run) -> Iterator[Finding]:
    hashes = {name: digest for name, digest in _data(run).items() if name.startswith("target/database/")}
    for variant in run.all_variants:
        judged_on = variant.headers[run.facets.lines].get("databases")
        if hashes and judged_on and judged_on != fingerprint(hashes):
            yield Finding("invalid", "other-databases", {"variant": variant.name})


def _headers(run: Run, variant: Variant) -> Iterator[Finding]:
    for file in ("answers", "choice", run.facets.lines):
        header = variant.headers[file]
        if header.get("kind") != file:
            continue
        decided: object = {key: value for key, value in header.items() if key not in NOT_COVERED}
        if file == run.facets.lines:
            rest = {key: value for key, value in header.items() if key not in (*NOT_COVERED, "answers")}
            decided = [header.get("answers"), rest]
        if header.get("fingerprint") != fingerprint(decided):
            yield Finding("invalid", "header-changed", {"file": f"{variant.name}/{file}.jsonl"})


def _one_model(variant: Variant) -> Iterator[Finding]:
    """SQL and multiple choice must be answered by one model with one adapter at one scale."""
    sql, choice = variant.headers["answers"], variant.headers["choice"]
    for setting in ANSWERING:
        if setting in sql and setting in choice and sql[setting] != choice[setting]:
            yield Finding("invalid", "two-models", {"variant": variant.name, "setting": setting})


def _configured(run: Run, variant: Variant) -> Iterator[Finding]:
    """What the manifest says that was done, against what the headers say."""
    target, model = run.config.get("target", {}), run.manifest.get("model", {})
    answers, judged = variant.headers["answers"], variant.headers[run.facets.lines]
    said = [
        ("rules", target.get("rules"), judged.get("rules")),
        ("limit_seconds", target.get("limit_seconds"), judged.get("limit_seconds")),
        ("max_new_tokens", target.get("max_new_tokens"), answers.get("max_new_tokens")),
        ("batch_size", target.get("batch_size"), answers.get("batch_size")),
    ]
    for setting in ("weights", "precision", "quantization"):
        said += [(setting, model.get(setting), variant.headers[file].get(setting)) for file in ("answers", "choice")]
    scale = variant.entry.adapter_scale if variant.name != BASELINE else None
    said += [("adapter_scale", scale, variant.headers[file].get("adapter_scale")) for file in ("answers", "choice")]
    differing = dict.fromkeys(
        (setting, str(one), str(other))
        for setting, one, other in said
        if one is not None and other is not None and one != other
    )
    for setting, one, other in differing:
        figures: Figures = {"variant": variant.name, "setting": setting, "manifest": one, "header": other}
        yield Finding("invalid", "manifest-differs", figures)
    tuned = [file for file in ("answers", "choice") if variant.headers[file].get("adapter")]
    if variant.name == BASELINE and tuned:
        yield Finding("invalid", "tuned-baseline", {"files": ", ".join(f"{file}.jsonl" for file in tuned)})
    bare = [file for file in ("answers", "choice") if variant.headers[file].get("adapter", "") is None]
    if variant.name != BASELINE and bare:
        files = ", ".join(f"{file}.jsonl" for file in bare)
        yield Finding("invalid", "no-adapter", {"variant": variant.name, "files": files})


def _adapter(run: Run, variant: Variant) -> Iterator[Finding]:
    """The stored adapter against the one that answered, where the embedded engine did: the fingerprint of another
    engine also covers what a server calls the adapter, which its files do not tell."""
    folder = adapter_folder(run, variant.name)
    if folder is None or not (folder / "adapter_model.safetensors").is_file():
        return
    try:
        present = (adapter_fingerprint(folder), fingerprint_as_written(folder))
    except ModelError:
        return
    for file in ("answers", "choice"):
        header = variant.headers[file]
        answered, engine = header.get("adapter"), header.get("engine") or {"kind": EMBEDDED}
        if engine["kind"] == EMBEDDED and answered and answered not in present:
            yield Finding("invalid", "other-adapter", {"variant": variant.name, "file": f"{file}.jsonl"})


def adapter_folder(run: Run, name: str) -> Path | None:
    """Where the experiment has a variant's adapter; None for the baseline and where it is not known."""
    configured = {str(item.get("name")): item for item in run.config.get("variants") or ()}
    item = configured.get(name)
    if item is None:
        return None
    if item.get("repair"):
        return run.path / name / "adapter"
    owner = configured.get(str(item.get("source")), item)
    if owner.get("adapter"):
        return Path(str(owner["adapter"]))
    folder = run.path / str(owner["name"])
    if item.get("checkpoint") is not None:
        return folder / "checkpoints" / f"checkpoint-{item['checkpoint']}"
    return folder / "adapter"


def _other_names(variant: Variant) -> Iterator[Finding]:
    others = {line.variant for line in variant.choice} - {variant.name}
    if others:
        count = sum(line.variant in others for line in variant.choice)
        figures: Figures = {"variant": variant.name, "count": count, "others": ", ".join(sorted(others)[:3])}
        yield Finding("invalid", "lines-of-another", figures)


def _derived_adapters(run: Run) -> Iterator[Finding]:
    """A scale of a variant has that variant's adapter; two trainings have two."""
    adapters = {variant.name: _adapter_of(variant) for variant in run.all_variants}
    trained: dict[str, str] = {}
    for variant in run.all_variants:
        adapter, entry = adapters[variant.name], variant.entry
        if adapter is None:
            continue
        if entry.kind == "scaled" and adapters.get(str(entry.source)) not in (None, adapter):
            yield Finding("invalid", "other-source", {"variant": variant.name, "source": str(entry.source)})
        if entry.kind in ("trained", "adapter"):
            first = trained.setdefault(adapter, variant.name)
            if first != variant.name:
                yield Finding("invalid", "one-adapter-twice", {"first": first, "second": variant.name})


def _adapter_of(variant: Variant) -> str | None:
    mark = variant.headers["answers"].get("adapter") or variant.headers["choice"].get("adapter")
    return None if mark is None else str(mark)


def _data(run: Run) -> Record:
    hashes = run.manifest.get("data")
    return dict(hashes) if isinstance(hashes, dict) else {}
