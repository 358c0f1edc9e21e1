"""The `ask:` of a system file: how an endpoint of the user's own is asked, and how its answer is read. Pure.

request = ask.request.filled({"prompt": ..., "user": ..., "group": ..., "key": ...})
reader = ask.reader()            lines of the body in; its text, its outcome and what could not be read out
ask.degraded(status, text)       an apology is an answer, and not a good one
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

import jsonpath
from pydantic import AfterValidator, ConfigDict, Field, model_validator

from mockbot.testbed.system.application_readers import ApplicationReader, EventReader, JsonReader, StreamReader
from mockbot.testbed.system.names import filled
from mockbot.units.frozen_model import Model, Spec, Whole


def _compiles(path: str) -> str:
    try:
        jsonpath.compile(path)
    except jsonpath.JSONPathError as error:
        raise ValueError(f"{path!r} is not a JSONPath: {str(error).splitlines()[0]}") from None
    return path


JsonPath = Annotated[str, AfterValidator(_compiles)]


class AskRequest(Model):
    """One request for one prompt. `{prompt}`, `{user}`, `{group}` and `{key}` are known in every string."""

    model_config = ConfigDict(populate_by_name=True)  # for its own JSON

    method: Literal["GET", "POST", "PUT", "PATCH"] = "POST"
    path: str = Field("/", pattern=r"^/")
    headers: dict[str, str] = Field(default_factory=dict)
    json_: Any = Field(None, alias="json", description="the body, as JSON")
    form: dict[str, str] | None = Field(None, description="the body, URL-encoded")
    text: str | None = Field(None, description="the body, as plain text")

    @model_validator(mode="after")
    def _one_body(self) -> "AskRequest":
        given = [name for name, body in (("json", self.json_), ("form", self.form), ("text", self.text)) if body]
        if len(given) > 1:
            raise ValueError(f"has {' and '.join(given)}; a request has one body")
        if "{prompt}" not in self.model_dump_json():
            raise ValueError("{prompt} is nowhere in the request, so every prompt would ask the same")
        return self

    def filled(self, names: Mapping[str, str]) -> "AskRequest":
        """The request of one prompt."""
        quoted = {name: quote(value, safe="") for name, value in names.items()}
        return self.model_copy(update={**filled(dict(self), names), "path": filled(self.path, quoted)})

    def body(self) -> tuple[str, bytes]:
        """Its content type and its bytes; both empty without a body."""
        if self.json_ is not None:
            return "application/json", json.dumps(self.json_).encode()
        if self.form is not None:
            return "application/x-www-form-urlencoded", urlencode(self.form).encode()
        return ("text/plain; charset=utf-8", self.text.encode()) if self.text is not None else ("", b"")


class EventStream(Spec):
    """Server-sent events; each `data` is JSON that has a piece of the text at this path, or with `$` is the piece."""

    main = "data"
    data: JsonPath
    ends: str | None = Field(None, description="the data of the event that ends the answer, for instance [DONE]")


class JsonLines(Spec):
    """One JSON value a line, each with a piece of the text at this path."""

    main = "data"
    data: JsonPath
    ends: JsonPath | None = Field(None, description="a path that is only in the line that ends the answer")


class AnswerForm(Model):
    """Where an answer's text is. Exactly one of these."""

    model_config = ConfigDict(populate_by_name=True)  # for its own JSON

    json_: JsonPath | None = Field(None, alias="json", description="the path of the text in a JSON document")
    text: Literal[True] | None = Field(None, description="the body is the text")
    sse: EventStream | None = None
    ndjson: JsonLines | None = None

    @model_validator(mode="after")
    def _one_form(self) -> "AnswerForm":
        forms = {"json": self.json_, "text": self.text, "sse": self.sse, "ndjson": self.ndjson}
        given = [name for name, form in forms.items() if form is not None]
        if len(given) != 1:
            found = f"has {' and '.join(given)}" if given else "says nothing"
            raise ValueError(f"{found}; say one of {', '.join(forms)}, for instance 'json: $.answer'")
        return self


class DegradedWhen(Model):
    """What makes an answer one that did not help its user, although it came."""

    status: tuple[Whole, ...] = ()
    text: str | None = Field(None, min_length=1, description="a part of the answer's text, as it is written")


class Ask(Model):
    """How the system is asked, and how its answer is read."""

    request: AskRequest
    answer: AnswerForm
    degraded_when: DegradedWhen = DegradedWhen()

    @property
    def streams(self) -> bool:
        """Whether the text comes in pieces."""
        return self.answer.sse is not None or self.answer.ndjson is not None

    def reader(self) -> ApplicationReader:
        """A reader for one answer."""
        match self.answer:
            case AnswerForm(sse=EventStream(data=path, ends=ends)):
                return EventReader(path, ends)
            case AnswerForm(ndjson=JsonLines(data=path, ends=ends)):
                return StreamReader(path, ends)
            case AnswerForm(json_=str(path)):
                return JsonReader(path)
        return ApplicationReader()

    def degraded(self, status: int, text: str) -> bool:
        """Whether this answer is an apology."""
        when = self.degraded_when
        return status in when.status or (when.text is not None and when.text in text)
