"""Whatever is done to a store, in whatever order and across restarts, it answers as a dictionary would."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from datetime import date
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from timbot.store import Database, Store
from timbot.store.state import COUNTED_DAYS
from timbot.testing import VirtualLoop

T = TypeVar("T")
Scope = tuple[str, str]

scopes = st.sampled_from([("bot", "dice"), ("bot", "dic"), ("bo", "tdice")])
keys = st.text("ab%_好\U0010ffff", min_size=1, max_size=3)
names = st.sampled_from(["welcome", "farewell"])
days = st.dates(date(2026, 1, 1), date(2026, 1, 20)).map(date.isoformat)
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
owners = st.sampled_from(["alice", "bob"])


class StoreMachine(RuleBasedStateMachine):
    """A database beside two dictionaries."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner(loop_factory=VirtualLoop)
        self.values: dict[tuple[Scope, str], Any] = {}
        self.counts: dict[tuple[Scope, str, str], int] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def store(self, scope: Scope) -> Store:
        return self.database.scope(*scope)

    @initialize()
    def open(self) -> None:
        self.database = self.run(Database.open(self.folder))

    @rule()
    def restart(self) -> None:
        self.run(self.database.close())
        self.open()

    @rule(scope=scopes, key=keys, value=values)
    def set(self, scope: Scope, key: str, value: Any) -> None:
        self.run(self.store(scope).set(key, value))
        self.values[scope, key] = value

    @rule(scope=scopes, key=keys, many=st.lists(values, min_size=2, max_size=4))
    def set_many_at_once(self, scope: Scope, key: str, many: list[Any]) -> None:
        async def at_once() -> None:
            await asyncio.gather(*(self.store(scope).set(key, value) for value in many))

        self.run(at_once())
        self.values[scope, key] = many[-1]

    @rule(scope=scopes, key=keys)
    def get(self, scope: Scope, key: str) -> None:
        assert self.run(self.store(scope).get(key, "nothing")) == self.values.get((scope, key), "nothing")

    @rule(scope=scopes, key=keys)
    def delete(self, scope: Scope, key: str) -> None:
        self.run(self.store(scope).delete(key))
        self.values.pop((scope, key), None)

    @rule(scope=scopes, prefix=keys | st.just(""))
    def list_keys(self, scope: Scope, prefix: str) -> None:
        expected = sorted(key for where, key in self.values if where == scope and key.startswith(prefix))
        assert self.run(self.store(scope).keys(prefix)) == expected

    @rule(scope=scopes, key=keys, owner=owners)
    def claim(self, scope: Scope, key: str, owner: str) -> None:
        if isinstance(self.values.get((scope, key), ""), str):
            assert self.run(self.store(scope).claim(key, owner)) == self.values.setdefault((scope, key), owner)

    @rule(scope=scopes, name=names, limit=st.integers(0, 3), day=days)
    def count(self, scope: Scope, name: str, limit: int, day: str) -> None:
        before = self.counts.get((scope, name, day), 0)
        assert self.run(self.store(scope).count(name, limit, day)) == (before < limit)
        if before >= limit:
            return
        if (scope, name, day) not in self.counts:
            oldest = date.fromordinal(date.fromisoformat(day).toordinal() - COUNTED_DAYS).isoformat()
            self.counts = {at: count for at, count in self.counts.items() if at[0] != scope or at[2] >= oldest}
        self.counts[scope, name, day] = before + 1

    @rule(scope=scopes, name=names, day=days)
    def uncount(self, scope: Scope, name: str, day: str) -> None:
        self.run(self.store(scope).uncount(name, day))
        if self.counts.get((scope, name, day)):
            self.counts[scope, name, day] -= 1

    @rule(scope=scopes, name=names, day=days)
    def counted(self, scope: Scope, name: str, day: str) -> None:
        assert self.run(self.store(scope).counted(name, day)) == self.counts.get((scope, name, day), 0)

    def teardown(self) -> None:
        self.run(self.database.close())
        self.runner.close()
        shutil.rmtree(self.folder)


TestStoreModel = StoreMachine.TestCase
TestStoreModel.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
