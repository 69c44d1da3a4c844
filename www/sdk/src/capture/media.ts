/** Videos and sounds: the first start, each quarter, the end; once for each address that an element plays. */
import { hear, type Watcher } from "./page";

const PERCENT_MARKS = [25, 50, 75];

type Played = { url: string; percent: number };

export const media: Watcher = (page) => {
  const played = new WeakMap<HTMLMediaElement, Played>();

  const noticed = ({ type, target }: Event): void => {
    if (!(target instanceof HTMLMediaElement) || target.closest("[data-selvedge-private]")) return;
    const { currentSrc, currentTime, duration } = target;
    const said = (name: string, more?: { percent: number }): void => page.say(name, { ...factsOf(target), ...more });
    let known = played.get(target);
    if (known?.url !== currentSrc) {
      if (type !== "play") return;
      played.set(target, (known = { url: currentSrc, percent: 0 }));
      said("media_play");
    }
    const isOver = type === "ended";
    for (const percent of PERCENT_MARKS) {
      if (percent <= known.percent || !(isOver || percent <= (currentTime / duration) * 100)) continue;
      known.percent = percent;
      said("media_progress", { percent });
    }
    if (!isOver || known.percent === 100) return;
    known.percent = 100;
    said("media_complete");
  };

  hear(["play", "timeupdate", "ended"], noticed);
};

function factsOf({ currentSrc, title, ariaLabel, localName, duration }: HTMLMediaElement) {
  return {
    duration_s: isFinite(duration) ? Math.round(duration) : null,
    kind: localName,
    title: title || ariaLabel || "",
    url: currentSrc.split(/[?#]/, 1)[0] ?? "",
  };
}
