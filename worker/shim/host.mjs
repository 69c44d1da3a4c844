// What the wasm module asks of its host as one crossing each: a call to an object, a row of SQL. Doing the same
// through bindings for every field costs a crossing per field.

/** The headers that say who sent a request, and how much. */
const SHOWN = ["content-length", "authorization", "origin", "sec-gpc", "cf-ipcountry"];

/** How an answer of bytes, and one of JSON, is told; never kept by a cache. */
const [BYTES, JSON_TEXT] = ["application/octet-stream", "application/json"].map((type) => ({
  headers: { "content-type": type, "cache-control": "no-store" },
}));

export const host = {
  /** An answer: bytes, or JSON as bytes. */
  answer(body, isJson) {
    return new Response(body, isJson ? JSON_TEXT : BYTES);
  },

  /** A request's method, its address and the headers of `SHOWN`, one a line: none of them holds a line break. */
  shown({ method, url, headers }) {
    return [method, url, ...SHOWN.map((name) => headers.get(name))].join("\n");
  },

  /** Asks the object of this name, with a body or without; a promise of its response. */
  send(env, binding, jurisdiction, name, path, body) {
    const namespace = env[binding];
    const objects = jurisdiction === undefined ? namespace : namespace.jurisdiction(jurisdiction);
    const method = body === undefined ? "GET" : "POST";
    return objects.getByName(name).fetch(`https://object${path}`, { method, body });
  },

  /** The same answer, readable by a page of this origin. */
  shareWith(response, origin) {
    const headers = new Headers(response.headers);
    headers.set("access-control-allow-origin", origin);
    headers.set("access-control-expose-headers", "retry-after");
    headers.append("vary", "Origin");
    return new Response(response.body, { status: response.status, headers });
  },

  /** The same answer to a page that sent it with cookies; with another cookie where one is given. */
  withCookie(response, cookie) {
    const headers = new Headers(response.headers);
    headers.set("access-control-allow-credentials", "true");
    if (cookie !== undefined) headers.append("set-cookie", cookie);
    return new Response(response.body, { status: response.status, headers });
  },

  /** Sends a text to a queue; a promise that the queue has it. */
  enqueue(queue, text) {
    return queue.send(text, { contentType: "text" });
  },

  /** Any number below 2^32. */
  random() {
    return Math.floor(Math.random() * 2 ** 32);
  },

  /** The first row of a statement, as a list of values; undefined where there is none. */
  row(sql, statement, values) {
    const [first] = [...sql.exec(statement, ...values).raw()];
    return first;
  },

  /** Runs a statement; gives how many rows it wrote, rows of indexes included. */
  run(sql, statement, values) {
    return sql.exec(statement, ...values).rowsWritten;
  },

  /** Sets an object's alarm. It is written with the transaction that is open; its promise only says so. */
  setAlarm(storage, timeMs) {
    storage.setAlarm(timeMs).catch((error) => console.error("the alarm was not set:", String(error)));
  },
};

// The wasm module imports it as a global: its glue is generated and cannot name this file.
globalThis.__selvedge_host = host;
