"""The stand-alone server: Toxiproxy's flags, its metrics, its way out."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mockbot.proxy.proxy_server import Options, main, parse
from tests.proxy.inprocess import running
from tests.proxy.wire import Control, Upstream, eventually, refused_address, request

pytestmark = pytest.mark.live


@pytest.mark.parametrize("dash", ["-", "--"])
def test_toxiproxy_s_flags_are_taken_with_one_dash_or_two(dash: str) -> None:
    """As the original takes them."""
    flags = ["host", "127.0.0.2", "port", "1", "config", "f", "seed", "5"]
    argv = [f"{dash}{word}" if index % 2 == 0 else word for index, word in enumerate(flags)]

    options = parse([*argv, f"{dash}proxy-metrics", f"{dash}runtime-metrics"])

    assert options == Options("127.0.0.2", 1, "f", 5, proxy_metrics=True, runtime_metrics=True)


def test_the_defaults_are_toxiproxy_s() -> None:
    """localhost:8474."""
    options = parse([])

    assert (options.host, options.port, options.config) == ("localhost", 8474, "")


def test_version_is_worded_as_the_original_s(capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts look for this line."""
    with pytest.raises(SystemExit) as caught:
        main(["-version"])

    assert caught.value.code == 0
    assert capsys.readouterr().out == "toxiproxy-server version 2.12.0\n"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.org"])
def test_a_public_control_port_needs_a_token_or_a_word(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit 2 with both ways out."""
    with pytest.raises(SystemExit) as caught:
        parse(["-host", host])

    assert caught.value.code == 2
    assert "-token" in capsys.readouterr().err
    assert parse(["-host", host, "-open"]).open
    assert parse(["-host", host, "-token", "t"]).token == "t"


@pytest.mark.parametrize("host", ["[::1]", "::1", "127.0.0.2", "localhost"])
def test_loopback_in_any_spelling_needs_neither(host: str) -> None:
    """In brackets, too."""
    assert parse(["-host", host]).host == host.strip("[]")


def test_a_port_in_use_ends_with_4_and_the_reason(capsys: pytest.CaptureFixture[str], embedded: Control) -> None:
    """The original logs it and stays, without a control port."""
    port = embedded.url.rpartition(":")[2]

    assert main(["-host", "127.0.0.1", "-port", port]) == 4
    assert "address already in use" in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_0_and_closes_everything(number: signal.Signals, tmp_path: Path) -> None:
    """Proxies of a config file are served, and gone after the signal."""
    config = tmp_path / "toxiproxy.json"
    config.write_text(json.dumps([{"name": "api", "listen": "127.0.0.1:0", "upstream": refused_address()}]))
    server = subprocess.Popen(
        [sys.executable, "-m", "mockbot.proxy", "-host", "127.0.0.1", "-port", "0", "-config", str(config)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert server.stdout is not None
    url = json.loads(server.stdout.readline())["control"]
    proxies = request(url, "GET", "/proxies").json
    server.send_signal(number)
    code = server.wait(5)
    server.stdout.close()

    assert (list(proxies), code) == (["api"], 0)
    with pytest.raises(ConnectionRefusedError):
        request(url, "GET", "/version")


def test_a_config_that_cannot_be_used_is_only_logged(tmp_path: Path) -> None:
    """As in the original: the server comes up without proxies."""
    broken = tmp_path / "broken.json"
    broken.write_text("[{")

    for config in (str(broken), str(tmp_path / "missing.json")):
        with running(config=config) as engine:
            assert request(engine.url, "GET", "/proxies").json == {}


def test_metrics_have_toxiproxy_s_names_and_count_live_connections() -> None:
    """Bytes count while a connection lives; the original counts them when it ends."""
    with running(proxy_metrics=True) as engine, Upstream() as up:
        control = Control(engine.url, "embedded")
        proxy = control.proxy(up.address)
        with proxy.client() as client:
            client.ask(b"x" * 100)
            page = control("GET", "/metrics").text

    labels = f'direction="upstream",listener="{proxy.address}",proxy="{proxy.name}",upstream="{up.address}"'
    for name in ("received", "sent"):
        line = next(
            line
            for line in page.splitlines()
            if line.startswith(f"toxiproxy_proxy_{name}_bytes_total{{") and 'upstream",' in line
        )
        assert sorted(line[line.index("{") + 1 : line.index("}")].split(",")) == sorted(labels.split(","))
        assert line.endswith(" 100.0")


def test_the_real_server_has_these_metric_names_too(toxiproxy: Path) -> None:
    """Asked of the original itself, after a connection has ended."""
    port = refused_address().rpartition(":")[2]
    server = subprocess.Popen(
        [str(toxiproxy), "-host", "127.0.0.1", "-port", port, "-proxy-metrics"], stdout=subprocess.DEVNULL
    )
    try:
        control = Control(f"http://127.0.0.1:{port}", "real")

        def up_and_running() -> bool:
            try:
                return control("GET", "/version").status == 200
            except OSError:
                return False

        assert eventually(up_and_running, 10)
        with Upstream() as up:
            proxy = control.proxy(up.address)
            with proxy.client() as client:
                client.ask(b"x" * 100)
            assert eventually(lambda: "toxiproxy_proxy_sent_bytes_total{" in control("GET", "/metrics").text)
            page = control("GET", "/metrics").text
    finally:
        server.kill()
        server.wait()

    assert 'toxiproxy_proxy_received_bytes_total{direction="upstream",listener=' in page


def test_runtime_metrics_are_the_process_s() -> None:
    """Without the flags there is no such route."""
    with running(runtime_metrics=True) as engine:
        reply = request(engine.url, "POST", "/metrics")
        assert (reply.status, "process_cpu_seconds_total" in reply.text) == (200, True)
    with running() as engine:
        assert request(engine.url, "GET", "/metrics").status == 404


def test_the_version_it_answers_can_be_set() -> None:
    """Go's own client tests want exactly `git`."""
    with running(version_text="git") as engine:
        assert request(engine.url, "GET", "/version").text == '{"version": "git"}\n'


def test_stats_name_the_seed() -> None:
    """So that a run can be repeated."""
    with running(seed=42) as engine:
        assert request(engine.url, "GET", "/mockbot/stats").json["seed"] == 42
