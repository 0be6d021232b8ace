"""What statement does an answer hold? One statement out of any text, and the small readers of SQL text it needs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

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
    return iter(_TOKEN.findall(text))


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


_READING = ("select", "with", "values")
_OTHER = (
    "insert", "update", "delete", "replace", "drop", "create", "alter", "attach", "detach", "pragma", "vacuum",
    "explain", "begin", "commit", "rollback", "savepoint", "release", "reindex", "analyze", "end",
)  # fmt: skip
_MOST_CANDIDATES = 200  # places looked at in a text; more is noise, and looking is quadratic
_THINKING = re.compile(r"<think(?:ing)?>.*?(?:</think(?:ing)?>|\Z)", re.DOTALL | re.IGNORECASE)
# <|im_end|>, <|eot_id|>, a half-written "<|", </s>, <eos>, <end_of_turn>, [INST]: none of them is SQL outside quotes.
_CONTROL = re.compile(
    r"<\|(?:[\w\- ]*\|>)?|</?s>|</?(?:eos|bos|pad|unk|eot|sql|answer|start_of_turn|end_of_turn|endoftext)>|\[/?INST\]",
    re.IGNORECASE,
)
_ROLE = re.compile(r"\A(?:system|user|assistant|model)[ \t]*\n", re.IGNORECASE)
_FENCE = re.compile(r"```+[ \t]*(?:[A-Za-z]\w*(?=\s|\Z))?|~~~+[ \t]*(?:[A-Za-z]\w*(?=\s|\Z))?")
_LABEL = re.compile(r"\A(?:sqlite|sql|query|answer|output|resposta|consulta)[ \t]*(?:query)?[ \t]*:", re.IGNORECASE)
END_MARKS = ";`~"  # of which one completes every statement that `statement_end` sees
_END = re.compile(r";|```+|~~~+")
_OPEN = {"'", '"', "`", "["}  # quotes that nothing has closed yet
_START = re.compile(r"\b(?:" + "|".join(_READING + _OTHER) + r")\b", re.IGNORECASE)
_WITH = re.compile(r"with\s+(?:recursive\s+)?[\w\"`\[\]]+\s*(?:\([^)]*\)\s*)?as\s*(?:not\s+|materialized\s+)*\(", re.I)
# A SELECT after one of these belongs to a statement whose own beginning is broken.
_INSIDE = re.compile(
    r"(?:\b(?:union|all|intersect|except|as|in|exists|not|any|from|join|explain|plan)|[(,=<>+\-*/])\Z", re.I
)
_BROKEN_SELECT = re.compile(r"\Asel\w{0,5}\s.*\bfrom\b", re.IGNORECASE | re.DOTALL)
_CONTINUES = re.compile(
    r"(?:select|from|where|group|having|order|limit|offset|union|intersect|except|join|left|right|full|inner|outer|"
    r"cross|natural|on|using|and|or|not|in|like|between|is|as|case|when|then|else|end|asc|desc|values|window|"
    r"[(),=<>!+\-*/|'\"`])",
    re.IGNORECASE,
)
# A statement cannot end on one of these, so what follows a blank line belongs to it.
_EXPECTS_MORE = frozenset(
    {",", "=", "<", ">", "+", "-", "/", "select", "distinct", "from", "where", "by", "having", "on", "join", "and",
     "or", "not", "in", "like", "union", "intersect", "except", "set", "as"}
)  # fmt: skip
_PROSE_LINE = re.compile(r"\n[ \t]*(?:#|[A-Za-zÀ-ÿ][A-Za-zÀ-ÿ ]{0,30}:(?!:))")


def extract_sql(text: str) -> str:
    """The one statement that the text answers with, or "" when it holds none.

    The rules, in order:
    1. Reasoning blocks (<think>) are dropped; chat and control tokens (<|im_end|>, </s>, a bare <|) cut the text.
    2. Of several pieces (control tokens, code fences) the first that starts with a statement counts, else the first
       that contains one. A fence need not be closed or opened.
    3. In a piece, labels ("SQL:"), leading comments and prose are passed over. A statement starts with its verb: at
       the start of the piece, at the start of a line, in capitals, or (SELECT) followed by FROM. A SELECT that
       continues something (after "(", UNION, IN ...) starts nothing: broken SQL must not be repaired into its subquery.
    4. It ends at the first semicolon outside quotes and comments, so of several statements the first counts; at a
       blank line that no SQL follows; at a line that starts with "#" or with a label such as "Explanation:".
    Statements that write (DROP ...) are extracted as well: refusing them is the executor's task. A text that begins
    with a misspelt SELECT and has a FROM comes back whole, to be reported as invalid rather than as missing.

    >>> extract_sql("Sure! Here it is:\\n```sql\\nSELECT name FROM singer;\\n```\\nIt lists the names.")
    'SELECT name FROM singer'
    >>> extract_sql("SELECT count(*) FROM singer ; SELECT 2<|im_end|>")
    'SELECT count(*) FROM singer'
    >>> extract_sql("I do not know.")
    ''
    """
    pieces = [piece for part in _without_control(text) for piece in _fenced(part)]
    found = ""
    for piece in pieces:
        start = _start(piece)
        if start is None:
            continue
        statement = _until_end(piece) if start == 0 else _from_prose(piece, start)
        if not statement:
            continue
        if start == 0:
            return statement
        found = found or statement
    if found:
        return found
    return next((_until_end(piece) for piece in pieces if _BROKEN_SELECT.match(piece)), "")


def statement_end(text: str) -> int | None:
    """The index behind which nothing changes what `extract_sql` takes from the text; None while something may.

    That is behind the semicolon, or the fence, that closes a statement with which a piece of the text begins. After
    prose on its own line it never is: a fenced statement may still follow, and would count.

    >>> statement_end("SELECT ';' AS a; It"), statement_end("```sql\\nSELECT 1;\\n```"), statement_end("Use SELECT 1;")
    (16, 16, None)
    """
    for match in islice(_END.finditer(text), _MOST_CANDIDATES):
        pieces = [piece for part in _without_control(text[: match.end()]) for piece in _fenced(part)]
        for number, piece in enumerate(pieces):
            if _start(piece) == 0:
                if _is_closed(piece, followed=number + 1 < len(pieces)):
                    return match.end()
                break
    return None


def _is_closed(piece: str, *, followed: bool) -> bool:
    """Is the statement at the start of the piece complete, whatever comes behind it?"""
    statement = _until_end(piece)
    if not statement or any(token in _OPEN for token in tokens(statement)):
        return False
    return followed or piece[len(statement) :].lstrip().startswith(";")


def begins_with_statement(text: str) -> bool:
    """Is the text SQL from its first word on (whatever may follow the statement)?

    >>> begins_with_statement(" select 1; # one"), begins_with_statement("```sql\\nSELECT 1")
    (True, False)
    """
    return _START.match(text.lstrip()) is not None


def _without_control(text: str) -> Iterator[str]:
    """The stretches of text between control tokens, less the role names that follow them."""
    text = _THINKING.sub("\n", text)
    for piece in _cut(text, _CONTROL):
        yield _ROLE.sub("", piece.strip())


def _fenced(text: str) -> list[str]:
    """The text cut at code fences, comments and labels at the start of each piece dropped."""
    return [_without_lead(piece) for piece in _cut(text, _FENCE)]


def _cut(text: str, mark: re.Pattern[str]) -> Iterator[str]:
    """The stretches of text between marks; a mark inside a statement's quotes is part of the SQL."""
    begin = 0
    for match in islice(mark.finditer(text), _MOST_CANDIDATES):
        if _inside_quotes(text[begin : match.start()], text[match.end() :]):
            continue
        yield text[begin : match.start()]
        begin = match.end()
    yield text[begin:]


def _inside_quotes(before: str, after: str) -> bool:
    """Does a statement's quoted literal span the place between before and after?"""
    if "'" not in after.split("\n", 1)[0] or _START.match(before.lstrip()) is None:
        return False
    return sum(token == "'" for token in tokens(before)) % 2 == 1


def _without_lead(piece: str) -> str:
    """The piece without leading white space, comments, semicolons and a label."""
    piece = _LABEL.sub("", piece.strip())
    begin = 0
    for token in tokens(piece):
        if not (is_blank(token) or token == ";"):
            break
        begin += len(token)
    return piece[begin:]


def _start(piece: str) -> int | None:
    """Where the piece's statement begins; None when it holds none."""
    if _START.match(piece) or re.match(r"\(\s*(?:select|with|values)\b", piece, re.IGNORECASE):
        return 0
    for match in islice(_START.finditer(piece), _MOST_CANDIDATES):
        begin = match.start()
        before, rest = piece[:begin], piece[begin:]
        lines, _, line = before.rpartition("\n")
        quoted_or_listed = not line.strip(" \t>*-")  # "> SELECT" and "- SELECT" are markup, not operators
        context = lines if quoted_or_listed else before
        if _INSIDE.search(context[-40:].rstrip()) or before.count("(") > before.count(")"):
            continue
        if _is_statement(match.group(), rest, starts_line=not line.strip(" \t>*-`\"'")):
            return begin
    return None


def _is_statement(verb: str, rest: str, starts_line: bool) -> bool:
    """Is this verb, met within prose, the start of SQL rather than an English word?"""
    word = verb.lower()
    if word == "with":
        return _WITH.match(rest) is not None
    if word == "select":
        has_from = re.search(r"\bfrom\b", rest, re.IGNORECASE) is not None
        return has_from or (starts_line and verb.isupper())
    return verb.isupper() and starts_line


def _from_prose(piece: str, start: int) -> str:
    """The statement that begins at start, after prose: inline code ends at its backtick, a sentence at its stop, and a
    quotation at the mark that closes it."""
    rest, mark = piece[start:], piece[start - 1]
    if mark == "`":
        rest = rest.partition("`")[0]
    statement = _until_end(rest).rstrip("`*").rstrip().removesuffix(".").rstrip()
    if mark in "\"'" and statement.endswith(mark) and statement.count(mark) % 2:
        statement = statement[:-1].rstrip()
    return statement


def _until_end(text: str) -> str:
    """The statement at the start of the text, to its semicolon or to where prose begins again."""
    position = depth = 0
    previous = ""
    for token in tokens(text):
        if token == ";":
            break
        depth += (token == "(") - (token == ")")
        if "\n" in token and token.isspace():
            after = position + len(token)
            open_end = previous.lower() in _EXPECTS_MORE
            blank_line = token.count("\n") > 1 and depth <= 0 and not open_end and _CONTINUES.match(text, after) is None
            if blank_line or _PROSE_LINE.match(text, position + token.rindex("\n")):
                break
        position += len(token)
        previous = previous if is_blank(token) else token
    return text[:position].strip()
