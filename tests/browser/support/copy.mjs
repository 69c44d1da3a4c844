// The shop in a folder of the test's own, which may change its files and publish them.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository, serve } from './world.mjs';

/** Serves a copy of `from`, a folder of the repository; `env`: what serve.rs reads besides. */
export async function serveCopy(env = {}, from = 'examples/shop') {
  const folder = mkdtempSync(join(tmpdir(), 'selvedge-site-'));
  cpSync(`${repository}${from}`, folder, { recursive: true });
  const site = await serve({ ...env, SELVEDGE_SITE: folder });
  const save = async (file, text) => {
    writeFileSync(join(folder, file), text);
    const { error } = await site.publish();
    return error;
  };
  return {
    ...site,
    /** The file's text as it is now. */
    read: (file) => readFileSync(join(folder, file), 'utf8'),
    /** The file's text as it was copied. */
    original: (file) => readFileSync(`${repository}${from}/${file}`, 'utf8'),
    /** Saves another text, and publishes; gives what the compiler says of an error. */
    save,
    /** The same with a text that has no error. */
    write: async (file, text) => assert.equal(await save(file, text), undefined),
    close: async () => {
      await site.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
