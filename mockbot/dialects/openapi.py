"""The parts that the dialects' OpenAPI descriptions share: JSON schemas of request bodies, and the responses."""

from collections.abc import Mapping

Schema = Mapping[str, object]

RESPONSES: Mapping[int | str, dict[str, object]] = {
    200: {"description": "The answer, or its events", "content": {"application/json": {}, "text/event-stream": {}}},
    400: {"description": "Not a request that can be understood"},
    401: {"description": "No usable API key"},
    404: {"description": "No such model"},
    408: {"description": "The body did not arrive in time"},
    413: {"description": "Too large"},
    429: {"description": "Over a limit; Retry-After is the true wait"},
    500: {"description": "A fault of the scenario"},
    503: {"description": "No capacity, or a fault of the scenario"},
}
ANY_OBJECT: Schema = {"type": "object", "additionalProperties": True}
NULLABLE_BOOLEAN: Schema = {"type": ["boolean", "null"]}
NULLABLE_OBJECT: Schema = {"type": ["object", "null"]}


def object_schema(required: list[str], properties: Schema) -> Schema:
    """An object that must have the `required` properties."""
    return {"type": "object", "required": required, "properties": properties}
