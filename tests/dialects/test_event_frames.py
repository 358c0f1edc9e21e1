"""Amazon's event stream, held against botocore's own decoder, in pieces of any size."""

from typing import Any

import pytest
from botocore.eventstream import EventStreamBuffer

from mockbot.dialects.bedrock.event_frames import damaged, event, exception
from mockbot.dialects.families import FAMILIES

READER = FAMILIES["bedrock"].chat.reader
DELTA = event("contentBlockDelta", b'{"contentBlockIndex":0,"delta":{"text":"hi\\n"}}')
STOP = event("messageStop", b'{"stopReason":"end_turn"}')
END = event("metadata", b'{"usage":{},"metrics":{}}')


def test_botocore_reads_what_is_written() -> None:
    """Headers and payloads, with their checksums."""
    buffer: Any = EventStreamBuffer()
    buffer.add_data(DELTA + exception("throttlingException", "slowly"))
    first, second = buffer

    assert first.headers == {
        ":event-type": "contentBlockDelta", ":content-type": "application/json", ":message-type": "event"
    }  # fmt: skip
    assert second.headers[":exception-type"] == "throttlingException"
    assert second.payload == b'{"message": "slowly"}'


@pytest.mark.parametrize("size", [1, 3, 16, 1000])
@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (DELTA + STOP + END, "ok"),
        (STOP + END, "blank"),
        (DELTA + STOP, "truncated"),
        (DELTA + STOP + END[:-1], "truncated"),
        (DELTA + damaged("messageStop", b"{}") + END, "malformed"),
        (DELTA + b"\0\0\0\0" + END, "malformed"),
        (b"<!DOCTYPE html>", "malformed"),
        (DELTA + exception("internalServerException", ""), "error_event"),
    ],
)
def test_a_stream_is_read_in_pieces_of_any_size(body: bytes, outcome: str, size: int) -> None:
    """Its outcome does not depend on where the pieces end."""
    reader = READER(True)
    for begin in range(0, len(body), size):
        reader.part(body[begin : begin + size], 1.0)

    assert reader.outcome == outcome
    assert reader.over or reader.wanted > 0
