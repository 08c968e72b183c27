"""What a door says to the process of its console, over the socket that is that process's input."""

from __future__ import annotations

import asyncio
import pickle
import socket
from enum import Enum
from typing import Final

from shared.settings import Settings

_LENGTH_BYTES: Final = 8


class ControlSign(Enum):
    """One byte each. With `CONNECTION` comes the other end of one; the end of all is the door's."""

    CONNECTION = b"c"
    NOTICE = b"n"
    BROKER_IS_WELL = b"+"
    BROKER_IS_AWAY = b"-"


async def tell_settings(control: socket.socket, settings: Settings) -> None:
    """The first that is said. With its secrets, and so by no argument and no file."""
    told = pickle.dumps(settings)
    head = len(told).to_bytes(_LENGTH_BYTES, "big")
    await asyncio.get_running_loop().sock_sendall(control, head + told)


def hear_settings(control: socket.socket) -> Settings:
    """What `tell_settings` told; raises EOFError where the door is gone."""
    length = int.from_bytes(_exactly(control, _LENGTH_BYTES), "big")
    told: Settings = pickle.loads(_exactly(control, length))  # noqa: S301 - from who started us
    return told


def _exactly(control: socket.socket, size: int) -> bytes:
    heard = b""
    while len(heard) < size:
        piece = control.recv(size - len(heard))
        if not piece:
            raise EOFError
        heard += piece
    return heard
