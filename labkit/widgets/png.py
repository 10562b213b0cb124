"""Writes PNG fast: for a picture that is drawn anew while a slider is dragged, and isn't kept.

Pillow, through matplotlib, needs twice as long for the same size, because it looks for the best filter of each row;
and while zlib works here, other threads run, such as those that fire a burst (tests/benchmarks/bench_explorer.py).

https://www.w3.org/TR/png-3/
"""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TRUECOLOUR, _BITS = 2, 8
_FASTEST = 1


def png(pixels: NDArray[np.uint8], description: str) -> bytes:
    r"""An image.

    Args:
        pixels: rows of pixels of red, green and blue; what comes after these isn't kept.
        description: the image in words, kept in it.

    >>> png(np.zeros((2, 3, 4), dtype=np.uint8), "black")[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    height, width = pixels.shape[:2]
    rows = np.zeros((height, 1 + 3 * width), dtype=np.uint8)  # each begins with its filter: none
    rows[:, 1:].reshape(height, width, 3)[...] = pixels[:, :, :3]
    head = struct.pack(">IIBBBBB", width, height, _BITS, _TRUECOLOUR, 0, 0, 0)
    text = b"Description\0\0\0\0\0" + description.encode()
    return b"".join(
        [
            _SIGNATURE,
            _chunk(b"IHDR", head),
            _chunk(b"iTXt", text),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), _FASTEST)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(name: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )
