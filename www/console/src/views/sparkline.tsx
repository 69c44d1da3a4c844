// Events per second of the last minute, as bars: accepted below, refused on top.

import { seconds } from "../live.js";
import { SECONDS } from "../rate.js";

const HEIGHT = 28;
const BAR = 3;

/** The bars and the mean of the last ten seconds. */
export function Sparkline() {
  const counts = seconds.value;
  const highest = Math.max(4, ...counts.map((second) => second.accepted + second.refused));
  const lately = counts.slice(-10).reduce((sum, second) => sum + second.accepted + second.refused, 0) / 10;
  const tall = (count: number): number => (count === 0 ? 0 : Math.max(1.5, (count / highest) * HEIGHT));
  return (
    <div class="rate" title={`Events per second, last ${SECONDS} seconds; highest ${highest}`}>
      <svg viewBox={`0 0 ${SECONDS * BAR} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="ground" d={`M0 ${HEIGHT - 0.5}H${SECONDS * BAR}`} />
        {counts.map((second, index) => {
          const low = tall(second.accepted);
          const high = tall(second.refused);
          return <>
            {low > 0 && <rect class="bar" x={index * BAR} y={HEIGHT - low} width={BAR - 1} height={low} />}
            {high > 0 && <rect class="bar bad" x={index * BAR} y={HEIGHT - low - high} width={BAR - 1} height={high} />}
          </>;
        })}
      </svg>
      <span class="rate-text"><strong>{lately < 100 ? lately.toFixed(1) : Math.round(lately).toLocaleString()}</strong>/s</span>
    </div>
  );
}
