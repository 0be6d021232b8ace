"""Logs in the formats of other programs, written for tests."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Record = dict[str, Any]
DATE = "2026-05-04T03-02-01.123456"


def samples(verdicts: Sequence[bool], *, shots: str = "", metric: str = "acc", **changes: Any) -> list[Record]:
    """lm-eval's samples of a multiple-choice task as 0.4.13 writes them; shots: solved examples before the question."""
    found = []
    for at, correct in enumerate(verdicts):
        context = f"{shots}Question: {at}?\nAnswer:"
        scores = [["-1.0" if (option == at % 2) == correct else "-2.0", "False"] for option in range(2)]
        found.append(
            {
                "doc_id": at,
                "doc": {"question": f"{at}?", "topic": f"topic {at // 4}"},
                "target": str(at % 2),
                "arguments": {f"gen_args_{o}": {"arg_0": context, "arg_1": f" {name}"} for o, name in enumerate("xy")},
                "resps": [[score] for score in scores],
                "filtered_resps": scores,
                "filter": "none",
                "metrics": [metric],
                metric: float(correct),
                **changes,
            }
        )
    return found


def written_samples(
    verdicts: Sequence[bool], filters: Sequence[str] = ("strict-match", "flexible-extract")
) -> list[Record]:
    """Samples of a task that is answered in text, one line per question and filter; only the first filter is right."""
    found = []
    for number, name in enumerate(filters):
        for at, correct in enumerate(verdicts):
            found.append(
                {
                    "doc_id": at,
                    "doc": {"question": f"{at}+{at}?"},
                    "target": str(2 * at),
                    "arguments": {"gen_args_0": {"arg_0": f"{at}+{at}?", "arg_1": {"until": ["\n"]}}},
                    "resps": [[f"It is {2 * at if correct else 'many'}"]],
                    "filtered_resps": [str(2 * at)],
                    "filter": name,
                    "exact_match": float(correct and number == 0),
                }
            )
    return found


def lm_eval_folder(folder: Path, tasks: Mapping[str, Sequence[Record]], shots: int = 0, **results: Any) -> Path:
    """A folder as --output_path has it: samples of each task and the results beside them."""
    inner = folder / "model"
    inner.mkdir(parents=True)
    for task, lines in tasks.items():
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (inner / f"samples_{task}_{DATE}.jsonl").write_text(text, encoding="utf-8")
    about = {"n-shot": dict.fromkeys(tasks, shots), "versions": dict.fromkeys(tasks, 1), **results}
    (inner / f"results_{DATE}.json").write_text(json.dumps(about), encoding="utf-8")
    return folder


def inspect_log(verdicts: Sequence[str], epochs: int = 1, task: str = "sums", **changes: Any) -> Record:
    """A log of inspect-ai as its JSON form has it; verdicts: "C" or "I" per sample."""
    found = []
    for epoch in range(1, epochs + 1):
        for at, value in enumerate(verdicts):
            question = f"{at}+{at}?"
            found.append(
                {
                    "id": f"s{at}",
                    "epoch": epoch,
                    "input": question,
                    "target": str(2 * at),
                    "messages": [
                        {"role": "system", "content": "Answer."},
                        {"role": "user", "source": "input", "content": [{"type": "text", "text": question}]},
                        {"role": "assistant", "source": "generate", "content": "many"},
                    ],
                    "output": {"completion": "many"},
                    "scores": {"match": {"value": value, "answer": "many"}},
                    "metadata": {"topic": f"topic {at // 4}"},
                }
            )
    return {
        "version": 2,
        "status": "success",
        "eval": {"task": task, "task_version": 0, "task_args": {}},
        "plan": {"steps": [{"solver": "generate", "params": {}}], "config": {}},
        "samples": found,
        **changes,
    }


def eval_file(path: Path, log: Record, packing: int = 93) -> Path:
    """The same log as an .eval file; packing: 93 for Zstandard as newer versions, 8 for deflate as older ones."""
    log = dict(log)
    members = {f"samples/{s['id']}_epoch_{s['epoch']}.json": s for s in log.pop("samples")}
    members["header.json"] = log
    if packing != 93:
        with zipfile.ZipFile(path, "w", compression=packing) as archive:
            for name, value in members.items():
                archive.writestr(name, json.dumps(value))
        return path
    import pyarrow

    codec, sizes, whole = pyarrow.Codec("zstd"), {}, io.BytesIO()
    with zipfile.ZipFile(whole, "w", compression=zipfile.ZIP_STORED) as archive:
        for name, value in members.items():
            text = json.dumps(value).encode()
            sizes[name] = len(text)
            archive.writestr(name, codec.compress(text, asbytes=True))
    # Python's zipfile writes no Zstandard: what was stored is declared to be packed.
    data = bytearray(whole.getvalue())
    for item in zipfile.ZipFile(io.BytesIO(bytes(data))).infolist():
        struct.pack_into("<H", data, item.header_offset + 8, 93)
        struct.pack_into("<I", data, item.header_offset + 22, sizes[item.filename])
    at = data.find(b"PK\x01\x02")
    while at >= 0:
        length, extra, comment = struct.unpack_from("<HHH", data, at + 28)
        name = bytes(data[at + 46 : at + 46 + length]).decode()
        struct.pack_into("<H", data, at + 10, 93)
        struct.pack_into("<I", data, at + 24, sizes[name])
        at = data.find(b"PK\x01\x02", at + 46 + length + extra + comment)
    path.write_bytes(bytes(data))
    return path
