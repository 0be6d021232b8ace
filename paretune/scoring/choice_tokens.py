"""From prompt texts to tokens, each shared prefix tokenised once.

The rule is that of lm-eval-harness (0.4.13, `_encode_pair`): trailing spaces of the context move to the continuation,
and the continuation's tokens are those of the whole text minus as many as the context has. Encoding every whole text
would spend most of a run's tokenisation on the same shots, so a question is encoded behind the last words of its
prefix and a continuation behind the last words of its context. Tokenizers split at white space first, so both give
the same tokens; where the join does not fall between tokens, and wherever a sample of each prefix's questions shows a
difference, the whole texts are encoded after all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from paretune.errors import PromptError
from paretune.records import ChoicePrompt

Tokens = list[int]

_TAIL_CHARACTERS = 48  # of text in front of a join, cut at white space
_SAMPLE_EVERY = 64  # one question in so many is checked against the encoding of its whole text


@dataclass(frozen=True, slots=True)
class EncodedQuestion:
    """The tokens of one question after its group's prefix.

    index: position in the list of prompts. contexts, continuations: (n_options,) token lists; option i is scored as
    log P(continuations[i] | prefix + contexts[i]).
    """

    index: int
    contexts: tuple[Tokens, ...]
    continuations: tuple[Tokens, ...]


@dataclass(slots=True)
class PrefixGroup:
    """Questions whose prompts start with the same tokens."""

    prefix: Tokens
    questions: list[EncodedQuestion] = field(default_factory=list)


def encode_prompts(tokenizer: Any, prompts: Sequence[ChoicePrompt]) -> list[PrefixGroup]:
    """The prompts' tokens, grouped by shared prefix, in order of first appearance.

    Every context of a group is at least one token long, or every question of the group has the prefix's last token
    in its contexts (so that there is always a token whose output predicts the first of the continuation). Raises
    PromptError for a question with a continuation of no tokens.
    """
    encoder = _Encoder(tokenizer)
    by_prefix: dict[str, list[int]] = {}
    for index, prompt in enumerate(prompts):
        by_prefix.setdefault(prompt.prefix, []).append(index)
    shortened = encoder.short_contexts(
        [(prompt.prefix, context.rstrip()) for prompt in prompts for context in prompt.contexts]
    )
    groups: list[PrefixGroup] = []
    for prefix, indices in by_prefix.items():
        groups.extend(_encode_group(encoder, prefix, [(index, prompts[index]) for index in indices], shortened))
    return _keep_a_token_to_read(_pool_single_questions(groups))


def encode_contexts(tokenizer: Any, prompts: Sequence[ChoicePrompt]) -> list[PrefixGroup]:
    """As `encode_prompts`, for prompts that the model is to continue: the first context, to its last space."""
    encoder = _Encoder(tokenizer)
    shortened = encoder.short_contexts((prompt.prefix, prompt.contexts[0]) for prompt in prompts)
    groups = {prompt.prefix: PrefixGroup(encoder.whole(prompt.prefix)) for prompt in prompts}
    apart = PrefixGroup([])
    distrusted: set[str] = set()
    for index, prompt in enumerate(prompts):
        group, text = groups[prompt.prefix], prompt.contexts[0]
        tokens = shortened[(prompt.prefix, text)]
        sampled = tokens and len(group.questions) % _SAMPLE_EVERY == 0
        if sampled and group.prefix + (tokens or []) != encoder.whole(prompt.prefix + text):
            distrusted.add(prompt.prefix)
        if tokens and prompt.prefix not in distrusted:
            group.questions.append(EncodedQuestion(index, (tokens,), ()))
        else:
            apart.questions.append(EncodedQuestion(index, (encoder.whole(prompt.prefix + text),), ()))
    return _keep_a_token_to_read([group for group in (*groups.values(), apart) if group.questions])


class _Encoder:
    """A tokenizer with lm-eval's rule for special tokens: the tokenizer's own, but never a second BOS."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.bos = tokenizer.bos_token
        self.lead = list(tokenizer("", add_special_tokens=True)["input_ids"])
        self._last_whole: tuple[str, Tokens] = ("", [])
        self._continuations: dict[tuple[str, str], Tokens | None] = {}

    def bare(self, texts: list[str]) -> list[Tokens]:
        """Without special tokens, in one call."""
        if not texts:
            return []
        return list(self.tokenizer(texts, add_special_tokens=False, return_attention_mask=False)["input_ids"])

    def whole(self, text: str) -> Tokens:
        """With the special tokens that the tokenizer adds, unless the text brings its own BOS."""
        own_bos = bool(self.bos) and text.startswith(self.bos)
        return list(self.tokenizer(text, add_special_tokens=not own_bos)["input_ids"])

    def short_contexts(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Tokens | None]:
        """The tokens of each (prefix, context) after the prefix; None where they cannot be told apart."""
        keys = list(dict.fromkeys(pairs))
        tails = {prefix: _tail(prefix) for prefix in dict.fromkeys(key[0] for key in keys)}
        usable = [key for key in keys if tails[key[0]] is not None and key[1]]
        encoded = self.bare([f"{tails[prefix]}{context}" for prefix, context in usable])
        heads = dict(zip(tails, self.bare([tail or "" for tail in tails.values()]), strict=True))
        found: dict[tuple[str, str], Tokens | None] = dict.fromkeys(keys)
        for key, tokens in zip(usable, encoded, strict=True):
            found[key] = _after(heads[key[0]], tokens)
        return found

    def continuation(self, text: str, continuation: str) -> Tokens | None:
        """The continuation's tokens behind the text, by the text's last words; None where that cannot be told."""
        tail = _tail_of_line(text)
        if tail is None:
            return None
        key = (tail, continuation)
        if key not in self._continuations:
            head, both = self.bare([tail, tail + continuation])
            self._continuations[key] = _after(head, both) or None
        return self._continuations[key]

    def exact(self, text: str, continuation: str) -> tuple[Tokens, Tokens]:
        """Context and continuation by lm-eval's rule, each text encoded whole."""
        stripped, moved = _move_spaces(text, continuation)
        if not stripped:
            first = self.tokenizer.bos_token_id
            first = self.tokenizer.eos_token_id if first is None else first
            return [first], self.bare([moved])[0]
        if self._last_whole[0] != stripped:  # the options of a question mostly share their context
            self._last_whole = (stripped, self.whole(stripped))
        context = self._last_whole[1]
        return context, self.whole(stripped + moved)[len(context) :]


def _encode_group(
    encoder: _Encoder,
    prefix: str,
    members: list[tuple[int, ChoicePrompt]],
    shortened: Mapping[tuple[str, str], Tokens | None],
) -> list[PrefixGroup]:
    """One group in which every question fits the prefix's tokens, and one for those that share fewer of them."""
    group = PrefixGroup(encoder.whole(prefix) if prefix else list(encoder.lead))
    quick = [(index, prompt, _quick(encoder, index, prompt, shortened)) for index, prompt in members]
    longest = max(range(len(quick)), key=lambda place: max(map(len, quick[place][1].contexts)))
    trusted = True
    for place, (index, prompt, question) in enumerate(quick):
        if question is not None and (place % _SAMPLE_EVERY == 0 or place == longest):
            trusted = trusted and _whole_tokens(group.prefix, question) == _exact(encoder, index, prompt)
    strangers: list[EncodedQuestion] = []
    for index, prompt, question in quick:
        if question is not None and trusted:
            group.questions.append(question)
            continue
        contexts, continuations = _exact(encoder, index, prompt)
        rests = [_after(group.prefix, context) for context in contexts]
        if all(rest is not None for rest in rests):
            fitting = tuple(rest for rest in rests if rest is not None)
            group.questions.append(EncodedQuestion(index, fitting, continuations))
        else:
            strangers.append(EncodedQuestion(index, contexts, continuations))
    groups = [group] if group.questions else []
    if strangers:
        shared = _common_length([group.prefix, *(context for item in strangers for context in item.contexts)])
        apart = PrefixGroup(group.prefix[:shared])
        for item in strangers:
            contexts = tuple(context[shared:] for context in item.contexts)
            apart.questions.append(EncodedQuestion(item.index, contexts, item.continuations))
        groups.append(apart)
    return groups


def _quick(
    encoder: _Encoder, index: int, prompt: ChoicePrompt, shortened: Mapping[tuple[str, str], Tokens | None]
) -> EncodedQuestion | None:
    contexts: list[Tokens] = []
    continuations: list[Tokens] = []
    for option, continuation in enumerate(prompt.continuations):
        text = prompt.contexts[option if len(prompt.contexts) > 1 else 0]
        stripped, moved = _move_spaces(text, continuation)
        context = shortened[(prompt.prefix, stripped)]
        tokens = encoder.continuation(prompt.prefix[-_TAIL_CHARACTERS:] + stripped, moved) if context else None
        if context is None or tokens is None:
            return None
        contexts.append(context)
        continuations.append(tokens)
    return EncodedQuestion(index, tuple(contexts), tuple(continuations))


def _exact(encoder: _Encoder, index: int, prompt: ChoicePrompt) -> tuple[tuple[Tokens, ...], tuple[Tokens, ...]]:
    """Whole contexts and continuations of every option; PromptError where a continuation has no token."""
    contexts: list[Tokens] = []
    continuations: list[Tokens] = []
    for option, continuation in enumerate(prompt.continuations):
        text = prompt.prefix + prompt.contexts[option if len(prompt.contexts) > 1 else 0]
        context, tokens = encoder.exact(text, continuation)
        if not tokens:
            raise PromptError(
                f"question {prompt.question.id}: option {option} ({continuation!r}) has no token of its own after its "
                "context; give it a text that can be scored"
            )
        contexts.append(context)
        continuations.append(tokens)
    return tuple(contexts), tuple(continuations)


def _whole_tokens(prefix: Tokens, question: EncodedQuestion) -> tuple[tuple[Tokens, ...], tuple[Tokens, ...]]:
    return tuple(prefix + context for context in question.contexts), question.continuations


def _pool_single_questions(groups: Iterable[PrefixGroup]) -> list[PrefixGroup]:
    """Prefixes with one question each share nothing: their questions go into one group, prefix and all."""
    shared: list[PrefixGroup] = []
    alone: list[PrefixGroup] = []
    for group in groups:
        (shared if len(group.questions) > 1 else alone).append(group)
    if len(alone) > 1:
        length = _common_length([group.prefix for group in alone])
        pool = PrefixGroup(alone[0].prefix[:length])
        for group in alone:
            item = group.questions[0]
            contexts = tuple(group.prefix[length:] + context for context in item.contexts)
            pool.questions.append(EncodedQuestion(item.index, contexts, item.continuations))
        alone = [pool]
    return shared + alone


def _keep_a_token_to_read(groups: list[PrefixGroup]) -> list[PrefixGroup]:
    for group in groups:
        if group.prefix and any(not context for item in group.questions for context in item.contexts):
            last = group.prefix[-1:]
            group.prefix = group.prefix[:-1]
            group.questions = [
                EncodedQuestion(item.index, tuple(last + context for context in item.contexts), item.continuations)
                for item in group.questions
            ]
    return groups


def _move_spaces(context: str, continuation: str) -> tuple[str, str]:
    """Trailing white space of the context belongs to the continuation's first token.

    >>> _move_spaces("Answer: ", "A")
    ('Answer:', ' A')
    """
    stripped = context.rstrip()
    return stripped, context[len(stripped) :] + continuation


def _tail(text: str) -> str | None:
    """The last words of a text, from a white space on; the text itself when short; None when it is one long word."""
    if len(text) <= _TAIL_CHARACTERS:
        return text
    tail = text[-_TAIL_CHARACTERS:]
    for place, character in enumerate(tail[:-1]):
        if character.isspace():
            return tail[place:]
    return None


def _tail_of_line(text: str) -> str | None:
    """As `_tail`, but no more than the last line: "Answer:" is then the same tail for all questions."""
    tail = _tail(text)
    if tail is None:
        return None
    line = tail.rfind("\n", 0, -1)
    return tail if line < 0 else tail[line:]


def _after(head: Tokens, whole: Tokens) -> Tokens | None:
    """What follows the head in the whole; None when the whole does not start with it."""
    return whole[len(head) :] if whole[: len(head)] == head else None


def _common_length(sequences: Sequence[Tokens]) -> int:
    """How many first tokens all sequences share."""
    length = 0
    for column in zip(*sequences, strict=False):
        if any(token != column[0] for token in column):
            break
        length += 1
    return length
