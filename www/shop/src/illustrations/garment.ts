// Front views of jackets, on a canvas of 400 by 300. Colours in, SVG text out.

import type { Palette } from "../catalog.js";

/** The build of a jacket: a plain shell, a quilted one, a fleece, or a vest without sleeves. */
export type JacketBuild = "shell" | "quilted" | "fleece" | "vest";

const BODY = "M150 74C166 84 234 84 250 74L272 86C280 132 280 196 278 262C278 268 274 270 268 270H132C126 270 122 268 122 262C120 196 120 132 128 86Z";
const LEFT_SLEEVE = "M128 86C104 96 94 122 84 164L66 238C64 246 68 250 74 252L96 256C102 256 104 254 106 248L128 168Z";
const RIGHT_SLEEVE = "M272 86C296 96 306 122 316 164L334 238C336 246 332 250 326 252L304 256C298 256 296 254 294 248L272 168Z";
const HOOD = "M148 78C146 46 168 26 200 26C232 26 254 46 252 78C234 92 166 92 148 78Z";

/** Draws a jacket. */
export function jacket(colours: Palette, build: JacketBuild): string {
  const clip = `j${build}${colours.main.slice(1)}`;
  return `
    <ellipse cx="200" cy="279" rx="104" ry="7" fill="#000" opacity=".12"/>
    ${build === "vest" ? "" : sleeves(colours, build)}
    ${build === "shell" || build === "quilted" ? hood(colours) : collar(colours)}
    <clipPath id="${clip}"><path d="${BODY}"/></clipPath>
    <path d="${BODY}" fill="${colours.main}"/>
    <g clip-path="url(#${clip})">
      ${surface(colours, build)}
      <path d="M112 60H156C138 120 134 200 140 280H112Z" fill="#000" opacity=".08"/>
      <path d="M288 60H250C264 120 266 200 258 280H288Z" fill="#000" opacity=".13"/>
    </g>
    <path d="M200 82V270" stroke="${colours.accent}" stroke-width="5"/>
    <rect x="196" y="92" width="8" height="18" rx="4" fill="${colours.lace}"/>
    <path d="M148 190l22 -8M252 190l-22 -8" stroke="${colours.accent}" stroke-width="5" stroke-linecap="round"/>
    <path d="M222 122l8 -14 6 9 4 -6 6 11" stroke="${colours.lace}" stroke-width="3" fill="none" stroke-linecap="round" stroke-linejoin="round"/>`;
}

function sleeves(colours: Palette, build: JacketBuild): string {
  const seams = build === "quilted"
    ? `<path d="M100 118l28 12M92 146l34 14M84 176l36 14M77 206l36 12M300 118l-28 12M308 146l-34 14M316 176l-36 14M323 206l-36 12" stroke="#000" stroke-opacity=".18" stroke-width="4"/>`
    : "";
  return `<path d="${LEFT_SLEEVE}" fill="${colours.main}"/><path d="${RIGHT_SLEEVE}" fill="${colours.main}"/>
    <path d="${LEFT_SLEEVE}" fill="#000" opacity=".1"/><path d="${RIGHT_SLEEVE}" fill="#000" opacity=".16"/>
    ${seams}
    <path d="M66 236l40 10 -4 10 -30 -4c-6 -2 -8 -8 -6 -16ZM334 236l-40 10 4 10 30 -4c6 -2 8 -8 6 -16Z" fill="${colours.deep}"/>`;
}

function hood(colours: Palette): string {
  return `<path d="${HOOD}" fill="${colours.deep}"/>
    <path d="M166 76C164 54 178 42 200 42C222 42 236 54 234 76C222 86 178 86 166 76Z" fill="#000" opacity=".35"/>
    <path d="M166 76C164 54 178 42 200 42C222 42 236 54 234 76" fill="none" stroke="${colours.accent}" stroke-width="4"/>`;
}

function collar(colours: Palette): string {
  return `<path d="M156 76C156 58 164 52 174 50H226C236 52 244 58 244 76C230 88 170 88 156 76Z" fill="${colours.deep}"/>
    <path d="M172 52C180 62 220 62 228 52L226 50H174Z" fill="#000" opacity=".4"/>`;
}

function surface(colours: Palette, build: JacketBuild): string {
  if (build === "quilted") {
    const rows = [108, 136, 164, 192, 220, 248];
    return rows.map((y) => `<path d="M112 ${y}Q156 ${y + 9} 200 ${y}T288 ${y}" stroke="#000" stroke-opacity=".2" stroke-width="4" fill="none"/>
      <path d="M112 ${y + 5}Q156 ${y + 14} 200 ${y + 5}T288 ${y + 5}" stroke="#fff" stroke-opacity=".16" stroke-width="3" fill="none"/>`).join("");
  }
  if (build === "fleece") {
    const dots = Array.from({ length: 96 }, (_, index) => `M${126 + (index % 12) * 13 + (Math.floor(index / 12) % 2) * 6} ${100 + Math.floor(index / 12) * 21}h3`);
    return `<path d="${dots.join("")}" stroke="#fff" stroke-opacity=".3" stroke-width="4" stroke-linecap="round"/>
      <path d="M112 60H288V128C240 140 160 140 112 128Z" fill="${colours.deep}"/>`;
  }
  if (build === "vest") {
    return `<path d="M112 60H288V150L200 172L112 150Z" fill="${colours.deep}"/>
      <path d="M112 150L200 172L288 150" stroke="${colours.accent}" stroke-width="4" fill="none"/>`;
  }
  return `<path d="M112 60H288V134L232 150C214 156 186 156 168 150L112 134Z" fill="${colours.deep}"/>`;
}
