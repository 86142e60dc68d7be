"""Python's websockets as the peer, in either role.

Reads commands from stdin, one JSON object a line, and answers each with one line on stdout.
"""

import asyncio
import json
import ssl
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
from websockets.exceptions import InvalidStatus
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    ServerPerMessageDeflateFactory,
)


class Peer:
    def __init__(self):
        self.socket = None
        self.server = None
        self.arrivals = asyncio.Queue()

    async def connect(self, url, ca, deflate, subprotocols=(), headers=None, size_max=None):
        tls = ssl.create_default_context(cafile=ca) if url.startswith("wss:") else None
        try:
            self.socket = await connect(
                url,
                ssl=tls,
                proxy=None,
                ping_interval=None,
                subprotocols=subprotocols or None,
                additional_headers=headers or {},
                max_size=size_max,
                **compression(deflate, ClientPerMessageDeflateFactory),
            )
        except InvalidStatus as refusal:
            response = refusal.response
            return {"status": response.status_code, "body": response.body.decode()}
        return self.opened()

    async def listen(
        self, tls, deflate, subprotocol=None, headers=None, refusal=None, size_max=None
    ):
        if self.server:
            self.server.close(close_connections=False)
        context = None
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls["chain"], tls["key"])

        async def handle(socket):
            self.arrivals.put_nowait(socket)
            await socket.wait_closed()

        def refuse(connection, request):
            if refusal:
                return connection.respond(refusal["status"], refusal["body"])

        def add_headers(connection, request, response):
            response.headers.update(headers or {})

        self.server = await serve(
            handle,
            "127.0.0.1",
            0,
            ssl=context,
            ping_interval=None,
            subprotocols=[subprotocol] if subprotocol else None,
            process_request=refuse,
            process_response=add_headers,
            max_size=size_max,
            **compression(deflate, ServerPerMessageDeflateFactory),
        )
        return {"port": self.server.sockets[0].getsockname()[1]}

    async def accept(self):
        self.socket = await self.arrivals.get()
        return self.opened()

    def opened(self):
        request, response = self.socket.request.headers, self.socket.response.headers
        return {
            "subprotocol": self.socket.subprotocol,
            "extensions": response.get("Sec-WebSocket-Extensions", ""),
            "request_header": request.get("X-Interop"),
            "response_header": response.get("X-Interop"),
        }

    async def receive(self, kind, unit, count):
        expected = bytes.fromhex(unit) * count
        message = await self.socket.recv()
        is_text = isinstance(message, str)
        payload = message.encode() if is_text else message
        return {
            "kind": "text" if is_text else "binary",
            "len": len(payload),
            "equal": payload == expected,
        }

    async def send(self, kind, unit, count, cuts=()):
        payload = bytes.fromhex(unit) * count
        is_text = kind == "text"
        if not cuts:
            await self.socket.send(payload, text=is_text)
            return {}

        async def fragments():
            bounds = [0, *cuts, len(payload)]
            for start, end in zip(bounds, bounds[1:]):
                yield payload[start:end]
                if start == 0:
                    await self.socket.ping(b"between")

        await self.socket.send(fragments(), text=is_text)
        return {}

    async def ping(self, payload):
        pong = await self.socket.ping(bytes.fromhex(payload))
        await pong
        return {"payload": payload}

    async def raw(self, bytes_hex):
        self.socket.transport.write(bytes.fromhex(bytes_hex))
        return await self.closed()

    async def close(self, code, reason):
        if code is None:
            self.socket.protocol.send_close()
            self.socket.send_data()
        else:
            await self.socket.close(code, reason)
        return await self.closed()

    async def closed(self):
        await self.socket.wait_closed()
        return {"code": self.socket.close_code, "reason": self.socket.close_reason}


def compression(deflate, factory):
    """Turns null, "default" or the factory's parameters into arguments."""
    if deflate == "default":
        return {"compression": "deflate"}
    extensions = None if deflate is None else [factory(**deflate)]
    return {"compression": None, "extensions": extensions}


async def main():
    peer = Peer()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        command = json.loads(line)
        answer = await getattr(peer, command.pop("do"))(**command)
        print(json.dumps(answer), flush=True)


asyncio.run(main())
