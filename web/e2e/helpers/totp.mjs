// An authenticator app: RFC 6238 with SHA-1, six digits, 30 seconds, as every app does it.

import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

const STEP = 30;

export class AuthenticatorApp {
  /** @param {string} secret base32 */
  constructor(secret) {
    this.key = fromBase32(secret);
    this.last = 0;
  }

  /**
   * A code that was not given out before. The server takes one step either way, so three can be had at once; after
   * that this waits for the clock, as a person would.
   */
  async fresh() {
    const now = () => Date.now() / 1000 / STEP;
    // Three seconds of air, lest the oldest step runs out on its way.
    const oldest = Math.floor(now() + 3 / STEP) - 1;
    this.last = Math.max(this.last + 1, oldest);
    while (this.last > Math.floor(now()) + 1) await sleep(250);
    return this.at(this.last);
  }

  /** The code that was given out last. */
  again() {
    return this.at(this.last);
  }

  /** @param {number} step */
  at(step) {
    const counter = Buffer.alloc(8);
    counter.writeBigUInt64BE(BigInt(step));
    const mac = createHmac("sha1", this.key).update(counter).digest();
    const offset = mac[mac.length - 1] & 0xf;
    return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
  }
}

/** @param {string} text */
function fromBase32(text) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  const bits = [...text.replace(/[\s=]/g, "").toUpperCase()].map((c) => letters.indexOf(c).toString(2).padStart(5, "0")).join("");
  return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}
