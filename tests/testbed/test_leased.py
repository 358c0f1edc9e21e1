"""Proxies on a Toxiproxy that others use too: they go with the run, with and without the cleanup watchdog."""

from pathlib import Path

import psutil
import pytest

from mockbot.proxy.toxiproxy_client import ToxicControl
from mockbot.proxy.toxiproxy_server import start_embedded
from mockbot.testbed.start import ProxyChoice, open_testbed
from tests.testbed.test_start import scenario_with

pytestmark = pytest.mark.live


@pytest.mark.second
@pytest.mark.parametrize("watchdog", ["alive", "killed"])
def test_a_run_deletes_its_proxies_itself(tmp_path: Path, caplog: pytest.LogCaptureFixture, watchdog: str) -> None:
    """At an ordinary end nobody else is needed; that the watchdog had gone is said. Others' proxies stay."""
    with start_embedded(1) as child:
        shared = ToxicControl(child.url)
        shared.create("of somebody else", "127.0.0.1:1")
        before = psutil.Process().children()  # of other tests, too
        with open_testbed(scenario_with(), 1.0, tmp_path, ProxyChoice("toxiproxy", child.url)):
            during = shared.proxies()
            if watchdog == "killed":
                children = [each for each in psutil.Process().children() if each not in before]
                guard = next(each for each in children if "mockbot.proxy.cleanup_watchdog" in each.cmdline())
                guard.kill()
                guard.wait()
        after = shared.proxies()

    assert (len(during), after) == (2, ("of somebody else",))
    assert ("cleanup_watchdog ended by itself" in caplog.text) == (watchdog == "killed")
