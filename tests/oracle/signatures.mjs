// Requests as they arrived, verified by npm `standardwebhooks`: `signatures.mjs REQUESTS.json PACKAGE.json` prints, for each
// request, which of the secrets verify it. PACKAGE.json is that of the folder whose node_modules hold it.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [requestsFile, packageFile] = process.argv.slice(2);
const { Webhook } = createRequire(packageFile)("standardwebhooks");
const { requests, secrets } = JSON.parse(readFileSync(requestsFile, "utf8"));

const verifies = (secret, { body, headers }) => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
};
console.log(JSON.stringify(requests.map((request) => secrets.map((secret) => verifies(secret, request)))));
