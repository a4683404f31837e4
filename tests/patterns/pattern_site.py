"""Patterns and texts made up at random, and the worst text for a pattern."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

from hypothesis import strategies as st

from timbot.patterns import MAX_TEXT

PIECES = ("a", "b", "x", "1", " ", "\n", "-", "é", "É", "ß", "ſ", "中", "国", "１", "Ａ", "ａ", "٣", "\u3000", "😀", "_")

_one = st.sampled_from(
    [
        "a",
        "b",
        "ab",
        r"\w",
        r"\d",
        r"\s",
        r"\W",
        r"\S",
        ".",
        "[ab]",
        "[^b]",
        "[a-f]",
        "é",
        "中",
        "[一-龥]",
        r"[^\s]",
        "１",
        "x",
        r"\D",
    ]
)
_count = st.sampled_from(["*", "+", "?", "*?", "+?", "??", "{2}", "{0,3}", "{2,5}?", "{1,40}", "{3}"])


def _more(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda parts: f"({parts[0]}|{parts[1]})"),
        st.tuples(inner, _count).map(lambda parts: f"(?:{parts[0]}){parts[1]}"),
        st.tuples(inner, _count).map(lambda parts: f"({parts[0]}){parts[1]}"),
    )


_body = st.recursive(_one, _more, max_leaves=6)
_start = st.sampled_from(["", "", "^", r"\A", "(?m:^)"])
_end = st.sampled_from(["", "", "$", r"\Z", "(?m:$)", "!"])

patterns = st.tuples(_start, _body, _end).map("".join)
texts = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


def pumped(words: tuple[str, ...] = ("a", "b", "x", "1", " ", "中", "é", "-", "ab", "a ", "a1", "xa")) -> Iterator[str]:
    """Texts that make patterns try long: something again and again, and at the end something else."""
    for word in words:
        for end in ("", "!", "\n ", "x", "中"):
            yield (word * MAX_TEXT)[: MAX_TEXT - len(end)] + end
        for second in ("a", " ", "b"):
            yield (word * (MAX_TEXT // 2 // len(word)) + second * MAX_TEXT)[:MAX_TEXT]


def seconds(pattern: re.Pattern[str], text: str) -> float:
    """CPU time of one search, the better of two if it is long at all."""
    times: list[float] = []
    for _ in range(2):
        started = time.thread_time()
        pattern.search(text)
        times.append(time.thread_time() - started)
        if times[0] < 0.01:
            break
    return min(times)
