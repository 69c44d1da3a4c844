// What the wasm module asks of its host as one crossing each: a call to an object, a row of SQL. Doing the same
// through bindings for every field costs a crossing per field.

export const host = {
  /** Asks the object of this name, with a body or without; a promise of its response. */
  send(namespace, jurisdiction, name, path, body) {
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

  /** Sets an object's alarm. It is written with the transaction that is open; its promise only says so. */
  setAlarm(storage, timeMs) {
    storage.setAlarm(timeMs).catch((error) => console.error("the alarm was not set:", String(error)));
  },
};

// The wasm module imports it as a global: its glue is generated and cannot name this file.
globalThis.__selvedge_host = host;
