"""What the tables of an experiment must not say together."""

from __future__ import annotations

from paretune.config import BASELINE, WATCHING, ExperimentConfig, TrainingConfig, VariantConfig
from paretune.errors import ConfigError
from paretune.fields import nearest
from paretune.methods import find_method


def check_together(config: ExperimentConfig, where: str) -> None:
    """Raise ConfigError where two tables or keys contradict each other, naming both."""
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
