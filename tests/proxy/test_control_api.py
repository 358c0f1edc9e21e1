"""Rules of the control API beyond the recording, on both engines, and input that nobody should send."""

import socket
import time
from urllib.parse import quote, urlsplit

import pytest

from tests.proxy.wire import Control, Upstream, refused_address, request

pytestmark = pytest.mark.live

TEXT = "text/plain; charset=utf-8"


def raw(url: str, data: bytes, patience: float = 10) -> bytes:
    """Bytes to a control port, bytes back until it closes or falls silent."""
    where = urlsplit(url)
    with socket.create_connection((where.hostname, where.port or 0), timeout=patience) as sock:
        sock.sendall(data)
        got = b""
        try:
            while part := sock.recv(65536):
                got += part
        except (TimeoutError, ConnectionResetError):
            pass
        return got


# -- answers


def test_every_matched_route_names_its_request(engine: Control) -> None:
    """20 characters, each time others; nothing on a 404 of the router."""
    ids = {engine("GET", path).headers["x-toxiproxy-request-id"] for path in ("/proxies", "/version", "/proxies/none")}

    assert [len(each) for each in ids] == [20, 20, 20]
    assert "x-toxiproxy-request-id" not in engine("GET", "/nope").headers


@pytest.mark.parametrize(
    ("path", "clean"),
    [
        ("//proxies", "/proxies"),
        ("/proxies/..", "/"),
        ("/a/./b", "/a/b"),
        ("/a//b/", "/a/b/"),
        ("//version?x=1", "/version?x=1"),
    ],
)
def test_an_uncleaned_path_is_redirected(engine: Control, path: str, clean: str) -> None:
    """301 with the cleaned path, empty body."""
    reply = engine("GET", path)

    assert (reply.status, reply.headers.get("location"), reply.text) == (301, clean, "")


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/proxies"), ("DELETE", "/proxies"), ("GET", "/populate"), ("HEAD", "/version"), ("OPTIONS", "/reset"),
     ("PUT", "/proxies/x"), ("DELETE", "/proxies/x/toxics"), ("PUT", "/proxies/x/toxics/y"), ("PATCH", "/version")],
)  # fmt: skip
def test_a_wrong_method_is_405_with_nothing(engine: Control, method: str, path: str) -> None:
    """No body, no Allow."""
    reply = engine(method, path)

    assert (reply.status, reply.text, reply.headers.get("allow")) == (405, "", None)


@pytest.mark.parametrize("path", ["/", "/proxies/a/b", "/proxies/a/toxics/b/c", "/proxies/a/toxics/", "/metrics"])
def test_an_unknown_path_is_404_in_text(engine: Control, path: str) -> None:
    """Text, not JSON."""
    reply = engine("GET", path)

    assert (reply.status, reply.type, reply.text) == (404, TEXT, "404 page not found\n")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/proxies"), ("POST", "/reset"), ("GET", "/version"), ("DELETE", "/proxies/x")]
)
def test_browsers_are_refused(engine: Control, method: str, path: str) -> None:
    """By their User-Agent, on known routes."""
    reply = engine(method, path, User_Agent="Mozilla/5.0")

    assert (reply.status, reply.text) == (403, "User agent not allowed\n")


@pytest.mark.parametrize("header", [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_the_embedded_engine_knows_a_browser_by_what_no_page_can_leave_out(
    embedded: Control, header: dict[str, str]
) -> None:
    """A page may set the user agent of its requests; the original looks at nothing else."""
    assert request(embedded.url, "POST", "/reset", None, header).status == 403


def test_names_are_percent_decoded(engine: Control) -> None:
    """Spaces, quotes, signs, NUL and letters of any script."""
    for name in ("a b", "q?x#y", "50%", "ä é 漢", 'say "hi"', "nul\0", "..", "+"):
        body = {"name": name, "upstream": "x:1", "enabled": False}
        assert engine("POST", "/proxies", body).status == 201
        path = f"/proxies/{quote(name, safe='')}"
        if name == "..":  # cleaned away, on both engines
            assert engine("GET", path).status == 301
            continue
        engine.made.append(name)

        assert engine("GET", path).json["name"] == name


def test_a_name_with_a_slash_can_be_made_and_never_addressed(engine: Control) -> None:
    """The path is decoded before it is matched."""
    assert (
        engine("POST", "/proxies", {"name": f"a/{time.monotonic_ns()}", "upstream": "x:1", "enabled": False}).status
        == 201
    )

    assert engine("GET", "/proxies/a%2Fb").status == 404


def test_markup_and_separators_in_names_come_back_as_they_were(engine: Control) -> None:
    """`<`, `>`, `&` and a line separator of Unicode."""
    name = "<&>\u2028é"
    engine("POST", "/proxies", {"name": name, "upstream": "x:1", "enabled": False})
    engine.made.append(name)

    assert engine("GET", "/proxies").json[name]["name"] == name


@pytest.mark.parametrize(
    ("given", "shown"),
    [("0.30000000000000004", 0.3), ("123456789", 123456790), ("0.1", 0.1), ("1e2", 100), ("-0.5", -0.5),
     ("0.333333333333", 0.33333334), ("null", 1), ("16777217", 16777216)],
)  # fmt: skip
def test_toxicity_comes_back_to_seven_digits(engine: Control, given: str, shown: float) -> None:
    """The original keeps a float32."""
    proxy = engine.proxy(refused_address())
    reply = engine("POST", f"{proxy.path}/toxics", f'{{"type":"noop","toxicity":{given}}}')

    assert reply.json["toxicity"] == pytest.approx(shown, rel=1e-7)


@pytest.mark.parametrize("value", ["1e39", "-1e400", '"1"', "true", "[]", "{}"])
def test_toxicity_must_be_a_float32(engine: Control, value: str) -> None:
    """What does not fit, or is no number, is refused, and nothing is added."""
    proxy = engine.proxy(refused_address())
    reply = engine("POST", f"{proxy.path}/toxics", f'{{"type":"noop","toxicity":{value}}}')

    assert reply.status == 400
    assert reply.json["error"].startswith("bad request body: ")
    assert proxy.show()["toxics"] == []


@pytest.mark.parametrize(
    "value", ["1.5", "1e3", '"5"', "true", "9223372036854775808", "-9223372036854775809", "[]", "{}"]
)
def test_an_attribute_must_be_an_int64(engine: Control, value: str) -> None:
    """Floats, exponents, strings and booleans are refused, and nothing is added."""
    proxy = engine.proxy(refused_address())
    reply = engine("POST", f"{proxy.path}/toxics", f'{{"type":"latency","attributes":{{"latency":{value}}}}}')

    assert reply.status == 400
    assert reply.json["error"].startswith("bad request body: ")
    assert proxy.show()["toxics"] == []


@pytest.mark.parametrize("value", ["9223372036854775807", "-9223372036854775808", "-0"])
def test_the_whole_range_of_int64_is_taken(engine: Control, value: str) -> None:
    """The largest and the smallest."""
    proxy = engine.proxy(refused_address(), enabled=False)
    reply = engine("POST", f"{proxy.path}/toxics", f'{{"type":"slow_close","attributes":{{"delay":{value}}}}}')

    assert reply.json["attributes"]["delay"] == int(value)


@pytest.mark.parametrize(
    "body",
    ['{"name":"dup","name":"%s","upstream":"x:1","enabled":false}', '{"NaMe":"%s","UPSTREAM":"x:1","Enabled":false}',
     ' \n\t{"name":"%s","upstream":"x:1","enabled":false} garbage',
     '{"name":"%s","name":null,"upstream":"x:1","enabled":false}',
     '{"name":"%s","upstream":"x:1","enabled":false,"logger":null,"bogus":{"a":[1]}}'],
)  # fmt: skip
def test_json_is_read_leniently(engine: Control, body: str) -> None:
    """The last duplicate, any case, null leaves alone, garbage behind the value and unknown keys are ignored."""
    name = f"j{time.monotonic_ns()}"
    engine.made.append(name)
    reply = engine("POST", "/proxies", body % name)

    assert (reply.status, reply.json["name"]) == (201, name)


@pytest.mark.parametrize(
    "body",
    ["{", "[", '{"name"', '{"name":}', "{'name':1}", "nul", '{"a":1,}', '"', '{"name":"a\nb"}', "NaN", '{"a":Infinity}',
     '{"a":01}', "\ufeff{}", '{"name":"\\x"}', '{"name":true}', '{"listen":[]}', "1", '"text"'],
)  # fmt: skip
def test_malformed_json_is_400_in_json(engine: Control, body: str) -> None:
    """Whatever is wrong with it: `bad request body: ` and the reason."""
    reply = engine("POST", "/proxies", body)

    assert (reply.status, reply.type) == (400, TEXT)
    assert reply.json["error"].startswith("bad request body: ")


def test_bytes_that_are_no_utf8_do_no_harm(engine: Control) -> None:
    """They become U+FFFD."""
    reply = engine("POST", "/proxies", b'{"name":"bad\xff\xfe\\ud800","upstream":"x:1","enabled":false}')
    engine.made.append(reply.json["name"])

    assert reply.json["name"] == "bad\ufffd\ufffd\ufffd"


@pytest.mark.parametrize(
    ("listen", "message"),
    [("foo", "listen tcp: address foo: missing port in address"),
     ("a:b:c", "listen tcp: address a:b:c: too many colons in address"),
     ("[::1", "listen tcp: address [::1: missing ']' in address"),
     ("127.0.0.1:99999", "listen tcp: address 99999: invalid port"),
     ("127.0.0.1:nosuchservice", "listen tcp: lookup tcp/nosuchservice: unknown port"),
     ("192.0.2.1:0", "listen tcp 192.0.2.1:0: bind: cannot assign requested address")],
)  # fmt: skip
def test_a_listener_that_cannot_be_is_500_with_the_reason(engine: Control, listen: str, message: str) -> None:
    """And no proxy is made."""
    reply = engine("POST", "/proxies", {"name": "unbound", "upstream": "x:1", "listen": listen})

    assert reply.status == 500
    assert reply.json["error"].startswith(message)
    assert engine("GET", "/proxies/unbound").status == 404


def test_a_port_in_use_is_500_and_leaves_its_owner_alone(engine: Control) -> None:
    """The second proxy is refused, the first goes on."""
    with Upstream() as up:
        proxy = engine.proxy(up.address)
        reply = engine("POST", "/proxies", {"name": "second", "upstream": "x:1", "listen": proxy.address})

        assert reply.json["error"] == f"listen tcp {proxy.address}: bind: address already in use"
        with proxy.client() as client:
            assert client.ask(b"a") < 2


def test_populate_leaves_an_equal_proxy_alone(engine: Control) -> None:
    """Also when its listen is spelt differently: its toxics stay."""
    proxy = engine.proxy(refused_address())
    proxy.toxic("latency", latency=1)
    entry = {
        "name": proxy.name,
        "upstream": proxy.show()["upstream"],
        "listen": proxy.address.replace("127.0.0.1", "localhost"),
    }
    reply = engine("POST", "/populate", [entry])

    assert reply.status == 201
    assert [toxic["type"] for toxic in reply.json["proxies"][0]["toxics"]] == ["latency"]


# -- input that nobody should send


@pytest.mark.parametrize(
    "data",
    [b"\r\n\r\n\r\n", b"GARBAGE\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00",
     b"GET /proxies HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", b"POST /proxies HTTP/1.1\r\n: y\r\n\r\n",
     b"GET /%zz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", b"\x00" * 1000],
)  # fmt: skip
def test_garbage_on_the_control_port_ends_that_connection_only(engine: Control, data: bytes) -> None:
    """4xx or a close, and the next client is served."""
    answer = raw(engine.url, data, patience=0.5)

    assert answer == b"" or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 505"))
    assert engine("GET", "/version").status == 200


def test_a_request_cut_short_leaves_nothing_behind(engine: Control) -> None:
    """Half a body, then gone: no proxy."""
    where = urlsplit(engine.url)
    with socket.create_connection((where.hostname, where.port or 0)) as sock:
        sock.sendall(b'POST /proxies HTTP/1.1\r\nHost: a\r\nContent-Length: 60\r\n\r\n{"name":"half","upstream":"x:1"')

    assert engine("GET", "/proxies/half").status == 404


def test_ten_megabytes_are_answered(engine: Control) -> None:
    """Read (the original) or refused as too large (ours); the port goes on either way."""
    body = b'{"name":"big","upstream":"x:1","enabled":false,"bogus":"' + b"x" * 10_000_000 + b'"}'
    reply = request(engine.url, "POST", "/proxies", body)
    engine.made.append("big")

    assert reply.status == (413 if engine.embedded else 201)
    assert engine("GET", "/version").status == 200


def test_deep_nesting_is_400(engine: Control) -> None:
    """A hundred thousand brackets are no reason to fall over."""
    reply = engine("POST", "/proxies", b"[" * 100_000)

    assert reply.status == 400
    assert engine("GET", "/version").status == 200


def test_chunked_bodies_are_read(engine: Control) -> None:
    """Clients in other languages send them."""
    data = (
        b"POST /proxies HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
        b'12\r\n{"name":"chunked",\r\n21\r\n"upstream":"x:1","enabled":false}\r\n0\r\n\r\n'
    )
    answer = raw(engine.url, data)
    engine.made.append("chunked")

    assert answer.startswith(b"HTTP/1.1 201")


def test_an_upstream_that_never_answers_does_not_hold_up_the_control_port(embedded: Control) -> None:
    """A dial that hangs blocks neither other clients of the proxy nor its disabling."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        proxy = embedded.proxy(f"127.0.0.1:{full.getsockname()[1]}")
        with proxy.client(), proxy.client():
            begin = time.monotonic()

            assert proxy.set(enabled=False).status == 200
            assert time.monotonic() - begin < 2
        for filler in fillers:
            filler.close()
