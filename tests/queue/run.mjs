// The worker under miniflare, with a queue whose consumer fails some messages: at first, or always. What comes of it is
// printed as JSON: the ids in the log, those that the consumer took, those in the queue for dead letters, and /metrics.
//
//   run.mjs MINIFLARE WORKER PROGRAM   (miniflare's folder; the folder of the built worker; what `publish` takes)

import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";

const [miniflare, folder, program] = process.argv.slice(2);
const { Miniflare } = await import(pathToFileURL(join(miniflare, "dist/src/index.js")));

const TOKEN = "admin-token-of-a-test";
const BATCHES = 40;
const SOON_MS = 40_000;

/** Numbers whose message the consumer never takes, and those it takes at the second attempt only. */
const isDead = (number) => number % 10 === 7;
const isSlow = (number) => number % 10 === 3;

const CONSUMER = `export default {
  async queue(batch, env) {
    for (const message of batch.messages) {
      const events = JSON.parse(message.body);
      const answer = await env.TOOK.fetch("http://took/", {
        method: "POST",
        body: JSON.stringify({ queue: batch.queue, attempts: message.attempts, events }),
      });
      if (answer.status === 200) message.ack(); else message.retry();
    }
  },
};`;

const took = { ids: [], dead: [], retried: 0 };
async function take(request) {
  const { queue, attempts, events } = await request.json();
  const ids = events.map((event) => event.id);
  const numbers = events.map((event) => event.data.properties.number);
  if (queue === "dead") {
    took.dead.push(...ids);
  } else if (numbers.some(isDead) || (attempts === 1 && numbers.some(isSlow))) {
    took.retried += 1;
    return new Response("not now", { status: 503 });
  } else {
    took.ids.push(...ids);
  }
  return new Response("taken");
}

async function modules(at) {
  const files = await readdir(at, { recursive: true });
  const of = (file) => ({ type: file.endsWith(".wasm") ? "CompiledWasm" : "ESModule", path: join(at, file) });
  const all = files.filter((file) => /[.](mjs|js|wasm)$/.test(file)).map(of);
  return all.sort((a, b) => Number(b.path.endsWith("/index.mjs")) - Number(a.path.endsWith("/index.mjs")));
}

const server = new Miniflare({
  workers: [
    {
      name: "selvedge",
      modules: await modules(folder),
      modulesRoot: folder,
      compatibilityDate: "2026-07-01",
      bindings: { ADMIN_TOKEN: TOKEN, SHARDS: "2" },
      durableObjects: {
        SHARD: { className: "Shard", useSQLite: true },
        REGISTRY: { className: "Registry", useSQLite: true },
      },
      queueProducers: { EVENTS: "events" },
    },
    {
      name: "consumer",
      modules: true,
      script: CONSUMER,
      compatibilityDate: "2026-07-01",
      serviceBindings: { TOOK: take },
      queueConsumers: {
        events: { maxBatchSize: 5, maxBatchTimeout: 0.05, maxRetries: 2, deadLetterQueue: "dead" },
        dead: { maxBatchSize: 5, maxBatchTimeout: 0.05 },
      },
    },
  ],
});

const base = await server.ready;
const admin = { authorization: `Bearer ${TOKEN}` };
async function ask(path, init = {}) {
  const response = await fetch(new URL(path, base), init);
  const text = await response.text();
  if (response.status !== 200) throw new Error(`${path}: ${response.status} ${text}`);
  return text;
}

async function send(number) {
  const now = Date.now();
  const batch = {
    write_key: "wk_shop_browser",
    visitor: `00${String(number % 4).repeat(30)}`,
    writer: String(1_000_000 + number),
    sent_at: now,
    consent: { granted: ["analytics", "personalization"], mode: "opt-in", policy_version: 1, time: now - 1_000 },
    events: [{ sequence: 1, type: "track", name: "search", time: now, properties: { query: "boots", number } }],
  };
  await ask("/v1/collect", { method: "POST", body: JSON.stringify(batch) });
}

try {
  await ask("/v1/publish", { method: "POST", headers: admin, body: await readFile(program) });
  for (let number = 0; number < BATCHES; number += 1) {
    await send(number);
    await sleep(60);
  }
  const logged = (await ask("/v1/log", { headers: admin })).trim().split("\n").map((line) => JSON.parse(line).id);
  const until = Date.now() + SOON_MS;
  while (new Set([...took.ids, ...took.dead]).size < logged.length && Date.now() < until) await sleep(100);
  const metrics = await ask("/metrics", { headers: admin });
  const destinations = await ask("/v1/destinations", { headers: admin });
  console.log(JSON.stringify({ logged, ...took, metrics, destinations }));
} finally {
  await server.dispose();
}
