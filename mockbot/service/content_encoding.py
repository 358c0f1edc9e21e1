"""A packed request body and its Content-Encoding in, the plain body out; no more is unpacked than a body may have."""

import zlib

from mockbot.dialects.dialect import ProviderError

_EITHER = zlib.MAX_WBITS | 32  # zlib finds out which of gzip and deflate it is


def unpacked(body: bytes, encoding: bytes, largest: int) -> bytes:
    """Bodies in gzip and deflate; any other as it is. ProviderError(413) for more than `largest` bytes.

    What is not packed as it says is given back as it is, to be refused as no JSON.
    """
    if encoding.strip().lower() not in {b"gzip", b"x-gzip", b"deflate"}:
        return body
    unpacker = zlib.decompressobj(_EITHER)
    try:
        plain = unpacker.decompress(body, largest + 1)
    except zlib.error:
        return body
    if len(plain) > largest:
        raise ProviderError(413)
    return plain if unpacker.eof else body
