// What the console asks the worker. Every failure becomes one `Failure` that says what to do.

import { Lines } from "./lines.js";

/** Why a request failed, for people. */
export class Failure extends Error {
  constructor(
    readonly code: string,
    message: string,
    /** What to do about it. */
    readonly fix: string,
  ) {
    super(message);
  }
}

/** A live stream that was silent for longer than this is dead: the worker sends an empty line every 15 s. */
const SILENCE_MS_MAX = 40_000;
const UNREACHABLE = new Failure("unreachable", "The worker does not answer.", "Start it with `cargo xtask dev`, or look at its terminal.");

/** The worker at this console's origin, with an admin token. */
export class Api {
  constructor(private readonly token: string) {}

  /** Reads the log from `cursor` on, live, until the signal ends it or the connection breaks. */
  async follow(cursor: string, take: (lines: readonly string[]) => void, opened: () => void, signal: AbortSignal): Promise<void> {
    const watch = new Watch(signal);
    try {
      const response = await this.get(`/v1/log?live=1&from=${encodeURIComponent(cursor)}`, watch.signal);
      opened();
      await readLines(response, take, () => watch.heard());
    } finally {
      watch.end();
    }
  }

  /** Reads what the quarantine holds after `cursor`. */
  async quarantine(cursor: string, take: (lines: readonly string[]) => void, signal: AbortSignal): Promise<void> {
    const response = await this.get(`/v1/quarantine?from=${encodeURIComponent(cursor)}`, signal);
    await readLines(response, take, () => {});
  }

  /** What is kept of a visitor, as text. */
  async visitor(id: string, signal: AbortSignal): Promise<string> {
    const response = await this.get(`/v1/visitors/${encodeURIComponent(id)}`, signal);
    return response.text();
  }

  private async get(path: string, signal: AbortSignal): Promise<Response> {
    const headers = { authorization: `Bearer ${this.token}` };
    const response = await fetch(path, { headers, signal, cache: "no-store" }).catch((error: unknown) => {
      throw signal.aborted ? error : UNREACHABLE;
    });
    if (!response.ok) throw await failureOf(response);
    return response;
  }
}

async function readLines(response: Response, take: (lines: readonly string[]) => void, heard: () => void): Promise<void> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  const lines = new Lines();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    heard();
    const whole = lines.push(value);
    if (whole.length > 0) take(whole);
  }
}

async function failureOf(response: Response): Promise<Failure> {
  const body: unknown = await response.json().catch(() => undefined);
  const error = typeof body === "object" && body !== null && "error" in body ? (body.error as Partial<Record<string, string>>) : {};
  return new Failure(
    error["code"] ?? `http_${response.status}`,
    error["message"] ?? `The worker answered ${response.status}.`,
    error["fix"] ?? "Look at the worker's log.",
  );
}

/** Ends a stream that is silent for too long. */
class Watch {
  private readonly controller = new AbortController();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly stop = (): void => this.controller.abort();

  constructor(private readonly outer: AbortSignal) {
    outer.addEventListener("abort", this.stop);
    this.heard();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  heard(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.stop, SILENCE_MS_MAX);
  }

  end(): void {
    clearTimeout(this.timer);
    this.outer.removeEventListener("abort", this.stop);
    this.controller.abort();
  }
}
