"""[[variant]] and [[sweep]]: what each variant is, and that it is only one thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from paretune.config import VARIANT_KEYS, VariantConfig
from paretune.config.training import COMMON_KEYS, KINDS, read_training
from paretune.errors import ConfigError
from paretune.fields import build, check_value, is_folder_name, refuse_unknown
from paretune.methods import METHODS
from paretune.repairs import REPAIRS, find_repair
from paretune.sweep import expand

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


def with_swept(table: Mapping[str, Any], training: Mapping[str, Any], where: str) -> Any:
    """The [[variant]] tables, and behind them those that the sweeps make."""
    items, sweeps = table.get("variant", []), table.get("sweep")
    if sweeps is None or not isinstance(items, list):
        return items
    swept = expand(sweeps, COMMON_KEYS.union(*(kinds.keys() for _, kinds in KINDS.values())), where)
    for variant in swept:  # so that a value that cannot be is reported where it stands
        read_training(training, {key: value for key, value in variant.items() if key != "name"}, where, "sweep")
    return [*items, *swept]


def read_variants(items: Any, training: dict[str, Any], where: str) -> tuple[VariantConfig, ...]:
    """The [[variant]] tables, those of sweeps among them. Raises ConfigError where one is several things at once."""
    if not isinstance(items, list):
        raise ConfigError(f"{where}: variant: expected [[variant]] tables, found {items!r}")
    variants: list[VariantConfig] = []
    for position, item in enumerate(items):
        key = f"variant[{position}]"
        if not isinstance(item, dict):
            raise ConfigError(f"{where}: {key}: expected a table, found {item!r}")
        if isinstance(item.get("name"), str):
            key = f"variant.{item['name']}"
        overrides = {name: value for name, value in item.items() if name not in VARIANT_KEYS}
        repair_settings = _repair_settings(item, overrides, where, key)
        plain = {name: value for name, value in item.items() if name in VARIANT_KEYS}
        if "from" in plain:
            plain["source"] = check_value(plain.pop("from"), str, {}, where, f"{key}.from")
            plain.setdefault("name", derived_name(plain))
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
            variant = replace(variant, training=read_training(training, overrides, where, key))
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
            if other not in COMMON_KEYS and not METHODS.with_key(other) and (having := REPAIRS.with_key(other)):
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
    refuse_unknown(given, {*repair.keys, *VARIANT_KEYS}, where, key)
    return build(repair.settings, given, where, key)


def derived_name(plain: Mapping[str, Any]) -> str:
    """The name of a derived variant that has none of its own.

    >>> derived_name({"source": "run-1", "adapter_scale": 0.5}), derived_name({"source": "run-1", "checkpoint": 200})
    ('run-1@0.5', 'run-1@step-200')
    """
    name = str(plain["source"]) + ("@served" if "served" in plain else "")
    if "checkpoint" in plain:
        name += f"@step-{plain['checkpoint']}"
    if "repair" in plain:
        name += f"@{plain['repair']}"
    return name + (f"@{plain['adapter_scale']}" if "adapter_scale" in plain else "")
