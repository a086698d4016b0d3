// The rental behind the film: its time, its heartbeat, and, where the page is the demo's, a way to take it back.
// The page was opened with ?heartbeat=<URL>&every=<seconds>&until=<unix seconds, or 0>; &shop=1 in the demo.

const element = (id) => document.getElementById(id);
const quickMs = 500;       // between heartbeats after the rental was taken back, to show at once what the edge says
const quickLimitMs = 15_000;
// What no later heartbeat can change; any other refusal may pass by itself.
const finalCodes = new Set(["entitlement_revoked", "rental_window_passed", "rental_play_time_passed", "licence_ended", "entitlement_missing",
  "stream_limit_reached", "token_expired", "token_key_retired", "session_not_found"]);
const missesMax = 3;       // heartbeats without an answer before the viewer hears of it; play goes on meanwhile

export function timeLeft(seconds) {
  if (seconds >= 2 * 86_400) return `${Math.floor(seconds / 86_400)} days`;
  const part = (unit, of) => String(Math.floor(seconds / unit) % of).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${part(60, 60)}:${part(1, 60)}`;
}

// Emits "denied" with {code, message, detail, remedy} and "renewed" with the path of the new master playlist.
export class Rental extends EventTarget {
  constructor(query, video) {
    super();
    Object.assign(this, { video, misses: 0, over: false, heartbeat: query.get("heartbeat"), every: Math.max(5, Number(query.get("every")) || 60) * 1000, until: Number(query.get("until")) || 0 });
    if (!this.heartbeat) return;
    element("rental").hidden = false;
    this.#showTime();
    setInterval(() => this.#showTime(), 1000);
    this.#schedule(this.every);
    addEventListener("pagehide", () => navigator.sendBeacon(this.#url("ended=1")));
    if (query.get("shop") === "1") this.#shop();
  }

  #url(more = "") {
    const url = new URL(this.heartbeat);
    url.search = [`position_s=${Math.floor(this.video.currentTime || 0)}`, more].filter(Boolean).join("&");
    return url.href;
  }

  #schedule(ms) {
    clearTimeout(this.timer);
    if (!this.over) this.timer = setTimeout(() => this.#beat(ms), ms);
  }

  async #beat(ms) {
    try {
      const answer = await fetch(this.#url(), { method: "POST", referrerPolicy: "no-referrer" });
      const body = await answer.json();
      if (finalCodes.has(body.error?.code)) return this.#end(body.error);
      this.misses = answer.ok ? 0 : this.misses + 1;
      if (answer.ok) this.#renew(body);
    } catch {
      this.misses += 1;  // the token in hand is good for a day: play goes on
    }
    element("rental").classList.toggle("unheard", this.misses >= missesMax);
    this.#schedule(this.quickUntil && Date.now() < this.quickUntil ? quickMs : ms > quickMs ? ms : this.every);
  }

  #renew(body) {
    this.heartbeat = new URL(body.heartbeat_path, this.heartbeat).href;
    this.until = body.view_until_s || 0;
    this.dispatchEvent(new CustomEvent("renewed", { detail: body.path }));
  }

  #end(error) {
    this.over = true;
    element("rental").classList.add("over");
    element("rental-left").textContent = "ended";
    this.dispatchEvent(new CustomEvent("denied", { detail: error }));
  }

  #showTime() {
    if (this.over) return;
    const left = this.until - Date.now() / 1000;
    element("rental-left").textContent = this.until === 0 ? "yours to keep" : left > 0 ? `${timeLeft(left)} left` : "time is over";
  }

  #shop() {
    const button = element("rental-revoke");
    button.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      const answer = await fetch(this.over ? "shop/rent" : "shop/revoke", { method: "POST" });
      const body = await answer.json();
      if (body.page) location.href = body.page;
      this.quickUntil = Date.now() + quickLimitMs;
      this.#schedule(1);
      button.textContent = "Rent it again";
      button.disabled = false;
    });
  }
}
