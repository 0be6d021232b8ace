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
_SAMPLE_EVERY = 256  # one question in so many is checked against the encoding of its whole text


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
    quick = _quick_questions(encoder, prompts)
    trusted = _trusted_prefixes(encoder, prompts, by_prefix, quick)
    doubtful = [index for index, prompt in enumerate(prompts) if quick[index] is None or prompt.prefix not in trusted]
    exact = _exact_questions(encoder, prompts, doubtful)
    groups: list[PrefixGroup] = []
    for prefix, indices in by_prefix.items():
        tokens = trusted[prefix] if prefix in trusted else encoder.wholes([prefix])[0]
        known = [item for index in indices if index not in exact and (item := quick[index]) is not None]
        fitted = _fit(tokens, [exact[index] for index in indices if index in exact])
        if known and fitted and fitted[0].prefix == tokens:
            fitted[0].questions = known + fitted[0].questions
        elif known:
            fitted.insert(0, PrefixGroup(tokens, known))
        groups.extend(fitted)
    return _keep_a_token_to_read(_pool_single_questions(groups))


def encode_prefixes(tokenizer: Any, examples: Mapping[str, str]) -> dict[str, Tokens]:
    """The tokens of each prefix, with the special tokens of a beginning, as far as its example begins with them: the
    prefix and what may follow it, where the last tokens may join."""
    encoder = _Encoder(tokenizer)
    pairs = zip(encoder.wholes(list(examples)), encoder.wholes(list(examples.values())), strict=True)
    return {
        prefix: tokens[: common_length([tokens, example])]
        for prefix, (tokens, example) in zip(examples, pairs, strict=True)
    }


def encode_contexts(tokenizer: Any, prompts: Sequence[ChoicePrompt]) -> list[PrefixGroup]:
    """As `encode_prompts`, for prompts that the model is to continue: the first context, to its last space."""
    encoder = _Encoder(tokenizer)
    keys = [(prompt.prefix, prompt.contexts[0]) for prompt in prompts]
    shortened = encoder.short_contexts(keys)
    prefixes = list(dict.fromkeys(prefix for prefix, _ in keys))
    groups = {prefix: PrefixGroup(tokens) for prefix, tokens in zip(prefixes, encoder.wholes(prefixes), strict=True)}
    sample = list({prefix: (prefix, text) for prefix, text in reversed(keys)}.values()) + keys[::_SAMPLE_EVERY]
    doubtful = {
        key[0]
        for key, whole in zip(sample, encoder.wholes(["".join(key) for key in sample]), strict=True)
        if groups[key[0]].prefix + (shortened[key] or []) != whole
    }
    apart = PrefixGroup([])
    slow = [index for index, key in enumerate(keys) if not shortened[key] or key[0] in doubtful]
    for index, whole in zip(slow, encoder.wholes(["".join(keys[index]) for index in slow]), strict=True):
        apart.questions.append(EncodedQuestion(index, (whole,), ()))
    for index in sorted(set(range(len(keys))) - set(slow)):
        groups[keys[index][0]].questions.append(EncodedQuestion(index, (shortened[keys[index]] or [],), ()))
    return _keep_a_token_to_read([group for group in (*groups.values(), apart) if group.questions])


class _Encoder:
    """A tokenizer with lm-eval's rule for special tokens: the tokenizer's own, but never a second BOS."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.bos = tokenizer.bos_token
        self._continuations: dict[tuple[str, str], Tokens | None] = {}

    def bare(self, texts: list[str]) -> list[Tokens]:
        """Without special tokens, in one call."""
        if not texts:
            return []
        return list(self.tokenizer(texts, add_special_tokens=False, return_attention_mask=False)["input_ids"])

    def wholes(self, texts: Sequence[str]) -> list[Tokens]:
        """With the special tokens that the tokenizer adds, unless a text brings its own BOS; each text once."""
        different = list(dict.fromkeys(texts))
        known: dict[str, Tokens] = {}
        for own_bos in (False, True):
            chosen = [text for text in different if (bool(self.bos) and text.startswith(self.bos)) == own_bos]
            if chosen:
                encoded = self.tokenizer(chosen, add_special_tokens=not own_bos, return_attention_mask=False)
                known.update(zip(chosen, encoded["input_ids"], strict=True))
        return [known[text] for text in texts]

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

    def exact(self, pairs: Sequence[tuple[str, str]]) -> list[tuple[Tokens, Tokens]]:
        """Context and continuation of each pair by lm-eval's rule, every text encoded whole, in one call."""
        moved = [_move_spaces(text, continuation) for text, continuation in pairs]
        contexts = self.wholes([context for context, _ in moved])
        wholes = self.wholes([context + continuation for context, continuation in moved])
        first = self.tokenizer.bos_token_id
        first = self.tokenizer.eos_token_id if first is None else first
        found: list[tuple[Tokens, Tokens]] = []
        for (context, continuation), tokens, whole in zip(moved, contexts, wholes, strict=True):
            if context:
                found.append((tokens, whole[len(tokens) :]))
            else:
                found.append(([first], self.bare([continuation])[0]))
        return found


def _quick_questions(encoder: _Encoder, prompts: Sequence[ChoicePrompt]) -> list[EncodedQuestion | None]:
    """Each question's tokens after its prefix by the short way; None where the short way cannot tell."""
    shortened = encoder.short_contexts(
        [(prompt.prefix, context.rstrip()) for prompt in prompts for context in prompt.contexts]
    )
    return [_quick(encoder, index, prompt, shortened) for index, prompt in enumerate(prompts)]


def _trusted_prefixes(
    encoder: _Encoder,
    prompts: Sequence[ChoicePrompt],
    by_prefix: Mapping[str, list[int]],
    quick: Sequence[EncodedQuestion | None],
) -> dict[str, Tokens]:
    """The tokens of each prefix for which the short way is right on a sample: the longest question, the first, and
    one in _SAMPLE_EVERY; of each its first and last option."""
    prefixes = list(by_prefix)
    tokens = dict(zip(prefixes, encoder.wholes(prefixes), strict=True))
    checks: list[tuple[str, EncodedQuestion, int]] = []
    for prefix, indices in by_prefix.items():
        longest = max(indices, key=lambda index: max(map(len, prompts[index].contexts)))
        for index in dict.fromkeys([longest, *indices[::_SAMPLE_EVERY]]):
            question = quick[index]
            if question is not None:
                checks += [(prefix, question, option) for option in {0, len(question.continuations) - 1}]
    whole = encoder.exact([_texts(prompts[question.index], option) for _, question, option in checks])
    for (prefix, question, option), expected in zip(checks, whole, strict=True):
        found = tokens.get(prefix, []) + question.contexts[option], question.continuations[option]
        if found != expected:
            tokens.pop(prefix, None)
    return tokens


def _exact_questions(
    encoder: _Encoder, prompts: Sequence[ChoicePrompt], indices: Sequence[int]
) -> dict[int, EncodedQuestion]:
    """Whole contexts (prefix and all) and continuations; PromptError where a continuation has no token."""
    options = [(index, option) for index in indices for option in range(len(prompts[index].continuations))]
    pairs = iter(encoder.exact([_texts(prompts[index], option) for index, option in options]))
    found: dict[int, EncodedQuestion] = {}
    for index in indices:
        prompt = prompts[index]
        encoded = [next(pairs) for _ in prompt.continuations]
        for option, (_, continuation) in enumerate(encoded):
            if not continuation:
                raise PromptError(
                    f"question {prompt.question.id}: option {option} ({prompt.continuations[option]!r}) has no token "
                    "of its own after its context; give it a text that can be scored"
                )
        found[index] = EncodedQuestion(index, tuple(pair[0] for pair in encoded), tuple(pair[1] for pair in encoded))
    return found


def _fit(prefix: Tokens, questions: Sequence[EncodedQuestion]) -> list[PrefixGroup]:
    """Questions with whole contexts, grouped behind as much of the prefix as they really share."""
    fitting, strangers = PrefixGroup(prefix), []
    for item in questions:
        rests = [rest for context in item.contexts if (rest := _after(prefix, context)) is not None]
        if len(rests) == len(item.contexts):
            fitting.questions.append(EncodedQuestion(item.index, tuple(rests), item.continuations))
        else:
            strangers.append(item)
    groups = [fitting] if fitting.questions else []
    if strangers:
        shared = common_length([prefix, *(context for item in strangers for context in item.contexts)])
        apart = PrefixGroup(prefix[:shared])
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


def _texts(prompt: ChoicePrompt, option: int) -> tuple[str, str]:
    return prompt.prefix + prompt.contexts[option if len(prompt.contexts) > 1 else 0], prompt.continuations[option]


def _pool_single_questions(groups: Iterable[PrefixGroup]) -> list[PrefixGroup]:
    """Prefixes with one question each share nothing: their questions go into one group, prefix and all."""
    shared: list[PrefixGroup] = []
    alone: list[PrefixGroup] = []
    for group in groups:
        (shared if len(group.questions) > 1 else alone).append(group)
    if len(alone) > 1:
        length = common_length([group.prefix for group in alone])
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


def common_length(sequences: Sequence[Tokens]) -> int:
    """How many first tokens all sequences share.

    >>> common_length([[1, 2, 3], [1, 2], [1, 2, 4]])
    2
    """
    if sequences.count(sequences[0]) == len(sequences):
        return len(sequences[0])
    first, last = min(sequences), max(sequences)  # in sorted order: no two differ sooner
    for place, (token, other) in enumerate(zip(first, last, strict=False)):
        if token != other:
            return place
    return len(first)
