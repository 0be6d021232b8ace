"""The vocabulary of an experiment: frozen dataclasses whose field names are the keys of the TOML file.

`read.load_experiment` makes one of a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Protocol

from paretune.errors import ConfigError
from paretune.fields import nearest
from paretune.methods import DEFAULT_METHOD, find_method
from paretune.objectives import DEFAULT_OBJECTIVE, find_objective
from paretune.records import Method
from paretune.space import SearchConfig

DEFAULT_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
BASELINE = "baseline"
DEFAULT_SEED = 42
NO_REPLAY, SELF_REPLAY = "none", "self"
VARIANT_KEYS = {"name", "from", "adapter", "adapter_scale", "checkpoint", "repair", "served", "served_model"}
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
SETTINGS = ("settings", "objective_settings")  # keys of a training's method and of its objective


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
            values.update(value if key in SETTINGS else {key: value})
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
