// What the edge sends, read by the libraries of those who receive it: `verifiers.mjs SENT.json PACKAGE.json` prints what
// they found. PACKAGE.json is that of the folder whose node_modules hold them.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [sentFile, packageFile] = process.argv.slice(2);
const require = createRequire(packageFile);
const { HTTP, Kafka, ValidationError } = require("cloudevents");
const { Webhook } = require("standardwebhooks");
const sent = JSON.parse(readFileSync(sentFile, "utf8"));

const verified = (secret, body, headers) => {
  try {
    new Webhook(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
};
const read = (event) => ({
  valid: event.validate(),
  id: event.id,
  source: event.source,
  type: event.type,
  subject: event.subject,
  time: event.time,
  dataschema: event.dataschema,
  data: event.data,
});
const http = ({ content_type, body }) => [HTTP.toEvent({ headers: { "content-type": content_type }, body })].flat().map(read);
const kafka = ({ headers, key, value }) => read(Kafka.toEvent({ headers, key, value: JSON.parse(value), body: JSON.parse(value) }));

const signed = sent.signed;
console.log(
  JSON.stringify({
    single: http(sent.single),
    batch: http(sent.batch),
    kafka: sent.kafka.map(kafka),
    signatures: {
      new_secret: verified(signed.new_secret, signed.body, signed.headers),
      old_secret: verified(signed.old_secret, signed.body, signed.headers),
      other_secret: verified(signed.other_secret, signed.body, signed.headers),
      changed_body: verified(signed.new_secret, `${signed.body} `, signed.headers),
      changed_id: verified(signed.new_secret, signed.body, { ...signed.headers, "webhook-id": "other" }),
    },
    refuses: (() => {
      try {
        return HTTP.toEvent({ headers: { "content-type": sent.single.content_type }, body: sent.single.body.replace('"source":"/shop/web",', "") }).validate();
      } catch (problem) {
        return problem instanceof ValidationError ? "ValidationError" : String(problem);
      }
    })(),
  }),
);
