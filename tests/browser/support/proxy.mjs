// A network between page and worker that fails as told. What goes in: the worker's address. What comes out: another
// address for the same worker; what is posted to the collector meets with the faults that were ordered, one by one.
import { createServer, request } from 'node:http';

/**
 * Faults: a status (with `headers`), `hang` (no answer until the proxy closes), `reset` (the worker takes the batch and the
 * connection is cut before the answer), `refuse` (cut before the worker sees a byte), `max` (413 above so many bytes, for good).
 */
export async function proxy(url) {
  const { hostname, port } = new URL(url);
  const faults = [];
  const met = [];
  let bytesMax = Infinity;
  const server = createServer(async (asked, answer) => {
    const chunks = [];
    for await (const chunk of asked) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const isCollect = asked.method === 'POST' && asked.url.startsWith('/v1/collect');
    const fault = isCollect ? faults.shift() : undefined;
    if (isCollect) met.push({ at: Date.now(), fault, bytes: body.length });
    if (isCollect && body.length > bytesMax) return answer.writeHead(413).end();
    if (fault?.status) return answer.writeHead(fault.status, fault.headers).end();
    if (fault?.hang) return undefined;
    if (fault?.refuse) return asked.socket.destroy();
    const { method, url: path, headers } = asked;
    const onward = request({ hostname, port, method, path, headers }, (reply) => {
      if (fault?.reset) {
        reply.resume().on('end', () => asked.socket.destroy());
        return;
      }
      answer.writeHead(reply.statusCode, reply.headers);
      reply.pipe(answer);
    });
    onward.on('error', () => asked.socket.destroy());
    onward.end(body);
    return undefined;
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    /** What the collector's requests met with, in order. */
    met,
    /** The next requests to the collector meet with these. */
    fail: (...next) => faults.push(...next),
    limit: (bytes) => { bytesMax = bytes; },
    close: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}
