// What the shop sells. Prices are in cents, so that sums are exact.

import { cap, lamp, pack, socks } from "./illustrations/gear.js";
import { jacket } from "./illustrations/garment.js";
import { sandal, shoe } from "./illustrations/shoe.js";

/** The categories, in the order of the shelves. */
export const CATEGORIES = ["shoes", "jackets", "packs", "accessories"] as const;

/** One of the categories. */
export type Category = (typeof CATEGORIES)[number];

/** The colours of one variant, from the largest surface to the smallest. */
export interface Palette {
  readonly name: string;
  readonly main: string;
  readonly deep: string;
  readonly accent: string;
  readonly lace: string;
  readonly sole: string;
  readonly tread: string;
}

/** A review, as a customer wrote it. */
export interface Review {
  readonly author: string;
  readonly stars: 1 | 2 | 3 | 4 | 5;
  readonly text: string;
}

/** A product. */
export interface Product {
  readonly sku: string;
  readonly slug: string;
  readonly name: string;
  readonly category: Category;
  readonly tagline: string;
  readonly description: string;
  readonly cents: number;
  readonly weight: string;
  readonly waterproof: boolean;
  readonly facts: readonly (readonly [string, string])[];
  readonly sizes: readonly string[];
  readonly colours: readonly Palette[];
  readonly reviews: readonly Review[];
  readonly draw: (colours: Palette) => string;
}

const colour = (name: string, main: string, deep: string, accent: string, lace: string, sole: string, tread: string): Palette =>
  ({ name, main, deep, accent, lace, sole, tread });

const SPRUCE = colour("Spruce", "#2f6b57", "#1d4438", "#f0a13c", "#f6efdf", "#efe6d2", "#2b2a27");
const RUST = colour("Rust", "#c6532f", "#7f2f1c", "#f3c35b", "#fff3e2", "#f1e6d4", "#33251f");
const SLATE = colour("Slate", "#5d7182", "#35444f", "#e8633a", "#f2f2ec", "#e9e6de", "#272a2c");
const OAT = colour("Oat", "#d8c7a3", "#a78d62", "#2f6b57", "#fffaf0", "#f6f0e3", "#5a4a35");
const FJORD = colour("Fjord", "#2c6f93", "#1a435c", "#f2b84b", "#eef5f7", "#eceae1", "#1f2c33");
const HEATHER = colour("Heather", "#8c6a97", "#573f62", "#efc15d", "#f8f0fa", "#efe9ea", "#3a2f3d");
const CHARCOAL = colour("Charcoal", "#4b4f4e", "#2a2d2d", "#e8633a", "#f0efe9", "#dcd8cf", "#1c1d1d");
const LICHEN = colour("Lichen", "#a8b35a", "#646d31", "#2f4a3d", "#fdfbee", "#f3eddc", "#3b3d2a");

const SHOE_SIZES = ["37", "38", "39", "40", "41", "42", "43", "44", "45", "46"];
const WEAR_SIZES = ["XS", "S", "M", "L", "XL"];
const ONE_SIZE = ["One size"];

const review = (author: string, stars: Review["stars"], text: string): Review => ({ author, stars, text });

/** Everything on the shelves. */
export const PRODUCTS: readonly Product[] = [
  {
    sku: "NG-1001", slug: "fjellsti-trail", name: "Fjellsti Trail", category: "shoes", cents: 14900, weight: "268 g", waterproof: false,
    tagline: "Light trail runner for root and rock",
    description: "A low, close-fitting runner with a 5 mm drop and lugs that let go of mud. The rock plate ends before the toes, so the ground stays readable on a technical descent.",
    facts: [["Drop", "5 mm"], ["Lugs", "4.5 mm, wet rubber"], ["Upper", "Recycled ripstop mesh"], ["Resoling", "Twice, in our workshop"]],
    sizes: SHOE_SIZES, colours: [SPRUCE, RUST, SLATE],
    reviews: [review("Marit S.", 5, "Two seasons in Jotunheimen and the lugs still bite. I had them resoled once, back in nine days."), review("Jonas K.", 4, "Runs half a size small. Grip on wet granite is the best I have had.")],
    draw: (colours) => shoe(colours, { collar: "low", sole: "lugged" }),
  },
  {
    sku: "NG-1002", slug: "langlop-road", name: "Langløp Road", category: "shoes", cents: 13900, weight: "242 g", waterproof: false,
    tagline: "Cushioned road shoe for long, even miles",
    description: "Soft where you land and springy where you leave. The foam is bound with castor oil instead of crude, and keeps its shape past 800 kilometres.",
    facts: [["Drop", "8 mm"], ["Stack", "34 mm at the heel"], ["Upper", "One-piece knit"], ["Tested for", "800 km"]],
    sizes: SHOE_SIZES, colours: [FJORD, OAT, HEATHER],
    reviews: [review("Anneke V.", 5, "My marathon shoe. Legs felt fresh the day after, which they never do."), review("Paul R.", 4, "Comfortable from the box. I would like a wider toe box in 46.")],
    draw: (colours) => shoe(colours, { collar: "low", sole: "cushioned" }),
  },
  {
    sku: "NG-1003", slug: "ur-mid-gtx", name: "Ur Mid", category: "shoes", cents: 17900, weight: "398 g", waterproof: true,
    tagline: "Waterproof mid for scree and wet grass",
    description: "A fast hiking boot that stops at the ankle bone. The membrane is bonded without fluorine and the heel cup holds still on long traverses.",
    facts: [["Shaft", "Ankle high"], ["Membrane", "PFAS-free, 15,000 mm"], ["Lugs", "5 mm"], ["Resoling", "Yes"]],
    sizes: SHOE_SIZES, colours: [SLATE, LICHEN, RUST],
    reviews: [review("Elin B.", 5, "Twelve days of rain on the Arctic Circle Trail, dry feet on eleven of them.")],
    draw: (colours) => shoe(colours, { collar: "mid", sole: "lugged" }),
  },
  {
    sku: "NG-1004", slug: "varde-boot", name: "Varde Boot", category: "shoes", cents: 24900, weight: "612 g", waterproof: true,
    tagline: "Leather trekking boot, built around a repairable welt",
    description: "Nubuck from a vegetable tannery in Bergamo, a stitched welt and a sole any cobbler can replace. Needs a week of walks and then belongs to your feet.",
    facts: [["Leather", "2.4 mm nubuck"], ["Construction", "Stitched welt"], ["For", "Loads up to 25 kg"], ["Warranty", "5 years"]],
    sizes: SHOE_SIZES, colours: [OAT, CHARCOAL],
    reviews: [review("Georg H.", 5, "The first boot in years that my cobbler was happy to see."), review("Nadia L.", 4, "Stiff for the first 40 km, then perfect.")],
    draw: (colours) => shoe(colours, { collar: "high", sole: "lugged" }),
  },
  {
    sku: "NG-1005", slug: "kvelds-recovery", name: "Kvelds", category: "shoes", cents: 11900, weight: "214 g", waterproof: false,
    tagline: "Everyday runner for the commute and the easy evening loop",
    description: "A flat, quiet shoe without a visible year. Wool and hemp upper, natural-rubber sole, insole you can wash.",
    facts: [["Drop", "4 mm"], ["Upper", "Wool and hemp"], ["Sole", "Natural rubber"], ["Care", "30 °C, insole out"]],
    sizes: SHOE_SIZES, colours: [HEATHER, OAT, CHARCOAL],
    reviews: [review("Sofie D.", 5, "I own three pairs. Nobody needs to know.")],
    draw: (colours) => shoe(colours, { collar: "low", sole: "flat" }),
  },
  {
    sku: "NG-1006", slug: "strand-sandal", name: "Strand Sandal", category: "shoes", cents: 8900, weight: "231 g", waterproof: true,
    tagline: "Two straps for river crossings and camp",
    description: "Webbing from retired climbing ropes, one buckle, and a footbed that grips when wet. Dries before the coffee is ready.",
    facts: [["Straps", "Recycled rope webbing"], ["Footbed", "Textured EVA"], ["Dries in", "15 minutes"], ["Packs to", "4 cm"]],
    sizes: SHOE_SIZES, colours: [FJORD, RUST, CHARCOAL],
    reviews: [review("Ole M.", 4, "Walked all of Lofoten's beaches in them, and two of the roads.")],
    draw: sandal,
  },
  {
    sku: "NG-2001", slug: "skodde-shell", name: "Skodde Shell", category: "jackets", cents: 32900, weight: "385 g", waterproof: true,
    tagline: "Three-layer shell for weather that has made up its mind",
    description: "A storm hood that turns with your head, pit zips that can be reached with gloves, and seams taped by hand in Porto.",
    facts: [["Layers", "3"], ["Water column", "20,000 mm"], ["Hood", "Fits a helmet"], ["Zips", "Replaceable sliders"]],
    sizes: WEAR_SIZES, colours: [FJORD, RUST, CHARCOAL],
    reviews: [review("Ingrid T.", 5, "Stood on Galdhøpiggen in sleet for an hour, grinning.")],
    draw: (colours) => jacket(colours, "shell"),
  },
  {
    sku: "NG-2002", slug: "dun-light", name: "Dun Light", category: "jackets", cents: 22900, weight: "298 g", waterproof: false,
    tagline: "Quilted warmth that packs into its pocket",
    description: "Filled with recycled down, sorted again by hand. Warm enough for a still evening at the hut, light enough to forget in the pack.",
    facts: [["Filling", "Recycled down, 700 cuin"], ["Packs to", "1.2 litres"], ["Shell", "20 denier nylon"], ["Repair patches", "In the pocket"]],
    sizes: WEAR_SIZES, colours: [LICHEN, SPRUCE, HEATHER],
    reviews: [review("Kaja N.", 5, "Lives in my pack from September to May."), review("Tom W.", 4, "Sleeves could be a little longer.")],
    draw: (colours) => jacket(colours, "quilted"),
  },
  {
    sku: "NG-2003", slug: "ull-fleece", name: "Ull Fleece", category: "jackets", cents: 15900, weight: "342 g", waterproof: false,
    tagline: "Wool fleece that does not shed plastic",
    description: "A fleece knitted from Norwegian wool, brushed on the inside. It smells of nothing after a week and of sheep only in the rain.",
    facts: [["Material", "100 % wool"], ["Knit", "Brushed inside"], ["Pockets", "Two, zipped"], ["Care", "Air it, rarely wash it"]],
    sizes: WEAR_SIZES, colours: [OAT, SLATE, RUST],
    reviews: [review("Henrik A.", 5, "Replaced three synthetic ones.")],
    draw: (colours) => jacket(colours, "fleece"),
  },
  {
    sku: "NG-2004", slug: "bris-vest", name: "Bris Vest", category: "jackets", cents: 9900, weight: "92 g", waterproof: false,
    tagline: "Wind vest for the first ten minutes and the last ten",
    description: "Blocks the wind in front, breathes at the back, and disappears into a fist.",
    facts: [["Front", "15 denier ripstop"], ["Back", "Open mesh"], ["Reflective", "Ridge line on the chest"], ["Packs to", "An apple"]],
    sizes: WEAR_SIZES, colours: [RUST, FJORD, LICHEN],
    reviews: [review("Lea F.", 5, "The most used 92 grams I own.")],
    draw: (colours) => jacket(colours, "vest"),
  },
  {
    sku: "NG-3001", slug: "dagstur-20", name: "Dagstur 20", category: "packs", cents: 11900, weight: "610 g", waterproof: false,
    tagline: "Day pack with one good pocket too many",
    description: "Twenty litres for a day on the hill or the office. The back panel is a mat you can pull out and sit on.",
    facts: [["Volume", "20 l"], ["Back", "Removable sit mat"], ["Fabric", "Recycled 420 denier"], ["Laptop", "Up to 14 inch"]],
    sizes: ONE_SIZE, colours: [SPRUCE, OAT, SLATE],
    reviews: [review("Mikkel O.", 5, "The sit mat is the best idea anyone has had about packs.")],
    draw: (colours) => pack(colours, "day"),
  },
  {
    sku: "NG-3002", slug: "vidde-45", name: "Vidde 45", category: "packs", cents: 21900, weight: "1,480 g", waterproof: true,
    tagline: "Trek pack that carries 15 kilos quietly",
    description: "A frame of ash wood and aluminium, a hip belt that can be swapped, and no buckle you cannot buy anew.",
    facts: [["Volume", "45 l"], ["Frame", "Ash and aluminium"], ["Rain cover", "Built in"], ["Back length", "Adjustable"]],
    sizes: ["S/M", "M/L"], colours: [RUST, CHARCOAL, LICHEN],
    reviews: [review("Ida P.", 4, "Carries beautifully. Heavier than the fashion, lighter than it feels.")],
    draw: (colours) => pack(colours, "trek"),
  },
  {
    sku: "NG-3003", slug: "lope-vest-8", name: "Løpe Vest 8", category: "packs", cents: 12900, weight: "236 g", waterproof: false,
    tagline: "Running vest that does not bounce",
    description: "Eight litres over chest and back, two soft flasks included, a whistle that is loud. Cut for men and women on separate lasts.",
    facts: [["Volume", "8 l"], ["Flasks", "2 x 500 ml, included"], ["Pole loops", "Front and back"], ["Fit", "Two cuts"]],
    sizes: ["XS/S", "M", "L/XL"], colours: [SLATE, FJORD, HEATHER],
    reviews: [review("Carla G.", 5, "Hundred kilometres, no chafing. Enough said.")],
    draw: (colours) => pack(colours, "vest"),
  },
  {
    sku: "NG-4001", slug: "skygge-cap", name: "Skygge Cap", category: "accessories", cents: 3400, weight: "58 g", waterproof: false,
    tagline: "Five-panel cap that survives the washing machine",
    description: "A soft visor that folds, a drawcord that stays put, and a sweatband of merino.",
    facts: [["Panels", "5"], ["Visor", "Foldable"], ["Sweatband", "Merino"], ["Sun protection", "UPF 50+"]],
    sizes: ONE_SIZE, colours: [LICHEN, RUST, FJORD],
    reviews: [review("Ruben E.", 5, "Folded it a thousand times. Still a cap.")],
    draw: cap,
  },
  {
    sku: "NG-4002", slug: "ull-sokk", name: "Ull Sokk, two pairs", category: "accessories", cents: 2900, weight: "74 g", waterproof: false,
    tagline: "Merino crew socks with a lifetime of darning yarn",
    description: "Terry underfoot, thin on top, no seam at the toes. A card of matching yarn is in the box, and we show you how.",
    facts: [["Material", "72 % merino"], ["Cushion", "Terry sole"], ["Seam", "None at the toes"], ["In the box", "Darning yarn"]],
    sizes: ["36-39", "40-43", "44-47"], colours: [OAT, HEATHER, SPRUCE],
    reviews: [review("Astrid Y.", 4, "I have learned to darn. I am oddly proud.")],
    draw: socks,
  },
  {
    sku: "NG-4003", slug: "mork-lamp", name: "Mørk Lamp", category: "accessories", cents: 6900, weight: "84 g", waterproof: true,
    tagline: "Head lamp with a battery you can change",
    description: "Four hundred lumens for four hours, red light for the hut. Charges by USB-C and runs on three AAA cells when that is all there is.",
    facts: [["Light", "400 lm, 4 h"], ["Battery", "USB-C or 3 x AAA"], ["Red light", "Yes"], ["Sealed", "IP67"]],
    sizes: ONE_SIZE, colours: [CHARCOAL, RUST, SPRUCE],
    reviews: [review("Vera C.", 5, "Lit a whole winter of evening runs.")],
    draw: lamp,
  },
];

/** The product with this slug, if any. */
export function product(slug: string): Product | undefined {
  return PRODUCTS.find((item) => item.slug === slug);
}

/** The product with this stock number, if any. */
export function productBySku(sku: string): Product | undefined {
  return PRODUCTS.find((item) => item.sku === sku);
}

/** The products whose name, category or text hold every word of `query`, best known first. */
export function search(query: string): readonly Product[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean).slice(0, 8);
  if (words.length === 0) return [];
  return PRODUCTS.filter((item) => {
    const text = `${item.name} ${item.category} ${item.tagline} ${item.description}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

const EURO = new Intl.NumberFormat("en-IE", { style: "currency", currency: "EUR" });

/** The amount as people read it: `€149.00`. */
export function price(cents: number): string {
  return EURO.format(cents / 100);
}

/** The amount as events carry it: euros as a number. */
export function euros(cents: number): number {
  return cents / 100;
}
