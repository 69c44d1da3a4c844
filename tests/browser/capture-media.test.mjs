// Players on one page: a video beside a sound, each told by its own kind, title and address, and each by its own quarters.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { html, lab, silence, tag } from './support/lab.mjs';
import { launch, pass, ready, repository, until, visit, watching } from './support/world.mjs';

/** Two seconds of a test picture: `ffmpeg -f lavfi -i testsrc=size=64x36:rate=5:duration=2 -c:v libvpx -b:v 8k film.webm`. */
const FILM = readFileSync(`${repository}tests/browser/apps/film.webm`);
const BODY = `
  <video id="film" title="A film" src="/film.webm?secret=1" muted></video>
  <audio id="tone" aria-label="A tone" src="/tone.wav?secret=1"></audio>
  <div data-selvedge-private><video id="own" title="A secret" src="/secret.webm" muted></video></div>
  <button id="start">Start</button>`;
const KINDS = ['media_play', 'media_progress', 'media_complete'];
const WHOLE = [['media_play', undefined], ['media_progress', 25], ['media_progress', 50], ['media_progress', 75], ['media_complete', undefined]];

let site;
let browser;
before(async () => {
  site = await lab({
    '/players': html(BODY, tag('data-capture="media"')),
    '/film.webm': FILM,
    '/other.webm': FILM,
    '/secret.webm': FILM,
    '/tone.wav': silence(2),
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site?.close();
});

/** The page, its players ready, and what it says of them, by address. */
async function opened() {
  const { context, page } = await visit(browser);
  const begun = (await site.lines()).length;
  const watched = watching(page);
  await page.goto(`${site.url}/players`);
  await ready(page);
  await page.evaluate(() => selvedge.consent({ analytics: true }));
  await watched;
  const said = async (complete) => {
    const lines = await until(`${complete} that are over`, async () => {
      await page.evaluate(() => selvedge.flush());
      const found = (await site.lines(begun)).filter(({ name }) => KINDS.includes(name));
      return found.filter(({ name }) => name === 'media_complete').length >= complete && found;
    });
    const by = {};
    for (const line of lines) (by[new URL(line.properties.url).pathname] ??= []).push(line);
    return by;
  };
  /** Plays a file in an element to its end; `half` of the way it is paused for a moment. */
  const play = (id, { src, pauses = false } = {}) => page.evaluate(async ([id, src, pauses]) => {
    const player = document.getElementById(id);
    if (src) player.src = src;
    const over = new Promise((done) => player.addEventListener('ended', done, { once: true }));
    await player.play();
    if (pauses) {
      await new Promise((done) => setTimeout(done, 700));
      player.pause();
      await new Promise((done) => setTimeout(done, 200));
      await player.play();
    }
    await over;
  }, [id, src, pauses]);
  return { context, page, said, play };
}

const story = (lines) => lines.map(({ name, properties: { percent } }) => [name, percent]);
const facts = (lines) => [...new Set(lines.map(({ properties: { kind, title, duration_s } }) => `${kind} ${title} ${duration_s}`))];

test('a video beside a sound, both at once: each has its own start, quarters and end', async () => {
  const { context, page, said, play } = await opened();
  // A sound may begin once the visitor did something.
  await page.click('#start');
  await Promise.all([play('film', { pauses: true }), play('tone'), play('own')]);
  const by = await said(2);
  assert.deepEqual(Object.keys(by).sort(), ['/film.webm', '/tone.wav'], 'and nothing of what is private');
  assert.deepEqual(facts(by['/film.webm']), ['video A film 2']);
  assert.deepEqual(facts(by['/tone.wav']), ['audio A tone 2']);
  assert.deepEqual(story(by['/film.webm']), WHOLE, 'a pause is no second start');
  assert.deepEqual(story(by['/tone.wav']), WHOLE);
  assert.doesNotMatch(JSON.stringify(by), /secret/);
  await context.close();
});

test('a player that plays again says nothing new, and with another file it begins anew', async () => {
  const { context, page, said, play } = await opened();
  await page.click('#start');
  await play('film');
  await play('film');
  await play('film', { src: '/other.webm' });
  await pass(page, 100);
  const by = await said(2);
  assert.deepEqual(story(by['/film.webm']), WHOLE);
  assert.deepEqual(story(by['/other.webm']), WHOLE);
  await context.close();
});
