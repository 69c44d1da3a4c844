// How many events came in each of the last seconds.

/** Seconds that are remembered. */
export const SECONDS = 60;

/** Accepted and refused events of one second. */
export interface Second {
  readonly accepted: number;
  readonly refused: number;
}

/** Counts by second of receipt, in a ring of {@link SECONDS}. */
export class Rate {
  private readonly seconds = Array.from({ length: SECONDS }, () => ({ second: -1, accepted: 0, refused: 0 }));

  /** Counts one event that was received at `timeMs`. */
  count(timeMs: number, kind: keyof Second): void {
    const second = Math.floor(timeMs / 1000);
    const place = this.seconds[second % SECONDS];
    if (place === undefined || place.second > second) return;
    if (place.second < second) Object.assign(place, { second, accepted: 0, refused: 0 });
    place[kind]++;
  }

  /** The last {@link SECONDS} seconds up to `nowMs`, oldest first. */
  last(nowMs: number): readonly Second[] {
    const now = Math.floor(nowMs / 1000);
    return Array.from({ length: SECONDS }, (_, index) => {
      const second = now - SECONDS + 1 + index;
      const place = this.seconds[((second % SECONDS) + SECONDS) % SECONDS];
      return place?.second === second ? place : { accepted: 0, refused: 0 };
    });
  }
}
