"""Several processes of one site that agree by a `lastseen` server, and what becomes of it when that is killed."""

from collections.abc import Callable

from tests.lastseen_server import LastseenServer
from tests.patience import eventually
from tests.servers.conftest import python
from tests.servers.site import Site
from tests.servers.test_workers import STORED


def test_workers_agree_by_a_server_and_are_none_the_worse_when_it_is_killed(
    start: Callable[..., Site], environment: dict[str, str]
) -> None:
    server = LastseenServer("admin")
    try:
        site = start("gunicorn", f"{server.url}?token_file={server.token_file}")
        ada, bob, eve = (site.visitor() for _ in range(3))
        ada.get("/sign-in/?name=ada")
        bob.get("/sign-in/?name=bob")
        site.agree(["bob", "ada"])
        site.meet_all(ada)
        site.meet_all(bob)

        server.kill()
        assert bob.get("/sign-out/").body == "goodbye"
        assert eve.get("/sign-in/?name=eve").body == "welcome"
        site.meet_all(ada)
        eventually(site.answers, lambda answers: not any(answer["ready"] for answer in answers.values()))
        assert ada.get("/who/").body == "ada"
        server.start()
        eventually(site.answers, lambda answers: all(answer["ready"] for answer in answers.values()))
        eve.get("/")
        # A granularity later the dates of those who stay are everybody's too.
        site.skip(31)
        site.agree(["eve", "ada"])

        ada.get("/sign-out/")
        site.agree(["eve"])
        stored = eventually(lambda: python(environment, "-c", STORED).split(), lambda names: len(names) == 3)
        assert stored == ["ada", "bob", "eve"]
        log = site.close()
        assert "Traceback" not in log
        told = f"the lastseen server at {server.url} can't be reached"
        assert log.count("the store fails and is tried again") == log.count(told) == site.workers
    finally:
        server.close()
