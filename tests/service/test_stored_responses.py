"""Responses that are asked for again, continued, and made in the background, through the official SDK."""

from collections.abc import Iterator
from typing import Any, cast

import openai
import pytest

from mockbot.dialects.answer_parts import Choice, Part
from mockbot.dialects.dialect import AnswerMetadata, ProviderError, Question, Storage, StoringDialect
from mockbot.dialects.openai.responses import OpenAIResponses
from mockbot.faults.error_event import ErrorEvent
from mockbot.faults.http_error import HttpError
from mockbot.scenario.answer_law import Pace
from mockbot.service.chatbot import Answer, Caller
from mockbot.service.stored_responses import MOST, StoredResponse, StoredResponses
from tests.service.conftest import Serve, Served
from tests.service.test_serving import until

pytestmark = pytest.mark.live
MODEL = "gpt-4o"


@pytest.fixture
def client(served: Served) -> Iterator[openai.OpenAI]:
    """OpenAI's, without retries."""
    with openai.OpenAI(base_url=f"{served.main}/v1", api_key="sk-free-1", max_retries=0) as client:
        yield client


def test_a_response_can_be_asked_for_again(client: openai.OpenAI) -> None:
    """Whether it was streamed or not, until it is deleted."""
    plain = client.responses.create(model=MODEL, input="one")
    with client.responses.stream(model=MODEL, input="two") as stream:
        streamed = stream.get_final_response()

    for response in (plain, streamed):
        again = client.responses.retrieve(response.id)
        assert (again.status, again.output_text, again.usage) == ("completed", response.output_text, response.usage)
        client.responses.delete(response.id)
        with pytest.raises(openai.NotFoundError, match=f"Response with id '{response.id}' not found."):
            client.responses.retrieve(response.id)


def test_what_must_not_be_stored_is_not(client: openai.OpenAI) -> None:
    """`store: false`, and the answer says so."""
    response = client.responses.create(model=MODEL, input="one", store=False)

    assert response.model_dump()["store"] is False
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(response.id)


def test_a_response_continues_another_one(client: openai.OpenAI) -> None:
    """The whole conversation is paid for; one that is not there cannot be continued."""
    first = client.responses.create(model=MODEL, input="one")
    second = client.responses.create(model=MODEL, input="two", previous_response_id=first.id)

    assert first.usage is not None
    assert second.usage is not None
    assert second.previous_response_id == first.id
    assert second.usage.input_tokens > first.usage.total_tokens
    with pytest.raises(openai.BadRequestError, match="Previous response with id 'resp_0' not found") as refused:
        client.responses.create(model=MODEL, input="three", previous_response_id="resp_0")
    assert (refused.value.code, refused.value.param) == ("previous_response_not_found", "previous_response_id")


def test_an_agent_that_sends_results_only_comes_to_an_end(client: openai.OpenAI) -> None:
    """Calls and results of the whole conversation count, not only those of the last request."""
    schema: Any = {"type": "object", "properties": {"city": {"type": "string"}}}
    tools: Any = [{"type": "function", "name": name, "parameters": schema} for name in ("weather", "time", "news")]
    options: Any = {"model": MODEL, "tools": tools, "parallel_tool_calls": False}
    response = client.responses.create(input="one", **options)
    called = []
    while (item := response.output[0]).type == "function_call":
        called.append(item.name)
        result: Any = {"type": "function_call_output", "call_id": item.call_id, "output": "fine"}
        response = client.responses.create(input=[result], previous_response_id=response.id, **options)

    assert called == ["weather", "time"]
    assert response.output_text


def test_the_input_is_listed(client: openai.OpenAI) -> None:
    """Newest first, as items with ids."""
    given: Any = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    response = client.responses.create(model=MODEL, input=[*given, {"role": "user", "content": "c"}])

    items: list[Any] = list(client.responses.input_items.list(response.id))

    assert [item.content[0].text for item in items] == ["c", "b", "a"]
    assert len({item.id for item in items}) == 3


def test_a_background_response_is_polled_until_it_is_there(client: openai.OpenAI) -> None:
    """The first answer is empty; a client that waited gets the same text."""
    begun = client.responses.create(model=MODEL, input="one", background=True)
    until(lambda: client.responses.retrieve(begun.id).status == "completed")
    done = client.responses.retrieve(begun.id)

    assert (begun.status in ("queued", "in_progress"), begun.background, begun.output) == (True, True, [])
    assert done.output_text
    assert client.responses.cancel(begun.id).status == "completed"
    with pytest.raises(openai.BadRequestError, match="Background mode requires"):
        client.responses.create(model=MODEL, input="one", background=True, store=False)


def test_a_background_response_waits_for_a_slot_and_can_be_cancelled(serve: Serve) -> None:
    """Queued behind another one; when that is cancelled its slot is free."""
    served = serve(slots=1, abandoned_work="stops", answer={"first_token": "1h"})
    with openai.OpenAI(base_url=f"{served.main}/v1", api_key="sk-free-1", max_retries=0) as client:
        first = client.responses.create(model=MODEL, input="one", background=True)
        second = client.responses.create(model=MODEL, input="two", background=True)
        assert (first.status, second.status) == ("in_progress", "queued")

        assert client.responses.cancel(first.id).status == "cancelled"

        until(lambda: client.responses.retrieve(second.id).status == "in_progress")
        assert client.responses.retrieve(first.id).status == "cancelled"


def test_only_background_responses_are_cancelled(client: openai.OpenAI) -> None:
    """400, as OpenAI has it."""
    response = client.responses.create(model=MODEL, input="one")

    with pytest.raises(openai.BadRequestError, match="Cannot cancel a synchronous response"):
        client.responses.cancel(response.id)


def test_faults_reach_what_runs_in_the_background(client: openai.OpenAI, served: Served) -> None:
    """A fault within the answer makes it fail; one at the edge is met by the polling client."""
    served.break_with(ErrorEvent.model_validate({"error_event": "server_error"}))
    begun = client.responses.create(model=MODEL, input="one", background=True)
    until(lambda: client.responses.retrieve(begun.id).status == "failed")
    failed = client.responses.retrieve(begun.id)
    served.break_with(HttpError.model_validate({"http_error": 503}))

    assert failed.error is not None
    assert failed.error.code == "server_error"
    for ask in (client.responses.retrieve, client.responses.cancel, client.responses.delete):
        with pytest.raises(openai.InternalServerError):
            ask(begun.id)


def test_the_oldest_are_forgotten() -> None:
    """All together have a bound in bytes."""
    stored, dialect = StoredResponses(), cast("StoringDialect", OpenAIResponses())
    ids = []
    for mark in range(50):
        question = Question(MODEL, storage=Storage(True, False, None, [], 2**20))
        meta = AnswerMetadata(question, mark, 0, 1)
        answer = Answer(Caller(""), mark, 1, 1, Pace(0.0, 0.0), ())
        stored.keep(StoredResponse(dialect, meta, answer, (Choice((Part("text", ("x",)),)),), "completed"))
        ids.append(dialect.id_of(meta))

    kept = [id_ for id_ in ids if is_kept(stored, id_)]

    assert kept == ids[-len(kept) :]
    assert MOST * 0.9 < len(kept) * 2**20 <= MOST


def is_kept(stored: StoredResponses, id_: str) -> bool:
    """Whether it can still be asked for."""
    try:
        return stored.of(id_) is not None
    except ProviderError:
        return False


def test_a_queued_response_is_no_blank_answer() -> None:
    """The recorder of requests takes it for what it is: the client comes back for the text."""
    dialect = OpenAIResponses()
    reader = dialect.reader(False)

    reader.part(dialect.unfinished(AnswerMetadata(Question(MODEL), 1, 0, 1), "queued") + b"\n", 0.0)

    assert reader.outcome == "ok"
