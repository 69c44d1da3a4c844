// Bytes to lines: the pieces of a stream do not end where its lines do.

/** Above this many characters without a line feed the stream is not what it should be. */
const LINE_LENGTH_MAX = 8 * 1024 * 1024;

/** Collects pieces and gives back whole lines, without empty ones. */
export class Lines {
  private rest = "";
  private readonly decoder = new TextDecoder();

  /** The lines that are whole with this piece. Throws where a line is too long to be one. */
  push(piece: Uint8Array): readonly string[] {
    const parts = (this.rest + this.decoder.decode(piece, { stream: true })).split("\n");
    this.rest = parts.pop() ?? "";
    if (this.rest.length > LINE_LENGTH_MAX) throw new Error("a line of the log is longer than 8 MiB");
    return parts.filter((line) => line.trim() !== "");
  }
}
