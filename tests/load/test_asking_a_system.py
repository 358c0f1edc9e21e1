"""A user asks a system under test as its file says, or in its own way; each answer is on record with what it says."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from mockbot.dialects.identified_text import words
from mockbot.dialects.prompt_identity import identity_of
from tests.load.conftest import Inside

pytestmark = [pytest.mark.live, pytest.mark.second]

WHOLE = "".join(words("main", 12345678901234567890, 12))
Records = list[dict[str, Any]]


class Application(BaseHTTPRequestHandler):
    """`POST /ask` answers in full, /short a part, /busy apologises, /late hangs, /wrong answers something else."""

    requests: list[tuple[dict[str, str], dict[str, Any]]]

    def do_POST(self) -> None:
        """Answer."""
        body = self.rfile.read(int(self.headers["content-length"]))
        self.requests.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body)))
        if self.path == "/late":
            threading.Event().wait(4.0)
        text = {"/short": WHOLE[:60], "/busy": "Temporarily unavailable."}.get(self.path, WHOLE)
        answer = json.dumps({"error": text} if self.path == "/wrong" else {"answer": text}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer) + (self.path == "/cut")))
        self.end_headers()
        self.wfile.write(answer)
        self.close_connection = self.path == "/cut"

    def do_GET(self) -> None:
        """A page."""
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def application() -> Iterator[ThreadingHTTPServer]:
    """It listens on a free port."""
    Application.requests = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Application) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def _asked(inside: Inside, server: ThreadingHTTPServer, path: str = "/ask", way: str = "file") -> dict[str, Any]:
    """One prompt."""
    request = {"path": path, "headers": {"x-user": "{user}"}, "json": {"text": "{prompt}"}}
    ask = {"request": request, "answer": {"json": "$.answer"}, "degraded_when": {"text": "unavailable"}}
    url = f"http://127.0.0.1:{server.server_address[1]}"
    said: dict[str, Any] = inside("asking_system", json.dumps({"name": "app", "url": url, "ask": ask}), way, "1")
    return {each["kind"]: each for each in said["records"]} | {"tasks": said["tasks"]}


def test_the_application_gets_the_prompt_with_its_identity(inside: Inside, application: ThreadingHTTPServer) -> None:
    """In two headers and in the text; and the user's name where the file puts it."""
    seen = _asked(inside, application)

    [(headers, body)] = Application.requests
    identity = identity_of(seen["prompt"]["id"], "a-run")
    assert headers["x-mockbot-prompt"] == seen["prompt"]["id"]
    assert headers["traceparent"].split("-")[1] == identity.trace == seen["answer"]["trace"]
    assert body["text"].endswith(f" [{identity.mark}]")
    assert headers["x-user"] == "users-1"


@pytest.mark.parametrize(
    ("path", "outcome", "end", "whole"),
    [
        ("/ask", "ok", "claimed", [12, 12]),
        ("/short", "ok", "claimed", [8, 12]),
        ("/busy", "ok", "claimed", None),
        ("/wrong", "malformed", "broken", None),
        ("/late", "timeout", "broken", None),
    ],
)
def test_what_the_answer_says_is_on_record(
    inside: Inside, application: ThreadingHTTPServer, path: str, outcome: str, end: str, whole: list[int] | None
) -> None:
    """Whether it claims to be whole, whose words it has and how many, and whether it is an apology."""
    seen = _asked(inside, application, path)

    assert (seen["attempt"]["outcome"], seen["answer"]["end"]) == (outcome, end)
    assert [[piece["words"], piece["of"]] for piece in seen["answer"]["pieces"]] == ([] if whole is None else [whole])
    assert seen["answer"]["degraded"] is (path == "/busy")


def test_a_user_may_ask_in_its_own_way(inside: Inside, application: ThreadingHTTPServer) -> None:
    """`exchange` gets the text and the headers to send, and its answer is recognised as any other."""
    seen = _asked(inside, application, way="exchange")

    [(headers, body)] = Application.requests
    assert body["text"] == body["text"].upper()
    assert headers["x-mockbot-prompt"] == seen["prompt"]["id"]
    assert (seen["attempt"]["outcome"], seen["answer"]["end"]) == ("ok", "silent")
    assert seen["answer"]["pieces"][0]["words"] == 12


def test_a_task_of_ones_own_replaces_the_inherited_one(inside: Inside, application: ThreadingHTTPServer) -> None:
    """Else half of the turns would do something else."""
    assert _asked(inside, application, way="task")["tasks"] == ["twice"]
    assert _asked(inside, application)["tasks"] == ["converse"]


def test_each_request_of_a_plain_http_user_is_a_prompt(inside: Inside, application: ThreadingHTTPServer) -> None:
    """With its identity in the headers, and its mark where the system file has the prompt; what else it sends stays."""
    seen = _asked(inside, application, way="plain")

    [(headers, body)] = Application.requests
    identity = identity_of(seen["prompt"]["id"], "a-run")
    assert body == {"text": f"How long? [{identity.mark}]", "kind": "short"}
    assert headers["x-mockbot-prompt"] == seen["prompt"]["id"]
    assert (seen["attempt"]["outcome"], seen["answer"]["end"], seen["prompt"]["settled"]) == (
        "ok",
        "claimed",
        "answered",
    )
    assert seen["answer"]["pieces"][0]["words"] == 12


@pytest.mark.parametrize(("way", "outcome"), [("impatient", "timeout"), ("cut_off", "closed")])
def test_what_a_plain_http_users_request_meets_is_on_record(
    inside: Inside, application: ThreadingHTTPServer, way: str, outcome: str
) -> None:
    """It waits no longer than its group's patience, and an answer of too few bytes was closed."""
    seen = _asked(inside, application, way=way)

    assert (seen["attempt"]["outcome"], seen["prompt"]["settled"]) == (outcome, "gave_up")


def test_a_plain_http_users_refused_connection_is_refused(inside: Inside, application: ThreadingHTTPServer) -> None:
    """Whatever `requests` wraps around it."""
    application.shutdown()
    application.server_close()

    assert _asked(inside, application, way="plain")["attempt"]["outcome"] == "refused"
