"""What OpenAI's endpoints have in common: headers, errors, and how a request offers tools and output formats."""

from collections.abc import Iterable, Mapping

from mockbot.dialects.dialect import Allowance, Header, Json, ProviderError, Reason, Tool
from mockbot.dialects.openai import error_bodies as openai_errors
from mockbot.dialects.openapi import RESPONSES, object_schema
from mockbot.dialects.reading import field, wrong_type

_ORGANIZATION = (b"openai-organization", b"mockbot")
_VERSION = (b"openai-version", b"2020-10-01")
_LIMIT_HEADERS = {
    unit: tuple(f"x-ratelimit-{what}-{unit}".encode() for what in ("limit", "remaining", "reset"))
    for unit in ("requests", "tokens")
}
_JSON_OBJECT = object_schema(["answer"], {"answer": {"type": "string"}})


class OpenAIEndpoint:
    """Headers and errors, the same at every endpoint of OpenAI's."""

    responses = RESPONSES
    keepalive = b": keepalive\n\n"

    def headers(self, mark: int, millis: int, allowances: tuple[Allowance, ...], speed: float) -> list[Header]:
        """Request id, time, version, and the true state of the key's limits when it has any."""
        headers = [
            (b"x-request-id", b"req_%016x%016x" % (mark, mark ^ 0x9E3779B97F4A7C15)),
            (b"openai-processing-ms", b"%d" % millis),
            _VERSION,
            _ORGANIZATION,
        ]
        for unit, limit, remaining, reset, *_ in allowances:
            names = _LIMIT_HEADERS[unit]
            headers += zip(names, (b"%d" % limit, b"%d" % remaining, duration(reset / speed)), strict=True)
        return headers

    def refusal(self, reason: Reason, retry_after: float | None) -> ProviderError:
        """Limits are 429, without a wait for what no wait can help; a lack of capacity is 503."""
        match reason:
            case "rate_limited":
                return ProviderError(429, "rate_limit_exceeded", retry_after=retry_after)
            case "token_limited":
                return ProviderError(429, "token_limit_exceeded", retry_after=retry_after)
            case "too_large":
                return ProviderError(429, "token_limit_exceeded")
        return ProviderError(503, "server_is_overloaded", retry_after=retry_after)

    def error(self, error: ProviderError, mark: int) -> bytes:  # noqa: ARG002 - other dialects name the request in it
        """OpenAI's error object."""
        return openai_errors.body(error)

    def error_headers(self, status: int) -> list[Header]:  # noqa: ARG002 - the same for all
        """None; whether OpenAI sends x-should-retry is not known."""
        return []


def duration(seconds: float) -> bytes:
    """As in OpenAI's reset headers: 12ms, 1.5s, 6m0s, 2m52.8s, 1h0m0s."""
    if seconds < 1:
        return b"%dms" % round(seconds * 1000)
    hours, rest = divmod(round(seconds, 3), 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{rest:.3f}".rstrip("0").rstrip(".") + "s"
    if hours or minutes:
        text = f"{int(minutes)}m{text}"
    return (f"{int(hours)}h{text}" if hours else text).encode()


def tool_called(data: Json, offered: Iterable[Tool], answered: bool) -> Tool | None:
    """The function to call now: the one that `tool_choice` names, else the first one until its result is there."""
    functions = {tool.name: tool for tool in offered}
    choice = data.get("tool_choice")
    if not functions or choice == "none":
        return None
    if isinstance(choice, dict):
        named = choice.get("name") or (choice.get("function") or {}).get("name")
        if named is not None and named not in functions:
            message = f"Tool choice '{named}' not found in 'tools' parameter."
            raise ProviderError(400, "invalid_value", message, param="tool_choice")
        if named is not None:
            return functions[named]
    return None if answered and choice != "required" else next(iter(functions.values()))


def function_of(where: str, data: object) -> Tool:
    """A function as it is offered."""
    if not isinstance(data, dict):
        raise wrong_type(where, dict, data)
    name = field(data, "name", str, required=True, within=where)
    return Tool(name, field(data, "parameters", dict, within=where) or {"type": "object", "properties": {}})


def output_schema(format_: object, where: str) -> Mapping[str, object] | None:
    """The schema that a text answer must satisfy; None when any text will do."""
    if not isinstance(format_, dict):
        return None
    match format_.get("type"):
        case "json_object":
            return _JSON_OBJECT
        case "json_schema":
            inner = format_.get("json_schema") if "json_schema" in format_ else format_
            if not isinstance(inner, dict):
                message = f"Missing required parameter: '{where}.json_schema'."
                raise ProviderError(400, "missing_required_parameter", message, param=where)
            return field(inner, "schema", dict, within=where) or {"type": "object", "properties": {}}
    return None
