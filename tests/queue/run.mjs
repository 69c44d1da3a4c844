// The worker under miniflare, with a queue whose consumer fails some messages, at first or always; and behind a gate that fails
// some enqueues: the queue refuses them, or takes them and the answer is lost. What comes of it is printed as JSON: the ids in
// the log, those that the consumer took, those in the queue for dead letters, what went through the gate, and /metrics.
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
/** Batches that wait for each other, and go in sends of several messages. */
const LARGE = 8;
const EVENTS_OF_LARGE = 15;
const TEXT = "x".repeat(7_000);
const SOON_MS = 40_000;
/** A message as large as the queue takes none. */
const TOO_LARGE = 129_000;

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

// Who sends to the queue comes through here: an enqueue that fails is one that the queue itself refused.
const GATE = `import { WorkerEntrypoint } from "cloudflare:workers";
export class Gate extends WorkerEntrypoint {
  async send(body, options) {
    const url = "http://took/gate?bytes=" + body.length;
    const said = await (await this.env.TOOK.fetch(url)).text();
    if (said === "refuse") return await this.env.QUEUE.send("x".repeat(${TOO_LARGE}), options);
    await this.env.QUEUE.send(body, options);
    if (said === "lose") throw new Error("no answer");
  }
}
export default { fetch: () => new Response("a gate") };`;

const took = { ids: [], dead: [], retried: 0, passed: [], asked: 0, refused: 0, lost: 0, isFaulty: false };

/** What becomes of the next enqueue: on bad days each third is refused, and each fourth of the others loses its answer. */
function gate(bytes) {
  took.asked += took.isFaulty ? 1 : 0;
  if (took.asked % 3 === 1) {
    took.refused += 1;
    return "refuse";
  }
  took.passed.push(bytes);
  const isLost = took.asked % 4 === 2;
  took.lost += isLost ? 1 : 0;
  return isLost ? "lose" : "pass";
}

async function take(request) {
  const url = new URL(request.url);
  if (url.pathname === "/gate") return new Response(gate(Number(url.searchParams.get("bytes"))));
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
      serviceBindings: { EVENTS: { name: "gate", entrypoint: "Gate" } },
    },
    {
      name: "gate",
      modules: true,
      script: GATE,
      compatibilityDate: "2026-07-01",
      serviceBindings: { TOOK: take },
      queueProducers: { QUEUE: "events" },
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

async function send(number, events) {
  const now = Date.now();
  const batch = {
    write_key: "wk_shop_browser",
    visitor: `00${String(number % 4).repeat(30)}`,
    writer: String(1_000_000 + number),
    sent_at: now,
    consent: { granted: ["analytics", "personalization"], mode: "opt-in", policy_version: 1, time: now - 1_000 },
    events: events.map((properties, at) => ({ sequence: at + 1, type: "track", name: "search", time: now, properties })),
  };
  await ask("/v1/collect", { method: "POST", body: JSON.stringify(batch) });
}

const log = async () => (await ask("/v1/log?limit=1000", { headers: admin })).trim().split("\n").map((line) => JSON.parse(line).id);

async function arrived(count) {
  const until = Date.now() + SOON_MS;
  while (new Set([...took.ids, ...took.dead]).size < count && Date.now() < until) await sleep(100);
}

/** One event a message, or a few: what the consumer fails goes its way. */
async function small() {
  for (let number = 0; number < BATCHES; number += 1) {
    await send(number, [{ query: "boots", number }]);
    await sleep(60);
  }
  await arrived(BATCHES);
  took.small = took.passed.length;
}

/** What waited for a destination that was stopped goes in sends of several messages, some of which fail. */
async function large() {
  const destination = (what) => ask(`/v1/destinations/events/${what}`, { method: "POST", headers: admin });
  await destination("pause");
  for (let number = 0; number < LARGE; number += 1) {
    await send(BATCHES + number, Array.from({ length: EVENTS_OF_LARGE }, () => ({ query: TEXT, number: 0 })));
  }
  took.isFaulty = true;
  await destination("resume");
  await arrived(BATCHES + LARGE * EVENTS_OF_LARGE);
}

const delivered = /selvedge_events_delivered_total\{[^}]*destination="events"\} (\d+)/;

try {
  await ask("/v1/publish", { method: "POST", headers: admin, body: await readFile(program) });
  await small();
  await large();
  const logged = await log();
  const until = Date.now() + SOON_MS;
  const metrics = () => ask("/metrics", { headers: admin });
  // What the queue has is known a moment before the shard has committed that.
  while (Number((delivered.exec(await metrics()) ?? [])[1]) < logged.length && Date.now() < until) await sleep(100);
  const destinations = await ask("/v1/destinations", { headers: admin });
  console.log(JSON.stringify({ logged, ...took, metrics: await metrics(), destinations }));
} finally {
  await server.dispose();
}
