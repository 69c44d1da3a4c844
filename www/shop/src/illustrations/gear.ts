// Packs and small things, on a canvas of 400 by 300. Colours in, SVG text out.

import type { Palette } from "../catalog.js";

/** Draws a pack; a trek pack stands taller, with a lid and a roll under it. */
export function pack(colours: Palette, build: "day" | "trek" | "vest"): string {
  if (build === "vest") return vestPack(colours);
  const top = build === "trek" ? 44 : 72;
  return `
    <ellipse cx="200" cy="276" rx="96" ry="8" fill="#000" opacity=".13"/>
    <path d="M120 ${top + 60}C96 ${top + 80} 92 220 104 254L124 258ZM280 ${top + 60}C304 ${top + 80} 308 220 296 254L276 258Z" fill="${colours.deep}"/>
    <path d="M182 ${top}C182 ${top - 24} 218 ${top - 24} 218 ${top}" stroke="${colours.deep}" stroke-width="8" fill="none"/>
    <path d="M118 ${top + 50}C118 ${top + 14} 146 ${top} 200 ${top}S282 ${top + 14} 282 ${top + 50}L288 244C288 262 276 270 260 270H140C124 270 112 262 112 244Z" fill="${colours.main}"/>
    <path d="M262 ${top + 14}C276 ${top + 24} 282 ${top + 36} 282 ${top + 50}L288 244C288 262 276 270 260 270H244Z" fill="#000" opacity=".12"/>
    <path d="M118 ${top + 50}C118 ${top + 14} 146 ${top} 200 ${top}S282 ${top + 14} 282 ${top + 50}L284 ${top + 74}C240 ${top + 92} 160 ${top + 92} 116 ${top + 74}Z" fill="${colours.deep}"/>
    <rect x="140" y="176" width="120" height="78" rx="16" fill="${colours.deep}"/>
    <rect x="140" y="176" width="120" height="78" rx="16" fill="#fff" opacity=".08"/>
    <path d="M152 194H248" stroke="${colours.accent}" stroke-width="5" stroke-linecap="round"/>
    <path d="M158 ${top + 74}V176M242 ${top + 74}V176" stroke="${colours.accent}" stroke-width="9"/>
    <rect x="151" y="${top + 92}" width="14" height="18" rx="3" fill="${colours.lace}"/>
    <rect x="235" y="${top + 92}" width="14" height="18" rx="3" fill="${colours.lace}"/>
    <path d="M182 230l12 -20 8 12 6 -8 10 16" stroke="${colours.lace}" stroke-width="4" fill="none" stroke-linecap="round" stroke-linejoin="round"/>
    ${build === "trek" ? `<rect x="126" y="252" width="148" height="24" rx="12" fill="${colours.accent}"/><path d="M158 250V278M242 250V278" stroke="${colours.deep}" stroke-width="7"/>` : ""}`;
}

function vestPack(colours: Palette): string {
  return `
    <ellipse cx="200" cy="276" rx="92" ry="7" fill="#000" opacity=".12"/>
    <path d="M148 46C120 60 112 120 116 178C118 230 128 262 150 266H186V200C166 170 160 100 176 52Z" fill="${colours.main}"/>
    <path d="M252 46C280 60 288 120 284 178C282 230 272 262 250 266H214V200C234 170 240 100 224 52Z" fill="${colours.main}"/>
    <path d="M252 46C280 60 288 120 284 178C282 230 272 262 250 266H240C262 210 262 110 240 50Z" fill="#000" opacity=".14"/>
    <path d="M148 46C160 36 172 40 176 52M252 46C240 36 228 40 224 52" stroke="${colours.deep}" stroke-width="10" fill="none" stroke-linecap="round"/>
    <rect x="124" y="112" width="40" height="72" rx="12" fill="${colours.deep}"/>
    <rect x="236" y="112" width="40" height="72" rx="12" fill="${colours.deep}"/>
    <path d="M130 90h24v26h-24ZM246 90h24v26h-24Z" fill="${colours.lace}" opacity=".85"/>
    <rect x="134" y="78" width="16" height="14" rx="4" fill="${colours.accent}"/>
    <rect x="250" y="78" width="16" height="14" rx="4" fill="${colours.accent}"/>
    <path d="M164 140H236M172 204H228" stroke="${colours.accent}" stroke-width="6"/>
    <rect x="192" y="133" width="16" height="14" rx="3" fill="${colours.deep}"/>
    <rect x="192" y="197" width="16" height="14" rx="3" fill="${colours.deep}"/>`;
}

/** Draws a five-panel cap. */
export function cap(colours: Palette): string {
  return `
    <ellipse cx="206" cy="232" rx="140" ry="9" fill="#000" opacity=".12"/>
    <path d="M92 200C86 120 132 78 196 78C258 78 298 124 296 196C240 214 150 216 92 200Z" fill="${colours.main}"/>
    <path d="M196 78C258 78 298 124 296 196C276 202 254 206 232 208C246 160 236 112 196 78Z" fill="#000" opacity=".12"/>
    <path d="M196 80C150 112 140 160 148 208M196 80C232 108 246 160 236 207" stroke="#000" stroke-opacity=".18" stroke-width="3" fill="none"/>
    <path d="M92 196C150 214 240 212 296 192C338 200 366 214 362 224C356 236 300 222 232 226C160 230 100 228 92 218Z" fill="${colours.deep}"/>
    <path d="M92 198C150 216 240 214 296 194" stroke="${colours.accent}" stroke-width="6" fill="none"/>
    <circle cx="196" cy="78" r="7" fill="${colours.accent}"/>
    <path d="M164 168l18 -30 12 18 9 -12 15 24" stroke="${colours.lace}" stroke-width="6" fill="none" stroke-linecap="round" stroke-linejoin="round"/>`;
}

/** Draws a pair of socks. */
export function socks(colours: Palette): string {
  const one = (x: number, shade: string): string => `
    <g transform="translate(${x} 0)">
      <path d="M120 48H182V168C182 182 190 190 204 200L244 226C262 240 254 264 230 264H188C170 264 160 258 148 246L130 228C122 220 120 210 120 198Z" fill="${shade}"/>
      <path d="M120 48H182V76H120Z" fill="${colours.deep}"/>
      <path d="M120 92H182M120 106H182" stroke="${colours.accent}" stroke-width="7"/>
      <path d="M120 196C122 214 128 224 138 234L150 218C140 208 136 198 136 186L120 182Z" fill="${colours.deep}"/>
      <path d="M222 212L244 226C262 240 254 264 230 264H210C206 244 210 226 222 212Z" fill="${colours.deep}"/>
      <path d="M128 52V72M138 52V72M148 52V72M158 52V72M168 52V72M176 52V72" stroke="#fff" stroke-opacity=".2" stroke-width="2.5"/>
    </g>`;
  return `<ellipse cx="212" cy="270" rx="124" ry="7" fill="#000" opacity=".12"/>${one(64, colours.deep)}${one(64, colours.main)}${one(-14, colours.main)}`;
}

/** Draws a head lamp on its band. */
export function lamp(colours: Palette): string {
  return `
    <ellipse cx="200" cy="256" rx="124" ry="8" fill="#000" opacity=".12"/>
    <path d="M82 168C82 104 136 74 200 74S318 104 318 168" stroke="${colours.deep}" stroke-width="24" fill="none"/>
    <path d="M82 160C78 212 126 238 200 238S322 212 318 160" stroke="${colours.main}" stroke-width="30" fill="none" stroke-linecap="round"/>
    <path d="M90 184C104 216 148 228 200 228S296 216 310 184" stroke="${colours.accent}" stroke-width="5" fill="none"/>
    <rect x="146" y="178" width="108" height="70" rx="22" fill="${colours.deep}"/>
    <circle cx="200" cy="213" r="27" fill="${colours.lace}"/>
    <circle cx="200" cy="213" r="19" fill="#ffdf80"/>
    <circle cx="194" cy="206" r="7" fill="#fff" opacity=".85"/>
    <path d="M160 200v26M240 200v26" stroke="${colours.accent}" stroke-width="6" stroke-linecap="round"/>`;
}
