"""English, the language of the source: what a code says. A word without a code says itself."""

from __future__ import annotations

from paretune.text.catalogue import Catalogue

SINGULAR: dict[str, str] = {
    "warnings": "warning",
    "questions": "question",
    "databases": "database",
    "clusters": "cluster",
    "variants": "variant",
    "comparisons": "comparison",
    "answers": "answer",
    "rows": "row",
    "runs": "run",
    "tokens": "token",
    "lines": "line",
    "points": "point",
    "prompts": "prompt",
    "recipes": "recipe",
    "steps": "step",
    "epochs": "epoch",
    "shots": "shot",
    "subjects": "subject",
    "notes": "note",
    "blocking problems": "blocking problem",
    "seeds": "seed",
}
TEXT: dict[str, str] = {
    # `paretune list`
    "list.prepared": "prepared: {parts}",
    "list.complete": "{complete} of {count} variants complete",
    "list.unchecked": "lines are counted, not checked against the settings: {reason}",
    # the verdict and what is claimed
    "verdict.baseline": (
        "Only the base model has been evaluated: it answers {accuracy} % of the {benchmark} questions correctly."
    ),
    "verdict.baseline-general": "General accuracy: {accuracy} % on {suite}. There is nothing to compare yet.",
    "verdict.pick": "Use {variant}: {change:+} points on {benchmark}, from {before:.1} % to {after:.1} % correct.",
    "verdict.base-no-gain": "Keep the base model: no variant is shown to gain.",
    "verdict.base-all-worse": "Keep the base model: every variant answers fewer target questions correctly.",
    "verdict.base-all-lose": (
        "Keep the base model: every variant that gains loses more than {budget} points of general accuracy."
    ),
    "verdict.base-no-evidence": (
        "Keep the base model: variants gain, but for none of them is a loss of more than {budget} points of general "
        "accuracy ruled out."
    ),
    "verdict.largest-gain": (
        "The largest gain is that of {variant}: {change:+} points, from {before:.1} % to {after:.1} % correct."
    ),
    "verdict.largest-change": "The largest change is that of {variant}: {change:+} points on {benchmark}.",
    "verdict.detectable": "A true gain of {detectable:.1} points would be shown four times in five.",
    "verdict.nothing-detectable": "So few data show no difference reliably.",
    "verdict.general": "General accuracy ({suite}): {change:+} points.",
    "verdict.general-worst": "General accuracy ({suite}, the worst of {suites} suites): {change:+} points.",
    "verdict.ruled-out": "A loss of more than {margin} points is ruled out.",
    "verdict.not-ruled-out": "A loss of more than {margin} points cannot be ruled out.",
    "verdict.loss-shown": "A loss of more than {margin} points is shown.",
    "verdict.near-chance": (
        "A loss of more than {margin} points cannot be measured there: the base model is only {losable:.1} points "
        "above "
        "chance, errors counted, and that is all it could lose."
    ),
    "verdict.near-ceiling": (
        "A loss of more than {margin} points cannot be measured there: the base model answers nearly everything "
        "correctly, so the questions are too easy to show what is forgotten."
    ),
    "verdict.suite": "{variant} against {base}: {change:+} points on {suite} ({shown}).",
    "verdict.suites": ("{variant} against {base} on {suites} suites: gain shown on {gained}; loss shown on {lost}."),
    "verdict.worst-suite": "The worst of {suites} suites is {suite}: {change:+} points.",
    "verdict.not-picked": "Not picked: {reasons}.",
    "verdict.split": (
        "Of {count} variants the one with the largest gain on one half of the databases gains {choosing:.1} "
        "points there "
        "and {judging:.1} on the other half (mean of {splits} splits): that is what picking adds."
    ),
    "verdict.worst-subject": (
        "Worst of {subjects} subjects of {suite} under {variant}: {subject}, {change:+} points. The intervals of all "
        "subjects and variants hold together: in each subject a loss of more than {bound:.1} points is ruled out."
    ),
    "verdict.missing-seeds": "Planned seeds without answers: {names}.",
    # the model card
    "card.what": "An adapter of {base}, trained for {benchmark}; what it gains and what it forgets was measured.",
    "card.variant": (
        "{variant} changes {benchmark} by {change:+} points, from {before:.1} % to {after:.1} % correct: {finding}."
    ),
    "card.recipe": (
        "{variant} is one of {seeds} seeds of the recipe {recipe}, which changes {benchmark} by {change:+} points, "
        "from {before:.1} % to {after:.1} % correct: {finding}."
    ),
    "card.shots": ", {shots} shots",
    "card.terms": (
        "A loss of up to {margin} points would not matter, the pick may lose {budget} points; intervals of changes "
        "hold for all {planned} variants together ({level:g} %)."
    ),
    "card.precision": "Precision {precision}, greedy decoding.",
    "card.versions": "Versions: {versions}. Seed of the questions drawn: {seed}.",
    "card.training": ("{rows} training rows, {steps} steps, {epochs} epochs, peak learning rate {rate}, seed {seed}."),
    "card.method": "Method: {method} ({settings}).",
    "card.checkpoint": "The adapter is the one after step {step} of {source}.",
    "card.repair": "The adapter was changed after its training, without data: {repair} ({settings}), from {source}.",
    "card.prompts": (
        "Ask it in the form that it was trained on: `prepared/` of the run folder holds every prompt to the letter."
    ),
    "card.scale": (
        "These figures are of the adapter at {scale} of its strength; `paretune export EXPERIMENT DIR --variant "
        "{variant}` writes one that has this inside."
    ),
    "claims.loss-beyond": "loss > {margin} points",
    "claims.pick": (
        "Pick: the largest gain that is shown and whose loss of more than {budget} points is ruled out on every "
        "primary "
        "suite."
    ),
    "claims.alone": "Changes: {level:g} % intervals in brackets.",
    "claims.family": (
        "Changes: intervals in brackets that hold for all {count} variants together ({level:g} %; {method})."
    ),
    "claims.family-suites": (
        "Changes: intervals in brackets that hold for all {count} comparisons together ({level:g} %; {method})."
    ),
    "claims.suites": "What is claimed, in points against {base}",
    "claims.no-clusters": (
        "Questions count as independent; where they share a document or database, --cluster FIELD names it."
    ),
    "claims.chance-unknown": (
        "{suite}: the accuracy of a blind guess is unknown and counts as 0, so a loss may be ruled out where there "
        "was little to lose."
    ),
    "claims.holm-differs": "{variant}: p is {family:p} by {method}, which decides, and {holm:p} by Holm.",
    "claims.changed": "Changed after the fact: {what} {before} → {after}.",
    "claims.variants-added": "Changed after the fact: variants added: {after}.",
    "claims.variants-removed": ("Changed after the fact: variants removed: {before}; they still count in the family."),
    "claims.variants-missing": ("Planned but without complete answers: {before}; they still count in the family."),
    "claims.suites-missing": "Planned but without answers: suites {before}.",
    "claims.searched": (
        "A search looked at {before} states of the model on validation questions. What it chose ({after}) was trained "
        "anew and is judged here, on questions that the search never saw."
    ),
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
    "claims.repeated": "Evaluated more than once, the former answers are kept as: {before}.",
    "table.change": (
        "Change: against the baseline, in points, paired by question, clustered by database; the {databases} databases "
        "are worth {effective:.1} of equal size."
    ),
    "margin:ruled out": "ruled out",
    "margin:cannot be ruled out": "cannot be ruled out",
    "margin:not measurable": "not measurable",
    "margin:shown": "shown",
    "change:one seed of several": "one seed of several",
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
    "decision:pick": "pick",
    "decision:gain not shown": "gain not shown",
    "decision:loss on the target": "loss on the target",
    "decision:loss shown": "loss shown",
    "decision:loss cannot be ruled out": "loss cannot be ruled out",
    "decision:loss not measurable": "loss not measurable",
    "decision:smaller gain": "smaller gain",
    "family:one comparison": "one comparison",
    "family:Bonferroni": "Bonferroni",
    "family:sign flips of clusters": "sign flips of clusters",
    "plot.pick": "the pick: a loss of more than {budget} points is ruled out",
    "facts.margin": "margin {margin} points",
    "terminal.audit": (
        "Audit: {invalid} invalid, {warnings} warnings, {notes} notes; `paretune audit {folder}` tells what to do."
    ),
    "terminal.findings": "{invalid} invalid · {warnings} warnings · {notes} notes",
    "terminal.page": "page: {path}",
    "terminal.no-page": "page: not written yet; `paretune report {folder}` writes it",
    "power.clusters": "{clusters} clusters, worth {effective:.1} of equal size",
    "power.family": "recipes are planned and judged together, each at its share of the level: {recipes}",
    "power.rules-out": (
        "{questions} questions rule out a loss of more than {points:.2} points, where {loss:.2} are lost, with "
        "probability {reached:.2}"
    ),
    "power.needed-to-rule-out": (
        "questions needed to rule out a loss of more than {points:.2} points, where {loss:.2} are lost, with "
        "probability {power:.2}: {questions}"
    ),
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
    # `paretune power`
    "power.detectable": "{questions} questions show a difference of {points:.2} points",
    "power.needed": "questions needed to show {points:.2} points with probability {power:.2}: {questions}",
    "power.minutes": "minutes for {variants} variants at {seconds:.3} s per question ({axis}): {minutes:.1}",
    # tables
    "table.summary": "Gain and loss in one table: {benchmark}, {questions} questions, and general accuracy; in percent",
    "table.target": "{Metric} in percent: {benchmark}, {questions} questions in {count} {clusters}",
    "table.levels": "{Metric} in percent by {level}",
    "table.target-change": (
        "Change: against the baseline, in points, paired by question, clustered by {cluster}; the {count} "
        "{clusters} are worth {effective:.1} of equal size."
    ),
    "table.these-clusters": "The {clusters} are too few to speak for others: the figures hold for these alone.",
    "table.target-split": (
        "Of {count} variants the one with the largest gain on one half of the {clusters} gains {choosing:.1} points "
        "there and {judging:.1} on the other half (mean of {splits} splits): that is what picking adds."
    ),
    "table.void": "{count} questions whose reference fails are in no accuracy.",
    "table.p-values": (
        "McNemar's exact p takes questions as independent; p (family) and p (Holm) respect {clusters} and subjects."
    ),
    "table.target-hypervolume": (
        "Hypervolume: {area:.0} square points, dominated above 0 % on the target and {chance:.1} % general accuracy; "
        "compare it only between experiments with as many variants on the same questions."
    ),
    "table.reasons": "Reasons: questions and % of all",
    "section.reasons": "Why answers are wrong",
    "plot.general": "change in general accuracy ({suite}), points",
    "plot.gain": "gain in {metric}, points",
    "facts.questions": "target: {benchmark}, {questions} questions in {count} {clusters}",
    "table.execution": "Execution accuracy in percent: {benchmark}, {questions} questions in {databases} databases",
    "table.general": "General accuracy in percent: {suite} by {method}, {questions} questions",
    "table.served": (
        "Alike: the whole interval of the change lies within the margin of {margin} points. Different: it leaves out "
        "0. It holds for all served variants of a benchmark together."
    ),
    "served:alike": "alike",
    "served:different": "different",
    "served:not shown": "not shown",
    "table.samples": (
        "One of k: at least one of k drawn answers is right, which helps only where the right answer is known; "
        "estimated without bias from all that were drawn. Vote: the answer whose result most of them have."
    ),
    "sample:mean": "one drawn",
    "sample:pass": "one of {k} (pass@{k})",
    "sample:oracle": "one of all {k} (oracle)",
    "sample:vote": "vote of {k}",
    "table.logged": "Accuracy in percent: {suite}, {questions} questions",
    "table.chance": ", chance {chance:.1} %",
    "table.in-writing": (
        "Asked in writing instead of by {method}: the server returns no log-probabilities of the options."
    ),
    "table.hypervolume": (
        "Hypervolume: {area:.0} square points, dominated above 0 % execution and {chance:.1} % general accuracy; "
        "compare it only between experiments with as many variants on the same questions."
    ),
    "table.stopped": (
        "{variant}: its training was stopped after {step} steps, where its monitor showed a loss (stop_when_loss)."
    ),
    "table.chosen": "{variant}: its checkpoint after {step} steps, chosen by the validation questions.",
    "table.matched": "Points of general accuracy lost where a curve reaches a gain of {gain:.1} points",
    "table.left-out": "Training rows left out as too long: {counts}.",
    "table.skipped": "Training steps skipped as not finite: {counts}.",
    "change:gain shown": "gain shown",
    "change:loss shown": "loss shown",
    "change:not shown": "not shown",
    # plots
    "plot.scales": "scales of {variant}",
    "plot.checkpoints": "checkpoints of {variant}",
    "plot.forgetting": (
        "Gain and forgetting by step, on {questions} validation questions, none of them the test's; whiskers: 95 % "
        "intervals of each look alone."
    ),
    "plot.subjects": "Change by subject, {suite}",
    "plot.subjects-shown": "the {count} of {all} subjects that changed most",
    # the verdict: gain, general ability, what they rest on
    # the line under the page's title
    "facts.target": "SQL: {benchmark}, {questions} questions in {databases} databases, {rules}",
    "facts.logged": "{suite}: {questions} questions",
    "facts.general": "general: {suite}, {questions} questions by {method}",
    # the page of a folder of runs
    "runs.heading": "{folder}: {count} runs",
    "runs.facts": "{model} · {benchmark} · {count} variants · pick: {pick}",
    "runs.no-verdict": "No verdict: {reason}",
    # the page
    "page.alike": "(and {count} more like this)",
    "page.notes": "{count} notes",
    "page.unfinished": "Not finished: {done} of {planned} variants have all their answers; missing: {names}",
    "page.no-baseline": "Not finished: the base model has not answered everything, so there is nothing to compare yet.",
    "page.progress": "{done} of {asked}",
    "page.card": "Copy the model card of {variant}",
    "page.subject": (
        "{variant}: {before:.1} % → {after:.1} %, {change:+} points, {gained} newly right, {lost} no longer right, "
        "p (Holm) {p:p}"
    ),
    # the first screen of the page
    "first.use": (
        "Use {variant}: {gain:+} points of {accuracy}, and a loss of more than {budget} points of general accuracy is "
        "ruled out."
    ),
    "first.accuracy": "{metric}",
    "first.sql-accuracy": "SQL accuracy",
    "first.recipe": "{variant} (recipe, {count} seeds)",
    "first.points": "{budget} points",
    "first.explored": (
        "With {budget} points allowed, which is not what the experiment states. `paretune compare --budget {budget}` "
        "says the same."
    ),
    "first.gain-line": "{change:+} points: {finding}",
    "first.no-change": "{change:+} points: neither a gain nor a loss is shown",
    "first.loss-line": "{change:+} points. {loss}",
    "first.other-suite": "{suite}: {levels}, {change:+} points",
    "first.interval": "95 % interval: {low} to {high} %",
    "first.suite": "General accuracy · {suite}, {questions} questions",
    "first.worst-suite": "General accuracy · {suite}, the worst of {suites} suites, {questions} questions",
    "first.target": "{accuracy} · {benchmark}, {questions} questions in {count} {clusters}",
    "first.of-largest-gain": "{variant}, which gains most · {label}",
    "first.of-largest-change": "{variant}, the best of them · {label}",
    "first.of-smallest-loss": "{variant}, which loses least · {label}",
    "first.seeds": "{count} seeds",
    "first.audit": "{invalid} blocking problems, {warnings} warnings, {notes} notes",
    "first.these": "The figures hold for these groups of questions only.",
    "first.scale": "{variant} at scale {scale}",
    "first.checkpoint": "step {step} of {variant}",
    "first.repair": "{variant} repaired: {repair}",
    "first.gain-not-shown": "Its gain is not shown: {gained:+} points.",
    "first.target-loss": "It loses on the target itself: {gained:+} points.",
    "first.loss-shown": (
        "It gains {gain:+} points, but a loss of more than {budget} points is shown on {suite}: {change:+}."
    ),
    "first.loss-open": (
        "It gains {gain:+} points, but its interval on {suite} reaches {low:+}: a loss of more than {budget} points "
        "cannot be ruled out."
    ),
    "first.not-measurable": (
        "It gains {gain:+} points, but {suite} cannot show whether it loses more than {budget} points."
    ),
    "first.smaller-gain": "It gains less: {gained:+} points.",
    "first.allow": "Allow {budget} points",
    "first.gained": "{count} questions newly right",
    "first.lost": "{count} questions no longer right",
    "first.beyond": "loses more than the {budget} points allowed",
    "first.base": "{what} {accuracy:.1} %",
    "first.x": "points of {accuracy} gained",
    "first.y": "points of general accuracy gained or lost ({suite})",
    "first.point": "{variant}: gain {gain:+}; {suite} {change:+}",
    "first.why-not": "Why not {variant}?",
    "first.what-changed": "What {variant} changed:",
    "first.more-reasons": "The rest ({count} variants)",
    # the audit: what was seen, and under .advice what to do
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
    # outcomes of SQL answers
    "outcome:correct": "right",
    "outcome:wrong": "wrong result",
    "outcome:invalid_sql": "SQL error",
    "outcome:not_a_query": "not a query",
    "outcome:timeout": "ran out of time",
    "outcome:too_large": "result too large",
    "outcome:no_answer": "no answer",
    "outcome:gold_failed": "reference fails",
    "outcome:gold_too_large": "reference returns too much",
    "outcome:failed": "tool failure",
    # classes of SQL errors
    "class:no_statement": "no SQL statement",
    "class:syntax": "syntax",
    "class:unknown_table": "unknown table",
    "class:unknown_column": "unknown column",
    "class:ambiguous_column": "ambiguous column",
    "class:unknown_function": "unknown function",
    "class:set_operation": "set operation",
    "class:wrong_table": "wrong table",
    "class:missing_join": "missing join",
    "class:needless_join": "needless join",
    "class:wrong_join_key": "wrong join key",
    "class:wrong_aggregate": "wrong aggregate",
    "class:wrong_columns": "wrong columns",
    "class:missing_columns": "missing columns",
    "class:extra_columns": "extra columns",
    "class:wrong_grouping": "wrong grouping",
    "class:missing_filter": "missing filter",
    "class:needless_filter": "needless filter",
    "class:wrong_filter": "wrong filter",
    "class:wrong_literal": "wrong literal",
    "class:distinct": "DISTINCT",
    "class:wrong_order": "wrong order",
    "class:wrong_limit": "wrong limit",
    "class:other": "other",
    "class:unclassified": "not classified",
    # why SQL was wrong; the first that fits a sentence of an old line counts, so the order matters
    "sql.no-statement": "The answer holds no SQL statement.",
    "sql.nothing-extracted": "no SQL statement in the answer",
    "sql.not-a-query": "The answer is a {statement} statement; only queries that read are run.",
    "sql.only-reading": "only reading is allowed; refused: {action}",
    "sql.gold-fails": "the reference query fails: {detail}",
    "sql.gold-too-large": "the reference returns too much: {detail}",
    "sql.too-long": "The statement is too long or too deeply nested to be compared with the reference.",
    "sql.not-comparable": "The two queries cannot be compared clause by clause: {message}",
    "sql.alike": (
        "No clause tells them apart: the clauses are alike, so look at expressions, ties and what the data holds."
    ),
    "sql.no-clause": "No clause tells them apart: {message}.",
    "sql.drop-set-operation": "Drop the {given}{where}: the reference is a single query.",
    "sql.combine": "Combine two queries with {wanted}{where}, as the reference does.",
    "sql.quoted-column-elsewhere": (
        "Column {column} is in none of the tables read{where} (it is in {tables}); in quotes SQLite takes it for text."
    ),
    "sql.quoted-column": "Column {column} is in none of the tables read{where}; in quotes SQLite takes it for text.",
    "sql.column-to-join": (
        "Column {column} is in none of the tables read; it is in {tables}, which must be joined or named."
    ),
    "sql.table-lacks-column": "{table} has no column {column}; it is in {tables}, which must be joined or named.",
    "sql.ambiguous-column": "Column {column} is in several of the tables read: write the table before it.",
    "sql.table-near": "There is no table {table}; did you mean {near}?",
    "sql.unknown-table": "There is no table {table}; there are {tables}.",
    "sql.column-near": "No table has a column {column}; did you mean {near}?",
    "sql.unknown-column": "No table has a column {column}.",
    "sql.unknown-function": "SQLite has no function {function}: write it with one that SQLite has.",
    "sql.misplaced-aggregate": "An aggregate {aggregate} stands where rows are not yet grouped: move it to HAVING.",
    "sql.misplaced-aggregate-unnamed": "An aggregate  stands where rows are not yet grouped: move it to HAVING.",
    "sql.wrong-arguments": "Function {function} was given a number of arguments that SQLite does not accept.",
    "sql.set-operation-columns": "The two sides of the set operation select different numbers of columns.",
    "sql.having-alone": "HAVING needs a GROUP BY before it.",
    "sql.subquery-columns": "The subquery must select exactly one column.",
    "sql.using-column": "USING names column {column}, which is not in both tables.",
    "sql.clause-order": "ORDER BY and LIMIT belong to the end of the whole statement: {clause}.",
    "sql.stops-at": "SQLite stops reading at {token}.",
    "sql.breaks-off": "The statement breaks off before its end.",
    "sql.unclosed": "SQLite cannot read {token}: look for an unclosed quote.",
    "sql.unreadable": "SQLite cannot read the statement.",
    "sql.join-not-subquery": "The reference joins {tables}{where} instead of reading it in a subquery.",
    "sql.subquery-not-join": "The reference reads {tables} in a subquery{where} instead of joining it.",
    "sql.join-on": "Join on {wanted} instead of {given}{where}.",
    "sql.join-missing": "Join {tables}{where}, which the reference reads too.",
    "sql.join-needless": "Leave out {tables}{where}: the reference does not join it.",
    "sql.from-tables": "Read from tables, not from a subquery in FROM{where}, as the reference does.",
    "sql.from-subquery": "Read from a subquery in FROM{where}, as the reference does.",
    "sql.read-instead": "Read {wanted} instead of {given}{where}.",
    "sql.join-connector": "Connect the join conditions with {wanted}, not {given}{where}.",
    "sql.join-condition-missing": "Add the join condition {condition}{where}.",
    "sql.filter-connector": "Connect the conditions with {wanted}, not {given}{where}.",
    "sql.condition-missing": "Add the condition {condition}{where}.",
    "sql.condition-needless": "Drop the condition {condition}{where}.",
    "sql.filter-by": "Filter by {wanted} instead of {given}{where}.",
    "sql.literal-case": "Compare {unit} with {wanted}, not {given} (letter case){where}.",
    "sql.literal-wildcard": "Compare {unit} with {wanted}, not {given} (place of the % wildcard){where}.",
    "sql.literal-type": "Compare {unit} with {wanted}, not {given} (text against number){where}.",
    "sql.literal-spelling": "Compare {unit} with {wanted}, not {given} (spelling){where}.",
    "sql.literal": "Compare {unit} with {wanted}, not {given}{where}.",
    "sql.distinct-missing": "Select DISTINCT rows{where}.",
    "sql.distinct-needless": "Do not drop repeated rows with DISTINCT{where}.",
    "sql.distinct-inside": "Use DISTINCT inside {aggregates}{where}.",
    "sql.distinct-not-inside": "Do not use DISTINCT inside {aggregates}{where}.",
    "sql.select-only": "Select only {wanted} instead of {given}{where}.",
    "sql.select-instead": "Select {wanted} instead of {given}{where}.",
    "sql.select-too": "Select {wanted} too{where}.",
    "sql.select-not": "Do not select {given}{where}.",
    "sql.group-not": "Do not group by {given}{where}.",
    "sql.group-instead": "Group by {wanted} instead of {given}{where}.",
    "sql.group": "Group by {wanted}{where}.",
    "sql.order-not": "Do not order by {given}{where}.",
    "sql.order-instead": "Order by {wanted} instead of {given}{where}.",
    "sql.order": "Order by {wanted}{where}.",
    "sql.no-limit": "Use no LIMIT instead of {given}{where}.",
    "sql.use-not-none": "Use {wanted} instead of none{where}.",
    "sql.use-instead": "Use {wanted} instead of {given}{where}.",
    "sql.sqlite-no-table": "no such table: {table}",
    "sql.sqlite-no-column": "no such column: {column}",
    "sql.sqlite-no-function": "no such function: {function}",
    "sql.sqlite-ambiguous": "ambiguous column name: {column}",
    "sql.sqlite-near": "near {token}: syntax error",
    "sql.sqlite-misuse": "misuse of aggregate: {aggregate}",
    "sql.sqlite-misuse-of": "misuse of aggregate function {aggregate}",
    "sql.sqlite-incomplete": "incomplete input",
    "sql.sqlite-set-columns": (
        "SELECTs to the left and right of {operator} do not have the same number of result columns"
    ),
    "sql.sqlite-order-term": "{place} ORDER BY term does not match any column in the result set",
    "sql.sqlite-subselect": "sub-select returns {given} columns - expected {wanted}",
    "sql.sqlite-arguments": "wrong number of arguments to function {function}",
    "sql.sqlite-group-by": "a GROUP BY clause is required before HAVING",
    "sql.sqlite-token": "unrecognized token: {token}",
    "sql.message": "{message}",
    "sql.on-subquery": "{condition} (a subquery)",
    # where in a query
    "place.query-after": " in the query after {operator}{where}",
    "place.from": " in the subquery of FROM{where}",
    "place.subquery": " in the subquery of {unit}{where}",
    "place.having": " in HAVING{where}",
}
CATALOGUE = Catalogue("English", ".", ", ", SINGULAR, TEXT)
