"""Findings of the audit: what was seen, and under .advice what to do."""

from __future__ import annotations

TEXT: dict[str, str] = {
    "audit.ranked-without-evidence": (
        "{second} over {first}: {difference:g} points [{low:g}, {high:g}] by the official rule, p {probability:g} "
        "with the "
        "questions of one reference as one unit; {questions} questions show {detectable:g} points or more"
    ),
    "audit.these-databases-only": (
        "{second} over {first}: {difference:g} points [{low:g}, {high:g}] by the official rule, p {probability:g} "
        "with the "
        "questions of one reference as one unit; over {clusters} databases the interval holds 0"
    ),
    "audit.no-manifest": "{file} is missing or not JSON",
    "audit.no-manifest.advice": "Nothing is known of how these lines were made; without it they cannot be compared.",
    "audit.no-file": "{file} is missing, so the questions are unknown",
    "audit.no-file.advice": (
        "Prepare again with the same settings and data, or get the file from the author of the folder."
    ),
    "audit.unreadable-lines": "{file}: {count} of {lines} lines cannot be read ({reason})",
    "audit.unreadable-lines.advice": "Delete the file and evaluate again; lines of unknown content support no figure.",
    "audit.not-asked": "{file}: {count} lines answer questions that were not asked ({examples})",
    "audit.not-asked.advice": "Evaluate the variant again; these lines come from another question set.",
    "audit.two-lines": "{file}: {count} lines repeat a question that has a line already ({examples})",
    "audit.two-lines.advice": "Evaluate the variant again: one question, one line.",
    "audit.another-reference": "{file}: {count} lines have another database or reference than was asked ({examples})",
    "audit.another-reference.advice": "Evaluate the variant again; its verdicts are about other references.",
    "audit.another-right-answer": (
        "{file}: {count} lines have another right answer or subject than was asked ({examples})"
    ),
    "audit.another-right-answer.advice": "Evaluate the variant again; its verdicts are about other answers.",
    "audit.different-methods": "{variant} was asked other suites, or by other methods, than {first}",
    "audit.different-methods.advice": "Ask all variants the same suites by the same methods.",
    "audit.outdated-answers": "{file} answers an earlier version of the questions (fingerprint {fingerprint})",
    "audit.outdated-answers.advice": (
        "Evaluate the variant again: the same questions may have been asked in other words."
    ),
    "audit.other-answers": "{file}: the verdicts judge other answers than those of answers.jsonl",
    "audit.other-answers.advice": "Score the answers again (`paretune evaluate`).",
    "audit.prepared-changed": "{file} was changed after it was written: its lines do not have its fingerprint",
    "audit.prepared-changed.advice": "Prepare and evaluate again: the stored questions are not those that were asked.",
    "audit.fewer-questions": "{count} questions are stored, but the experiment asks for {questions}",
    "audit.fewer-questions.advice": (
        "Say why; if questions were taken out after looking, put them back and evaluate again."
    ),
    "audit.other-databases": "{variant}: its SQL was judged on other databases than those of the manifest",
    "audit.other-databases.advice": "Score the answers of all variants again on one set of databases.",
    "audit.header-changed": "{file}: the header was changed after it was written: its fingerprint differs",
    "audit.header-changed.advice": (
        "Evaluate the variant again: the conditions under which these lines were made are unknown."
    ),
    "audit.two-models": "{variant}: SQL and multiple choice were answered with different {setting}",
    "audit.two-models.advice": "Evaluate both axes with one model; two models have no trade-off.",
    "audit.manifest-differs": "{variant}: {setting} is {manifest} by the manifest and {header} by the answers",
    "audit.manifest-differs.advice": "Evaluate the variant again under the experiment's settings.",
    "audit.tuned-baseline": "the baseline was answered with an adapter ({files})",
    "audit.tuned-baseline.advice": (
        "Evaluate the baseline without one; now every gain is measured against a tuned model."
    ),
    "audit.no-adapter": "{variant}: answered without an adapter ({files})",
    "audit.no-adapter.advice": "Evaluate the variant again: these are the base model's answers.",
    "audit.other-adapter": "{variant}: {file} was answered with another adapter than the stored one",
    "audit.other-adapter.advice": "Evaluate the variant again, or put back the adapter that answered.",
    "audit.lines-of-another": "{variant}: {count} multiple-choice lines are those of another variant ({others})",
    "audit.lines-of-another.advice": "Evaluate the variant again: its lines were copied.",
    "audit.other-source": "{variant} is a scale of {source}, but was answered with another adapter",
    "audit.other-source.advice": "Evaluate the variant again with the adapter of its source.",
    "audit.one-adapter-twice": "{first} and {second} have one and the same adapter",
    "audit.one-adapter-twice.advice": "Count it once: these are not two trainings.",
    "audit.contradictory-lines": "{variant}: {count} of {questions} {axis} lines contradict themselves ({examples})",
    "audit.contradictory-lines.advice": (
        "Score the answers again: outcome and figures of a line must follow from each other."
    ),
    "audit.verdict-on-another-text": (
        "{variant}: {count} verdicts are on another text than the answer's (positions {examples})"
    ),
    "audit.verdict-on-another-text.advice": "Score the answers again.",
    "audit.no-raw-answers": "{variant}: the raw answers to {questions} questions are not kept",
    "audit.no-raw-answers.advice": "Ask for them: without the texts no verdict can be checked.",
    "audit.statement-not-in-answer": (
        "{variant}: {count} statements do not stand in the answer they are said to come from (positions {examples})"
    ),
    "audit.statement-not-in-answer.advice": (
        "Score the answers again: the verdicts are on SQL that the model did not write."
    ),
    "audit.extracted-otherwise": (
        "{variant}: of {count} of {questions} answers another statement is read today (positions {examples})"
    ),
    "audit.extracted-otherwise.advice": "Score the answers of all variants again with one version.",
    "audit.reference-judged-wrong": (
        "{variant}: {count} queries equal to the reference were not judged right (positions {examples})"
    ),
    "audit.reference-judged-wrong.advice": (
        "Look at the database and the reference: one that is not deterministic judges nothing."
    ),
    "audit.identical-answers": (
        "{first} and {second} gave the same {axis} answers to all {questions} questions, to the last digit"
    ),
    "audit.identical-answers.advice": (
        "Find out whether the adapter was applied; two different models do not answer alike."
    ),
    "audit.fails-alone": (
        "{variant}: {share:g} % of the {axis} answers are {sign}, against {base:g} % of the baseline's"
    ),
    "audit.fails-alone.advice": (
        "Read these answers: a parser, a limit or a missing database may have failed for this variant only."
    ),
    "audit.target-floor": "no variant has more than {share:g} % of the target right",
    "audit.target-floor.advice": (
        "Nothing can be compared at the floor; look at raw answers, or choose easier questions or a larger model."
    ),
    "audit.target-ceiling": "every variant has at least {share:g} % of the target right",
    "audit.target-ceiling.advice": "Nothing can be gained at the ceiling; choose harder questions.",
    "audit.near-chance": (
        "{suite} ({method}): the base model has {accuracy:g} %, only {losable:g} points above the {chance:g} % of "
        "guessing"
    ),
    "audit.near-chance.advice": (
        "A small loss may be all that it knew: claim none on this suite, or answer by cloze or with a larger model."
    ),
    "audit.near-ceiling": (
        "{suite} ({method}): the base model has {accuracy:g} %, so the questions hardly tell models apart"
    ),
    "audit.near-ceiling.advice": "Use a harder suite: this one may not show a loss of ability.",
    "audit.giant-cluster": (
        "{axis}: {share:g} % of {questions} questions come from one of {clusters} clusters; they count as "
        "{effective:g} clusters"
    ),
    "audit.giant-cluster.advice": "Read the figures as those of that one database or subject.",
    "audit.reference-in-prompt": "{count} of {questions} prompts hold their own reference query (positions {examples})",
    "audit.reference-in-prompt.advice": "Take it out and evaluate again: the answer was shown.",
    "audit.groups-renamed": (
        "{count} of {clusters} test databases or groups serve training under another name: {examples}"
    ),
    "audit.groups-renamed.advice": "Split by what they hold, not by what they are called.",
    "audit.references-copied": "{variant}: {share:g} % of {questions} answers are the reference query to the letter",
    "audit.references-copied.advice": "Look for a leak; a model that has seen the test set is not measured by it.",
    "audit.cut-but-stopped": (
        "{variant}: {count} of {questions} answers break off, or fill the token limit, though they are said to have "
        "stopped"
    ),
    "audit.cut-but-stopped.advice": "Check how the end of an answer is noted, and raise max_new_tokens.",
    "audit.not-greedy": "answers were drawn, not the most probable ones ({decoding})",
    "audit.not-greedy.advice": "Decode greedily, or repeat the draw and count its variation.",
    "audit.lenient-rules": "verdicts follow the {rules} rules, by which a query that fails can be right",
    "audit.lenient-rules.advice": "Score with the official rules.",
    "audit.short-limit": "queries had only {seconds:g} seconds, so a verdict may depend on the machine",
    "audit.short-limit.advice": "Allow 30 seconds.",
    "audit.no-chat-template": "{model} is an instruct model, but the prompts show no chat template",
    "audit.no-chat-template.advice": (
        "Ask it in the form that it was trained on: the base is measured below its ability, so the gain looks larger."
    ),
    "audit.training-diverged": "{variant}: its training ended at a loss of {last:g} after {first:g} at the beginning",
    "audit.training-diverged.advice": "Lower the learning rate; this adapter has unlearned.",
    "audit.variants-deleted": "evaluated in this run, without answers now: {count} variants ({variants})",
    "audit.variants-deleted.advice": "Put them back: a comparison counts every variant that was tried.",
    "audit.variants-left": "evaluated in this run, no longer in the experiment: {count} variants ({variants})",
    "audit.variants-left.advice": "Name them: a comparison counts every variant that was tried.",
    "audit.evaluated-again": "{variant} was evaluated again: {count} earlier sets of answers were set aside",
    "audit.evaluated-again.advice": "Say why; the better of two evaluations looks better than it is.",
    "audit.trained-again": "{variant} was trained again: {count} earlier trainings were set aside",
    "audit.trained-again.advice": "Say why; the better of two trainings looks better than it is.",
    "audit.questions-changed": "the questions were prepared more than once: {files} were set aside",
    "audit.questions-changed.advice": "Say whether results had been seen before.",
    "audit.checkpoint-picked": "{variant} is step {step} of {source}, whose last step is not compared",
    "audit.checkpoint-picked.advice": "Evaluate the whole training too, or name the rule that chose the step.",
    "audit.table-differs": "{file}: {variant} stands at {written} %, its lines give {recomputed:g} %",
    "audit.table-differs.advice": "Write the tables again (`paretune compare FOLDER`).",
    "audit.table-of-others": "{file} has rows that no lines stand behind: {variants}",
    "audit.table-of-others.advice": "Write the tables again (`paretune compare FOLDER`).",
    "audit.unusable-adapter": "{variant} is left out: {reason}",
    "audit.unusable-adapter.advice": (
        "Train it again at a lower learning rate or in another precision; count it among the variants tried."
    ),
    "audit.published-summary": "{variant}: the summary says {written:g} %, the rows give {recomputed:g} %",
    "audit.published-summary.advice": "Quote the figure of the rows.",
    "audit.published-aggregate": (
        "{variant}: the aggregate says {written:g} %, the mean of its categories is {recomputed:g} %"
    ),
    "audit.published-aggregate.advice": "Quote the mean of the categories.",
    "audit.other-questions": "{count} of {questions} rows of {variant} ask something else than the split at that place",
    "audit.other-questions.advice": "These are not the questions they are said to be: name the set, or compare on one.",
    "audit.references-changed": (
        "{count} of {questions} rows of {variant} have another reference than the split, for the same question"
    ),
    "audit.references-changed.advice": "Score against the references of the split.",
    "audit.different-rows": (
        "{second} has {other} rows, {first} has {rows}, or other questions: they are not ranked on the same ones"
    ),
    "audit.different-rows.advice": "Compare on the questions that both answered.",
    "audit.copied-run": "{first} and {second} wrote the same SQL in all {questions} rows",
    "audit.copied-run.advice": "Count it once: one file is a copy of the other.",
    "audit.data-changed": "{count} data files are not those of the manifest: {examples}",
    "audit.data-changed.advice": "Get the files that the run names, then rescore.",
    "audit.no-data-hashes": (
        "the manifest names no hashes of {examples}: whether these are the data of the run is not known"
    ),
    "audit.no-data-hashes.advice": "Read agreement as agreement with the data at hand.",
    "audit.prepared-not-data": (
        "{count} of {questions} questions are not those of the data: other question, database or reference (positions"
        " {examples})"
    ),
    "audit.prepared-not-data.advice": "Prepare and evaluate again from the data.",
    "audit.verdict-differs": (
        "{variant}: {count} of {questions} verdicts change when the answers are judged again (positions {examples}); "
        "{recomputed:g} % instead of {written:g} %"
    ),
    "audit.verdict-differs.advice": "Quote the figure of the new verdicts.",
    "audit.failed-lines": "{variant}: {count} of {questions} {axis} lines failed through our fault, not the model's",
    "audit.failed-lines.advice": "Score them again before any comparison.",
    "audit.missing-answers": (
        "{variant}: {count} of {questions} {axis} questions have no line, so variants are compared on different data"
    ),
    "audit.missing-answers.advice": "Finish the evaluation, or compare only what all variants answered.",
    "audit.different-setup": "variants differ in {setting} ({axis}): {values}",
    "audit.different-setup.advice": "Evaluate all variants under one setting; the difference may be the setting's.",
    "audit.different-prompts": (
        "{variant}: {count} {axis} questions were asked with another prompt length than the baseline's"
    ),
    "audit.different-prompts.advice": "Ask all variants the same text; shots and templates change accuracy by points.",
    "audit.no-sql": "{variant}: no SQL statement was found in {share:g} % of {questions} answers",
    "audit.no-sql.advice": (
        "Read raw answers; if the model writes SQL that is not extracted, the figure measures the parser."
    ),
    "audit.cut-statements": (
        "{variant}: {count} of {questions} answers ({share:g} %) hit the token limit within their SQL, so its "
        "execution accuracy may be anything from {lowest:g} to {highest:g} %"
    ),
    "audit.cut-statements.advice": (
        "Raise max_new_tokens and evaluate again: what an unfinished statement would have become is not known."
    ),
    "audit.never-stops": (
        "{variant}: {share:g} % of {questions} answers ran on to the token limit after their statement; that costs "
        "time and does not change the figures"
    ),
    "audit.never-stops.advice": "Train the end-of-turn token or check the stop tokens, to save that time.",
    "audit.failed-matches-empty": (
        "{variant}: {count} of {correct} correct answers are queries that failed where the reference result is empty "
        "(positions {examples})"
    ),
    "audit.failed-matches-empty.advice": "Count a failed query as wrong: score with the official rules.",
    "audit.both-empty": (
        "{variant}: {count} of {correct} correct answers returned no rows, like the reference; any such "
        "query counts there"
    ),
    "audit.both-empty.advice": "Read them as unproven; test-suite accuracy or data that return rows tell more.",
    "audit.gold-fails": "{count} of {questions} reference queries do not run (positions {examples})",
    "audit.gold-fails.advice": "Mend or exclude them: no prediction can be right there.",
    "audit.unknown-names": (
        "{variant}: {share:g} % of {questions} queries name tables or columns that the database does not have"
    ),
    "audit.unknown-names.advice": (
        "Read some prompts: without the schema the figure measures guessing of names. With the schema in them, the "
        "model does not use it: train longer or take a larger model."
    ),
    "audit.no-schema": (
        "{share:g} % of {questions} prompts show no schema: no table definition and no table of the reference"
    ),
    "audit.no-schema.advice": "Put the schema into the prompt of training and evaluation.",
    "audit.prompts-differ": "the text around the question differs between training and evaluation ({where})",
    "audit.prompts-differ.advice": (
        "Build both prompts with one function; a tuned model is tied to the text that it saw."
    ),
    "audit.train-in-test": (
        "{count} of {questions} test questions also stand in the training rows, word for word (positions {examples})"
    ),
    "audit.train-in-test.advice": "Remove them from training and train again.",
    "audit.train-elsewhere": (
        "{count} of {questions} test questions also stand in the training rows with the same query on another "
        "database (positions {examples}): worth {points:g} points at most"
    ),
    "audit.train-elsewhere.advice": "Nothing, unless so small a difference matters; then remove them from training.",
    "audit.validation-in-test": ("{count} of {questions} validation questions are asked in the test, too ({examples})"),
    "audit.validation-in-test.advice": (
        "What was chosen by them was chosen by the test; prepare and train again with this version."
    ),
    "audit.validation-in-train": (
        "{count} of {questions} validation questions also stand in the training rows ({examples})"
    ),
    "audit.validation-in-train.advice": (
        "Accuracy on them is partly memory; remove the repetitions from the training data and train again."
    ),
    "audit.train-near-test": (
        "{count} of {questions} test questions nearly equal a training row on the same database (positions {examples})"
    ),
    "audit.train-near-test.advice": "Look at them; remove what only differs in wording.",
    "audit.shots-in-test": (
        "{count} of {questions} test questions stand as solved examples in the prompts (positions {examples})"
    ),
    "audit.shots-in-test.advice": "Draw examples from training rows only.",
    "audit.groups-overlap": "{count} of {clusters} test groups also serve training: {examples}",
    "audit.groups-overlap.advice": "Say so, or split by group; what was seen in training makes the gain look larger.",
    "audit.no-answer": "{variant}: no answer was read in {share:g} % of {questions} texts",
    "audit.no-answer.advice": (
        "Read raw answers; if the model answers in a form that is not read, the figure measures the parser."
    ),
    "audit.cut-answers": "{variant}: {share:g} % of {questions} answers hit the token limit",
    "audit.cut-answers.advice": (
        "Raise max_new_tokens and evaluate again: what a cut answer would have become is not known."
    ),
    "audit.databases-overlap": "{count} of {clusters} test databases also serve training: {examples}",
    "audit.databases-overlap.advice": (
        "Say so, or split by database; schemas seen in training make the gain look larger."
    ),
    "audit.test-repeats": "{count} of {questions} {axis} questions repeat an earlier one",
    "audit.test-repeats.advice": "Counted as they are; the effective number of questions is smaller.",
    "audit.rows-truncated": "{variant}: {count} of {rows} training rows end before their SQL does",
    "audit.rows-truncated.advice": "Leave long rows out or raise max_tokens: a cut answer teaches not to finish.",
    "audit.rows-left-out": "{variant}: {count} of {rows} training rows were left out for their length",
    "audit.rows-left-out.advice": "If they are many, raise max_tokens: hard questions are the long ones.",
    "audit.non-finite-steps": "{variant}: {count} of {steps} training steps had a loss or gradient that is not finite",
    "audit.non-finite-steps.advice": "Find the cause (precision, padding, learning rate) before quoting this variant.",
    "audit.below-chance": (
        "{variant}, {suite} ({method}): {correct} of {questions} correct, far below the {chance:g} % of blind "
        "guessing; a guesser does so badly with probability {probability:g}"
    ),
    "audit.below-chance.advice": (
        "This is an evaluation error, not forgetting: look at raw answers and at how the option is read."
    ),
    "audit.at-chance": (
        "{variant}, {suite} ({method}): {accuracy:g} % [{low:g}, {high:g}] cannot be told from the {chance:g} % of "
        "guessing"
    ),
    "audit.at-chance.advice": (
        "Nothing can be lost or kept at chance; use the answer-text likelihood (cloze) or a larger model."
    ),
    "audit.letters-improbable": (
        "{variant}, {suite}: on {share:g} % of {questions} questions all letters together have a probability under 0.5"
    ),
    "audit.letters-improbable.advice": (
        "The model is not answering in letters: report cloze beside it, and call it lost format until then."
    ),
    "audit.one-letter": "{variant}, {suite} ({method}): {share:g} % of {questions} answers are the same option",
    "audit.one-letter.advice": "The model hardly looks at the question; check the prompt and compare with cloze.",
    "audit.no-letter": "{variant}, {suite}: no option could be read in {share:g} % of {questions} generated answers",
    "audit.no-letter.advice": (
        "Read raw answers; report letter log-probabilities too: lost format is not lost knowledge."
    ),
    "audit.too-few-questions": (
        "{variant}, {axis}: {difference:+} points [{low:+}, {high:+}]. With {questions} questions only "
        "changes of about "
        "{detectable:.1} points or more are reliably detected."
    ),
    "audit.too-few-questions.advice": (
        "Claim neither a difference nor equality. `paretune power` says how many questions you would need."
    ),
    "audit.few-clusters": "{axis}: {questions} questions come from {clusters} clusters (databases or subjects) only",
    "audit.few-clusters.advice": (
        "Read the figures as ones of these databases or subjects; add others rather than more questions."
    ),
    "audit.selected-on-test": "the chosen variant ({variant}) was selected on test rows",
    "audit.selected-on-test.advice": "Select on validation rows and quote the test figure of that one variant.",
    "audit.best-of-many": (
        "{variants} variants were measured on the same test rows; the best of them looks better than it is"
    ),
    "audit.best-of-many.advice": (
        "The pick is judged by intervals that hold for all of them together; a choice by any other rule needs "
        "validation rows."
    ),
    "audit.single-seed": (
        "each of {recipes} recipes was trained with one seed, so differences are about these adapters, not the recipes"
    ),
    "audit.single-seed.advice": "Train the recipes that matter with three seeds or more.",
    "audit.public-test-set": (
        "{benchmarks}: published before the model was trained, so its questions may be in the model's training data"
    ),
    "audit.public-test-set.advice": "Compare variants of one base; do not read the level as ability on new data.",
    "audit.published-score": (
        "{variant}: published {published:g} %, reproduced {reproduced:g} % by the 2025 rule (sets of printed rows, a "
        "failed query is an empty result); {official:g} % by the official rule ([{low:g}, {high:g}] with questions "
        "as independent, [{wide_low:g}, {wide_high:g}] over {clusters} databases)"
    ),
    "audit.published-score.advice": "Quote the official figure with its interval.",
    "audit.published-differs": (
        "{variant}: published {published:g} %, but its own lines give {reproduced:g} % by the same rule"
    ),
    "audit.published-differs.advice": "Find the lines that differ before using either figure.",
    "audit.text-after-query": (
        "{variant}: {count} of {questions} answers go on after the statement; extracting it gives {extracted} "
        "correct in place of {official:g}"
    ),
    "audit.text-after-query.advice": "Stop at the end of turn, or extract one statement and say so.",
    "audit.old-data": (
        "{count} of {questions} rows differ in wording or reference from the data at hand: an older release"
    ),
    "audit.old-data.advice": "Name the release; compare with figures of the same one only.",
    "audit.ranked-without-evidence.advice": "Do not rank them on these data.",
    "audit.these-databases-only.advice": (
        "Claim the difference for these databases only; more databases are needed for others."
    ),
}
