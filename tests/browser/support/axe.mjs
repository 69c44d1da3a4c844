// What axe-core finds in a page.
import { readFileSync } from 'node:fs';
import { repository } from './world.mjs';

const axe = readFileSync(`${repository}www/node_modules/axe-core/axe.min.js`, 'utf8');

/** What axe finds in the page as it is, open shadow roots included. */
export async function finds(page) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ['violations'] }));
  return violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} ${target}: ${failureSummary}`));
}
