"""Everything that is not a proper request: answered in the provider's own words, never with a 500 or a traceback."""

import asyncio
import gzip
import socket
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import requests
import schemathesis
from fastapi import FastAPI, Request
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import booleans
from pydantic import TypeAdapter
from schemathesis.core.result import Ok

from mockbot.dialects.compatible.compatible_providers import PROVIDERS
from mockbot.evidence.unserved import counted
from mockbot.faults import FAULTS as ALL
from mockbot.faults import Fault
from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import Admission, EdgeAnswer, End, StreamChange
from mockbot.faults.http_error import HttpError
from mockbot.http_server.listener import Listener
from mockbot.service.control_messages import REACH
from tests.clients_in_the_wild.matrix.cells import FAULTS as MATRIX
from tests.service.conftest import Served, body
from tests.service.test_serving import until

pytestmark = pytest.mark.live

CHAT = "/v1/chat/completions"
FUZZ = settings(
    max_examples=30, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
SAYS = b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "x"}], %s}'


def post(served: Served, content: bytes | str, path: str = CHAT, **headers: str) -> httpx.Response:
    """One request as it is."""
    return httpx.post(served.main + path, content=content, headers=headers)


@pytest.mark.parametrize(
    ("content", "code", "param"),
    [
        (b"", None, None),
        (b"not json", None, None),
        (b"[1, 2]", None, None),
        (b'{"model": "gpt-4o", "messages": [{"role": "user", "content": "\xff\xfe"}]}', None, None),
        (b'{"model": NaN}', None, None),
        (b"{}", "missing_model", None),
        (b'{"model": 5, "messages": []}', "invalid_type", "model"),
        (b'{"model": "gpt-4o"}', "missing_required_parameter", "messages"),
        (b'{"model": "gpt-4o", "messages": "hello"}', "invalid_type", "messages"),
        (b'{"model": "gpt-4o", "messages": []}', "empty_array", "messages"),
        (b'{"model": "gpt-4o", "messages": [5]}', "invalid_type", "messages[0]"),
        (b'{"model": "gpt-4o", "messages": [{"role": 5}]}', "invalid_type", "messages[0].role"),
        (SAYS % b'"stream": "yes"', "invalid_type", "stream"),
        (
            SAYS % b'"max_tokens": 0',
            "integer_below_min_value",
            "max_tokens",
        ),
        (SAYS % b'"max_tokens": 1.5', "invalid_type", "max_tokens"),
        (SAYS % b'"tools": [5]', "invalid_type", "tools[0].function"),
    ],
)
def test_what_is_wrong_is_named(served: Served, content: bytes, code: str | None, param: str | None) -> None:
    """400 with OpenAI's object; the code and the field say what."""
    response = post(served, content)

    error = response.json()["error"]
    assert response.status_code == 400
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)


@pytest.mark.parametrize("depth", [200, 100_000])
def test_deep_nesting_is_no_way_in(served: Served, depth: int) -> None:
    """Neither the parser nor the schema walker falls over."""
    response = post(served, b'{"model": "gpt-4o", "messages": ' + b"[" * depth + b"]" * depth + b"}")

    assert response.status_code == 400


def test_a_deep_schema_is_the_clients_error(served: Served) -> None:
    """A tool whose parameters nest a thousand deep."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(150):
        schema = {"type": "object", "properties": {"a": schema}, "required": ["a"]}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}

    assert post(served, body(tools=[tool])).status_code == 400


def test_unknown_models_paths_and_methods(served: Served) -> None:
    """404 and 405 in the same shape."""
    model = post(served, '{"model": "llama-9000", "messages": [{"role": "user", "content": "x"}]}')
    path = httpx.post(served.main + "/v1/nothing", content="{}")
    method = httpx.get(served.main + CHAT)

    assert [response.status_code for response in (model, path, method)] == [404, 404, 405]
    assert model.json()["error"]["code"] == "model_not_found"
    assert path.json()["error"]["message"] == "Invalid URL (POST /v1/nothing)"
    assert method.json()["error"]["message"] == "Not allowed to GET on /v1/chat/completions."


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 200),
        ("Bearer whatever", 200),
        ("Bearer sk-free-1", 200),
        ("Bearer sk--", 200),
        ("bearer sk-free-1", 200),
        ("Bearer", 401),
        ("Basic dXNlcjpwYXNz", 401),
        ("", 401),
        ("Bearer \xe9\xe8", 200),
    ],
)
def test_odd_authorization(served: Served, authorization: str | None, status: int) -> None:
    """No key is a stranger of tier free; something that is no Bearer key is refused."""
    headers = {} if authorization is None else {b"authorization": authorization.encode("latin-1")}

    response = httpx.post(served.main + CHAT, content=body(), headers=headers)

    assert response.status_code == status
    if status == 401:
        assert response.json()["error"]["code"] == "invalid_api_key"


def test_bodies_that_are_too_large(served: Served) -> None:
    """413, whether the length is told or not, and when it is only large unpacked."""
    megabyte = b" " * 2**20

    told = post(served, megabyte * 51)
    untold = httpx.post(served.main + CHAT, content=iter([megabyte] * 51))
    packed = post(served, gzip.compress(megabyte * 51, 1), **{"content-encoding": "gzip"})
    anthropic = httpx.post(served.providers["anthropic"] + "/v1/messages", content=megabyte * 33)

    assert [each.status_code for each in (told, untold, packed, anthropic)] == [413] * 4
    assert told.json()["error"]["message"] == "Request too large."


def test_what_is_no_http_is_answered_400_and_nothing_breaks(served: Served) -> None:
    """Garbage on the socket does not end the service."""
    address = urlsplit(served.main)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=5) as sock:
        sock.sendall(b"\x16\x03\x01\x02\x00hello\r\n\r\n")
        answer = sock.recv(100)

    assert answer.startswith(b"HTTP/1.1 400")
    assert post(served, body()).status_code == 200


@pytest.mark.parametrize(
    "data",
    [
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-slow: ",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1",
    ],
)
async def test_whoever_sends_too_slowly_is_dropped(data: bytes) -> None:
    """Slow loris: headers that trickle for ever, and bodies that stop, lose their connection."""
    app = FastAPI()

    @app.post("/")
    async def take(request: Request) -> int:
        return len(await request.body())

    listener = Listener(app, "127.0.0.1", slowest=0.2)
    await listener.up()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(data)
        dropped = asyncio.create_task(reader.read())
        while not dropped.done():
            if data.endswith(b": "):
                writer.write(b"x")
            await asyncio.sleep(0.02)
        assert dropped.exception() is None or isinstance(dropped.exception(), ConnectionError)
        writer.close()
    finally:
        await listener.close()


def asked_for(fault: ServiceFault) -> set[int]:
    """The statuses that a fault answers with."""
    match fault.effect():
        case EdgeAnswer(status=status):
            return {status}
        case Admission():
            return {429, 503, 529}  # as the provider words a lack of capacity
        case StreamChange(then=End(outcome="error_event")):
            return {500}  # of a plain answer, which has no events
    return set()


def half(values: Mapping[str, Any]) -> ServiceFault:
    """The fault for every second request."""
    fault = TypeAdapter(Fault).validate_python({**values, "share": "50%"})
    assert isinstance(fault, ServiceFault)
    return fault


ALIKE = tuple(row.name for row in PROVIDERS if row.name != "xai")  # rows of the table of which xAI's is tried soon
SCHEMAS = ("main", "anthropic", "bedrock", "gemini", "azure", "xai", *ALIKE)
MODELS = {
    "/v1/embeddings": "text-embedding-3-small",
    "/v1/messages": "claude-sonnet-5",
    "/v1beta/openai/embeddings": "text-embedding-005",
    "/v1beta/openai/chat/completions": "gemini-2.5-flash",
}
WHOLE = {fault.kind for fault in ALL if fault.whole_provider}  # of these, one knows what every request gets
FAULTS = {name: values for name, values in MATRIX.items() if values is not None and not {*WHOLE, "stall"} & {*values}}
FAULTS["stall"] = {"stall": {"after_tokens": 3, "resumes": "10ms"}}  # and not for ever

# Of one fault, and without Gemini, whose many endpoints take a minute.
SOON = {("error_event", "main"), ("error_event", "anthropic")}


@pytest.mark.second
@pytest.mark.parametrize(
    "provider", [pytest.param(each, marks=pytest.mark.nightly if each in ALIKE else ()) for each in SCHEMAS]
)
def test_the_openapi_schema_is_honest(served: Served, provider: str) -> None:
    """Fuzzed from it: every answer is documented, none is a 500, none shows a traceback."""
    seen = fuzz(schema_of(served, provider), set())

    assert 200 in seen
    assert seen & {400, 404}


@pytest.mark.parametrize(
    ("provider", "values"),
    [
        pytest.param(
            provider,
            each,
            id=f"{name}-{provider}",
            marks=pytest.mark.second if (name, provider) in SOON else pytest.mark.nightly,
        )
        for name, each in FAULTS.items()
        for provider in SCHEMAS
    ],
)
def test_the_openapi_schema_is_honest_in_an_outage(served: Served, provider: str, values: Mapping[str, Any]) -> None:
    """While a fault meets every second request: no status comes but the documented ones and the fault's own."""
    fault, schema = half(values), schema_of(served, provider)
    served.break_with(fault, provider=provider)

    seen = fuzz(schema, asked_for(fault))

    assert 200 in seen
    if not isinstance(fault.effect(), StreamChange):  # most answers here are too short for what happens within them
        assert not asked_for(fault) or asked_for(fault) & seen
        assert 0 not in seen


def schema_of(served: Served, provider: str) -> Any:
    """Its OpenAPI description."""
    return schemathesis.openapi.from_url(f"{served.providers[provider]}/openapi.json")


def fuzz(schema: Any, asked: set[int]) -> set[int]:
    """Ask each operation what its schema allows; all the statuses that came, 0 for a connection that ended."""
    seen: set[int] = set()
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operation = found.ok()

        @given(operation.as_strategy(), booleans(), booleans())
        @FUZZ
        def ask(case: Any, known: bool, plain: bool) -> None:
            if known and case.path_parameters:
                case.path_parameters |= {"model": "gpt-4o"}
                case.query = {**(case.query or {}), "api-version": "2024-10-21"}
            if known and isinstance(case.body, dict):  # else hardly any request would be right
                if plain:  # so that some are
                    body = case.operation.definition.raw["requestBody"]["content"]["application/json"]["schema"]
                    case.body = {name: case.body[name] for name in body["required"] if name in case.body}
                if "model" in case.path_parameters:
                    case.path_parameters["model"] = "anthropic.claude-sonnet-5-5-v1:0"
                else:
                    case.body |= {"model": MODELS.get(case.operation.path, "gpt-4o")}
                content = [{"text": "hi"}] if "converse" in case.operation.path else "hi"
                case.body |= {"messages": [{"role": "user", "content": content}]} if "messages" in case.body else {}
            try:
                response = case.call()
            except requests.RequestException:
                seen.add(0)
                return
            seen.add(response.status_code)
            documented = {int(status) for status in case.operation.definition.raw["responses"]} - {500}
            assert response.status_code in documented | asked, f"{case.operation.label}: {response.text}"
            assert b"Traceback" not in response.content

        ask()
    return seen


def test_a_fault_of_the_provider_hits_every_path_of_it(served: Served) -> None:
    """An edge that is down knows no paths: what is not served fails as everything else does."""
    served.break_with(HttpError.model_validate({"http_error": 503}))

    asked = (("POST", CHAT), ("GET", "/v1/models"), ("POST", "/v1/nothing"), ("GET", "/v1/files"), ("GET", CHAT))
    seen = {(method, path): httpx.request(method, served.main + path).status_code for method, path in asked}
    exempt = httpx.get(served.main + "/metrics").status_code

    assert set(seen.values()) == {503}, seen
    assert exempt == 200


def test_what_is_not_served_is_counted(served: Served) -> None:
    """URLs, models and parameters, in the second in which they were asked for."""
    post(served, '{"model": "llama-9000", "messages": [{"role": "user", "content": "x"}]}')
    for _ in range(3):
        httpx.post(served.main + "/v1/audio/speech", content="{}")
    httpx.get(served.main + REACH)

    wanted = {"model llama-9000": 1, "url POST /v1/audio/speech": 3}
    until(lambda: counted(served.control.seconds(0)) == wanted)
