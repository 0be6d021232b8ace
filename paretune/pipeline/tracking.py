"""What a run folder holds, sent to the tracker that [tracking] names: log lines, seconds of cells, final figures.

The folder stays the only record. tracking.json in it notes how much was sent where, so that every process goes on from
the last one, and a tracker that is named late is sent what was there before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paretune.config import ExperimentConfig, VariantConfig
from paretune.files import fingerprint, write_text
from paretune.run.folder import RunFolder
from paretune.run.jsonl import read_header, read_lines
from paretune.tracking import build_tracker

if TYPE_CHECKING:
    from paretune.analysis.results import Claim, Comparison
    from paretune.pipeline.session import Session
    from paretune.tracking import Tracker

STATE_FILE = "tracking.json"
_WHOLE = "experiment"  # the run of work that belongs to no variant


class Mirror:
    """Sends what is new in a run folder. A tracker that fails is let go of, which is said: no training ends for it."""

    def __init__(
        self, folder: RunFolder, config: ExperimentConfig, tracker: Tracker, say: Callable[[str], None]
    ) -> None:
        self._folder, self._config, self._say = folder, config, say
        self._tracker: Tracker | None = tracker
        self._sizes: dict[str, int] = {}  # of the logs when they were last read
        tracking = config.tracking
        self._store = "" if tracking is None else f"{tracking.kind} {tracking.server or tracking.path or ''}".strip()
        self._sent: dict[str, Any] = self._read_state().get(self._store, {})

    def send_training(self, variant: str) -> None:
        """The lines of a variant's training that are new."""
        path = self._folder.variant(variant, "training.jsonl")
        size = path.stat().st_size if self._tracker is not None and path.exists() else 0
        if size and size != self._sizes.get(variant):
            self._sizes[variant] = size
            self._safely(lambda tracker: self._send_lines(tracker, variant, path))

    def send_work(self) -> None:
        """Training lines and seconds of finished work that are new."""
        if self._tracker is not None:
            for variant in self._config.variants:
                self.send_training(variant.name)
            self._safely(self._send_seconds)

    def send_figures(self, comparison: Comparison) -> None:
        """Gain and changes of every unit with their intervals, from the verdict; nothing where they were sent."""
        if self._tracker is not None:
            self.send_work()
            self._safely(lambda tracker: self._send_claims(tracker, comparison))

    def close(self) -> None:
        """Let the tracker write all of it."""
        self._safely(lambda tracker: tracker.close())

    def _send_lines(self, tracker: Tracker, variant: str, path: Path) -> None:
        mark = read_header(path).get("fingerprint")
        sent = self._sent.setdefault("training", {})
        before = sent.get(variant, {})
        lines = read_lines(path)[1]
        if before.get("fingerprint") != mark:
            before = {"lines": 0}
            tracker.start(variant, _settings(self._config.variant(variant)))
        for line in lines[before["lines"] :]:
            figures = {f"training/{key}": float(value) for key, value in line.items() if _is_figure(key, value)}
            tracker.log(variant, figures, int(line["step"]))
        # a resumed training repeats the lines behind its checkpoint: those are not sent twice
        sent[variant] = {"fingerprint": mark, "lines": max(before["lines"], len(lines))}

    def _send_seconds(self, tracker: Tracker) -> None:
        work = self._folder.read_manifest().get("work", [])
        for step, entry in enumerate(work[self._sent.get("work", 0) :], start=self._sent.get("work", 0)):
            run = entry.get("variant") or _WHOLE
            tracker.log(run, {f"seconds/{entry['stage']}": float(entry["seconds"])}, step)
        self._sent["work"] = len(work)

    def _send_claims(self, tracker: Tracker, comparison: Comparison) -> None:
        figures = {item.unit.name: _figures(item.unit.target, item.unit.general) for item in comparison.verdict.units}
        mark = fingerprint(figures)
        if self._sent.get("figures") == mark:
            return
        reports = int(self._sent.get("reports", 0))
        for name, values in figures.items():
            tracker.log(name, values, reports)
        self._sent |= {"figures": mark, "reports": reports + 1}

    def _safely(self, send: Callable[[Tracker], None]) -> None:
        if self._tracker is None:
            return
        try:
            send(self._tracker)
        except Exception as error:  # another package's code: no common error
            self._let_go(error)
        else:
            write_text(self._state_path, json.dumps({**self._read_state(), self._store: self._sent}) + "\n")

    def _let_go(self, error: Exception) -> None:
        reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        self._say(f"tracking: {reason}; nothing more is sent, the next run sends the rest")
        self._tracker = None

    @property
    def _state_path(self) -> Path:
        return self._folder.path / STATE_FILE

    def _read_state(self) -> dict[str, Any]:
        try:
            return dict(json.loads(self._state_path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}


@contextmanager
def tracking(session: Session) -> Iterator[None]:
    """Within, what is new in the session's folder is sent. Raises ConfigError where the tracker cannot be had."""
    config = session.config.tracking
    if config is None:
        yield
        return
    store = session.folder.path / "tracking" if config.path is None else Path(config.path)
    session.say(f"tracking: {config.kind}, {config.server or store}")
    tracker = build_tracker(config, session.folder.path.resolve().name, store)
    session.mirror = Mirror(session.folder, session.config, tracker, session.say)
    try:
        yield
    finally:
        session.mirror.send_work()
        session.mirror.close()


def _settings(variant: VariantConfig) -> Mapping[str, str]:
    return {} if variant.training is None else {key: str(value) for key, value in variant.training.as_dict().items()}


def _is_figure(key: str, value: Any) -> bool:
    return key != "step" and isinstance(value, int | float) and not isinstance(value, bool)


def _figures(target: Claim | None, general: tuple[Claim, ...]) -> dict[str, float]:
    claims = {} if target is None else {"gain": target}
    claims |= {f"change/{claim.benchmark}/{claim.method}": claim for claim in general}
    figures: dict[str, float] = {}
    for name, claim in claims.items():
        interval = claim.interval
        figures |= {name: interval.estimate, f"{name}/low": interval.low, f"{name}/high": interval.high}
    return figures
