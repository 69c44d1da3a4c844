/**
 * The script tag as text, for pages that a server writes.
 *
 * @packageDocumentation
 */

/** What the script tag says. */
export type SnippetOptions = {
  /** The site's name, as in `site.yaml`. */
  readonly site: string;
  /** The browser source's write key; it is public. */
  readonly writeKey: string;
  /** Where the loader is; left out: `/selvedge/v1/loader.js`. */
  readonly src?: string;
  /** Where the edge is, where it is not two folders above the loader. */
  readonly endpoint?: string;
  /** URL parameters that may be captured besides `utm_*`. */
  readonly parameters?: readonly string[];
  /** `manual`: no page view by itself. */
  readonly page?: "automatic" | "manual";
  /** `false`: the page's policy lets no WebAssembly run, and none is fetched. */
  readonly wasm?: false;
  /** The nonce of the page's content security policy. */
  readonly nonce?: string;
  /**
   * The hashes of the files beside the loader, by name: `integrity.json` of the package, and of the deployment. The browser then
   * runs no other; a page in the middle of a deployment stays as it was.
   */
  readonly integrity?: { readonly [file: string]: string };
};

/**
 * The inline script that keeps calls until the loader is there. Always the same text: a content security policy may name its
 * hash (`stub` in `integrity.json`) instead of a nonce.
 */
export const STUB =
  '(s=>{for(const m of["track","ecommerce","page","identify","group","alias","consent","slot","decisions","flush","reset","on"])' +
  "s[m]??=(...p)=>{s.q.push([m,p,Date.now()])}})(window.selvedge??={q:[]})";

/** The stub and the script tag. What is said stands in attributes, escaped. */
export function snippet(options: SnippetOptions): string {
  const { src = "/selvedge/v1/loader.js", nonce, integrity, endpoint, page, parameters = [] } = options;
  const said = {
    nonce,
    src,
    integrity: integrity?.["loader.js"],
    crossorigin: integrity ? "anonymous" : undefined,
    "data-site": options.site,
    "data-key": options.writeKey,
    "data-endpoint": endpoint,
    "data-parameters": parameters.join(",") || undefined,
    "data-page": page,
    "data-wasm": options.wasm === false ? "off" : undefined,
  };
  const inline = element("script", { nonce }, STUB);
  return (integrity ? integrityMap(src, integrity, nonce) : "") + inline + element("script", { async: "", ...said }, "");
}

/** The hashes of the modules that the loader imports. */
function integrityMap(src: string, integrity: { readonly [file: string]: string }, nonce: string | undefined): string {
  const base = src.replace(/[^/]*$/, "");
  const modules = Object.entries(integrity).filter(([file]) => file.endsWith(".js") && file !== "loader.js");
  const map = { integrity: Object.fromEntries(modules.map(([file, hash]) => [base + file, hash])) };
  return element("script", { nonce, type: "importmap" }, JSON.stringify(map).replaceAll("<", "\\u003c"));
}

function element(name: string, attributes: { readonly [name: string]: string | undefined }, text: string): string {
  const said = Object.entries(attributes).flatMap(([name, value]) => (value === undefined ? [] : [attribute(name, value)]));
  return `<${[name, ...said].join(" ")}>${text}</${name}>`;
}

function attribute(name: string, value: string): string {
  const escaped = value.replace(/[&"<>]/g, (letter) => `&#${letter.charCodeAt(0)};`);
  return value === "" ? name : `${name}="${escaped}"`;
}
