async def test_smoke(tmp_path) -> None:
    from timbot.store import Database

    for make in (lambda: Database.open(tmp_path / "a"), Database.memory):
        async with await make() as db:
            s = db.scope("a", "p")
            assert await s.get("x", 3) == 3
            await s.set("x", {"a": [1]})
            assert await s.get("x") == {"a": [1]}
            assert await s.claim("c", "bob") == "bob"
            assert await s.claim("c", "ann") == "bob"
            assert await s.keys() == ["c", "x"]
            assert [await s.count("n", 2, "2026-01-01") for _ in range(3)] == [True, True, False]
            j = db.jobs("a", "p")
            await j.record("k", 5.0, "done", finished=6.0)
            assert [r.nominal for r in await j.records()] == [5.0]
