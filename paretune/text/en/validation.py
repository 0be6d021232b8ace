"""What validation questions say: the dial and the search."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "search.title": "What the search looked at, on validation questions",
    "search.state": "state",
    "search.worst": "change of the worst suite",
    "search.front": "front",
    "search.candidate": "judged on the test",
    "search.looks": (
        "{looks} states of {trainings} trainings were looked at, on {questions} questions of the target and {general} "
        "of general ability; trainings that came to nothing or were stopped: {dropped}. The table shows the front. The "
        "intervals hold for all {looks} together."
    ),
    "search.pick": "The pick of the test, to run again: {path}",
    "search.no-pick": "The test picks the base model: no recipe is claimed. What was judged: {path}",
    "search.gain": "gain on the target, points (validation)",
    "search.change": "change of the worst suite, points (validation)",
    "search.all": "Every look of the search",
    "search.look": "one look",
    "search.interval": "interval of the front, all looks together",
    "search.section": "What the search looked at",
    "search.claim": (
        "The front was chosen by its figures, which therefore flatter; nothing is claimed of them. What is claimed "
        "stands above, by the test's questions, which the search never asked."
    ),
    "search.again": "The pick of the test, to run again (TOML)",
    "dial.title": (
        "The dial of {variant}, by {questions} validation questions of the target and of general ability ({choices}); "
        "none of them is the test's"
    ),
    "dial.intervals": "Intervals of the changes against the base model hold for all {planned} points together.",
    "dial.pick": "Pick: {variant}.",
    "dial.none": "Pick: the base model.",
    "dial.page": "On the page of the run, with its curve: {command}",
    "dial.section": "Scales and checkpoints on validation questions",
    "dial.introduction": (
        "One adapter at other strengths and at other steps, looked at before the test. Intervals are those of "
        "measured points; a curve between them is no measurement."
    ),
    "dial.plot": "The dial of {variant}: change against the base model, in points",
    "dial.measured": "measured",
    "dial.interpolated": "interpolated, not measured",
    "dial.step": "after {step} steps",
    "dial.finished": "finished adapter",
    "dial.ring": "the pick",
    "dial.run": "Its test figures: {command}",
    "dial.add": "Its test figures: add these lines to the experiment, then {command}",
}
