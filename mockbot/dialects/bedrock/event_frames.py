"""Amazon's event stream: the messages of `application/vnd.amazon.eventstream`, written and read.

    total length (4) | length of headers (4) | CRC32 of both (4) | headers | payload | CRC32 of all before (4)
    header: length of name (1) | name | type (1) | value; of type 7, a string: its length (2), and UTF-8

Numbers are big-endian. Headers name what a message is: `:message-type` event with its `:event-type`, or exception with
its `:exception-type`. Sources: smithy.io/2.0/aws/amazon-eventstream.html; docs.aws.amazon.com/transcribe/latest/dg/
streaming-setting-up.html, "Event stream encoding". The format has no comment, so nothing can keep a silent stream open.
"""

import json
import struct
from binascii import crc32
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from mockbot.dialects.stream_readers import NOT_PROMISED, Reader

MEDIA_TYPE = b"application/vnd.amazon.eventstream"
_AROUND = 16  # bytes of a message beside its headers and its payload
_LARGEST = 24 * 2**20  # of a message, as botocore's eventstream.py has it
_FIXED = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}  # bytes of a value, by type
_STRING, _WITH_LENGTH = 7, (6, 7)


def event(kind: str, payload: bytes) -> bytes:
    """One event with a payload of JSON."""
    return _message(_headers("event", kind), payload)


def exception(kind: str, message: str) -> bytes:
    """An error that ends the stream."""
    return _message(_headers("exception", kind), json.dumps({"message": message}).encode())


def damaged(kind: str, payload: bytes) -> bytes:
    """An event whose checksum is wrong."""
    whole = event(kind, payload)
    return whole[:-1] + bytes([whole[-1] ^ 1])


def _message(headers: bytes, payload: bytes) -> bytes:
    prelude = struct.pack(">II", _AROUND + len(headers) + len(payload), len(headers))
    message = b"%b%b%b%b" % (prelude, crc32(prelude).to_bytes(4), headers, payload)
    return message + crc32(message).to_bytes(4)


@cache
def _headers(message: str, kind: str) -> bytes:
    values = {f":{message}-type": kind, ":content-type": "application/json", ":message-type": message}
    return b"".join(
        bytes([len(name)]) + name.encode() + bytes([_STRING]) + len(value).to_bytes(2) + value.encode()
        for name, value in values.items()
    )


@dataclass(slots=True)
class FrameReader(Reader):
    """A stream of messages. An exception is an error event; a wrong checksum or length is malformed."""

    _held: bytearray = field(default_factory=bytearray)

    @property
    def wanted(self) -> int:
        held = len(self._held)
        return 4 - held if held < 4 else int.from_bytes(self._held[:4]) - held

    def part(self, part: bytes, now: float) -> None:
        if not self.over:
            self.line(part, now)

    def line(self, line: bytes, now: float) -> None:
        self._held += line
        while not self.over and len(self._held) >= 4:
            total = int.from_bytes(self._held[:4])
            if not _AROUND <= total <= _LARGEST:
                self.fail("malformed")
            elif len(self._held) < total:
                return
            else:
                message = bytes(self._held[:total])
                del self._held[:total]
                try:
                    self._read(message, now)
                except (*NOT_PROMISED, struct.error):
                    self.fail("malformed")

    def _read(self, message: bytes, now: float) -> None:
        total, length, prelude = struct.unpack_from(">III", message)
        if crc32(message[:8]) != prelude or crc32(message[:-4]) != int.from_bytes(message[-4:]):
            raise ValueError("checksum")
        headers = _strings(message[12 : 12 + length])
        if headers[":message-type"] != "event":
            self.fail("error_event")
            return
        self.event(headers[":event-type"], json.loads(message[12 + length : total - 4]), now)

    def event(self, kind: str, payload: Any, now: float) -> None:
        """One event; may raise one of NOT_PROMISED."""
        raise NotImplementedError


def _strings(headers: bytes) -> dict[str, str]:
    """The headers whose value is a string."""
    found, at = {}, 0
    while at < len(headers):
        begin = at + 1
        at = begin + headers[at]
        name, kind = headers[begin:at].decode(), headers[at]
        begin = at + 1
        if kind in _WITH_LENGTH:
            begin += 2
            at = begin + int.from_bytes(headers[begin - 2 : begin])
        else:
            at = begin + _FIXED[kind]
        if kind == _STRING:
            found[name] = headers[begin:at].decode()
    return found
