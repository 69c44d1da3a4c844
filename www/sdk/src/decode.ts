/** Reads what the head says: the primitives of the wire. Both sides ship together, so nothing is checked here. */

const text = new TextDecoder();
/** A call takes so many parameters in every browser. */
const LETTERS_MAX = 4_096;

export class Reader {
  #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  u8(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    let byte;
    do {
      byte = this.u8();
      value += (byte & 127) * scale;
      scale *= 128;
    } while (byte > 127);
    return value;
  }

  text(): string {
    const length = this.varint();
    return toText(this.#bytes.subarray(this.#at, (this.#at += length)));
  }
}

export function toText(bytes: Uint8Array): string {
  return text.decode(bytes);
}

/** Each byte a letter of Latin-1. */
export function toLatin(bytes: Uint8Array): string {
  let latin = "";
  for (let at = 0; at < bytes.length; at += LETTERS_MAX) {
    latin += String.fromCharCode.apply(null, bytes.subarray(at, at + LETTERS_MAX) as unknown as number[]);
  }
  return latin;
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function fromHex(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (digits) => parseInt(digits, 16));
}
