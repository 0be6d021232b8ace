"""The keys of an experiment file in words: the page docs/experiment.md and the file that `paretune init` writes.

Types, defaults and bounds come from the classes of `paretune.config`; only what a key means stands here.
"""

from __future__ import annotations

import textwrap
import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from paretune.choice.suites import SUITES
from paretune.config import (
    ClaimsConfig,
    EngineConfig,
    GeneralConfig,
    ModelConfig,
    TrackingConfig,
    TrainingConfig,
    ValidationConfig,
    VariantConfig,
)
from paretune.engines import ENGINES
from paretune.methods import METHODS, find_method
from paretune.objectives import OBJECTIVES, find_objective
from paretune.repairs import REPAIRS, find_repair
from paretune.space import SearchConfig
from paretune.sql.prompt import PromptConfig
from paretune.sql.task import SqlTarget
from paretune.sweep import UNSAID_VARIANTS, SweepConfig

_COMMENT_WIDTH = 100

SECTIONS: Mapping[str, Any] = {
    "model": ModelConfig,
    "engine": EngineConfig,
    "target": SqlTarget,
    "prompt": PromptConfig,
    "general": GeneralConfig,
    "claims": ClaimsConfig,
    "validation": ValidationConfig,
    "training": TrainingConfig,
    "variant": VariantConfig,
    "sweep": SweepConfig,
    "search": SearchConfig,
    "tracking": TrackingConfig,
}
# Fields that a file writes otherwise or not at all.
_TOML_NAMES: Mapping[str, str] = {"variant.source": "from"}
_NOT_KEYS = (
    "variant.training",
    "variant.repair_settings",
    "training.settings",
    "training.objective_settings",
    "engine.options",
)
# Keys that stand in a section for one of its kinds: by section and kind, the dataclass that has them.
OWN_KEYS: Mapping[str, Mapping[str, Any]] = {
    "engine": {name: kind.Settings for name, kind in ENGINES.items()},
    "training": {
        **{name: find_method(name).settings for name in METHODS},
        **{name: find_objective(name).settings for name in OBJECTIVES},
    },
    "variant": {name: find_repair(name).settings for name in REPAIRS},
}
_USUAL = {"engine": EngineConfig().kind, "training": TrainingConfig().method, "variant": ""}

INTRODUCTIONS: Mapping[str, str] = {
    "": "Keys that stand before the first section.",
    "model": "The base model.",
    "engine": "What answers the questions.",
    "target": "The task that is trained for: text-to-SQL.",
    "prompt": "What a question looks like. Training and evaluation use the same prompt.",
    "general": "What must not be lost: a multiple-choice suite. Several suites are several [[general]] tables of "
    "different kinds. Without this section the embedded suite is asked (kind demo, method cloze, no shots).",
    "claims": "What counts as a gain without loss, stated before looking: `prepare` writes it into the manifest, and "
    "what is changed once answers are there is printed as changed after the fact. First a gain on the target must be "
    "shown; of what gains, a loss must be ruled out on every primary suite; all else is exploratory.",
    "validation": "Questions to look at on the way, for a monitor, a dial or a search (training.md); none of them is "
    "the test's. Without this section there are none.",
    "training": "How adapters are trained. A [[variant]] may change each of these keys for itself, the "
    "method too. Keys of a method or an objective go to the variants that have it.",
    "variant": "States of the model that answer everything. The baseline is always there; without a [[variant]] it is "
    "evaluated alone. A variant is trained here unless it has `from` or `adapter`.",
    "sweep": "Variants that differ in keys of [training]: each of those keys may stand here with the list of values "
    "that it takes, and every combination becomes a variant; a value that is no list holds for all of them. "
    "`rank = [8, 16]` with `seed = [1, 2, 3]` makes six variants, `rank-8-seed-1` to `rank-16-seed-3`, which are two "
    "recipes of three seeds. For some combinations only, write several [[sweep]] tables.",
    "search": "What `paretune search` varies to gain most within the loss budget of [claims] (docs/search.md). It "
    "looks at the questions of [validation] only; the candidates are then judged on the test.",
    "tracking": "Where log lines of trainings, seconds of cells and the final figures are sent beside the run folder "
    "(docs/tracking.md). Without this section nowhere; without `server`, nothing leaves the machine.",
}
# What stands in a written file for keys that have no line of their own.
_EXAMPLES: Mapping[str, str] = {
    "sweep": "seed = [1, 2, 3]",
    "tracking": 'kind = "tensorboard"',
    "search": "space = { rank = [8, 16], peak_learning_rate = { low = 1e-4, high = 1e-2, log = true } }",
}

MEANINGS: Mapping[str, str] = {
    "name": "Name of the experiment and of its run folder; the file's name when absent.",
    "seed": "Decides every draw of questions, training rows and examples.",
    "model.path": "A Hub id, a local directory in transformers' format, or a GGUF file.",
    "model.revision": "Branch, tag or commit on the Hub.",
    "model.precision": "Precision of the weights; auto takes bfloat16 or float16 by what a GPU computes, float32 on a "
    "CPU. The weights of a GGUF file are kept in bfloat16 once dequantised, and in float32 where it is asked for.",
    "model.quantization": "4 bits (nf4) or 8 bits (int8) by bitsandbytes; adapters are trained on it as QLoRA does.",
    "model.context_tokens": "Longest prompt and answer together; the model's own context when absent.",
    "engine.kind": f"{', '.join(ENGINES)}: the model of [model] by transformers, or in its place a Python file or a "
    "server; installed packages may add others.",
    "engine.fast": "Shared beginnings, packed batches and fused kernels; false: the model's own forward, one text at a "
    "time.",
    "engine.path": "The script: a Python file with a function answer(prompt). Relative to this file.",
    "engine.context_tokens": "Words that a prompt may have.",
    "engine.url": "Address up to and with /v1, without a key (servers.md).",
    "engine.model": "What the server calls the base model; not needed where it has one.",
    "engine.adapters": "Table: the last part of a variant's adapter = what the server calls it, where that differs.",
    "engine.concurrency": "Requests at once.",
    "engine.limit_seconds": "Time for one request.",
    "engine.retries": "Further attempts at a request that failed.",
    "engine.pause_seconds": "Before the first of them; twice as long before each further one.",
    "engine.top_logprobs": "Most probable tokens asked for, where a server has no log-probabilities of a prompt.",
    "engine.check_adapters": "Refuse a server that answers with an adapter exactly as without.",
    "target.kind": "spider: any data in Spider's layout. demo: the embedded benchmark. spider-dk, spider-realistic, "
    "spider-syn: the split of that name beside Spider's. bird: BIRD's dev or Mini-Dev.",
    "target.path": "Folder with <split>.json and database/<db_id>/<db_id>.sqlite; the store's Spider when absent. "
    "Relative to this file.",
    "target.name": "What tables and the page call the data; the kind when absent, of own data the folder.",
    "target.split": "The file of questions that are asked, without .json.",
    "target.train_splits": "The files of questions that may be trained on.",
    "target.exclude_databases": "Questions on these databases are left out.",
    "target.questions": "How many questions are asked; all when absent.",
    "target.train_rows": "How many training rows are used; all when absent.",
    "target.selection": "How they are drawn: stratified by database and hardness, or the first of the file.",
    "target.rules": "When two results are equal: official (Spider's script: columns in any order, DISTINCT ignored, "
    "the word value read as 1), result (rows and values alone: columns in any order, rows in order where the reference "
    "sorts, ties free), multiset (columns as written, rows in any order), strict (in the same order too where the "
    "reference sorts), bird (BIRD's script: sets of rows), subset (result, further columns allowed), tp4 (the course "
    "of 2025). When absent: official for data with Spider's tables.json and the embedded benchmark, bird for BIRD's, "
    "result for all other data.",
    "target.known_wrong": "File in that folder with the positions (from 0, one a line) of questions known to be wrong, "
    "as BIRD has some: accuracy without them stands beside.",
    "target.limit_seconds": "Time for one query.",
    "target.max_new_tokens": "Longest answer; what is cut here and matters is reported.",
    "target.stop": "Where an answer ends: with the model's turn, or behind a complete statement, which is the same SQL "
    "sooner.",
    "target.batch_size": "Prompts answered at once at most; as many as the memory holds when absent. It can change "
    "rounding, and so is part of the conditions.",
    "target.temperature": "0: the most probable answer; above it answers are drawn, by the experiment's seed.",
    "target.samples": "Answers drawn per question; what one of k of them would reach is told beside the accuracy.",
    "target.vote": "The answer that counts is one of those whose results most samples agree on; else the first sample.",
    "prompt.schema": "create_table: the statements themselves. compact: one line per table. m-schema: one line per "
    "column with its type, key and values.",
    "prompt.sample_values": "Distinct values shown of each column.",
    "prompt.values": "Which values: the first ones stored, or first those that the question's words speak of. With "
    "question, prompts on one database differ, and less of them is computed once for all.",
    "prompt.few_shot": "Solved training rows shown before the question.",
    "prompt.evidence": "Show the hint of a question that has one, as BIRD's do.",
    "general.kind": f"The suite: {', '.join(SUITES)}, or lm-eval; installed packages may add others.",
    "general.path": "Its folder; the store's when absent. lm-eval: a folder of task files. Relative to this file.",
    "general.tasks": "Names of lm-eval tasks; only for kind lm-eval.",
    "general.subjects": "Only these subjects; all when empty.",
    "general.few_shot": "Solved development rows shown before each question (lm-eval: each task's own when absent).",
    "general.questions_per_subject": "How many questions of each subject; all when absent.",
    "general.selection": "How they are drawn: stratified, first, or as the course of 2025 did (MMLU).",
    "general.method": "How an answer is read: the most likely letter, the most likely option text (cloze), a written "
    "answer (generate), or all three.",
    "claims.margin_points": "The loss of general accuracy, in points, that would not matter.",
    "claims.margin_reason": "Why that much does not matter.",
    "claims.loss_budget_points": "What the pick may lose, in points; the margin when absent.",
    "claims.primary_suites": "The suites on which a loss must be ruled out, by kind; all of them when empty.",
    "claims.level": "Level of the intervals of all planned variants together.",
    "validation.questions": "Target questions drawn from the training rows, at most so many, by whole databases, which "
    "are then not trained on.",
    "validation.general_questions": "Questions of each primary suite that are not among those of the test.",
    "validation.monitor_questions": "How many of each a training's monitor asks.",
    "validation.text": "General text whose bits per byte the monitor measures; a built-in one when absent. Relative to "
    "this file.",
    "training.peak_learning_rate": "Learning rate at its highest.",
    "training.epochs": "Passes over the training rows.",
    "training.batch_size": "Rows per step on the device.",
    "training.accumulation_steps": "Batches gathered into one step of the optimizer.",
    "training.method": f"The kind of adapter: {', '.join(METHODS)} (training.md); installed packages may add others.",
    "training.rank": "Rank of LoRA's matrices (shira: as many numbers are trained as LoRA of that rank has).",
    "training.alpha": "LoRA's scale; the update is multiplied by alpha / rank (rslora: by alpha / sqrt(rank)).",
    "training.dropout": "Dropout on LoRA's input.",
    "training.target_modules": "Names of the linear layers that get an adapter.",
    "training.svd_iterations": "Decompose the weights approximately, in so many iterations; exactly when absent.",
    "training.calibration": "A text file, one text per line: what must not be lost, such as questions of general "
    "knowledge with their answers. Relative to this file.",
    "training.block_size": "Features that are rotated together; must divide the inputs of every adapted layer.",
    "training.scheduler": "How the learning rate falls.",
    "training.warmup_share": "Share of all steps in which the learning rate rises.",
    "training.optimizer": "The optimizer; those with 8bit need bitsandbytes.",
    "training.weight_decay": "Decay of the adapter's weights per step.",
    "training.max_gradient_norm": "Gradients longer than this are shortened to it.",
    "training.gradient_checkpointing": "Less memory, more time.",
    "training.max_tokens": "Longest training row, prompt and SQL together; longer rows are left out, never cut.",
    "training.group_by_length": "Rows of similar length in a batch: less padding, fewer databases in each.",
    "training.share_prompts": "What the rows of a step begin with alike is computed once for them (training.md).",
    "training.prompts_per_step": "With share_prompts: about how many prompts the rows of a step come from.",
    "training.fuse_adapters": "LoRA in one function with its layer, in the model's precision: faster (training.md).",
    "training.objective": f"What is minimised: {', '.join(OBJECTIVES)} (training.md); installed packages may add "
    "others.",
    "training.least_probability": "Answer tokens less probable than this under the base model get no loss.",
    "training.kl_weight": "Weight of the mean divergence from the base model per token, in nats.",
    "training.kl_texts": "General texts on which the divergence is computed as well: built-in, none, or a text file, "
    "one text per line. Relative to this file.",
    "training.kl_text_share": "Their share of the training's rows.",
    "training.replay": "General rows mixed into the training: none; self (the base model answers built-in prompts); or "
    "a file: .jsonl with `prompt` and `completion`, or prompts alone, one per line, which the base model answers. "
    "Relative to this file.",
    "training.replay_share": "The replay's share of the training's rows.",
    "training.checkpoint_steps": "Steps between two checkpoints; a killed training goes on from the last.",
    "training.logging_steps": "Steps between two lines of training.jsonl.",
    "training.monitor_steps": "Look at the model so often by [validation]: accuracy, loss, distance from the base "
    "(training.md). Never when absent.",
    "training.stop_when_loss": "Stop where the monitor shows that more than so many points of general accuracy are "
    "lost (training.md).",
    "training.best_checkpoint": "The variant is, of its checkpoints, the one with the highest accuracy on the "
    "validation questions (target), or the pick by the rules of the verdict (pick); the last one when absent.",
    "training.seed": "Decides initial weights and the order of rows; several seeds of one recipe are several variants.",
    "variant.name": "Its name and its folder's; with `from`, made of source, checkpoint, repair and scale when absent.",
    "variant.from": "The variant whose adapter this one takes.",
    "variant.adapter": "An adapter made elsewhere, in PEFT's format: a folder, a .zip or .rar file (relative to this "
    "file), or its Hub id, with @REVISION if need be.",
    "variant.adapter_scale": "Factor on the adapter's update: 0 is the base model, 1 the adapter as trained.",
    "variant.served": "Address of a server that answers as this variant, such as with an exported GGUF of `from`; "
    "tables say whether it answers alike (servers.md).",
    "variant.served_model": "What that server calls the model; not needed where it has one.",
    "variant.checkpoint": "The source's checkpoint after so many steps.",
    "variant.repair": f"Change the source's adapter without training: {', '.join(REPAIRS)} (training.md); installed "
    "packages may add others.",
    "variant.first_scale": "Factor on the update of the first block.",
    "variant.last_scale": "Of the last block; the blocks between lie on a line.",
    "variant.layer_scales": "A factor for every block instead.",
    "variant.similarity": "A leading singular vector of the tuned weight whose cosine with every one of the base's is "
    "below this is an intruder.",
    "variant.leading_vectors": "How many leading singular vectors of each weight are looked at.",
    "variant.intruder_scale": "What is left of an intruder's singular value; 0 removes it.",
    "variant.remove_below": "Singular values of the update below so many times their median are removed; 0 removes "
    "none.",
    "variant.cut_above": "Singular values above so many times their median are cut to it; none when absent.",
    "sweep.name": "How its variants are called, with keys in braces: `r{rank}-s{seed}`. When absent, made of the keys "
    "that have a list.",
    "search.space": "Training keys that are varied, each with a list of values or a range: "
    "`peak_learning_rate = { low = 1e-4, high = 1e-2, log = true }`.",
    "search.scales": "Scales at which each adapter is looked at; they cost answers and no training.",
    "search.candidates": "How many recipes of the front are judged on the test.",
    "search.seeds": "Each candidate is trained anew with each of these.",
    "tracking.kind": "What keeps the figures; each needs the extra of its name.",
    "tracking.path": "Folder of the local store; `tracking` in the run folder when absent.",
    "tracking.server": "Address of an MLflow, W&B or trackio server, or OWNER/SPACE of a trackio Space. Its key comes "
    "from the environment: WANDB_API_KEY, MLFLOW_TRACKING_TOKEN or HF_TOKEN.",
    "tracking.project": "Name of the project there.",
    "sweep.variants": f"How many variants it makes; must be stated where they are more than {UNSAID_VARIANTS}.",
}


def keys(section: str) -> Iterator[tuple[str, Field[Any], Any]]:
    """(key as written in a file, field, annotation) of a section, in the order of its class."""
    hints = get_type_hints(SECTIONS[section])
    for item in fields(SECTIONS[section]):
        full = f"{section}.{item.name}"
        if full not in _NOT_KEYS:
            yield _TOML_NAMES.get(full, item.name), item, hints[item.name]


def own_keys(section: str) -> Iterator[tuple[str, Field[Any], Any, tuple[str, ...]]]:
    """As `keys`, of the keys that only some kinds of a section have; which kinds these are comes fourth."""
    having: dict[str, list[str]] = {}
    first: dict[str, tuple[Field[Any], Any]] = {}
    for kind, settings in OWN_KEYS.get(section, {}).items():
        for item in fields(settings):
            having.setdefault(item.name, []).append(kind)
            first.setdefault(item.name, (item, get_type_hints(settings)[item.name]))
    for name, kinds in having.items():
        yield name, *first[name], tuple(kinds)


def experiment_page() -> str:
    """docs/experiment.md: every key with its type, default and meaning."""
    parts = [
        "# The experiment file",
        "",
        "One TOML file describes one experiment. This page is made from the program's own configuration "
        "(`paretune init --page`), and a test holds the two together. `paretune init` writes a file with these keys "
        "to start from; `--set section.key=value` changes one for a single call.",
        "",
        INTRODUCTIONS[""],
        "",
        *_table(
            [
                ("name", "text", "the file's name", MEANINGS["name"]),
                ("seed", "whole number, at least 0", "`42`", MEANINGS["seed"]),
            ]
        ),
    ]
    for section in SECTIONS:
        many = section in ("general", "variant", "sweep")
        parts += ["", f"## {'`[[' if many else '`['}{section}{']]`' if many else ']`'}", "", INTRODUCTIONS[section], ""]
        parts += _table(
            [
                (name, _type(item, kind), _default(item), MEANINGS[f"{section}.{name}"])
                for name, item, kind in keys(section)
            ]
            + [
                (
                    name,
                    _type(item, kind),
                    _default(item),
                    f"{MEANINGS[f'{section}.{name}']} Only for {', '.join(kinds)}.",
                )
                for name, item, kind, kinds in own_keys(section)
            ]
        )
    return "\n".join(parts) + "\n"


def experiment_file(heading: str, name: str, chosen: Mapping[str, Mapping[str, Any]]) -> str:
    """A commented experiment file.

    chosen: values by section and key that are written out; every other key stands in a comment with its default,
    "#key = value". Sections that may stand several times are written once, or as a comment where nothing is chosen.
    """
    lines = [*(f"# {line}" for line in heading.splitlines()), f"name = {toml_value(name)}", "seed = 42"]
    for section in SECTIONS:
        values = chosen.get(section, {})
        title = f"[[{section}]]" if section == "variant" else f"[{section}]"
        absent = section in ("general", "validation", "variant", "sweep", "search", "tracking") and not values
        lines += ["", *_comment(INTRODUCTIONS[section]), f"#{title}" if absent else title]
        if section in _EXAMPLES:
            lines.append(f"#{_EXAMPLES[section]}")
        usual = [own[:3] for own in own_keys(section) if _USUAL[section] in own[3]]
        for key, item, kind in (*keys(section), *usual):
            lines += _comment(MEANINGS[f"{section}.{key}"] + _choices(kind))
            if key in values:
                lines.append(f"{key} = {toml_value(values[key])}")
            else:
                lines.append(f"#{key} = {'' if item.default in (MISSING, None) else toml_value(item.default)}".rstrip())
    return "\n".join(lines) + "\n"


def toml_value(value: Any) -> str:
    """A value as TOML writes it.

    >>> toml_value(("a", 'b"')), toml_value(2e-4), toml_value(True)
    ('["a", "b\\\\""]', '0.0002', 'true')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return f'"{escaped}"'
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{key} = {toml_value(item)}' for key, item in value.items())} }}"
    return repr(value)


def toml_tables(table: Mapping[str, Any]) -> str:
    """An experiment file of these tables: plain keys first, then sections; tables within them stand in one line.

    >>> print(toml_tables({"target": {"kind": "demo"}, "name": "x", "variant": [{"name": "a"}]}), end="")
    name = "x"
    <BLANKLINE>
    [target]
    kind = "demo"
    <BLANKLINE>
    [[variant]]
    name = "a"
    """
    lines = [f"{key} = {toml_value(value)}" for key, value in table.items() if not _is_section(value)]
    for key, value in table.items():
        if _is_section(value):
            title = f"[{key}]" if isinstance(value, Mapping) else f"[[{key}]]"
            for section in [value] if isinstance(value, Mapping) else value:
                lines += ["", title, *(f"{name} = {toml_value(item)}" for name, item in section.items())]
    return "\n".join(lines) + "\n"


def _is_section(value: Any) -> bool:
    return isinstance(value, Mapping) or (
        isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value)
    )


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, _COMMENT_WIDTH, initial_indent="# ", subsequent_indent="# ", break_long_words=False)


def _table(rows: list[tuple[str, str, str, str]]) -> list[str]:
    lines = ["| key | type | default | meaning |", "| :-- | :-- | :-- | :-- |"]
    return lines + [f"| `{key}` | {kind} | {default} | {meaning} |" for key, kind, default, meaning in rows]


def _type(item: Field[Any], kind: Any) -> str:
    text = _kind(kind)
    bounds = item.metadata
    if "minimum" in bounds and "maximum" in bounds:
        return f"{text}, {bounds['minimum']:g} to {bounds['maximum']:g}"
    if "minimum" in bounds:
        return f"{text}, at least {bounds['minimum']:g}"
    if "above" in bounds:
        text += f", more than {bounds['above']:g}"
        text += f", at most {bounds['maximum']:g}" if "maximum" in bounds else ""
    return text


def _kind(kind: Any) -> str:
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(option) for option in get_args(kind) if option is not types.NoneType)
    if origin is Literal:
        return ", ".join(f"`{option}`" for option in get_args(kind))
    if origin is tuple:
        return "list of numbers" if get_args(kind)[0] in (float, int) else "list of texts"
    if origin is Mapping:
        return "table of texts" if get_args(kind)[1] is str else "table"
    return {str: "text", int: "whole number", float: "number", bool: "`true` or `false`"}[kind]


def _default(item: Field[Any]) -> str:
    if item.default_factory is not MISSING:
        return "none"
    if item.default is MISSING:
        return "required"
    if item.default is None:
        return "absent"
    return f"`{toml_value(item.default)}`"


def _choices(kind: Any) -> str:
    return f" One of {', '.join(get_args(kind))}." if get_origin(kind) is Literal else ""
