// Property values as a site may pass them, each with what the edge must read: ["int", "5"], ["map", [[name, value], ...]].

const int = (digits) => ["int", `${digits}`];
const double = (value) => {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  return ["double", view.getBigUint64(0).toString(16).padStart(16, "0")];
};
const text = (value) => ["text", value];

const plain = [
  [{ a: null, b: true, c: false }, { a: ["null"], b: ["bool", true], c: ["bool", false] }],
  [{ zero: 0, one: 1, minus: -1, byte: 127, more: 128 }, { zero: int(0), one: int(1), minus: int(-1), byte: int(127), more: int(128) }],
  [
    { safe: 2 ** 53 - 1, least: -(2 ** 53 - 1), half: 2 ** 51 + 1, signed: 2n ** 63n - 1n, lowest: -(2n ** 63n) },
    {
      safe: int(2n ** 53n - 1n),
      least: int(-(2n ** 53n) + 1n),
      half: int(2n ** 51n + 1n),
      signed: int(2n ** 63n - 1n),
      lowest: int(-(2n ** 63n)),
    },
  ],
  [
    { unsigned: 2n ** 63n, greatest: 2n ** 64n - 1n, beyond: 2n ** 64n },
    { unsigned: ["uint", `${2n ** 63n}`], greatest: ["uint", `${2n ** 64n - 1n}`], beyond: text(`${2n ** 64n}`) },
  ],
  [
    { latitude: 52.5200066, tiny: 5e-324, huge: 1.7976931348623157e308, odd: 2 ** 53 + 2, minus: -0.1 },
    {
      latitude: double(52.5200066),
      tiny: double(5e-324),
      huge: double(1.7976931348623157e308),
      odd: double(2 ** 53 + 2),
      minus: double(-0.1),
    },
  ],
  [{ infinite: Infinity }, { infinite: double(Infinity) }],
  [{ "": "", emoji: "👟 ünï", long: "x".repeat(300) }, { "": text(""), emoji: text("👟 ünï"), long: text("x".repeat(300)) }],
  [{ lone: "a\ud800b" }, { lone: text("a\ufffdb") }],
  [
    { list: [1, "b", null, undefined, [true]], object: { deep: { er: 1.5 } } },
    {
      list: ["list", [int(1), text("b"), ["null"], ["null"], ["list", [["bool", true]]]]],
      object: ["map", [["deep", ["map", [["er", double(1.5)]]]]]],
    },
  ],
  [{ left: undefined, out: () => 1, kept: 1 }, { kept: int(1) }],
  [{ date: new Date(86_400_000), none: new Date(NaN) }, { date: text("1970-01-02T00:00:00.000Z"), none: ["null"] }],
];

/** A small generator, so that every run makes the same values. */
function generator(seed) {
  return () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };
}

function value(next, depth) {
  const kind = Math.floor(next() * (depth > 3 ? 6 : 8));
  if (kind === 0) return [null, ["null"]];
  if (kind === 1) return next() < 0.5 ? [true, ["bool", true]] : [false, ["bool", false]];
  if (kind === 2) {
    const whole = Math.floor((next() - 0.5) * 2 ** Math.floor(next() * 54)) + 0;
    return [whole, int(BigInt(whole))];
  }
  if (kind === 3) {
    const number = BigInt(Math.floor(next() * 2 ** 53)) * (next() < 0.5 ? 1n : -1n) * 2n ** BigInt(Math.floor(next() * 10));
    return [number, int(number)];
  }
  if (kind === 4) {
    const fraction = (next() - 0.5) * 10 ** Math.floor(next() * 20 - 10) + 1e-11;
    return Number.isSafeInteger(fraction) ? [fraction, int(fraction)] : [fraction, double(fraction)];
  }
  if (kind === 5) {
    const letters = Array.from({ length: Math.floor(next() * 20) }, () => String.fromCodePoint(32 + Math.floor(next() * 50_000)));
    return [letters.join(""), text(letters.join(""))];
  }
  const items = Array.from({ length: Math.floor(next() * 5) }, () => value(next, depth + 1));
  if (kind === 6) return [items.map(([item]) => item), ["list", items.map(([, tagged]) => tagged)]];
  const named = items.map((item, at) => [`n${at}`, ...item]);
  return [
    Object.fromEntries(named.map(([name, item]) => [name, item])),
    ["map", named.map(([name, , tagged]) => [name, tagged])],
  ];
}

const next = generator(20_261_122);
const random = Array.from({ length: 100 }, () => {
  const [sent, tagged] = value(next, 0);
  return [{ value: sent }, { value: tagged }];
});

export const values = [...plain, ...random].map(([sent, read]) => ({ sent, read: ["map", Object.entries(read)] }));
