// Verifies a delivery as a receiver does, with the library that Standard Webhooks names: {secret, headers, body} as
// JSON on stdin, the message on stdout.
import { text } from "node:stream/consumers";
import { Webhook } from "standardwebhooks";

const { secret, headers, body } = JSON.parse(await text(process.stdin));
process.stdout.write(JSON.stringify(new Webhook(secret).verify(body, headers)));
