/** Writes inputs of the head: the primitives of the wire (crates/selvedge-core/src/wire/codec.rs), and property values. */
import type { Value } from "./types";

/** Deeper values are refused by the head (its bound is lower); this one only ends cycles. */
const DEPTH_MAX = 12;
/** Twice a greater integer, less one, is not exact in a double. */
const DOUBLED_MAX = 2 ** 51;

/** Short ASCII, which most texts are, is written before an encoder has begun. */
const SHORT = /^[\0-\x7f]{0,127}$/;

const text = new TextEncoder();

export class Writer {
  #bytes = new Uint8Array(512);
  #at = 0;

  /** A writer of an input of this kind, which happens now; without a kind, of a record. */
  constructor(kind?: number) {
    if (kind !== undefined) this.varint(Date.now()).u8(kind);
  }

  u8(byte: number): this {
    this.#room(1)[this.#at++] = byte;
    return this;
  }

  flag(flag: boolean): this {
    return this.u8(flag ? 1 : 0);
  }

  varint(value: number): this {
    while (value >= 128) {
      this.u8((value % 128) | 128);
      value = Math.floor(value / 128);
    }
    return this.u8(value);
  }

  raw(bytes: Uint8Array): this {
    this.#room(bytes.length).set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  bytes(bytes: Uint8Array): this {
    return this.varint(bytes.length).raw(bytes);
  }

  text(value: string): this {
    if (!SHORT.test(value)) return this.bytes(text.encode(value));
    this.u8(value.length);
    for (let at = 0; at < value.length; at++) this.u8(value.charCodeAt(at));
    return this;
  }

  /** Names and values, in their order. What JSON leaves out is left out. */
  map(map: { readonly [name: string]: Value }, depth = 0): this {
    const entries = Object.entries(map).filter(([, value]) => value !== undefined && typeof value !== "function");
    this.varint(entries.length);
    for (const [name, value] of entries) {
      this.u8(0).text(name).value(value, depth);
    }
    return this;
  }

  /** What was written. The writer is done. */
  done(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  value(value: Value, depth: number): this {
    if (typeof value === "boolean") return this.u8(1).flag(value);
    if (typeof value === "string") return this.u8(5).text(value);
    if (typeof value === "number") return this.#number(value);
    if (typeof value === "bigint") return this.#integer(value);
    if (value instanceof Date) return this.value(isNaN(+value) ? null : value.toISOString(), depth);
    if (typeof value !== "object" || !value || depth > DEPTH_MAX) return this.u8(0);
    if (!Array.isArray(value)) return this.u8(7).map(value as { readonly [name: string]: Value }, depth + 1);
    this.u8(6).varint(value.length);
    for (const item of value as readonly Value[]) this.value(item, depth + 1);
    return this;
  }

  #number(value: number): this {
    if (Number.isSafeInteger(value)) {
      if (Math.abs(value) > DOUBLED_MAX) return this.#integer(BigInt(value));
      return this.u8(2).varint(value < 0 ? -2 * value - 1 : 2 * value);
    }
    this.u8(4);
    new DataView(this.#room(8).buffer).setFloat64(this.#at, value, true);
    this.#at += 8;
    return this;
  }

  /** Signed where it fits 64 bits signed, else unsigned, else text: never rounded. */
  #integer(value: bigint): this {
    if (BigInt.asIntN(64, value) === value) return this.u8(2).#big(value < 0 ? -2n * value - 1n : 2n * value);
    if (BigInt.asUintN(64, value) === value) return this.u8(3).#big(value);
    return this.value(`${value}`, 0);
  }

  #big(value: bigint): this {
    for (; value >= 128n; value >>= 7n) this.u8(Number(value & 127n) | 128);
    return this.u8(Number(value));
  }

  #room(length: number): Uint8Array<ArrayBuffer> {
    if (this.#at + length > this.#bytes.length) {
      const grown = new Uint8Array(2 * (this.#at + length));
      grown.set(this.#bytes);
      this.#bytes = grown;
    }
    return this.#bytes;
  }
}
