"""OpenAI Responses: `POST /v1/responses`, plain and streamed. Wire facts: incidents_and_clients.md §4.1 and §4.4.

Events have an `event:` line and a `sequence_number`, and there is no `[DONE]`: response.created, response.in_progress,
response.output_item.added, then for text response.content_part.added, response.output_text.delta*,
response.output_text.done, response.content_part.done, for a function call response.function_call_arguments.delta*,
....done, and at last response.output_item.done, response.completed (or response.incomplete).

An error within a stream comes in three shapes: `flat` as the specification has it (openai-python hands it on as an
ordinary event), `nested` as captures have it (openai-python raises APIError), and `failed`, a response.failed event.
"""

import json
from json.encoder import encode_basestring_ascii
from typing import Any

from mockbot.dialects.dialect import AnswerMetadata, Json, ProviderError, Question, Shape, Storage, Stream
from mockbot.dialects.openai import error_bodies as openai_errors
from mockbot.dialects.openai.chat_messages import check_items
from mockbot.dialects.openai.endpoint import OpenAIEndpoint
from mockbot.dialects.openai.openai_parameters import RESPONSES, check
from mockbot.dialects.openai.request_fields import at_least, field, function_of, output_schema, tool_called, wrong_type
from mockbot.dialects.openapi import ANY_OBJECT, NULLABLE_BOOLEAN, NULLABLE_OBJECT, object_schema
from mockbot.dialects.reading import prompt_tokens, text_length
from mockbot.dialects.stream_readers import EventReader, Reader, WholeReader

_CONSTANT: Json = {
    "instructions": None, "metadata": {}, "parallel_tool_calls": True,
    "reasoning": {"effort": None, "summary": None}, "service_tier": "default",
    "temperature": 1.0, "text": {"format": {"type": "text"}, "verbosity": "medium"},
    "tool_choice": "auto", "top_p": 1.0, "truncation": "disabled", "user": None,
}  # fmt: skip


class OpenAIResponses(OpenAIEndpoint):
    """Responses."""

    path = "/v1/responses"
    prompt_fields = ("instructions", "input", "previous_response_id", "user", "safety_identifier")
    parameters = RESPONSES
    malformed = b'event: response.output_text.delta\ndata: {"type":"response.outp\n\n'
    schema = object_schema(
        ["model", "input"],
        {
            "model": {"type": "string", "examples": ["gpt-4o-mini"]},
            "input": {"type": ["string", "array"], "items": ANY_OBJECT},
            "instructions": {"type": ["string", "null"]},
            "stream": NULLABLE_BOOLEAN,
            "max_output_tokens": {"type": ["integer", "null"], "minimum": 16},
            "tools": {"type": ["array", "null"], "items": ANY_OBJECT},
            "tool_choice": {},
            "text": NULLABLE_OBJECT,
        },
    )

    def read(self, body: bytes) -> Question:
        question = super().read(body)
        storage = question.storage
        return question if storage is None else question._replace(storage=storage._replace(size=len(body)))

    def question(self, data: Json, model: str) -> Question:
        items = _items(data)
        not_done = check(data, self.parameters)
        check_items(items, begins=data.get("previous_response_id") is None)
        instructions: str = field(data, "instructions", str) or ""
        text_format = (field(data, "text", dict) or {}).get("format")
        offered = [
            function_of(f"tools[{index}]", tool)
            for index, tool in enumerate(field(data, "tools", list) or [])
            if not isinstance(tool, dict) or tool.get("type") == "function"
        ]
        answered = bool(items) and items[-1].get("type") == "function_call_output"
        characters = len(instructions) + sum(text_length(item.get("content")) for item in items)
        return Question(
            model=model,
            stream=bool(field(data, "stream", bool)),
            max_tokens=at_least(data, "max_output_tokens", 16),
            prompt_tokens=prompt_tokens(characters, len(items)),
            tool=tool_called(data, offered, answered),
            schema=output_schema(text_format, "text.format"),
            not_done=not_done,
            storage=_storage(data, items),
        )

    def whole(self, meta: AnswerMetadata, text: str) -> bytes:
        status = "incomplete" if meta.cut_short else "completed"
        return json.dumps(_response(meta, status, [_item(meta, text, status)]), separators=(",", ":")).encode()

    def id_of(self, meta: AnswerMetadata) -> str:
        return meta.name("resp_")

    def unfinished(self, meta: AnswerMetadata, status: str) -> bytes:
        return json.dumps(_response(meta, status, []), separators=(",", ":")).encode()

    def items(self, meta: AnswerMetadata) -> list[dict[str, object]]:
        storage = meta.question.storage
        given = () if storage is None else storage.items
        return [_input_item(item, meta.name("msg_", number)) for number, item in enumerate(given, 1)]

    def stream(self, meta: AnswerMetadata) -> Stream:
        return _ResponseStream(meta)

    def reader(self, streamed: bool) -> Reader:
        return _ResponseReader() if streamed else WholeReader(text_of=_text)


class _ResponseStream:
    """One streamed response."""

    __slots__ = ("_delta", "_meta", "_number", "_text")

    def __init__(self, meta: AnswerMetadata) -> None:
        self._meta, self._number, self._text = meta, 0, ""
        kind = "output_text" if meta.question.tool is None else "function_call_arguments"
        place = '"content_index":0,' if meta.question.tool is None else ""
        self._delta = (
            f'event: response.{kind}.delta\ndata: {{"type":"response.{kind}.delta","item_id":"{_item_id(meta)}",'
            f'"output_index":0,{place}"sequence_number":'
        )

    def _event(self, kind: str, **values: object) -> bytes:
        data = {"type": kind, "sequence_number": self._number, **values}
        self._number += 1
        return f"event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()

    def opening(self) -> bytes:
        meta = self._meta
        started = _response(meta, "in_progress", [])
        events = self._event("response.created", response=started)
        events += self._event("response.in_progress", response=started)
        item = _item(meta, "", "in_progress")
        if meta.question.tool is None:
            item["content"] = []  # its part is added by an event of its own
        events += self._event("response.output_item.added", output_index=0, item=item)
        if meta.question.tool is None:
            events += self._event("response.content_part.added", **self._place(), part=_part(""))
        return events

    def _place(self) -> dict[str, object]:
        return {"item_id": _item_id(self._meta), "output_index": 0, "content_index": 0}

    def words(self, text: str) -> bytes:
        self._text += text
        event = f'{self._delta}{self._number},"delta":{encode_basestring_ascii(text)}'
        self._number += 1
        return (event + ("}\n\n" if self._meta.question.tool else ',"logprobs":[]}\n\n')).encode()

    def closing(self) -> bytes:
        meta, text, tool = self._meta, self._text, self._meta.question.tool
        if tool is None:
            events = self._event("response.output_text.done", **self._place(), text=text, logprobs=[])
            events += self._event("response.content_part.done", **self._place(), part=_part(text))
        else:
            done = "response.function_call_arguments.done"
            events = self._event(done, item_id=_item_id(meta), output_index=0, name=tool.name, arguments=text)
        status = "incomplete" if meta.cut_short else "completed"
        item = _item(meta, text, status)
        events += self._event("response.output_item.done", output_index=0, item=item)
        return events + self._event(f"response.{status}", response=_response(meta, status, [item]))

    def error(self, code: str, shape: Shape) -> bytes:
        error = openai_errors.event(code)
        match shape:
            case "nested":
                return self._event("error", error=error)
            case "flat":
                return self._event("error", code=error["code"], message=error["message"], param=None)
            case "failed":
                described = {"code": error["code"] or "server_error", "message": error["message"]}
                return self._event(
                    "response.failed", response=_response(self._meta, "failed", []) | {"error": described}
                )


class _ResponseReader(EventReader):
    """An error event in any of its three shapes is an error."""

    __slots__ = ()

    def data(self, data: bytes, now: float) -> None:
        event = json.loads(data)
        match event["type"]:
            case "response.output_text.delta" | "response.function_call_arguments.delta":
                self.token(event["delta"], now)
            case "response.completed" | "response.incomplete":
                self.finished = self.over = True
            case "error" | "response.failed":
                self.fail("error_event")


def _text(answer: Any) -> str:
    if answer["status"] in ("queued", "in_progress"):  # made in the background: the client asks again for its text
        return str(answer["status"])
    parts = [part for item in answer["output"] for part in item.get("content") or [item]]
    return "".join(part.get("text") or part.get("arguments") or "" for part in parts)


def _response(meta: AnswerMetadata, status: str, output: list[Json]) -> Json:
    question, storage, failed = meta.question, meta.question.storage, status == "failed"
    tool, tools = question.tool, list[Json]()
    if tool is not None:
        described = {"name": tool.name, "parameters": tool.parameters, "strict": True, "description": None}
        tools = [{"type": "function", **described}]
    usage = {
        "input_tokens": question.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": meta.tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": question.prompt_tokens + meta.tokens,
    }
    return {
        "id": meta.name("resp_"),
        "object": "response",
        "created_at": meta.created,
        "status": status,
        "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
        "max_output_tokens": question.max_tokens,
        "model": question.model,
        "output": output,
        "tools": tools,
        "usage": usage if status in ("completed", "incomplete") else None,
        **_CONSTANT,
        "error": {"code": "server_error", "message": openai_errors.row_of(500, None).message} if failed else None,
        "background": storage is not None and storage.background,
        "previous_response_id": None if storage is None else storage.previous,
        "store": storage is not None and storage.store,
    }


def _item_id(meta: AnswerMetadata) -> str:
    return meta.name("msg_" if meta.question.tool is None else "fc_")


def _item(meta: AnswerMetadata, text: str, status: str) -> Json:
    tool = meta.question.tool
    if tool is None:
        message = {"type": "message", "role": "assistant", "content": [_part(text)]}
        return {"id": _item_id(meta), "status": status, **message}
    call = {"type": "function_call", "call_id": meta.name("call_"), "name": tool.name, "arguments": text}
    return {"id": _item_id(meta), "status": status, **call}


def _part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _storage(data: Json, items: list[Json]) -> Storage | None:
    """What becomes of the response; None: nothing."""
    store, background = field(data, "store", bool) is not False, field(data, "background", bool) is True
    previous: str | None = field(data, "previous_response_id", str)
    if background and not store:
        message = "Background mode requires 'store' to be true."
        raise ProviderError(400, "invalid_value", message, param="background")
    return Storage(store, background, previous, items) if store or previous is not None else None


def _input_item(item: Json, id_: str) -> Json:
    """An item of the input as it is listed."""
    content = item.get("content")
    if isinstance(content, str):
        kind = "output_text" if item.get("role") == "assistant" else "input_text"
        item = {**item, "content": [{"type": kind, "text": content}]}
    return {"id": id_, "type": "message", "status": "completed", **item}


def _items(data: Json) -> list[Json]:
    given = data.get("input")
    if isinstance(given, str):
        return [{"role": "user", "content": given}]
    items: list[Any] = field(data, "input", list, required=True)
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise wrong_type(f"input[{index}]", dict, item)
    return items
