"""A device that tells its temperature: a server on the public `websockets` package.

    pip install websockets
    python device.py [--port 8050]
"""

import argparse
import asyncio
import json
import signal

from websockets.asyncio.server import serve

PATH = "/x-nmos/events/ws"


async def tell(link, interval):
    """Sends a temperature again and again."""
    value = 20.0
    while True:
        event = {"message_type": "state", "payload": {"value": round(value, 1)}}
        await link.send(json.dumps(event))
        value = 20.0 if value >= 45.0 else value + 0.5
        await asyncio.sleep(interval)


def refuse(link, request):
    """Answers 404 to whoever asks for another path."""
    if request.path != PATH:
        return link.respond(404, "The events are at " + PATH + ".\n")
    return None


async def serve_link(link, interval):
    compressed = any("deflate" in str(extension).lower() for extension in link.protocol.extensions)
    print(f"open {link.request.path} {'compressed' if compressed else 'plain'}", flush=True)
    telling = None
    async for text in link:
        message = json.loads(text)
        if message["command"] == "health":
            await link.send(json.dumps({"message_type": "health", "timing": message["timestamp"]}))
        elif message["command"] == "subscription" and telling is None:
            telling = asyncio.create_task(tell(link, interval))
    if telling is not None:
        telling.cancel()
    print(f"closed {link.close_code}", flush=True)


async def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8050)
    parser.add_argument("--interval", type=float, default=1.0, help="seconds between events")
    options = parser.parse_args()
    stopped = asyncio.get_running_loop().create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(
            number, lambda: stopped.done() or stopped.set_result(None)
        )
    handler = lambda link: serve_link(link, options.interval)
    async with serve(handler, options.host, options.port, process_request=refuse) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"listening on ws://{options.host}:{port}{PATH}", flush=True)
        await stopped


asyncio.run(main())
