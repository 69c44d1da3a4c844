// The fence: when the wasm instance is lost outside the barrier, every call in flight is answered at once and the
// next one meets a fresh instance. In: promises of the wasm module. Out: the same promises, which now always settle.

import { __wbg_reset_state as resetInstance, __worker_init_state as initState } from "./worker.js";
import { barrier } from "./barrier.mjs";

/** Contained panics (each leaks some 25 kB) after which an idle instance is replaced. */
const CONTAINED_MAX = 64;
/** Contained panics after which it is replaced even while calls are in flight. */
const CONTAINED_HARD_MAX = 8 * CONTAINED_MAX;

/** What a call gets whose instance was lost under it. */
export class InstanceLost extends Error {
  constructor() {
    super("the wasm instance was lost while this call was in flight");
    this.name = "InstanceLost";
  }
}

/** The `reject` of every promise handed out and not settled yet. */
const pending = new Set();
let lost = false;
let current = 0;

/** The number of the instance in use: an object made under another one must be made again. */
export function epoch() {
  if (lost || isWornOut()) replace();
  return current;
}

/** Runs `call`, which enters the wasm module, and gives a promise that settles even if the instance is lost. */
export function fenced(call) {
  return new Promise((resolve, reject) => {
    pending.add(reject);
    const settle = (then) => (value) => {
      pending.delete(reject);
      then(value);
    };
    try {
      call().then(settle(resolve), settle(reject));
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) instanceLost();
      settle(reject)(error);
    }
  });
}

/** Passes a stream of the wasm module on; it fails, instead of hanging, when the instance is lost. */
export function fencedStream(stream) {
  const reader = stream.getReader();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await fenced(() => reader.read());
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

function isWornOut() {
  const idle = pending.size === 0;
  return barrier.contained >= (idle ? CONTAINED_MAX : CONTAINED_HARD_MAX);
}

function replace() {
  lost = false;
  current += 1;
  barrier.contained = 0;
  const rejects = [...pending];
  pending.clear();
  resetInstance();
  for (const reject of rejects) reject(new InstanceLost());
}

function instanceLost() {
  if (lost) return;
  lost = true;
  // The trap is still on its way out of the wasm frames: replace the instance after it.
  queueMicrotask(() => {
    if (lost) replace();
  });
}

/** The panic hook of the `worker` crate sets `criticalError`: that is how the loss of the instance is learnt. */
function watch() {
  Object.defineProperty(initState(), "criticalError", {
    configurable: true,
    get: () => lost,
    set(value) {
      if (value && !barrier.active) instanceLost();
    },
  });
}

watch();
