from __future__ import annotations

import pytest
from domain_site import START, Site, refused

from timbot.sandbox.domain import Settings
from timbot.sandbox.domain.notices import C2CArrived, KickedOut


def test_named_users_exist_without_a_login() -> None:
    assert "alice" in Site().domain.accounts


def test_first_login_makes_the_account() -> None:
    site = Site()
    site.domain.accounts.login("zoe")
    account = site.domain.accounts.get("zoe")
    assert account is not None
    assert (account.created, account.tiny_id.isdigit()) == (START, True)


def test_tiny_id_leads_back_to_the_account() -> None:
    accounts = Site().domain.accounts
    account = accounts.ensure("alice")
    assert accounts.by_tiny_id(account.tiny_id) is account


@pytest.mark.parametrize("name", ["", "x" * 33, "a\nb", "@TIM#SYSTEM"])
def test_a_bad_name_is_refused(name: str) -> None:
    with refused(70402):
        Site().domain.accounts.login(name)


@pytest.mark.parametrize("name", ["administrator", "@RBT#001", "客服"])
def test_administrators_robots_and_chinese_names_are_ordinary_accounts(name: str) -> None:
    site = Site()
    site.domain.accounts.login(name)
    assert site.domain.accounts.online(name)


def test_a_second_login_kicks_the_first() -> None:
    site = Site()
    first, second = (site.domain.accounts.login("alice") for _ in range(2))
    assert site.heard() == [("alice", KickedOut(first.instance_id))]
    assert site.domain.accounts.online_instances("alice") == (second.instance_id,)


def test_with_two_instances_allowed_the_third_kicks_the_one_that_entered_first() -> None:
    site = Site(Settings(instances=2))
    first, *rest = (site.domain.accounts.login("alice") for _ in range(3))
    assert site.heard() == [("alice", KickedOut(first.instance_id))]
    assert site.domain.accounts.online_instances("alice") == tuple(i.instance_id for i in rest)


def test_an_instance_without_socket_gives_way_before_an_online_one() -> None:
    site = Site(Settings(instances=2))
    first, second = (site.domain.accounts.login("alice") for _ in range(2))
    site.domain.accounts.drop("alice", second.instance_id)
    site.domain.accounts.login("alice")
    assert site.heard() == []
    assert site.domain.accounts.logged_in("alice", first.instance_id)


def test_a_dropped_instance_is_not_online_but_may_resume() -> None:
    site = Site()
    (alice,) = site.online("alice")
    site.domain.accounts.drop("alice", alice.instance_id)
    assert not site.domain.accounts.online("alice")
    site.domain.accounts.resume("alice", alice.instance_id)
    assert site.domain.accounts.online("alice")


def test_a_kicked_instance_cannot_resume() -> None:
    site = Site()
    first, _ = (site.domain.accounts.login("alice") for _ in range(2))
    with refused(1002):
        site.domain.accounts.resume("alice", first.instance_id)


def test_a_logged_out_instance_cannot_resume() -> None:
    site = Site()
    (alice,) = site.online("alice")
    site.domain.accounts.logout("alice", alice.instance_id)
    with refused(1002):
        site.domain.accounts.resume("alice", alice.instance_id)


def test_nothing_is_delivered_to_those_who_are_away() -> None:
    site = Site()
    site.c2c("alice", "bob")
    assert site.heard() == []


def test_deliveries_are_handed_over_once() -> None:
    site = Site()
    site.online("bob")
    site.c2c("alice", "bob")
    assert [type(notice) for _, notice in site.heard()] == [C2CArrived]
    assert site.heard() == []


def test_server_time_never_goes_back() -> None:
    site = Site()
    before = site.domain.time()
    site.now -= 100
    assert site.domain.time() == before


def test_the_world_id_comes_from_chance() -> None:
    assert Site().domain.world_id == Site().domain.world_id != ""
