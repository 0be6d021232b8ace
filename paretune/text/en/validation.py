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
        "of general ability; {dropped} trainings came to nothing or were stopped. The table shows the front. The "
        "intervals hold for all {looks} together."
    ),
    "search.pick": "The pick of the test, to run again: {path}",
    "search.no-pick": "The test picks the base model: no recipe is claimed. What was judged: {path}",
    "search.gain": "gain on the target, points (validation)",
    "search.loss": "loss on the worst suite, points (validation)",
    "dial.title": (
        "The dial of {variant}, by {questions} validation questions of the target and of general ability ({choices}); "
        "none of them is the test's"
    ),
    "dial.intervals": "Intervals of the changes against the base model hold for all {planned} points together.",
    "dial.pick": "Pick: {variant}.",
    "dial.none": "Pick: the base model.",
    "dial.run": "Its test figures: {command}",
    "dial.add": "Its test figures: add these lines to the experiment, then {command}",
}
