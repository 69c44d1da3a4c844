// The landscape behind the hero and the brand's mark. Its colours are style variables, so that night falls in dark mode.

/** Ridges, a low sun and a path, drawn to fill any width. */
export function landscape(): string {
  return `<svg class="landscape" viewBox="0 0 1440 560" preserveAspectRatio="xMaxYMax slice" aria-hidden="true" focusable="false">
    <defs>
      <linearGradient id="sky" x1="0" y1="0" x2="0" y2="1">
        <stop offset="0" stop-color="var(--sky-high)"/><stop offset="1" stop-color="var(--sky-low)"/>
      </linearGradient>
    </defs>
    <rect width="1440" height="560" fill="url(#sky)"/>
    <g class="stars" fill="#fff"><circle cx="720" cy="60" r="1.6"/><circle cx="840" cy="110" r="1.2"/><circle cx="930" cy="44" r="1.8"/><circle cx="1220" cy="70" r="1.4"/><circle cx="1330" cy="130" r="1.7"/><circle cx="1390" cy="52" r="1.2"/><circle cx="640" cy="150" r="1.3"/><circle cx="1010" cy="150" r="1.1"/><circle cx="520" cy="80" r="1.3"/></g>
    <circle class="sun" cx="1086" cy="176" r="74" fill="var(--sun)"/>
    <path d="M0 330L150 262 262 318 420 214 560 300 690 236 830 316 960 178 1100 288 1226 206 1440 322V560H0Z" fill="var(--ridge-4)"/>
    <path d="M960 178L1004 213 976 226 952 212 926 226Z M1226 206L1262 226 1234 238 1204 222Z" fill="var(--snow)"/>
    <path d="M0 396C140 330 240 390 380 338S620 400 760 344S980 300 1120 352S1330 320 1440 366V560H0Z" fill="var(--ridge-3)"/>
    <path d="M0 452C200 396 340 452 520 416S800 452 960 404S1280 388 1440 428V560H0Z" fill="var(--ridge-2)"/>
    <g fill="var(--ridge-1)">
      <path d="M0 512C220 462 420 508 640 478S1100 494 1440 456V560H0Z"/>
      ${firs([[820, 486, 1], [856, 488, 0.7], [1180, 484, 1.25], [1222, 482, 0.85], [1262, 480, 1.1], [1378, 470, 1.35], [1330, 474, 0.8], [690, 488, 0.75]])}
    </g>
    <path d="M1010 560C1030 520 960 506 1000 480C1030 462 1090 470 1080 440C1074 424 1040 424 1046 408" stroke="var(--path)" stroke-width="9" fill="none" stroke-linecap="round" opacity=".75"/>
  </svg>`;
}

function firs(places: readonly (readonly [number, number, number])[]): string {
  return places
    .map(([x, y, scale]) => `<path transform="translate(${x} ${y}) scale(${scale})" d="M0 -86L17 -50H9L24 -24H13L30 6H-30L-13 -24H-24L-9 -50H-17Z"/>`)
    .join("");
}

/** The mark: two ridges in one line. */
export function mark(): string {
  return `<svg class="mark" viewBox="0 0 32 24" aria-hidden="true" focusable="false"><path d="M3 20 11 5l7 11 3-5 8 9" fill="none" stroke="currentColor" stroke-width="2.8" stroke-linecap="round" stroke-linejoin="round"/></svg>`;
}

const ICONS = {
  search: "M10.5 4a6.5 6.5 0 1 1 0 13a6.5 6.5 0 0 1 0-13M15.5 15.5 21 21",
  bag: "M5 8h14l-1 12H6zM9 8a3 3 0 0 1 6 0",
  person: "M12 4a4 4 0 1 1 0 8a4 4 0 0 1 0-8M4.5 20.5c1-5 14-5 15 0",
  heart: "M12 20C5 15 3 11.500 3.600 8.500C4.500 5 9.500 4 12 8C14.500 4 19.500 5 20.400 8.500C21 11.500 19 15 12 20Z",
  close: "M6 6l12 12M18 6 6 18",
  compare: "M5 20V10M12 20V4M19 20v-7",
  check: "M5 12.500 10 17.500 19 7",
  arrow: "M5 12h14M13 6l6 6-6 6",
  truck: "M3 6h11v10H3zM14 10h4l3 3v3h-7M7 19a2 2 0 1 0 0-4a2 2 0 0 0 0 4M17 19a2 2 0 1 0 0-4a2 2 0 0 0 0 4",
  repair: "M14 6a4 4 0 0 1 5 5l-2-2-2 1 0-2zM14.500 10.500 6 19a1.800 1.800 0 0 1-2.500-2.500L12 8",
  leaf: "M5 19C5 9 11 5 20 5C20 14 15 19 8 18M5 19C7 15 10 12 14 10",
  chat: "M4 5h16v11H10l-5 4v-4H4z",
  bell: "M6 16V11a6 6 0 0 1 12 0v5l1.500 2H4.500zM10 20.500h4",
} as const;

/** One of the line icons, 24 by 24, drawn in the colour of the text. */
export function icon(name: keyof typeof ICONS): string {
  return `<svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d="${ICONS[name]}" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/></svg>`;
}
