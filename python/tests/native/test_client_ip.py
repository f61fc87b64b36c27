"""Which address a request comes from. The walk itself is tested in Rust: this is about what Python hands over."""

import pytest

from lastseen import ClientIp

BEHIND_PROXIES = ClientIp(["10.0.0.0/8", "2001:db8::1"])


@pytest.mark.parametrize(
    ("client_ip", "peer", "forwarded", "expected"),
    [
        (ClientIp(), "10.0.0.1", "203.0.113.7", "10.0.0.1"),
        (BEHIND_PROXIES, "10.0.0.1", "1.1.1.1, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        (BEHIND_PROXIES, "2001:db8::1", "203.0.113.7", "203.0.113.7"),
        (BEHIND_PROXIES, "198.51.100.1", "203.0.113.7", "198.51.100.1"),
        (BEHIND_PROXIES, "10.0.0.1", None, "10.0.0.1"),
        (BEHIND_PROXIES, "10.0.0.1", "nonsense\n, \u20ac", "10.0.0.1"),
        (BEHIND_PROXIES, "", "203.0.113.7", None),
        (BEHIND_PROXIES, "nonsense", "203.0.113.7", None),
        (ClientIp(["unix"]), "", "1.1.1.1, 203.0.113.7", "203.0.113.7"),
        (ClientIp(["unix"]), "", None, None),
        (ClientIp(["10.0.0.0/8"], "X-Real-IP"), "10.0.0.1", "203.0.113.7", "203.0.113.7"),
        (ClientIp(["10.0.0.0/8"], "Forwarded"), "10.0.0.1", "for=203.0.113.7", "203.0.113.7"),
        (ClientIp(policy="mask"), "203.0.113.7", None, "203.0.113.0"),
        (ClientIp(policy="drop"), "203.0.113.7", None, None),
    ],
)
def test_rule_11(client_ip: ClientIp, peer: str, forwarded: str | None, expected: str | None) -> None:
    assert client_ip.of(peer, forwarded) == expected


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((["10.0.0.0/33"],), "10.0.0.0/33"),
        ((["proxy.example"],), "proxy.example"),
        (([], "X-Client"), "X-Client"),
        (([], "X-Forwarded-For", "hash"), "hash"),
    ],
)
def test_what_is_wrong_is_named(arguments: tuple[list[str]], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        ClientIp(*arguments)
