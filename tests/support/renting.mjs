// What a platform's backend does: orders, playback, heartbeats.

import { randomUUID } from "node:crypto";
import { get } from "./playing.mjs";

export class Renting {
  constructor(cluster) { this.cluster = cluster; }

  async #ok(method, path, body, statuses = [200, 201]) {
    const answer = await this.cluster.api(method, path, body);
    if (!statuses.includes(answer.status)) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  offer(offer) { return this.#ok("POST", "/v1/offers", offer); }
  order(account, title, more = {}) { return this.#ok("POST", "/v1/orders", { account, title, kind: "rent", idempotency_key: randomUUID(), ...more }); }
  playback(account, title, device = "tv", more = {}) { return this.#ok("POST", "/v1/playback", { account, title, device, ...more }); }
  revoke(entitlement, more = {}) { return this.#ok("POST", `/v1/entitlements/${entitlement}/revoke`, { reason: "test", ...more }); }

  // The error code and status of a playback that must be refused.
  async refused(account, title, device = "tv") {
    const answer = await this.cluster.api("POST", "/v1/playback", { account, title, device });
    return `${answer.status} ${answer.body?.error?.code}`;
  }
}

// A playback's URLs are on one edge; the same on another.
export const onEdge = (url, edge) => url.replace(/^https?:\/\/[^/]+/, `http://${edge.ready.public}`);

export async function answerOf(url, options) {
  const answer = await get(url, options);
  return answer.status === 200 ? "200" : `${answer.status} ${answer.error}`;
}
