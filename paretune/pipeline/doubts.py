"""What makes figures on a target's data doubtful, whatever its task."""

from __future__ import annotations

from collections.abc import Iterator

from paretune.sources.splitting import same_question
from paretune.tasks import Question, TargetData


def trained_on_the_test(target: TargetData) -> Iterator[str]:
    """One remark where questions are asked that are trained on."""

    def mark(row: Question) -> tuple[str, str]:
        return row.cluster, same_question(row.question)

    trained = {mark(row) for _, row in target.training}
    count = sum(mark(question) in trained for question in target.questions)
    if count:
        yield (
            f"{count} of {len(target.questions)} test questions stand among the training rows: what is gained on them "
            "is memory; take them out of the training data"
        )
