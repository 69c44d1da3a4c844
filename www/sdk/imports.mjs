// Imports of a wasm module under short names: wasm-bindgen's carry a hash each, which does not compress.

const IMPORT = 2;
/** The one module that all imports are of. */
const MODULE = "a";

/** The module with its imports renamed, and the script that gives the object they are found in. */
export function shorten(bytes) {
  const found = WebAssembly.Module.imports(new WebAssembly.Module(bytes));
  if (found.some((entry) => entry.kind !== "function")) throw new Error("only functions can be renamed");
  const names = found.map((_, at) => String.fromCharCode(97 + at));
  if (names.length > 26) throw new Error("more imports than letters");
  const lines = found.map((entry, at) => `import { ${entry.name} as ${names[at]} } from "${entry.module}";`);
  lines.push(`export const imports = { ${MODULE}: { ${names.join(", ")} } };`);
  return { module: rename(bytes, names), script: lines.join("\n") };
}

function rename(bytes, names) {
  const out = [bytes.subarray(0, 8)];
  for (let at = 8; at < bytes.length; ) {
    const size = number(bytes, at + 1);
    const content = bytes.subarray(size.end, size.end + size.value);
    const next = size.end + size.value;
    if (bytes[at] === IMPORT) {
      const renamed = Buffer.concat(section(content, names));
      out.push(Buffer.from([IMPORT, ...leb(renamed.length)]), renamed);
    } else {
      out.push(bytes.subarray(at, next));
    }
    at = next;
  }
  return Buffer.concat(out);
}

function section(content, names) {
  const count = number(content, 0);
  const out = [Buffer.from(leb(count.value))];
  let at = count.end;
  for (const name of names) {
    for (let text = 0; text < 2; text++) {
      const length = number(content, at);
      at = length.end + length.value;
    }
    const type = number(content, at + 1);
    out.push(text(MODULE), text(name), content.subarray(at, type.end));
    at = type.end;
  }
  return out;
}

function text(word) {
  return Buffer.from([word.length, ...Buffer.from(word)]);
}

function number(bytes, at) {
  let value = 0;
  let scale = 1;
  let byte;
  do {
    byte = bytes[at++];
    value += (byte & 127) * scale;
    scale *= 128;
  } while (byte > 127);
  return { value, end: at };
}

function leb(value) {
  const bytes = [];
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128);
  return [...bytes, value];
}
