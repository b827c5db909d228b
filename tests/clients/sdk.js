// Kuzzle's own SDK against a service, as told on standard input; prints what came of it. JSON in, JSON out.
"use strict";

const sdk = require("kuzzle-sdk");
const ws = require("ws");

const { run } = require("./told");

// As browsers do: `null` is a subprotocol, compression is offered, and nobody can send ping frames.
class BrowserWebSocket extends ws {
  constructor(url, protocols) {
    super(url, String(protocols));
  }
}

const PROTOCOLS = {
  http: (host, options) => new sdk.Http(host, options),
  // As before Node 22: there is no WebSocket but that of the package ws.
  node: (host, options) => {
    delete globalThis.WebSocket;
    return new sdk.WebSocket(host, options);
  },
  browser: (host, options) => {
    globalThis.WebSocket = BrowserWebSocket;
    return new sdk.WebSocket(host, options);
  },
};

const EVENTS = ["connected", "disconnected", "networkError", "reconnected", "tokenExpired", "discarded"];

async function main(told) {
  const protocol = PROTOCOLS[told.protocol](told.host, { port: told.port, pingInterval: told.pingMs });
  const kuzzle = new sdk.Kuzzle(protocol);
  const events = [];
  for (const name of EVENTS) {
    kuzzle.on(name, () => events.push(name));
  }
  if (told.token) {
    kuzzle.jwt = told.token;
  }
  if (told.apiKey) {
    kuzzle.setAPIKey(told.apiKey);
  }
  await kuzzle.connect();
  await answeredPings(protocol, told.pings || 0);
  const answers = [];
  for (const request of told.requests || []) {
    answers.push(await answer(kuzzle, request));
  }
  if (told.until) {
    await seen(events, told.until);
  }
  const connected = protocol.connected;
  kuzzle.disconnect();
  return { answers, connected, events };
}

async function answer(kuzzle, request) {
  try {
    const { result } = await kuzzle.query(request);
    return { result, csv: result.link ? await download(result.link) : null };
  } catch (error) {
    return { error: { id: error.id, message: error.message, status: error.status } };
  }
}

async function download(link) {
  const response = await fetch(link);
  if (!response.ok) {
    throw new Error(`${response.status}`);
  }
  return response.text();
}

// The SDK gives the connection up over the first that is not answered before the next.
async function answeredPings(protocol, number) {
  let answered = 0;
  if (number) {
    protocol.client.on("pong", () => answered++);
    protocol.client.addEventListener("message", (event) => (answered += event.data === '{"p":2}'));
  }
  while (answered < number && protocol.connected) {
    await pause();
  }
}

async function seen(events, name) {
  while (!events.includes(name)) {
    await pause();
  }
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

run(main);
