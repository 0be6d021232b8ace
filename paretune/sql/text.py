"""SQL text as tokens, without understanding it: enough to see what stands inside quotes and comments.

The tokens of a text, joined, are the text again, whatever the text is (broken SQL and prose included).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# A quote inside a quoted token is doubled. A quote that is never closed is a token of its own.
_TOKEN = re.compile(
    r"""
      --[^\r\n]*                     # comment to the end of the line
    | /\*(?:[^*]|\*(?!/))*+(?:\*/)?  # block comment; one that is never closed runs to the end
    | '(?:[^']|'')*+'
    | "(?:[^"]|"")*+"
    | `(?:[^`]|``)*+`
    | \[[^\[\]]*+\]
    | \s+
    | [^\W\d][\w$]*                  # word
    | \d[\w.]*
    | .
    """,
    re.VERBOSE | re.DOTALL,
)


def tokens(text: str) -> Iterator[str]:
    """The tokens of any text in order; white space and comments are tokens too.

    >>> list(tokens("SELECT 'a;b' -- c"))
    ['SELECT', ' ', "'a;b'", ' ', '-- c']
    """
    for match in _TOKEN.finditer(text):
        yield match.group()


def is_blank(token: str) -> bool:
    """Is the token white space or a comment?"""
    return token.isspace() or token.startswith(("--", "/*"))


def orders_rows(sql: str) -> bool:
    """Does the statement itself (not a subquery of it) end in ORDER BY?

    >>> orders_rows("SELECT a FROM t ORDER BY a"), orders_rows("SELECT a FROM (SELECT a FROM t ORDER BY b LIMIT 1)")
    (True, False)
    """
    depth = 0
    previous = ""
    for token in tokens(sql):
        if is_blank(token):
            continue
        depth += (token == "(") - (token == ")")
        word = token.lower()
        if depth == 0 and previous == "order" and word == "by":
            return True
        previous = word
    return False
