"""A device with a WebSocket API, on Python's websockets.

Its one argument is a JSON object: port, path, compression, heartbeat (seconds or null), refusal.
It tells what happens, and takes commands, one JSON object a line, on stdout and stdin.
"""

import asyncio
import json
import sys

from websockets.asyncio.server import broadcast, serve
from websockets.exceptions import ConnectionClosed


def tell(what):
    print(json.dumps(what), flush=True)


async def handle(socket):
    tell({
        "opened": socket.request.path,
        "headers": {name.lower(): value for name, value in socket.request.headers.raw_items()},
        "extensions": [type(extension).__name__ for extension in socket.protocol.extensions],
    })
    try:
        async for message in socket:
            if isinstance(message, str):
                tell({"text": message})
                if message.startswith("ask "):
                    await socket.send("answer " + message[4:])
            else:
                tell({"binary": message.hex() if len(message) < 1000 else len(message)})
    except ConnectionClosed:
        pass
    tell({"closed": socket.close_code})


async def beat(server, interval):
    count = 0
    while True:
        await asyncio.sleep(interval)
        count += 1
        broadcast(server.connections, json.dumps({"heartbeat": count}))


async def obey(server, command):
    match command["do"]:
        case "push":
            broadcast(server.connections, command["text"])
        case "push_bytes":
            broadcast(server.connections, bytes.fromhex(command["hex"]))
        case "push_long":
            broadcast(server.connections, "x" * command["length"])
        case "close":
            for socket in list(server.connections):
                await socket.close(command["code"], command.get("reason", ""))


async def main():
    options = json.loads(sys.argv[1])

    def check(connection, request):
        if request.path != options["path"]:
            return connection.respond(404, "nothing here\n")
        if options.get("refusal"):
            return connection.respond(options["refusal"], "go away\n")

    def add_headers(connection, request, response):
        response.headers["X-Device"] = "first"
        response.headers["X-Device"] = "second"

    server = await serve(
        handle,
        "127.0.0.1",
        options["port"],
        process_request=check,
        process_response=add_headers,
        compression="deflate" if options["compression"] else None,
        max_size=None,
        ping_interval=None,
    )
    if options.get("heartbeat"):
        asyncio.create_task(beat(server, options["heartbeat"]))
    tell({"port": server.sockets[0].getsockname()[1]})
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await obey(server, json.loads(line))


asyncio.run(main())
