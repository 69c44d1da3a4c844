// The floor's main module: nothing but the way into the wasm module.

import * as wasm from "./worker.js";

export default {
  fetch: (request, env, context) => wasm.fetch(request, env, context),
};

export class Floor {
  #half;

  constructor(context, env) {
    this.#half = new wasm.Floor(context, env);
  }

  fetch(request) {
    return this.#half.fetch(request);
  }
}
