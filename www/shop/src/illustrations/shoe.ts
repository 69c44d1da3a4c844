// Side views of footwear, toe to the right, on a canvas of 400 by 300. Colours in, SVG text out.

import type { Palette } from "../catalog.js";

/** The build of a shoe: how high its collar stands, how thick its sole is, whether the sole has lugs. */
export interface ShoeBuild {
  readonly collar: "low" | "mid" | "high";
  readonly sole: "flat" | "cushioned" | "lugged";
}

const GROUND = 236;

/** The upper's outline, by the height of the collar. */
const OUTLINES = {
  low: "M76 200C70 172 70 148 80 126C86 112 100 108 110 114C122 128 142 134 160 124L178 100C186 90 200 94 203 104C226 138 266 158 304 168C334 175 350 186 352 204L350 212H76Z",
  mid: "M76 200C70 164 72 128 82 98C88 84 102 82 110 90C124 104 142 106 158 96L172 74C182 64 196 70 200 82C214 132 262 156 304 168C334 175 350 186 352 204L350 212H76Z",
  high: "M76 200C72 160 76 108 84 62C88 48 102 46 112 54C126 66 144 66 158 56L166 48C178 40 190 48 192 60C202 126 250 154 304 168C334 175 350 186 352 204L350 212H76Z",
} as const;

/** The tongue, standing a little above the collar. */
const TONGUES = {
  low: "M158 126L180 90C192 76 212 84 210 102L214 118Z",
  mid: "M154 98L172 62C184 48 206 56 204 76L208 108Z",
  high: "M152 60L160 38C172 24 198 32 196 54L200 92Z",
} as const;

/** The dark inside of the collar. */
const COLLARS = {
  low: "M84 124C92 110 104 110 111 117C123 130 143 136 161 126L170 113C150 118 124 116 108 110Z",
  mid: "M86 96C94 84 104 86 111 93C125 106 143 108 159 98L166 86C148 92 122 92 106 84Z",
  high: "M87 60C94 48 106 50 113 57C127 68 145 68 159 58L163 50C146 56 122 56 106 48Z",
} as const;

/** Where the laces cross: pairs of points from the throat down to the toe. */
const LACES = {
  low: [[186, 108, 168, 128], [202, 124, 182, 142], [220, 138, 200, 154], [240, 149, 222, 164]],
  mid: [[180, 84, 162, 104], [190, 104, 170, 122], [202, 122, 182, 140], [220, 138, 200, 154], [240, 149, 222, 164]],
  high: [[174, 64, 154, 76], [178, 84, 158, 98], [186, 104, 166, 120], [200, 122, 180, 140], [220, 138, 200, 154], [240, 149, 222, 164]],
} as const;

/** Draws a closed shoe. */
export function shoe(colours: Palette, build: ShoeBuild): string {
  const outline = OUTLINES[build.collar];
  const clip = `c${build.collar}${colours.main.slice(1)}${build.sole}`;
  return `
    <ellipse cx="212" cy="${GROUND + 14}" rx="156" ry="9" fill="#000" opacity=".13"/>
    <path d="${TONGUES[build.collar]}" fill="${colours.deep}"/>
    ${sole(colours, build.sole)}
    <clipPath id="${clip}"><path d="${outline}"/></clipPath>
    <path d="${outline}" fill="${colours.main}"/>
    <g clip-path="url(#${clip})">
      <path d="M60 212V120C92 150 96 178 128 196L150 214Z" fill="${colours.deep}"/>
      <path d="M262 214C270 190 288 172 318 168L360 176V214Z" fill="${colours.deep}"/>
      <path d="M120 214L176 140L206 190L226 158L262 214Z" fill="${colours.accent}" opacity=".95"/>
      <path d="M146 214L176 172L196 206L212 182L236 214Z" fill="${colours.main}"/>
      <path d="M64 200C140 214 260 206 356 196V220H64Z" fill="#000" opacity=".12"/>
      <path d="M204 100C228 138 268 156 306 166" stroke="#fff" stroke-opacity=".28" stroke-width="7" fill="none"/>
      ${mesh()}
    </g>
    <path d="${COLLARS[build.collar]}" fill="${colours.deep}"/>
    <path d="${COLLARS[build.collar]}" fill="#000" opacity=".4"/>
    ${laces(build.collar, colours.lace)}
    <path d="M80 ${heelTop(build.collar)}c-8 -4 -12 4 -10 14" stroke="${colours.accent}" stroke-width="6" stroke-linecap="round" fill="none"/>`;
}

function heelTop(collar: ShoeBuild["collar"]): number {
  return { low: 126, mid: 100, high: 66 }[collar];
}

function laces(collar: ShoeBuild["collar"], colour: string): string {
  return LACES[collar]
    .map(([x1, y1, x2, y2]) =>
      `<path d="M${x1} ${y1}L${x2} ${y2}" stroke="${colour}" stroke-width="6.5" stroke-linecap="round"/>` +
      `<circle cx="${x2}" cy="${y2}" r="2.4" fill="#000" opacity=".35"/>`)
    .join("");
}

function mesh(): string {
  const rows = Array.from({ length: 7 }, (_, row) => `M${212 + row * 13} ${140 + row * 4}l-8 ${34 - row}`);
  return `<path d="${rows.join("")}" stroke="#000" stroke-opacity=".13" stroke-width="2.5" stroke-linecap="round"/>`;
}

function sole(colours: Palette, kind: ShoeBuild["sole"]): string {
  if (kind === "flat") {
    return `<path d="M70 200C66 222 70 240 88 240H334C356 240 362 224 356 198C280 214 140 214 70 200Z" fill="${colours.sole}"/>
      <path d="M74 228C76 238 80 240 88 240H334C348 240 356 234 358 224C280 232 150 232 74 228Z" fill="${colours.tread}"/>`;
  }
  if (kind === "cushioned") {
    return `<path d="M64 188C54 214 58 244 84 244H322C352 244 370 220 356 192C290 210 140 208 64 188Z" fill="${colours.sole}"/>
      <path d="M66 222C120 232 180 206 240 226C290 238 330 228 361 210" stroke="${colours.accent}" stroke-width="5" fill="none" stroke-linecap="round" opacity=".8"/>
      <path d="M68 238C72 243 77 244 84 244H322C336 244 346 239 352 232C260 240 150 241 68 238Z" fill="${colours.tread}"/>`;
  }
  const lugs = Array.from({ length: 11 }, (_, index) => `M${78 + index * 25} 236h15l-3 14h-10Z`).join("");
  return `<path d="M68 194C60 216 62 238 86 238H328C354 238 366 220 356 194C285 212 140 210 68 194Z" fill="${colours.sole}"/>
    <path d="M64 222C64 234 70 240 86 240H328C346 240 358 232 361 216C270 226 150 228 64 222Z" fill="${colours.tread}"/>
    <path d="${lugs}" fill="${colours.tread}"/>`;
}

/** Draws a sandal with two straps. */
export function sandal(colours: Palette): string {
  return `
    <ellipse cx="212" cy="${GROUND + 12}" rx="154" ry="9" fill="#000" opacity=".13"/>
    <path d="M128 206C132 160 152 132 182 128C206 126 214 150 218 206" fill="none" stroke="${colours.main}" stroke-width="20"/>
    <path d="M84 204C74 164 86 132 112 128C134 140 152 142 176 130" fill="none" stroke="${colours.deep}" stroke-width="17" stroke-linecap="round"/>
    <path d="M240 208C254 172 286 158 314 168C334 176 340 190 342 206" fill="none" stroke="${colours.main}" stroke-width="22"/>
    <path d="M252 196C266 176 288 168 308 174" fill="none" stroke="${colours.accent}" stroke-width="6" stroke-linecap="round"/>
    <rect x="170" y="118" width="30" height="24" rx="6" fill="${colours.accent}" transform="rotate(-18 185 130)"/>
    <path d="M70 200C66 222 70 242 90 242H332C358 242 364 222 356 200C330 190 300 206 250 206C180 208 120 206 70 200Z" fill="${colours.sole}"/>
    <path d="M70 226C74 240 80 242 90 242H332C350 242 358 234 360 220C280 232 150 232 70 226Z" fill="${colours.tread}"/>`;
}
