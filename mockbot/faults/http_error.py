"""http_error: requests are answered with an error instead of an answer."""

import json
import re
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, Field, JsonValue, SerializerFunctionWrapHandler, model_serializer, model_validator

from mockbot.faults.base import ServiceFault
from mockbot.faults.effects import EdgeAnswer
from mockbot.units.frozen_model import Spec, Whole
from mockbot.units.quantities import Duration, WaitForm

FORMS: tuple[WaitForm, ...] = get_args(WaitForm)
MOST_CHARACTERS = 1000  # of one header; common servers and clients take 8,000 for all
_HEADER = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")  # a token of RFC 9110 section 5.6.2, in lower case
_OWN_KEYS = {
    "retry-after": "retry_after: 30s or {date: 30s}",
    "retry-after-ms": "retry_after: {ms: 700ms}",
}
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection", "date"})  # the server's


def _header_value(text: str) -> str:
    if not (text.isascii() and text.isprintable()) or len(text) > MOST_CHARACTERS:
        raise ValueError(f"is no value of a header: one line of at most {MOST_CHARACTERS} ASCII characters")
    return text


HeaderValue = Annotated[str, AfterValidator(_header_value)]


class RetryAfterSpec(Spec):
    """For how long to wait: in whole seconds, as an HTTP-date, or in retry-after-ms alone."""

    main = "seconds"
    seconds: Duration | None = None
    date: Duration | None = None
    ms: Duration | None = None

    @model_validator(mode="after")
    def _one(self) -> "RetryAfterSpec":
        if sum(getattr(self, form) is not None for form in FORMS) != 1:
            raise ValueError("write one of 30s, {date: 30s} and {ms: 700ms}")
        return self

    @model_serializer(mode="wrap")
    def _short(self, write: SerializerFunctionWrapHandler) -> Any:
        written = write(self)
        return written if self.seconds is None else written["seconds"]


class HttpErrorSpec(Spec):
    """An error response: the provider's own body and headers, unless they are given."""

    main = "status"
    status: Whole = Field(ge=400, le=599)
    code: str | None = Field(
        None, description="which of the known bodies for this status, such as slow_down or insufficient_quota"
    )
    retry_after: RetryAfterSpec | None = None
    headers: dict[str, HeaderValue] = Field(
        default_factory=dict, max_length=50, description="sent beside or instead of the provider's own"
    )
    body: Literal["json", "html"] | dict[str, JsonValue] = Field(
        "json", description="the provider's own, a CDN's page, or a JSON object to send"
    )
    text: str | None = Field(None, description="a body that is no JSON, as text/plain unless a header says otherwise")

    @model_validator(mode="after")
    def _sendable(self) -> "HttpErrorSpec":
        for name in map(str.lower, self.headers):
            if name in _OWN_KEYS:
                raise ValueError(f"{name!r} is no header to give here, for it follows speed; write {_OWN_KEYS[name]}")
            if name in _FRAMING or not _HEADER.fullmatch(name):
                raise ValueError(f"{name!r} is no header that can be given: it is the server's own, or no name")
        if self.text is not None and self.body != "json":
            raise ValueError("has both 'body' and 'text'; an answer has one of them")
        return self


class HttpError(ServiceFault):
    kind = "http_error"
    plain = "{} answered with errors"

    http_error: HttpErrorSpec

    def effect(self) -> EdgeAnswer:
        spec, wait = self.http_error, self.http_error.retry_after
        headers = {name.lower(): value for name, value in spec.headers.items()}
        body = spec.text
        if body is not None:
            headers = {"content-type": "text/plain; charset=utf-8", **headers}
        elif isinstance(spec.body, dict):
            body = json.dumps(spec.body)
        answer = EdgeAnswer(spec.status, spec.code, None, spec.body == "html", headers=(*headers.items(),), body=body)
        for form in FORMS if wait is not None else ():
            if (seconds := getattr(wait, form)) is not None:
                return answer._replace(retry_after=seconds, wait_form=form)
        return answer
