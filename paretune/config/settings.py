"""--set KEY.KEY=VALUE, and whose folder a relative path is relative to."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from paretune.config import NO_REPLAY, SELF_REPLAY
from paretune.config.variants import derived_name
from paretune.errors import ConfigError

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
        return derived_name({**item, "source": item["from"]})
    return str(item.get("name"))


def _parse(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
