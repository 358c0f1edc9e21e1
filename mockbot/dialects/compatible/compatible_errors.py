"""The shapes of the errors of providers that speak OpenAI's API: what an error says in, its JSON out. Pure.

Their sources are those of the table that names them.
"""

from typing import NamedTuple

from mockbot.dialects.dialect import AnswerMetadata, Json
from mockbot.dialects.openai import error_bodies as openai_errors


class Described(NamedTuple):
    """What an error says; `id` names its request."""

    status: int
    message: str
    type: str | None
    code: str | int | None
    param: str | None
    id: str


def nested(error: Described) -> Json:
    """OpenAI's own."""
    return {"error": {"message": error.message, "type": error.type, "param": error.param, "code": error.code}}


def without_code(error: Described) -> Json:
    """No parameter is named, and a code only where there is one."""
    code = {} if error.code is None else {"code": error.code}
    return {"error": {"message": error.message, "type": error.type, **code}}


def flat(error: Described) -> Json:
    """Two texts."""
    return {"code": error.code, "error": error.message}


def mistrals(error: Described) -> Json:
    """An object that says that it is one; the gateway before it answers a wrong key."""
    if error.status == 401:
        return {"message": "Unauthorized", "request_id": error.id}
    described = {"message": error.message, "type": error.type, "param": error.param, "code": error.code}
    return {"object": "error", **described, "raw_status_code": error.status}


def openrouters(error: Described) -> Json:
    """The code is the status, or that of the provider behind it when the status was 200 already."""
    code = 502 if error.status == 200 else error.status
    return {"error": {"message": error.message, "code": code}, "user_id": "user_mockbot"}


def openais_event(meta: AnswerMetadata, code: str) -> Json:  # noqa: ARG001 - another one's names the answer
    """The error within a stream, as OpenAI has it."""
    return {"error": openai_errors.event(code)}


def openrouters_event(meta: AnswerMetadata, code: str) -> Json:
    """A chunk that ends the choice and has the error beside it."""
    choice = {"index": 0, "delta": {"content": ""}, "finish_reason": "error"}
    chunk = {"id": meta.name("gen-"), "object": "chat.completion.chunk", "created": meta.created}
    error = {"code": code, "message": "Provider disconnected"}
    return {**chunk, "model": meta.question.model, "provider": "mockbot", "error": error, "choices": [choice]}
