"""A server of OpenAI's `/v1/completions` on loopback, over a tiny model by its own forward: a process of its own.

    python -m tests.engines.loopback MODEL_FOLDER ADAPTER_FOLDER [--without echo tokens logprobs] [--as MANNER]

prints its port. MANNER is vllm, llama.cpp or ignorant. The base model is called "tiny", the adapter "tuned". As
llama.cpp the adapter is a number with a scale and there is no echo; an ignorant one takes the adapter's name and
answers as the base does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

VERSION = "1.2.3"
ROOT = Path(__file__).resolve().parents[2]


class TinyModel:
    """Answers completions by the model's own forward, one token after another."""

    def __init__(self, folder: Path, adapter: Path, without: Sequence[str], manner: str) -> None:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

        torch.set_num_threads(1)
        self._torch = torch
        self.tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        base = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        self._ends = set(base.generation_config.eos_token_id)
        self.model = PeftModel.from_pretrained(base, str(adapter)).eval()
        self._without, self._manner = without, manner
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, Any]] = {}  # answers by request: tests ask the same again and again

    def answer(self, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body for the body of a request."""
        if asked["model"] not in ("tiny", "tuned"):
            return 404, {"error": f"The model {asked['model']} does not exist."}
        scale = 1.0 if asked["model"] == "tuned" else 0.0
        if self._manner == "llama.cpp":
            scale = next((lora["scale"] for lora in asked.get("lora", ()) if lora["id"] == 0), 1.0)
        if self._manner == "ignorant":
            scale = 0.0
        for name in ("echo", "logprobs"):
            if name in self._without and asked.get(name):
                return 400, {"error": f"{name} is not supported"}
        key = json.dumps([scale, asked], sort_keys=True)
        with self._lock, self._torch.inference_mode(), self._scaled(scale):
            if key not in self._known:
                self._known[key] = self._complete(asked)
            return 200, self._known[key]

    @contextmanager
    def _scaled(self, scale: float) -> Iterator[None]:
        from peft.helpers import rescale_adapter_scale

        if scale == 0:
            with self.model.disable_adapter():
                yield
        elif scale == 1:
            yield
        else:
            with rescale_adapter_scale(self.model, scale):
                yield

    def _complete(self, asked: dict[str, Any]) -> dict[str, Any]:
        prompt = self.tokenizer(asked["prompt"])["input_ids"]
        tokens, finish = list(prompt), "length"
        tops: list[Any] = []
        while len(tokens) < len(prompt) + asked["max_tokens"]:
            logprobs = self._logprobs(tokens)[-1]
            tops.append(logprobs)
            tokens.append(self._next(logprobs, asked))
            if tokens[-1] in self._ends or self.tokenizer.decode(tokens[-1:]) in asked.get("stop", ()):
                finish = "stop"
                break
        written = tokens[len(prompt) :]
        text = self.tokenizer.decode(written[: len(written) - (finish == "stop")], skip_special_tokens=True)
        choice: dict[str, Any] = {"index": 0, "text": text, "finish_reason": finish, "logprobs": None}
        if asked.get("logprobs"):
            choice["logprobs"] = self._described(tokens, len(prompt), tops, asked)
        usage = {"prompt_tokens": len(prompt), "completion_tokens": len(written)}
        return {"model": asked["model"], "choices": [choice], "usage": usage}

    def _next(self, logprobs: Any, asked: dict[str, Any]) -> int:
        if not asked.get("temperature"):
            return int(logprobs.argmax())
        generator = self._torch.Generator().manual_seed(asked["seed"])
        shares = (logprobs / asked["temperature"]).softmax(-1)
        return int(self._torch.multinomial(shares, 1, generator=generator))

    def _described(self, tokens: list[int], n_prompt: int, tops: list[Any], asked: dict[str, Any]) -> dict[str, Any]:
        if self._manner == "llama.cpp":
            best = tops[0].topk(min(asked["logprobs"], len(tops[0])))
            listed = [{"token": self.tokenizer.decode([token]), "logprob": value}
                      for value, token in zip(best.values.tolist(), best.indices.tolist(), strict=True)]  # fmt: skip
            return {"content": [{**listed[0], "top_logprobs": listed}]}
        if asked.get("echo"):
            rows = self._logprobs(tokens)
            values = [float(rows[place, token]) for place, token in enumerate(tokens[1:])]
            return {"tokens": self.tokenizer.batch_decode([[token] for token in tokens]),
                    "token_logprobs": [None, *values]}  # fmt: skip
        if asked.get("logprob_token_ids") and "tokens" not in self._without:
            named = dict.fromkeys([tokens[n_prompt], *asked["logprob_token_ids"]])
            return {"top_logprobs": [{f"token_id:{token}": float(tops[0][token]) for token in named}]}
        found = []
        for logprobs in tops:
            best = logprobs.topk(min(asked["logprobs"], len(logprobs)))
            found.append(dict(zip(self.tokenizer.batch_decode([[token] for token in best.indices.tolist()]),
                                  best.values.tolist(), strict=True)))  # fmt: skip
        return {"top_logprobs": found}

    def _logprobs(self, tokens: list[int]) -> Any:
        return self.model(input_ids=self._torch.tensor([tokens]), use_cache=False).logits[0].float().log_softmax(-1)


def serve(model: TinyModel, manner: str) -> ThreadingHTTPServer:
    """The server, which does not answer yet."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            names = ["tiny"] if manner == "llama.cpp" else ["tiny", "tuned"]
            known: dict[str, Any] = {
                "/v1/models": {"data": [{"id": name, **({"parent": "tiny"} if name == "tuned" else {})}
                                        for name in names]},
            }  # fmt: skip
            if manner == "llama.cpp":
                known["/props"] = {"build_info": VERSION}
                known["/lora-adapters"] = [{"id": 0, "path": "/somewhere/tuned.gguf", "scale": 1.0}]
            else:
                known["/version"] = {"version": VERSION}
            self._send(*((200, known[self.path]) if self.path in known else (404, {"error": "not here"})))

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(*model.answer(asked))

        def _send(self, status: int, body: Any) -> None:
            raw = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@contextmanager
def running(model: Path, adapter: Path, *words: str) -> Iterator[str]:
    """The address of a server in a process of its own, which ends with the block."""
    command = [sys.executable, "-m", "tests.engines.loopback", str(model), str(adapter), *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
        finally:
            process.kill()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("--without", nargs="*", default=[])
    parser.add_argument("--as", dest="manner", default="vllm")
    arguments = parser.parse_args()
    model = TinyModel(arguments.model, arguments.adapter, arguments.without, arguments.manner)
    server = serve(model, arguments.manner)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
