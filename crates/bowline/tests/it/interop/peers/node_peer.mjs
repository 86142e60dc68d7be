// Node's own WebSocket client as the peer. Trusts NODE_EXTRA_CA_CERTS.

import { answerCommands } from './commands.mjs';
import { whatwgPeer } from './whatwg.mjs';

await answerCommands(whatwgPeer());
