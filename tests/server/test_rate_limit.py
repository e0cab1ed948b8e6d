from __future__ import annotations

import pytest
from kit_samples import ADDRESS
from told_time import Time

from slagboom_server.rate_limit import RateLimiter

KEY = bytes(range(32))


@pytest.fixture
def time() -> Time:
    return Time()


def count_passed(limiter: RateLimiter, address: str, times: int, site: str = "acme") -> int:
    waits = [limiter.wait_seconds("decisions", site, address) for _ in range(times)]
    return waits.count(0.0)


def test_a_network_may_use_its_minute_at_once_and_no_more(time: Time) -> None:
    limiter = RateLimiter(5, KEY, time)

    assert count_passed(limiter, ADDRESS, 5) == 5
    assert limiter.wait_seconds("decisions", "acme", ADDRESS) == 12
    assert limiter.let_pass == 0


def test_the_allowance_comes_back_evenly(time: Time) -> None:
    limiter = RateLimiter(5, KEY, time)
    count_passed(limiter, ADDRESS, 5)

    time.now += 11.9
    assert count_passed(limiter, ADDRESS, 1) == 0
    time.now += 0.1
    assert count_passed(limiter, ADDRESS, 2) == 1
    time.now += 600
    assert count_passed(limiter, ADDRESS, 9) == 5


def test_asking_too_often_does_not_make_the_wait_longer(time: Time) -> None:
    limiter = RateLimiter(5, KEY, time)
    count_passed(limiter, ADDRESS, 500)

    time.now += 12
    assert count_passed(limiter, ADDRESS, 1) == 1


@pytest.mark.parametrize(
    ("first", "second", "are_one"),
    [
        ("203.0.113.77", "203.0.113.1", True),
        ("203.0.113.77", "203.0.114.77", False),
        ("203.0.113.77", "::ffff:203.0.113.9", True),
        ("2001:db8:1:2::77", "2001:db8:1:ffff:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::77", "2001:db8:2:2::77", False),
        ("2001:DB8:0001::77", "2001:db8:1::1", True),
    ],
)
def test_visitors_of_one_network_share_one_allowance(
    time: Time, first: str, second: str, *, are_one: bool
) -> None:
    limiter = RateLimiter(3, KEY, time)
    count_passed(limiter, first, 3)

    assert count_passed(limiter, second, 1) == (0 if are_one else 1)


def test_sites_and_kinds_have_allowances_of_their_own(time: Time) -> None:
    limiter = RateLimiter(3, KEY, time)
    count_passed(limiter, ADDRESS, 3)

    assert count_passed(limiter, ADDRESS, 1) == 0
    assert count_passed(limiter, ADDRESS, 1, site="other") == 1
    assert limiter.wait_seconds("shown", "acme", ADDRESS) == 0


def test_a_visitors_record_has_an_allowance_of_its_own_a_tenth_of_the_others(time: Time) -> None:
    limiter = RateLimiter(50, KEY, time)
    count_passed(limiter, ADDRESS, 50)

    waits = [limiter.wait_seconds("records", "acme", ADDRESS) for _ in range(50)]
    low = RateLimiter(1, KEY, time)

    assert waits.count(0.0) == 5
    assert [low.wait_seconds("records", "acme", ADDRESS) for _ in range(2)] == [0.0, 60.0]


def test_a_full_table_lets_everybody_pass_and_counts_them(time: Time) -> None:
    limiter = RateLimiter(1, KEY, time, max_networks=2)
    assert count_passed(limiter, "192.0.2.1", 2) == 1
    assert count_passed(limiter, "198.51.100.1", 2) == 1

    assert count_passed(limiter, ADDRESS, 50) == 50
    assert limiter.let_pass == 50
    # Those it remembers are limited all the same.
    assert count_passed(limiter, "192.0.2.1", 1) == 0


def test_a_table_has_room_again_once_networks_have_been_silent(time: Time) -> None:
    limiter = RateLimiter(1, KEY, time, max_networks=2)
    for address in ("192.0.2.1", "198.51.100.1", ADDRESS):
        count_passed(limiter, address, 1)
    time.now += 60

    assert count_passed(limiter, ADDRESS, 50) == 1


@pytest.mark.parametrize(("per_minute", "address"), [(0, ADDRESS), (1, ""), (1, "a socket")])
def test_without_a_limit_or_an_address_everybody_passes(
    time: Time, per_minute: int, address: str
) -> None:
    assert count_passed(RateLimiter(per_minute, KEY, time), address, 50) == 50


def test_no_address_and_no_network_is_kept(time: Time) -> None:
    limiter = RateLimiter(5, KEY, time)
    count_passed(limiter, ADDRESS, 1)
    count_passed(limiter, "2001:db8:1:2::77", 1)

    told = repr(vars(limiter))
    assert "203.0.113" not in told
    assert "20010db8" not in told
    assert RateLimiter(5, bytes(32), time).wait_seconds("decisions", "acme", ADDRESS) == 0


def test_the_digest_depends_on_the_process(time: Time) -> None:
    ours, theirs = RateLimiter(5, KEY, time), RateLimiter(5, bytes(32), time)
    for limiter in (ours, theirs):
        count_passed(limiter, ADDRESS, 1)

    assert not set(ours._paid_until) & set(theirs._paid_until)  # noqa: SLF001 -- what must differ
