// The worker's main module: the fetch handler and the Durable Object classes, each a thin fence around the wasm module.

import "./barrier.mjs";
import "./host.mjs";
import * as wasm from "./worker.js";
import { epoch, fenced, fencedStream, InstanceLost } from "./fence.mjs";

/** How long after an alarm that was cut off the next one follows. */
const ALARM_AGAIN_MS = 1_000;

/** Set by the wasm module on answers whose body it goes on producing; never leaves the worker. */
const STREAM_HEADER = "selvedge-stream";

/** Where a worker sends batches. */
const COLLECT = "https://object/collect";

function instanceLostAnswer() {
  const error = {
    code: "instance_lost",
    message: "the worker restarted while this call was in flight",
    fix: "send the same request again",
  };
  const headers = {
    "content-type": "application/json",
    "retry-after": "1",
    "access-control-allow-origin": "*",
  };
  return new Response(JSON.stringify({ error }), { status: 503, headers });
}

/** What an object answers. */
async function answerOfObject(call) {
  try {
    return await fenced(call);
  } catch (error) {
    if (error instanceof InstanceLost) return instanceLostAnswer();
    throw error;
  }
}

async function answer(call) {
  const response = await answerOfObject(call);
  if (!response.headers.has(STREAM_HEADER)) return response;
  const headers = new Headers(response.headers);
  headers.delete(STREAM_HEADER);
  return new Response(fencedStream(response.body), { status: response.status, headers });
}

export default {
  fetch(request, env, context) {
    epoch();
    return answer(() => wasm.fetch(request, env, context));
  },
};

/** A Durable Object whose wasm half is made again whenever the instance was replaced. */
function durable(Half) {
  return class {
    #context;
    #env;
    #half = null;
    #epoch = -1;

    constructor(context, env) {
      this.#context = context;
      this.#env = env;
    }

    #now() {
      const now = epoch();
      if (this.#epoch !== now) {
        this.#half = new Half(this.#context, this.#env);
        this.#epoch = now;
      }
      return this.#half;
    }

    fetch(request) {
      return this.enter((half) => half.fetch(request));
    }

    /** An answer of the wasm half. */
    enter(call) {
      return answerOfObject(() => call(this.#now()));
    }

    /** Never throws: an alarm that does is given up after some times. Where the instance was lost, it comes again. */
    async alarm() {
      try {
        await fenced(() => this.#now().alarm());
      } catch (error) {
        console.error("an alarm was cut off:", String(error));
        await this.#context.storage.setAlarm(Date.now() + ALARM_AGAIN_MS);
      }
    }
  };
}

export class Shard extends durable(wasm.Shard) {
  /** A batch goes straight to its step: what is read of a request for a route costs as much as the step of an event. */
  async fetch(request) {
    if (request.url !== COLLECT) return super.fetch(request);
    const body = new Uint8Array(await request.arrayBuffer());
    return this.enter((half) => half.collect(body));
  }
}
export class Registry extends durable(wasm.Registry) {}
