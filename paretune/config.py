"""Experiment files: TOML to frozen dataclasses, or an error that names the file, the key and the nearest right one.

The classes below are the whole vocabulary of an experiment; their field names are the keys of the TOML file.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal, Protocol

from paretune.errors import ConfigError
from paretune.fields import build, check_value, is_folder_name, nearest, refuse_unknown, subtable
from paretune.methods import DEFAULT_METHOD, METHODS, find_method
from paretune.objectives import DEFAULT_OBJECTIVE, OBJECTIVES, find_objective
from paretune.plugins import Kinds
from paretune.records import Method
from paretune.repairs import REPAIRS, find_repair
from paretune.space import SearchConfig, ends, search_config
from paretune.sweep import expand
from paretune.tasks import DEFAULT_KIND, Task, find_task

DEFAULT_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
BASELINE = "baseline"
_TAKEN_NAMES = (
    "prepared",
    "tables",
    "report",
    "manifest.json",
    "lock.json",
    ".lock",
    ".cells",
    "tracking",
    "tracking.json",
    "search",
)  # of the run folder itself
NO_REPLAY, SELF_REPLAY = "none", "self"
LM_EVAL = "lm-eval"  # the [general] kind whose tasks lm-eval itself asks and scores


def _at_least(minimum: float, default: Any) -> Any:
    return field(default=default, metadata={"minimum": minimum})


def _between(minimum: float, maximum: float, default: Any) -> Any:
    return field(default=default, metadata={"minimum": minimum, "maximum": maximum})


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """[model]. path: a Hub id, a local directory or a GGUF file. context_tokens: the model's own when absent."""

    path: str = DEFAULT_MODEL
    revision: str | None = None
    precision: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    quantization: Literal["none", "nf4", "int8"] = "none"
    context_tokens: int | None = _at_least(16, None)


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """[engine]. kind: what answers; options: the kind's own keys, which `paretune.engines.check_engine` knows."""

    kind: str = "transformers"
    options: Mapping[str, Any] = field(default_factory=dict)


class TargetConfig(Protocol):
    """[target], as the pipeline needs it of every task; the task's own dataclass has further keys."""

    @property
    def kind(self) -> str:
        """The task's name."""

    @property
    def max_new_tokens(self) -> int:
        """The longest answer."""

    @property
    def batch_size(self) -> int | None:
        """Answers written together at most; None: as many as the memory holds."""


@dataclass(frozen=True, slots=True)
class GeneralConfig:
    """[general], or several [[general]]. path: the suite's folder; when absent, the store's (demo suites need none).
    questions_per_subject: all when absent.

    kind "lm-eval": tasks by lm-eval's names; path: a folder of the user's own task files, if any; few_shot: each
    task's own number when absent (null); questions_per_subject: the first of each task. The tasks themselves decide
    method and subjects.
    """

    kind: str = "mmlu"
    path: str | None = None
    tasks: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    few_shot: int | None = _at_least(0, 5)
    questions_per_subject: int | None = _at_least(1, None)
    selection: Literal["stratified", "first", "course"] = "stratified"
    method: Literal[Method, "all"] = "letter"


DEFAULT_GENERAL = GeneralConfig(kind="demo", few_shot=0, method="cloze")  # of a file without [general]


WATCHING = ("monitor_steps", "stop_when_loss", "best_checkpoint")  # keys of [training] that need [validation]
_SETTINGS = ("settings", "objective_settings")  # keys of a training's method and of its objective


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """[training], overridden key by key in a [[variant]]. method: the kind of adapter, settings: the keys of that
    method, which stand in the same table. warmup_share: of all steps, [0, 1]. max_tokens: longest training row (prompt
    and SQL); longer rows are left out, never cut. group_by_length: batches of rows of similar
    length instead of random ones, with little padding but fewer databases in each (docs/design.md). share_prompts:
    what rows of a step begin with alike is computed once for them; a step's rows come from about prompts_per_step
    prompts (docs/training.md). fuse_adapters: LoRA is computed in one function with its projection, in the model's
    precision, instead of by PEFT in float32. objective: what is minimised, objective_settings: the keys of that
    objective, in the same table. replay: "none", "self" or a file of general prompts; replay_share: of the training's
    rows. monitor_steps, stop_when_loss, best_checkpoint: what is looked at on the way by the validation questions, and
    what follows from it; nothing when absent."""

    method: str = DEFAULT_METHOD
    peak_learning_rate: float = field(default=2e-4, metadata={"above": 0.0, "maximum": 1.0})
    epochs: float = field(default=1.0, metadata={"above": 0.0})
    batch_size: int = _at_least(1, 8)
    accumulation_steps: int = _at_least(1, 1)
    settings: Any = field(default_factory=lambda: find_method(DEFAULT_METHOD).settings())
    scheduler: Literal["cosine", "linear", "constant", "constant_with_warmup"] = "cosine"
    warmup_share: float = _between(0.0, 1.0, 0.03)
    optimizer: Literal["adamw_torch", "adamw_torch_fused", "paged_adamw_8bit", "adamw_8bit"] = "adamw_torch"
    weight_decay: float = _at_least(0.0, 0.0)
    max_gradient_norm: float = field(default=1.0, metadata={"above": 0.0})
    gradient_checkpointing: bool = False
    max_tokens: int = _at_least(8, 1024)
    group_by_length: bool = False
    share_prompts: bool = False
    prompts_per_step: int = _at_least(1, 4)
    fuse_adapters: bool = False
    objective: str = DEFAULT_OBJECTIVE
    objective_settings: Any = field(default_factory=lambda: find_objective(DEFAULT_OBJECTIVE).settings())
    replay: str = NO_REPLAY
    replay_share: float = field(default=0.1, metadata={"above": 0.0, "maximum": 0.5})
    checkpoint_steps: int = _at_least(1, 200)
    logging_steps: int = _at_least(1, 5)
    monitor_steps: int | None = _at_least(1, None)
    stop_when_loss: float | None = field(default=None, metadata={"above": 0.0, "maximum": 100.0})
    best_checkpoint: Literal["target", "pick"] | None = None
    seed: int = _at_least(0, 42)

    def as_dict(self) -> dict[str, Any]:
        """The keys of one table, as plain values; the usual method and objective, no replay, and keys of WATCHING that
        are absent go without saying, as before there were others."""
        values: dict[str, Any] = {}
        for key, value in asdict(self).items():
            values.update(value if key in _SETTINGS else {key: value})
        if self.method == DEFAULT_METHOD:
            del values["method"]
        for key in WATCHING:
            if values[key] is None:
                del values[key]
        if self.objective == DEFAULT_OBJECTIVE:
            del values["objective"]
        if self.replay == NO_REPLAY:
            del values["replay"], values["replay_share"]
        return values


@dataclass(frozen=True, slots=True)
class VariantConfig:
    """[[variant]]: trained here (the default), made elsewhere (adapter), or another variant's adapter (source, in
    TOML `from`) at a scale or an earlier checkpoint, changed by a repair (repair: its name; repair_settings: the keys
    of that repair, which stand in the same table), or as a server answers with it (served: address; served_model: its
    name there)."""

    name: str
    source: str | None = None
    adapter: str | None = None
    adapter_scale: float = _between(0.0, 4.0, 1.0)
    checkpoint: int | None = _at_least(1, None)
    training: TrainingConfig | None = None
    repair: str | None = None
    repair_settings: Any = None
    served: str | None = None
    served_model: str | None = None

    @property
    def is_trained(self) -> bool:
        """Whether this variant has a training of its own."""
        return self.training is not None

    @property
    def makes_adapter(self) -> bool:
        """Whether an adapter is made for it here, by a training or a repair."""
        return self.is_trained or self.repair is not None


@dataclass(frozen=True, slots=True)
class ClaimsConfig:
    """[claims]: what counts as a gain without loss, stated before looking.

    margin_points: the loss that would not matter, margin_reason: why. loss_budget_points: the loss that the pick may
    have (the margin when absent). primary_suites: the suites on which a loss must be ruled out, by kind or name (all
    when empty). level: of the intervals of all variants together. Gains on the target are judged first, then losses on
    the primary suites of what gains; all else is exploratory.
    """

    margin_points: float = field(default=1.0, metadata={"above": 0.0, "maximum": 100.0})
    margin_reason: str = ""
    loss_budget_points: float | None = field(default=None, metadata={"above": 0.0, "maximum": 100.0})
    primary_suites: tuple[str, ...] = ()
    level: float = _between(0.8, 0.999, 0.95)


@dataclass(frozen=True, slots=True)
class TrackingConfig:
    """[tracking], absent by default: where figures are sent beside the run folder, which decides none of them. path: of
    the local store, RUN/tracking when absent; server: instead of it. A server's key is in the environment, never here.
    """

    kind: Literal["tensorboard", "mlflow", "wandb", "trackio"]
    path: str | None = None
    server: str | None = None
    project: str = "paretune"

    def __post_init__(self) -> None:
        if self.server is None:
            return
        if self.kind == "tensorboard":
            raise ConfigError("tracking.server: tensorboard writes files and has no server; remove the key")
        if self.path is not None:
            raise ConfigError("tracking: give either a local path or a server, not both")
        if "@" in self.server.partition("://")[2].partition("/")[0]:
            raise ConfigError("tracking.server: holds a user or a password; keys come from the environment alone")


@dataclass(frozen=True, slots=True)
class ValidationConfig:
    """[validation]: questions to look at on the way, none of them the test's. questions: of the target, at most so
    many, by whole clusters of the training rows, which are then not trained on; general_questions: of each primary
    suite. monitor_questions: of each of these, how many a training's monitor asks; text: a file whose bits per byte it
    measures, the built-in text when absent."""

    questions: int = _at_least(1, 200)
    general_questions: int = _at_least(1, 400)
    monitor_questions: int = _at_least(1, 100)
    text: str | None = None


@dataclass(frozen=True, slots=True)
class ExperimentConfig:
    """One experiment: one TOML file, one folder of results. target, prompt: the task's own dataclasses. Without a
    variant the base model alone is evaluated. Without a suite of general ability the embedded one is asked."""

    name: str
    variants: tuple[VariantConfig, ...] = ()
    general: tuple[GeneralConfig, ...] = (DEFAULT_GENERAL,)
    model: ModelConfig = ModelConfig()
    engine: EngineConfig = field(default_factory=EngineConfig)
    target: TargetConfig = field(kw_only=True)
    prompt: Any = field(kw_only=True)
    claims: ClaimsConfig = ClaimsConfig()
    tracking: TrackingConfig | None = None
    search: SearchConfig | None = None
    validation: ValidationConfig | None = None
    seed: int = _at_least(0, 42)

    def variant(self, name: str) -> VariantConfig:
        """The variant of that name, the baseline included. Raises ConfigError with the nearest name."""
        for variant in self.all_variants():
            if variant.name == name:
                return variant
        names = [variant.name for variant in self.all_variants()]
        raise ConfigError(f"no variant {name!r} in experiment {self.name!r}{nearest(name, names)}")

    def all_variants(self) -> tuple[VariantConfig, ...]:
        """The baseline, then the variants of the file."""
        return (VariantConfig(BASELINE), *self.variants)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for the manifest; the usual engine, and defaults of keys marked as "unsaid", go without saying,
        as before there was a choice. Where figures are sent is no part of what made them, and what a search may vary
        stands in its own folder."""
        values = asdict(self)
        del values["tracking"], values["search"]
        for item, variant in zip(values["variants"], self.variants, strict=True):
            item["training"] = None if variant.training is None else variant.training.as_dict()
        if self.engine == EngineConfig():
            del values["engine"]
        if self.validation is None:
            del values["validation"]
        for name in ("target", "prompt"):
            for item in fields(getattr(self, name)):
                if item.metadata.get("unsaid") and values[name][item.name] == item.default:
                    del values[name][item.name]
        for variant in values["variants"]:
            for name in ("served", "served_model", "repair", "repair_settings"):
                if variant[name] is None:
                    del variant[name]
        return values


def load_experiment(file: Path, settings: Sequence[str] = ()) -> ExperimentConfig:
    """Read an experiment file and apply `a.b=value` settings.

    Relative paths in the file are relative to the file; those in settings to the working directory. Raises
    ConfigError naming file, key and what was expected.
    """
    return experiment_of(read_table(file, settings), str(file))


def read_table(file: Path, settings: Sequence[str] = ()) -> dict[str, Any]:
    """An experiment file as tables, settings applied and paths absolute, nothing else checked."""
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"{file}: no such experiment file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read ({error})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{file}: not valid TOML: {error}") from error
    resolve_paths(table, file.resolve().parent)
    for setting in settings:
        apply_setting(table, setting)
    return table


def experiment_of(table: Mapping[str, Any], where: str) -> ExperimentConfig:
    """The experiment of these tables. where: the file, for messages, and for a name where the tables have none."""
    table = {key: dict(value) if isinstance(value, dict) else value for key, value in table.items()}
    known = {"name", "seed", "model", "engine", "target", "general", "prompt", "claims", "validation", "training",
             "variant", "sweep", "tracking", "search"}  # fmt: skip
    refuse_unknown(table, known, where, "")
    name = table.get("name", Path(where).stem)
    if not isinstance(name, str) or not is_folder_name(name):
        raise ConfigError(f"{where}: name: expected a plain folder name, found {name!r}")
    general = table.get("general")
    suites = general if isinstance(general, list) else [general]
    training = subtable(table, "training", where)
    space = table["search"].get("space") if isinstance(table.get("search"), dict) else None
    _check_training_table(training, [table.get("variant"), table.get("sweep"), space], where)
    task = _task(table, where)
    config = ExperimentConfig(
        name=name,
        variants=_variants(_with_swept(table, training, where), training, where),
        general=(DEFAULT_GENERAL,) if general is None else tuple(_general(item, where) for item in suites),
        model=build(ModelConfig, subtable(table, "model", where), where, "model"),
        engine=_engine(subtable(table, "engine", where), where),
        target=build(task.target, subtable(table, "target", where), where, "target"),
        prompt=build(task.prompt, subtable(table, "prompt", where), where, "prompt"),
        claims=build(ClaimsConfig, subtable(table, "claims", where), where, "claims"),
        tracking=_tracking(table, where),
        search=_search(table, training, where),
        validation=_validation(table, where),
        seed=check_value(table.get("seed", 42), int, {"minimum": 0}, where, "seed"),
    )
    _check_together(config, where)
    return config


def _task(table: dict[str, Any], where: str) -> Task:
    kind = check_value(subtable(table, "target", where).get("kind", DEFAULT_KIND), str, {}, where, "target.kind")
    try:
        return find_task(kind)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from error


def _engine(table: dict[str, Any], where: str) -> EngineConfig:
    kind = check_value(table.pop("kind", EngineConfig().kind), str, {}, where, "engine.kind")
    return EngineConfig(kind, table)


def _search(table: Mapping[str, Any], training: Mapping[str, Any], where: str) -> SearchConfig | None:
    if "search" not in table:
        return None
    search = search_config(table["search"], _COMMON_KEYS | METHODS.keys(), where)
    for key, values in search.space.items():
        for value in ends(values):  # so that a value that cannot be is reported where it stands
            recipes = [{"method": value}] if key == "method" else _with_methods(search, training, key, value, where)
            for recipe in recipes:
                recipe_training(training, recipe, where, "search.space")
    return search


def _with_methods(
    search: SearchConfig, training: Mapping[str, Any], key: str, value: Any, where: str
) -> list[dict[str, Any]]:
    """A value with each method that is searched and has the key."""
    usual = training.get("method", DEFAULT_METHOD)
    methods = ends(search.space["method"]) if "method" in search.space else (usual,)
    having = [name for name in methods if key in _COMMON_KEYS or key in find_method(name).keys]
    if not having:
        raise ConfigError(f"{where}: search.space.{key}: no method that is searched has this key; {key} is one of "
                          f"{', '.join(METHODS.with_key(key))}")  # fmt: skip
    return [{"method": name, key: value} for name in having]


def recipe_training(
    training: Mapping[str, Any], recipe: Mapping[str, Any], where: str, key: str = "search"
) -> TrainingConfig:
    """[training] with a recipe of a search, of which keys that its method does not have decide nothing."""
    return _training(training, recipe_keys(training, recipe), where, key)


def recipe_keys(training: Mapping[str, Any], recipe: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a recipe that its method has."""
    method = find_method(recipe.get("method", training.get("method", DEFAULT_METHOD)))
    plain = {key: list(value) if isinstance(value, tuple) else value for key, value in recipe.items()}
    return {key: value for key, value in plain.items() if key in _COMMON_KEYS or key in method.keys}


def _tracking(table: Mapping[str, Any], where: str) -> TrackingConfig | None:
    if "tracking" not in table:
        return None
    section = subtable(table, "tracking", where)
    for key in section:
        if any(word in key.lower() for word in ("key", "token", "secret", "password")):
            raise ConfigError(f"{where}: tracking.{key}: no key may stand in an experiment file; remove it and set the "
                              "environment variable that the tracker reads, such as WANDB_API_KEY")  # fmt: skip
    tracking: TrackingConfig = build(TrackingConfig, section, where, "tracking")
    return tracking


def _validation(table: dict[str, Any], where: str) -> ValidationConfig | None:
    if "validation" not in table:
        return None
    section: ValidationConfig = build(ValidationConfig, subtable(table, "validation", where), where, "validation")
    return section


def _general(item: Any, where: str) -> GeneralConfig:
    general: GeneralConfig = build(GeneralConfig, item, where, "general")
    if general.kind != LM_EVAL:
        if general.tasks:
            raise ConfigError(f'{where}: general.tasks: only for kind = "lm-eval"; remove the key')
        return general
    for key in ("method", "subjects", "selection"):
        if key in item:
            raise ConfigError(f"{where}: general.{key}: lm-eval's tasks decide this themselves; remove the key")
    if not general.tasks:
        raise ConfigError(f'{where}: general.tasks: missing; name tasks of lm-eval, for example ["arc_easy"]')
    if len(set(general.tasks)) < len(general.tasks):
        raise ConfigError(f"{where}: general.tasks: expected different tasks, found {list(general.tasks)}")
    return replace(general, few_shot=item.get("few_shot"), selection="first")


def _with_swept(table: Mapping[str, Any], training: Mapping[str, Any], where: str) -> Any:
    """The [[variant]] tables, and behind them those that the sweeps make."""
    items, sweeps = table.get("variant", []), table.get("sweep")
    if sweeps is None or not isinstance(items, list):
        return items
    swept = expand(sweeps, _COMMON_KEYS.union(*(kinds.keys() for _, kinds in _KINDS.values())), where)
    for variant in swept:  # so that a value that cannot be is reported where it stands
        _training(training, {key: value for key, value in variant.items() if key != "name"}, where, "sweep")
    return [*items, *swept]


def _variants(items: Any, training: dict[str, Any], where: str) -> tuple[VariantConfig, ...]:
    if not isinstance(items, list):
        raise ConfigError(f"{where}: variant: expected [[variant]] tables, found {items!r}")
    variants: list[VariantConfig] = []
    for position, item in enumerate(items):
        key = f"variant[{position}]"
        if not isinstance(item, dict):
            raise ConfigError(f"{where}: {key}: expected a table, found {item!r}")
        if isinstance(item.get("name"), str):
            key = f"variant.{item['name']}"
        overrides = {name: value for name, value in item.items() if name not in _VARIANT_KEYS}
        repair_settings = _repair_settings(item, overrides, where, key)
        plain = {name: value for name, value in item.items() if name in _VARIANT_KEYS}
        if "from" in plain:
            plain["source"] = check_value(plain.pop("from"), str, {}, where, f"{key}.from")
            plain.setdefault("name", _derived_name(plain))
        variant = replace(build(VariantConfig, plain, where, key), repair_settings=repair_settings)
        derived = variant.source is not None or variant.adapter is not None or variant.served is not None
        _check_served(variant, where, key)
        if derived and overrides:
            raise ConfigError(f"{where}: {key}.{next(iter(overrides))}: this variant is not trained; remove the key")
        if variant.source is not None and variant.adapter is not None:
            raise ConfigError(f"{where}: {key}: give either `from` or `adapter`, not both")
        if not derived:
            if variant.checkpoint is not None or variant.adapter_scale != 1.0:
                raise ConfigError(
                    f"{where}: {key}: adapter_scale and checkpoint need `from` (adapter_scale: or `adapter`)"
                )
            variant = replace(variant, training=_training(training, overrides, where, key))
        if not is_folder_name(variant.name):
            raise ConfigError(f"{where}: {key}.name: expected a plain folder name, found {variant.name!r}")
        if variant.name.lower() in _TAKEN_NAMES:
            raise ConfigError(f"{where}: {key}.name: {variant.name!r} is a part of the run folder; choose another name")
        variants.append(variant)
    return tuple(variants)


def _check_served(variant: VariantConfig, where: str, key: str) -> None:
    further = variant.adapter or variant.checkpoint or variant.adapter_scale != 1.0 or variant.repair
    if variant.served is not None and further:
        raise ConfigError(f"{where}: {key}.served: what a server answers with is decided there; leave only `from`")
    if variant.served is None and variant.served_model is not None:
        raise ConfigError(f"{where}: {key}.served_model: needs `served`, the server's address")


def _repair_settings(item: Mapping[str, Any], overrides: dict[str, Any], where: str, key: str) -> Any:
    """The settings of the repair that a variant names, whose keys are taken out of `overrides`; None where it names
    none. Raises ConfigError for an unknown repair, keys of another one, and a variant without `from`."""
    name = item.get("repair")
    if name is None:
        for other in overrides:
            if other not in _COMMON_KEYS and not METHODS.with_key(other) and (having := REPAIRS.with_key(other)):
                raise ConfigError(f"{where}: {key}.{other}: belongs to repair {' or '.join(map(repr, having))}; "
                                  f'name it: repair = "{having[0]}"')  # fmt: skip
        return None
    check_value(name, str, {}, where, f"{key}.repair")
    try:
        repair = find_repair(name)
    except ConfigError as error:
        raise ConfigError(f"{where}: {key}.repair: {error}") from error
    if "from" not in item:
        raise ConfigError(f"{where}: {key}.repair: needs `from`, the variant whose adapter is repaired")
    given = {other: overrides.pop(other) for other in list(overrides)}
    refuse_unknown(given, {*repair.keys, *_VARIANT_KEYS}, where, key)
    return build(repair.settings, given, where, key)


_VARIANT_KEYS = {"name", "from", "adapter", "adapter_scale", "checkpoint", "repair", "served", "served_model"}
_COMMON_KEYS = {item.name for item in fields(TrainingConfig)} - {*_SETTINGS}  # of every training
# Keys that name a kind with keys of its own, with their defaults.
_KINDS: Mapping[str, tuple[str, Kinds[Any]]] = {
    "method": (DEFAULT_METHOD, METHODS),
    "objective": (DEFAULT_OBJECTIVE, OBJECTIVES),
}


def _training(table: Mapping[str, Any], overrides: Mapping[str, Any], where: str, key: str) -> TrainingConfig:
    """A variant's training: the [training] table, overridden. Keys of that table which the variant's method and
    objective do not have are those of other variants'; among the overrides they are an error."""
    whole = {**table, **overrides}
    settings, of_objective = _own_settings(whole, overrides, where, key)
    common = {name: value for name, value in whole.items() if name in _COMMON_KEYS}
    training: TrainingConfig = replace(
        build(TrainingConfig, common, where, key), settings=settings, objective_settings=of_objective
    )
    if find_method(training.method).moves_base and find_objective(training.objective).needs_base:
        raise ConfigError(f"{where}: {key}: objective {training.objective!r} compares with the base model, whose "
                          f"weights method {training.method!r} moves; choose another of the two")  # fmt: skip
    if training.share_prompts and training.group_by_length:
        raise ConfigError(f"{where}: {key}: share_prompts orders rows by their prompts; remove group_by_length")
    return training


def _own_settings(table: Mapping[str, Any], given: Mapping[str, Any], where: str, key: str) -> tuple[Any, Any]:
    """The settings of the table's method and of its objective, from their keys in the table.

    Raises ConfigError for an unknown method or objective, and for a given key that neither has.
    """
    kinds: dict[str, Any] = {}
    for role, (default, known_kinds) in _KINDS.items():
        name = check_value(table.get(role, default), str, {}, where, f"{key}.{role}")
        try:
            kinds[role] = known_kinds.find(name)
        except ConfigError as error:
            raise ConfigError(f"{where}: {key}.{role}: {error}") from error
    own = {name for kind in kinds.values() for name in kind.keys}
    for other in given:
        for role, (default, known_kinds) in _KINDS.items():
            if other not in _COMMON_KEYS and other not in own and (having := known_kinds.with_key(other)):
                keys = ", ".join(kinds[role].keys) or "none"
                raise ConfigError(f"{where}: {key}.{other}: not a key of {role} {table.get(role, default)!r}, but of "
                                  f"{', '.join(having)}; its own are {keys}")  # fmt: skip
    known = {*_COMMON_KEYS, *own} | (set() if key in ("training", "sweep") else _VARIANT_KEYS)
    refuse_unknown(given, known, where, key)
    method, objective = (
        build(kind.settings, {name: value for name, value in table.items() if name in kind.keys}, where, key)
        for kind in kinds.values()
    )
    return method, objective


def _check_training_table(table: Mapping[str, Any], sections: Sequence[Any], where: str) -> None:
    """Refuse what no training can obey, so that it is reported there. sections: [[variant]] and [[sweep]], not checked
    yet; keys of the methods and objectives that they name may stand in [training]."""
    build(TrainingConfig, {key: value for key, value in table.items() if key in _COMMON_KEYS}, where, "training")
    items = [item for section in sections for item in (section if isinstance(section, list) else [section])]
    elsewhere: set[str] = set()
    for role, (_, kinds) in _KINDS.items():
        named = [item[role] for item in items if isinstance(item, dict) and role in item]
        chosen = [name for value in named for name in (value if isinstance(value, list) else [value])]
        elsewhere.update(key for name in chosen if name in kinds.names() for key in kinds.find(name).keys)
    given = {key: value for key, value in table.items() if key not in elsewhere}
    _own_settings(table, given, where, "training")


def _derived_name(plain: Mapping[str, Any]) -> str:
    name = str(plain["source"]) + ("@served" if "served" in plain else "")
    if "checkpoint" in plain:
        name += f"@step-{plain['checkpoint']}"
    if "repair" in plain:
        name += f"@{plain['repair']}"
    return name + (f"@{plain['adapter_scale']}" if "adapter_scale" in plain else "")


def _check_together(config: ExperimentConfig, where: str) -> None:
    names = [variant.name for variant in config.all_variants()]
    for name in names:
        if names.count(name) > 1:
            hint = " (the baseline is always there)" if name == BASELINE else ""
            raise ConfigError(f"{where}: variant: two variants are called {name!r}{hint}")
        alike = next(other for other in names if other.casefold() == name.casefold())
        if alike != name:
            raise ConfigError(f"{where}: variant: {alike!r} and {name!r} would be one folder where case does not count "
                              "(macOS, Windows, shared disks); rename one")  # fmt: skip
    for variant in config.variants:
        training, quantization = variant.training, config.model.quantization
        if training is not None and quantization != "none" and find_method(training.method).moves_base:
            raise ConfigError(f"{where}: variant.{variant.name}.method: {training.method} starts from the base's own "
                              f"weights, which are quantised ({quantization}); choose another method")  # fmt: skip
        if training is not None:
            _check_watching(config, variant.name, training, where)
        if variant.adapter is not None and variant.checkpoint is not None:
            raise ConfigError(f"{where}: variant.{variant.name}.checkpoint: an adapter made elsewhere has none here; "
                              "give the checkpoint's folder as adapter")  # fmt: skip
        if variant.source is None:
            continue
        source = next((other for other in config.variants if other.name == variant.source), None)
        if source is None:
            raise ConfigError(f"{where}: variant {variant.name!r}: from {variant.source!r}: no such variant"
                              f"{nearest(variant.source, names)}")  # fmt: skip
        if source.source is not None:
            raise ConfigError(f"{where}: variant {variant.name!r}: from {source.name!r}, which is itself derived; "
                              f"name {source.source!r} instead")  # fmt: skip
        if variant.checkpoint is not None:
            _check_checkpoint(variant, source, where)
        if variant.repair is not None:
            _check_repair(variant, source, where)
    _check_general(config, where)


def _check_watching(config: ExperimentConfig, name: str, training: TrainingConfig, where: str) -> None:
    key = f"{where}: variant.{name}"
    for item in WATCHING if config.validation is None else ():
        if getattr(training, item) is not None:
            raise ConfigError(f"{key}.{item}: needs questions that are not the test's; add a [validation] section")
    if training.stop_when_loss is not None and training.monitor_steps is None:
        raise ConfigError(f"{key}.stop_when_loss: decided at the monitor's looks; set monitor_steps")


def _check_general(config: ExperimentConfig, where: str) -> None:
    kinds = [general.kind for general in config.general]
    if not kinds or len(set(kinds)) < len(kinds):
        raise ConfigError(f"{where}: general: expected one or more different kinds, found {kinds}")
    for name in config.claims.primary_suites:
        if name.split("/")[0] not in kinds:
            raise ConfigError(
                f"{where}: claims.primary_suites: no [[general]] is called {name!r}{nearest(name, kinds)}"
            )


def _check_checkpoint(variant: VariantConfig, source: VariantConfig, where: str) -> None:
    training = source.training
    if training is None:
        raise ConfigError(f"{where}: variant {variant.name!r}: checkpoint needs a variant trained here")
    if variant.checkpoint is not None and variant.checkpoint % training.checkpoint_steps:
        raise ConfigError(
            f"{where}: variant {variant.name!r}: checkpoint = {variant.checkpoint}: {source.name!r} saves every "
            f"{training.checkpoint_steps} steps; name a multiple"
        )


def _check_repair(variant: VariantConfig, source: VariantConfig, where: str) -> None:
    if source.training is not None and not find_method(source.training.method).low_rank:
        raise ConfigError(
            f"{where}: variant.{variant.name}.repair: {source.training.method} trains no low-rank update of "
            f"the weights, which {variant.repair} is defined for; train {source.name} by another method, or remove "
            "the variant"
        )
    if source.served is not None:
        raise ConfigError(
            f"{where}: variant.{variant.name}.repair: {source.name!r} is a server, which has no adapter here"
        )


_PATH_KEYS = ("path", "adapter", "calibration", "text", "replay", "kl_texts")
_TRAINING_PATHS = ("calibration", "replay", "kl_texts")
_NO_PATHS = (NO_REPLAY, SELF_REPLAY, "built-in")  # what may stand in place of a path of a training
_HUB_ADAPTER = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?(?<!\.zip)(?<!\.rar)")
_DEFAULT_KIND = "mmlu"  # of a [general] that names none


def apply_setting(table: dict[str, Any], setting: str) -> None:
    """Change one value. A value is read as TOML, and as a string where it is none.

    Sections that stand several times are addressed by kind (general.mmlu.path) or name (variant.run-1.rank); a
    single [[general]] needs no kind.
    """
    key, separator, text = setting.partition("=")
    parts = key.strip().split(".")
    if not separator or not all(parts):
        raise ConfigError(f"--set {setting}: expected KEY.KEY=VALUE, for example model.path=FILE.gguf")
    *sections, last = parts
    place: Any = table
    while sections:
        section = sections.pop(0)
        following = place.setdefault(section, {}) if isinstance(place, dict) else None
        if isinstance(following, list):
            rest = ".".join(sections)
            found = [item for item in following if rest and _identity(section, item) == rest]
            if not found and not sections and len(following) == 1:
                found = following
            if not found:
                known = ", ".join(f"{section}.{_identity(section, item)}" for item in following)
                raise ConfigError(f"--set {setting}: say which {section}: {known}")
            place, sections = found[0], []
        elif section == "general" and isinstance(following, dict) and sections == [_identity(section, following)]:
            place, sections = following, []
        else:
            place = following
        if not isinstance(place, dict):
            raise ConfigError(f"--set {setting}: {section!r} is a value, not a section")
    value = _parse(text)
    if last in _PATH_KEYS and _is_path(last, value):
        value = absolute(value, Path.cwd(), may_be_hub_name=parts[0] == "model" or _may_be_hub_adapter(last, value))
    place[last] = value


def resolve_paths(table: dict[str, Any], folder: Path) -> None:
    """Make the file's relative paths relative to the file's folder."""
    general = table.get("general", {})
    variants = table.get("variant", [])
    model = table.get("model")
    training = table.get("training")
    if isinstance(training, dict):
        for key in _TRAINING_PATHS:
            if key in training and _is_path(key, training[key]):
                training[key] = absolute(training[key], folder, may_be_hub_name=False)
    sections = [model, *(table.get(name) for name in ("engine", "target", "validation", "tracking"))]
    for group in (general, variants):
        sections.extend(group if isinstance(group, list) else [group])
    for section in sections:
        if isinstance(section, dict):
            for key in _PATH_KEYS:
                if key in section and _is_path(key, section[key]):
                    on_hub = section is model or _may_be_hub_adapter(key, section[key])
                    section[key] = absolute(section[key], folder, may_be_hub_name=on_hub)


def _is_path(key: str, value: Any) -> bool:
    return key not in _TRAINING_PATHS or value not in _NO_PATHS


def _may_be_hub_adapter(key: str, value: Any) -> bool:
    return key == "adapter" and isinstance(value, str) and _HUB_ADAPTER.fullmatch(value) is not None


def absolute(value: Any, folder: Path, *, may_be_hub_name: bool) -> Any:
    """A path made absolute. What may be a Hub name stays one unless it exists below the folder or is plainly a path."""
    if not isinstance(value, str) or not value:
        return value
    expanded = Path(value).expanduser()
    if expanded.is_absolute():
        return str(expanded)
    below = folder / expanded
    plainly_a_path = value.startswith((".", "~")) or value.endswith(".gguf")
    return str(below.resolve()) if not may_be_hub_name or below.exists() or plainly_a_path else value


def _identity(section: str, item: Any) -> str:
    if not isinstance(item, dict):
        return repr(item)
    if section == "general":
        return str(item.get("kind", _DEFAULT_KIND))
    if "name" not in item and "from" in item:
        return _derived_name({**item, "source": item["from"]})
    return str(item.get("name"))


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
