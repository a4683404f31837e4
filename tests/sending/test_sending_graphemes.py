"""Where a text may be cut: never inside what a person sees as one character."""

from __future__ import annotations

import pytest

from timbot.runtime.sending.graphemes import is_border, last_border

FAMILY = "👨\u200d👩\u200d👧\u200d👦"


@pytest.mark.parametrize(
    "cluster",
    [
        "\r\n",
        "e\u0301",
        "Z\u0337\u0333\u030e",
        "❤\ufe0f",
        "1\ufe0f\u20e3",
        "👍🏽",
        FAMILY,
        "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "🇨🇳",
        "\u1112\u1161\u11ab",
        "\u1112\u1112\u1161",
        "가\u11a8",
        "\u0939\u093f",
        "\u0915\u094d\u0937",
        "\u0915\u094d\u200d\u0937",
        "\u0e01\u0e33",
        "\uff76\uff9e",
        "\u0600\u0661",
        "\ud83d\ude00",
    ],
)
def test_one_character_as_people_see_it(cluster: str) -> None:
    text = f"a{cluster}a"
    assert not any(is_border(text, place) for place in range(2, len(cluster) + 1))
    if cluster[0] != "\u0301":
        assert is_border(text, 1)
    assert is_border(text, len(cluster) + 1)


@pytest.mark.parametrize(
    "text",
    ["ab", "中文", "a b", "\n\n", "\n\r", "a\n", "\n\u0301", "가나", "\u1161\u1112", "👍👍", "कष", "a👍", "\u00ad\u00ad"],
)
def test_two_characters(text: str) -> None:
    assert is_border(text, 1)


def test_flags_go_in_pairs() -> None:
    assert [place for place in range(13) if is_border("🇨🇳🇩🇪🇫🇷🇨🇳🇩🇪🇫🇷", place)] == [0, 2, 4, 6, 8, 10, 12]


def test_the_ends_are_borders() -> None:
    assert is_border("\u0301", 0)
    assert is_border("\u0301", 1)


def test_the_last_border_in_a_stretch() -> None:
    assert last_border(f"ab{FAMILY}c", 1, 6) == 2
    assert last_border(f"{FAMILY}c", 1, 6) == 6
