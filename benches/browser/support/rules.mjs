// The floor of the rule engine: the rules of benches/src/engine.rs and their visitor, written by hand in JavaScript. It
// knows no windows, consent, caps, holds, groups or unknown facts; it compares and picks the first rule of each slot.
const METRICS = 24;
const ATTRIBUTES = 48;
const SLOTS = 8;
const EVENTS = 6;
const PATHS = ['value-0', 'value-1', 'value-2', 'value-3', 'value-4', 'value-5'];

/** Rule number `at`: its slot and its condition. */
function rule(at) {
  const [metric, attribute, least, text] = [at % METRICS, at % ATTRIBUTES, 1 + (at % 5), `value-${at % 6}`];
  const absent = at % 4 === 0 ? (at / 4) % METRICS : -1;
  const needsPath = at % 4 === 1;
  const when = ({ counts, attributes, medium, path }) => counts[metric] >= least
    && attributes[attribute] === text
    && (medium === 'cpc' || medium === 'email')
    && (absent < 0 || counts[absent] === 0)
    && (!needsPath || PATHS.includes(path));
  return { slot: at % SLOTS, when };
}

/** The engine of so many rules, with the interface of `EngineBench` (benches/measured). */
export function byHand(rules) {
  const list = Array.from({ length: rules }, (_, at) => rule(at));
  const visitor = {
    counts: Array(METRICS).fill(10),
    attributes: Array.from({ length: ATTRIBUTES }, (_, at) => `value-${at % 7}`),
    medium: 'cpc',
    path: 'value-3',
  };
  const winners = () => {
    const won = Array(SLOTS).fill(-1);
    let open = SLOTS;
    for (let at = 0; at < list.length && open > 0; at += 1) {
      const { slot, when } = list[at];
      if (won[slot] < 0 && when(visitor)) {
        won[slot] = at;
        open -= 1;
      }
    }
    return won;
  };
  const decide = () => winners().reduce((won, winner) => won + (winner >= 0), 0);
  const repeat = (work) => (runs) => {
    let won = 0;
    for (let run = 0; run < runs; run += 1) won += work(run);
    return won;
  };
  return {
    winners,
    decide: repeat(decide),
    event: repeat((run) => {
      for (let metric = run % EVENTS; metric < METRICS; metric += EVENTS) visitor.counts[metric] += 1;
      return decide();
    }),
  };
}
