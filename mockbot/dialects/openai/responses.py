"""OpenAI Responses: `POST /v1/responses`, plain and streamed. Wire facts: incidents_and_clients.md §4.1 and §4.4.

Events have an `event:` line and a `sequence_number`, and there is no `[DONE]`: response.created, response.in_progress;
for each item of the output response.output_item.added, what its kind has (below) and response.output_item.done; at last
response.completed (or response.incomplete).

    message           .content_part.added, .output_text.delta*, .output_text.done, .content_part.done
    function_call     .function_call_arguments.delta*, .function_call_arguments.done
    custom_tool_call  .custom_tool_call_input.delta*, .custom_tool_call_input.done
    reasoning         nothing, or with a summary .reasoning_summary_part.added, .reasoning_summary_text.delta*,
                      .reasoning_summary_text.done, .reasoning_summary_part.done

An error within a stream comes in three shapes: `flat` as the specification has it (openai-python hands it on as an
ordinary event), `nested` as captures have it (openai-python raises APIError), and `failed`, a response.failed event.
"""

import json
from json.encoder import encode_basestring_ascii
from typing import Any

from mockbot.dialects.answer_parts import Choice, Part, PartStream, Tool
from mockbot.dialects.dialect import (
    AnswerMetadata,
    Form,
    Json,
    Question,
    Shape,
    Stream,
)
from mockbot.dialects.openai import error_bodies as openai_errors
from mockbot.dialects.openai.chat_messages import check_items
from mockbot.dialects.openai.endpoint import OpenAIEndpoint
from mockbot.dialects.openai.openai_parameters import RESPONSES, check
from mockbot.dialects.openai.request_fields import (
    among,
    at_least,
    field,
    output_schema,
)
from mockbot.dialects.openai.response_objects import (
    item_id,
    output_item,
    output_text,
    probabilities,
    response_object,
    status_of,
    summary_text,
)
from mockbot.dialects.openai.responses_request import calls, echo, input_items, listed_item, reasoning, storage
from mockbot.dialects.openapi import ANY_OBJECT, NULLABLE_BOOLEAN, NULLABLE_OBJECT, object_schema
from mockbot.dialects.prompt_prefixes import Block, prefixes
from mockbot.dialects.reading import count_tokens, json_length, json_object, prompt_tokens, text_length
from mockbot.dialects.stream_readers import EventReader, Reader, WholeReader


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
            "parallel_tool_calls": NULLABLE_BOOLEAN,
            "text": NULLABLE_OBJECT,
            "reasoning": NULLABLE_OBJECT,
            "include": {"type": ["array", "null"], "items": {"type": "string"}},
            "top_logprobs": {"type": ["integer", "null"], "minimum": 0, "maximum": 20},
            "service_tier": {"type": ["string", "null"]},
        },
    )

    def read(self, body: bytes, model: str | None = None) -> Question:
        question = super().read(body, model)
        kept = question.storage
        return question if kept is None else question._replace(storage=kept._replace(size=len(body)))

    def question(self, data: Json, model: str) -> Question:
        items = input_items(data)
        not_done = check(data, self.parameters)
        check_items(items, begins=data.get("previous_response_id") is None)
        instructions: str = field(data, "instructions", str) or ""
        text: Json = field(data, "text", dict) or {}
        include = field(data, "include", list) or []
        top = among(data, "top_logprobs", 0, 20)
        blocks = [
            Block(instructions, len(instructions)),
            *(Block(each, text_length(each.get("content"))) for each in items),
        ]
        return Question(
            model=model,
            stream=bool(field(data, "stream", bool)),
            max_tokens=at_least(data, "max_output_tokens", 16),
            prompt_tokens=prompt_tokens(sum(each.characters for each in blocks), len(items))
            + count_tokens(json_length(data.get("tools"))),
            form=Form(
                calls=calls(data, items),
                schema=output_schema(text.get("format"), "text.format"),
                thinking=reasoning(data, include),
                logprobs=top if top is not None or "message.output_text.logprobs" not in include else 0,
            ),
            prefixes=prefixes(model, blocks),
            echo=echo(data, text),
            not_done=not_done,
            storage=storage(data, items),
        )

    def whole(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> bytes:
        response = response_object(
            meta, status_of(choices[0]), self.output(meta, choices), choices[0].tokens("thinking")
        )
        return json.dumps(response, separators=(",", ":")).encode()

    def output(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> list[Json]:
        parts = choices[0].parts
        statuses = ["completed"] * (len(parts) - 1) + [status_of(choices[0])]
        return [output_item(meta, number, part, part.text, statuses[number]) for number, part in enumerate(parts)]

    def calls_after(self, body: bytes, before: list[Json]) -> tuple[Tool, ...]:
        data = json_object(body, openai_errors.NOT_JSON)
        return calls(data, [*before, *input_items(data)])

    def stream(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> Stream:
        return _ResponseStream(meta, choices)

    def id_of(self, meta: AnswerMetadata) -> str:
        return meta.name("resp_")

    def unfinished(self, meta: AnswerMetadata, status: str) -> bytes:
        return json.dumps(response_object(meta, status, []), separators=(",", ":")).encode()

    def items(self, meta: AnswerMetadata) -> list[dict[str, object]]:
        given = () if meta.question.storage is None else meta.question.storage.items
        return [listed_item(item, meta.name("msg_", number)) for number, item in enumerate(given, 1)]

    def reader(self, streamed: bool) -> Reader:
        return _ResponseReader() if streamed else WholeReader(text_of=_text)


_DELTA = {
    "text": "output_text",
    "thinking": "reasoning_summary_text",
    "function": "function_call_arguments",
    "custom": "custom_tool_call_input",
}


class _ResponseStream(PartStream):
    """One streamed response. There is one choice, whose parts are the items of the output."""

    __slots__ = ("_delta", "_meta", "_number", "_output", "_text")

    def __init__(self, meta: AnswerMetadata, choices: tuple[Choice, ...]) -> None:
        super().__init__(choices)
        self._meta, self._number, self._text, self._delta = meta, 0, "", ""
        self._output: list[Json] = []

    def _event(self, kind: str, **values: object) -> bytes:
        data = {"type": kind, "sequence_number": self._number, **values}
        self._number += 1
        return f"event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()

    def start(self) -> bytes:
        started = response_object(self._meta, "in_progress", [])
        return self._event("response.created", response=started) + self._event("response.in_progress", response=started)

    def _place(self, number: int) -> dict[str, object]:
        part = self.choices[0].parts[number]
        within = {"text": {"content_index": 0}, "thinking": {"summary_index": 0}, "call": {}}[part.kind]
        return {"item_id": item_id(self._meta, number, part), "output_index": number, **within}

    def begin(self, index: int, number: int) -> bytes:  # noqa: ARG002
        part, place, self._text = self.choices[0].parts[number], self._place(number), ""
        item = output_item(self._meta, number, part, "", "in_progress")
        item |= {"text": {"content": []}, "thinking": {"summary": []}, "call": {}}[part.kind]  # added by further events
        events = self._event("response.output_item.added", output_index=number, item=item)
        if part.kind == "text":
            events += self._event("response.content_part.added", **place, part=output_text(self._meta, "", ()))
        elif part.kind == "thinking" and self._meta.shows_thoughts:
            events += self._event("response.reasoning_summary_part.added", **place, part=summary_text(""))
        kind = f"response.{_DELTA[part.tool.kind if part.tool else part.kind]}.delta"
        described = json.dumps(place, separators=(",", ":"))[1:-1]
        self._delta = f'event: {kind}\ndata: {{"type":"{kind}",{described},"sequence_number":'
        return events

    def piece(self, index: int, number: int, tokens: tuple[str, ...]) -> bytes:  # noqa: ARG002
        part, text = self.choices[0].parts[number], "".join(tokens)
        if part.kind == "thinking" and not self._meta.shows_thoughts:
            return b""
        self._text += text
        event = f'{self._delta}{self._number},"delta":{encode_basestring_ascii(text)}'
        self._number += 1
        if part.kind != "text":
            return (event + "}\n\n").encode()
        return f'{event},"logprobs":{json.dumps(probabilities(self._meta, tokens))}}}\n\n'.encode()

    def end(self, index: int, number: int) -> bytes:  # noqa: ARG002
        meta, part, text, place = self._meta, self.choices[0].parts[number], self._text, self._place(number)
        events = b""
        match part:
            case Part("text"):
                content = output_text(meta, text, part.tokens if text else ())
                events = self._event("response.output_text.done", **place, text=text, logprobs=content["logprobs"])
                events += self._event("response.content_part.done", **place, part=content)
            case Part("thinking") if self._meta.shows_thoughts:
                events = self._event("response.reasoning_summary_text.done", **place, text=text)
                events += self._event("response.reasoning_summary_part.done", **place, part=summary_text(text))
            case Part("call", _, Tool(kind="custom")):
                events = self._event("response.custom_tool_call_input.done", **place, input=text)
            case Part("call", _, Tool(name=name)):
                events = self._event("response.function_call_arguments.done", **place, name=name, arguments=text)
        last = number == len(self.choices[0].parts) - 1
        item = output_item(meta, number, part, text, status_of(self.choices[0]) if last else "completed")
        self._output.append(item)
        return events + self._event("response.output_item.done", output_index=number, item=item)

    def finish(self) -> bytes:
        choice, status = self.choices[0], status_of(self.choices[0])
        response = response_object(self._meta, status, self._output, choice.tokens("thinking"))
        return self._event(f"response.{status}", response=response)

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
                    "response.failed",
                    response=response_object(self._meta, "failed", self._output) | {"error": described},
                )


class _ResponseReader(EventReader):
    """An error event in any of its three shapes is an error."""

    __slots__ = ()

    def data(self, data: bytes, now: float) -> None:
        event = json.loads(data)
        match event["type"]:
            case (
                "response.output_text.delta"
                | "response.function_call_arguments.delta"
                | "response.custom_tool_call_input.delta"
            ):
                self.token(event["delta"], now)
            case "response.completed" | "response.incomplete":
                self.finished = self.over = True
            case "error" | "response.failed":
                self.fail("error_event")


def _text(answer: Any) -> str:
    if answer["status"] in ("queued", "in_progress"):  # made in the background: the client asks again for its text
        return str(answer["status"])
    items = [item for item in answer["output"] if item["type"] != "reasoning"]
    parts = [part for item in items for part in item.get("content") or [item]]
    return "".join(part.get("text") or part.get("arguments") or part.get("input") or "" for part in parts)
