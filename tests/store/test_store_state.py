"""What a plugin keeps: values, claims and counters, apart from those of others."""

from __future__ import annotations

import asyncio
import math
from datetime import date
from typing import Any

import pytest

from timbot.store import Database, Store, UnstorableValue
from timbot.store.state import DEPTH, KEY_BYTES, VALUE_BYTES


@pytest.fixture
async def store(database: Database) -> Store:
    return database.scope("1400000000:bot", "dice")


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


class TestValues:
    @pytest.mark.parametrize(
        "value",
        [None, True, False, 0, -1, 2**70, 1.5, 1e300, "", "你好 👋", [], {}, [1, "a", None], {"a": {"b": [{}]}}, nested(DEPTH)],
        ids=repr,
    )
    async def test_what_is_set_comes_back(self, store: Store, value: Any) -> None:
        await store.set("key", value)
        found = await store.get("key", "nothing")
        assert found == value
        assert type(found) is type(value)

    async def test_a_tuple_comes_back_as_a_list(self, store: Store) -> None:
        await store.set("key", (1, (2, 3)))
        assert await store.get("key") == [1, [2, 3]]

    async def test_without_a_value_there_is_the_default(self, store: Store) -> None:
        assert await store.get("key") is None
        assert await store.get("key", 7) == 7

    async def test_the_last_one_counts(self, store: Store) -> None:
        await store.set("key", 1)
        await store.set("key", 2)
        assert await store.get("key") == 2

    async def test_later_changes_of_the_object_do_not_reach_it(self, store: Store) -> None:
        value = [1]
        writing = asyncio.create_task(store.set("key", value))
        await asyncio.sleep(0)
        value.append(2)
        await writing
        assert await store.get("key") == [1]

    async def test_deleted_is_gone(self, store: Store) -> None:
        await store.set("key", 1)
        await store.delete("key")
        assert await store.get("key") is None

    async def test_what_is_not_there_may_be_deleted(self, store: Store) -> None:
        await store.delete("key")
        assert await store.keys() == []

    async def test_the_largest_fits(self, store: Store) -> None:
        await store.set("key", "x" * (VALUE_BYTES - 2))
        assert len(await store.get("key")) == VALUE_BYTES - 2

    async def test_a_larger_one_does_not(self, store: Store) -> None:
        with pytest.raises(UnstorableValue, match="'key' has 65,537 bytes; 65,536 is the most"):
            await store.set("key", "x" * (VALUE_BYTES - 1))

    async def test_size_is_that_of_the_bytes(self, store: Store) -> None:
        with pytest.raises(UnstorableValue, match="bytes"):
            await store.set("key", "好" * (VALUE_BYTES // 3 + 1))

    @pytest.mark.parametrize(
        ("value", "place"),
        [
            ({"a": [1, {2}]}, r"has a set at \.a\[1\]"),
            (date(2026, 1, 5), "has a date, which"),
            ([math.nan], r"has nan at \[0\]"),
            (-math.inf, "has -inf, which"),
            (b"bytes", "has a bytes, which"),
            ({"a": {1: 2}}, r"has the key 1 at \.a"),
            ("\ud800", "is not JSON"),
            (nested(DEPTH + 1), "nested more than 100 deep"),
        ],
    )
    async def test_what_json_would_not_give_back_is_refused_with_its_place(self, store: Store, value: Any, place: str) -> None:
        with pytest.raises(UnstorableValue, match=place):
            await store.set("key", value)

    async def test_a_list_that_holds_itself_is_refused(self, store: Store) -> None:
        value: list[Any] = []
        value.append(value)
        with pytest.raises(UnstorableValue, match="nested"):
            await store.set("key", value)

    async def test_a_refused_value_changes_nothing(self, store: Store) -> None:
        await store.set("key", 1)
        with pytest.raises(UnstorableValue):
            await store.set("key", math.nan)
        assert await store.get("key") == 1


class TestKeys:
    async def test_they_come_in_order(self, store: Store) -> None:
        for key in ("b", "a", "好", "Z"):
            await store.set(key, 1)
        assert await store.keys() == ["Z", "a", "b", "好"]

    async def test_a_prefix_is_no_pattern(self, store: Store) -> None:
        for key in ("a%b", "a_b", "axb", "a", "b", "A%"):
            await store.set(key, 1)
        assert await store.keys("a%") == ["a%b"]
        assert await store.keys("a_") == ["a_b"]
        assert await store.keys("a") == ["a", "a%b", "a_b", "axb"]

    async def test_the_longest_fits(self, store: Store) -> None:
        await store.set("x" * KEY_BYTES, 1)
        assert await store.get("x" * KEY_BYTES) == 1

    @pytest.mark.parametrize("key", ["", "x" * (KEY_BYTES + 1), "好" * 171, "a\0b", "\udfff"], ids=ascii)
    async def test_one_that_cannot_be_is_refused(self, store: Store, key: str) -> None:
        with pytest.raises(UnstorableValue, match="key"):
            await store.set(key, 1)

    @pytest.mark.parametrize(("account", "plugin"), [("", "dice"), ("bot", "")])
    async def test_a_scope_has_names(self, database: Database, account: str, plugin: str) -> None:
        with pytest.raises(UnstorableValue):
            database.scope(account, plugin)


class TestScopes:
    @pytest.mark.parametrize("other", [("account", "other"), ("other", "plugin"), ("plugin", "account")])
    async def test_what_one_keeps_another_does_not_see(self, database: Database, other: tuple[str, str]) -> None:
        mine, theirs = database.scope("account", "plugin"), database.scope(*other)
        await mine.set("key", 1)
        await mine.count("name", 1, "2026-01-05")
        assert await theirs.keys() == []
        assert await theirs.counted("name", "2026-01-05") == 0
        assert await theirs.claim("key", "them") == "them"
        await theirs.delete("key")
        assert await mine.get("key") == 1

    async def test_the_same_names_are_the_same_scope(self, database: Database) -> None:
        await database.scope("account", "plugin").set("key", 1)
        assert await database.scope("account", "plugin").get("key") == 1


class TestClaims:
    async def test_the_first_one_has_it(self, store: Store) -> None:
        assert await store.claim("code", "alice") == "alice"
        assert await store.claim("code", "bob") == "alice"

    async def test_claiming_again_is_no_loss(self, store: Store) -> None:
        await store.claim("code", "alice")
        assert await store.claim("code", "alice") == "alice"

    async def test_of_many_at_once_one_has_it(self, store: Store) -> None:
        owners = await asyncio.gather(*(store.claim("code", f"user{number}") for number in range(50)))
        assert owners == ["user0"] * 50

    async def test_deleted_is_free_again(self, store: Store) -> None:
        await store.claim("code", "alice")
        await store.delete("code")
        assert await store.claim("code", "bob") == "bob"

    async def test_a_value_is_no_owner(self, store: Store) -> None:
        await store.set("code", ["used"])
        with pytest.raises(UnstorableValue, match="not an owner"):
            await store.claim("code", "alice")
        assert await store.get("code") == ["used"]


class TestCounters:
    async def test_they_stop_at_the_limit(self, store: Store) -> None:
        assert [await store.count("welcome", 2, "2026-01-05") for _ in range(4)] == [True, True, False, False]
        assert await store.counted("welcome", "2026-01-05") == 2

    async def test_of_many_at_once_as_many_as_allowed_go_through(self, store: Store) -> None:
        counted = await asyncio.gather(*(store.count("welcome", 7, "2026-01-05") for _ in range(50)))
        assert counted.count(True) == 7

    @pytest.mark.parametrize("limit", [0, -1])
    async def test_no_limit_at_all_lets_nothing_through(self, store: Store, limit: int) -> None:
        assert not await store.count("welcome", limit, "2026-01-05")
        assert await store.counted("welcome", "2026-01-05") == 0

    async def test_each_day_begins_at_none(self, store: Store) -> None:
        await store.count("welcome", 1, "2026-01-05")
        assert await store.count("welcome", 1, "2026-01-06")

    async def test_each_name_has_its_own(self, store: Store) -> None:
        await store.count("welcome", 1, "2026-01-05")
        assert await store.count("farewell", 1, "2026-01-05")

    async def test_one_given_back_can_be_had_again(self, store: Store) -> None:
        await store.count("welcome", 1, "2026-01-05")
        await store.uncount("welcome", "2026-01-05")
        assert await store.count("welcome", 1, "2026-01-05")

    async def test_none_is_the_least(self, store: Store) -> None:
        await store.count("welcome", 1, "2026-01-05")
        for _ in range(3):
            await store.uncount("welcome", "2026-01-05")
        assert await store.counted("welcome", "2026-01-05") == 0

    async def test_old_days_are_dropped_under_any_name(self, store: Store) -> None:
        for day in ("2025-12-28", "2025-12-29"):
            await store.count("welcome", 5, day)
        await store.count("farewell", 5, "2026-01-05")
        assert await store.counted("welcome", "2025-12-28") == 0
        assert await store.counted("welcome", "2025-12-29") == 1

    async def test_the_first_days_of_all_can_be_counted(self, store: Store) -> None:
        assert await store.count("welcome", 1, "0001-01-02")

    @pytest.mark.parametrize("day", ["", "today", "2026-1-5", "20260105", "2026-W02-1", "2026-02-30", "2026-01-05T00:00"])
    async def test_a_day_is_written_in_one_way(self, store: Store, day: str) -> None:
        with pytest.raises(UnstorableValue, match="no day"):
            await store.count("welcome", 1, day)
