"""Export: a variant as files for other programs, and proof that they answer as the variant did."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from paretune.config import BASELINE, ModelConfig, VariantConfig
from paretune.engines import build_engine, engine_kind
from paretune.engines.base import Engine, Generation, Host
from paretune.errors import ConfigError, ModelError
from paretune.models.export import write_adapter, write_merged, write_whole
from paretune.models.gguf_export import write_gguf
from paretune.models.load import LoadedModel, ModelHandle, load_model
from paretune.models.source import convert_gguf, gguf_file
from paretune.pipeline.evaluate import asked_questions
from paretune.pipeline.session import Session
from paretune.progress import progress_bar
from paretune.run.jsonl import read_lines


@dataclass(frozen=True, slots=True)
class Agreement:
    """Answers of the exported files beside those that the variant gave. changed: the questions of which the text
    differs, by their ids."""

    questions: int
    changed: tuple[str, ...]

    @property
    def equal(self) -> int:
        """How many answers are the same to the letter."""
        return self.questions - len(self.changed)


def export(session: Session, variant: VariantConfig, target: Path, form: str, questions: int) -> Agreement:
    """Write a variant to a new folder and answer the first questions with what was written.

    form: "adapter", "merged", or a type of gguf in lower case. Raises ConfigError for what cannot be exported,
    RunFolderError or ModelError where parts are missing.
    """
    adapter = _adapter(session, variant)
    config, quantised = session.config.model, form not in ("adapter", "merged")
    asked, expected = _answered(session, variant, questions)
    file = gguf_file(config)
    if quantised and file is None:
        raise ConfigError(
            f"model.path = {config.path}: no GGUF file, whose names and tokenizer the export takes over; export with "
            "--merge and convert that folder with llama.cpp's convert_hf_to_gguf.py"
        )

    def write(folder: Path) -> None:
        if form == "adapter":
            write_adapter(adapter, variant.adapter_scale, session.source, folder)
            return
        loaded = _loaded(session)
        if not quantised:
            write_merged(loaded, adapter, variant.adapter_scale, folder)
            return
        assert file is not None  # checked above
        name = f"{session.config.name}-{variant.name.replace('@', '-at-')}-{form}.gguf"
        write_gguf(loaded, adapter, variant.adapter_scale, file, form, folder / name)
        (folder / "Modelfile").write_text(f"FROM ./{name}\nPARAMETER temperature 0\n", encoding="utf-8")

    write_whole(target, write)
    session.release()
    with _answering(session, target, form) as engine:
        return _agreement(engine, session, asked, expected)


def _adapter(session: Session, variant: VariantConfig) -> Path:
    if not engine_kind(session.config.engine.kind).takes_peft:
        raise ConfigError(f"engine.kind = {session.config.engine.kind}: its adapters are not in PEFT's format")
    adapter = session.adapter(variant)
    if variant.name == BASELINE or adapter is None:
        raise ConfigError("--variant baseline: the base model is already where model.path says; name another variant")
    return adapter


def _loaded(session: Session) -> LoadedModel:
    """The base in 16 bits or as the experiment says, and never quantised: weights have to take the update."""
    return load_model(replace(session.config.model, quantization="none"), session.source)


def _answered(session: Session, variant: VariantConfig, count: int) -> tuple[dict[str, str], dict[str, str]]:
    """Prompts and the variant's answers by question, of the first questions that it has answered."""
    names = session.task.facets.names
    path = session.folder.variant(variant.name, "answers.jsonl")
    if not path.is_file():
        raise ConfigError(f"{path}: not there; evaluate {variant.name} first, so that the export can be checked")
    texts = {str(record[names.get("id", "id")]): str(record["text"]) for record in read_lines(path)[1]}
    prompts = {str(question.id): question.prompt for question in asked_questions(session)[1]}
    chosen = [name for name in prompts if name in texts][:count]
    return {name: prompts[name] for name in chosen}, {name: texts[name] for name in chosen}


@contextmanager
def _answering(session: Session, target: Path, form: str) -> Iterator[Engine]:
    """An engine that answers with the exported files alone, in the precision of the experiment."""
    config = session.config
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".checking-") as scratch:
        model = config.model
        if form == "merged":
            model = replace(model, path=str(target), revision=None)
        elif form != "adapter":
            convert_gguf(next(target.glob("*.gguf")), Path(scratch))
            model = ModelConfig(path=scratch, precision=model.precision, context_tokens=model.context_tokens)
        host = Host(
            ModelHandle(replace(model, quantization=model.quantization if form == "adapter" else "none")),
            batch_size=config.target.batch_size,
            ending=session.task.ending(config),
            say=session.say,
        )
        engine = build_engine(config.engine, host)
        with engine.variant(target if form == "adapter" else None):
            yield engine
        engine.release()


def _agreement(engine: Engine, session: Session, asked: dict[str, str], expected: dict[str, str]) -> Agreement:
    names, texts = list(asked), dict[str, str]()
    with progress_bar("answer with what was exported", len(names)) as advance:

        def on_answer(place: int, generation: Generation) -> None:
            texts[names[place]] = generation.text
            advance(1)

        try:
            engine.generate(list(asked.values()), session.config.target.max_new_tokens, on_answer)
        except ModelError as error:
            raise ModelError(f"what was exported cannot answer: {error}") from error
    return Agreement(len(names), tuple(name for name in names if texts[name] != expected[name]))
