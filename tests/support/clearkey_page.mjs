// A page that plays a protected film with ClearKey, by hls.js or by Shaka, set up as docs/protection.md says.

import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url.replace("/support/", "/e2e/"));

const html = `<!doctype html><meta charset="utf-8"><title>ClearKey</title><link rel="icon" href="data:,">
<video id="video" muted playsinline></video>
<script src="hls.js"></script><script src="shaka.js"></script><script src="page.js"></script>`;

const script = `
const query = new URLSearchParams(location.search);
const video = document.querySelector("#video");
const state = window.played = { errors: [], started: false };
const base64url = (bytes) => btoa(String.fromCharCode(...bytes)).replace(/\\+/g, "-").replace(/\\//g, "_").replace(/=+$/, "");

// Each track's licence is at its tag's URI, for a plain GET; the key's id is in the tag.
function playByHls(url) {
  const hls = new Hls({
    emeEnabled: true,
    drmSystems: { "org.w3.clearkey": {
      licenseUrl: url,
      generateRequest: (type, data, context) => ({
        initDataType: "keyids",
        initData: new TextEncoder().encode(JSON.stringify({ kids: [base64url(context.decryptdata.keyId)] })).buffer }) } },
    licenseXhrSetup: (xhr, licence, context) => { xhr.open("GET", context.decryptdata.uri); xhr.responseType = "arraybuffer"; },
  });
  hls.on(Hls.Events.ERROR, (event, data) => { state.errors.push(data.type + " " + data.details + " " + (data.error?.message ?? "")); });
  hls.loadSource(url);
  hls.attachMedia(video);
  hls.on(Hls.Events.MANIFEST_PARSED, () => video.play());
}

// Shaka takes keys by the format "identity"; of cbcs only the tag for hls.js is there, which says as much.
async function playByShaka(url) {
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  await player.attach(video);
  player.addEventListener("error", ({ detail }) => state.errors.push("shaka " + detail.code + " " + JSON.stringify(detail.data)));
  const { RequestType } = shaka.net.NetworkingEngine;
  player.getNetworkingEngine().registerResponseFilter((type, response) => {
    if (type !== RequestType.MANIFEST) return;
    const text = shaka.util.StringUtils.fromUTF8(response.data);
    response.data = shaka.util.StringUtils.toUTF8(text
      .replace(/^(#EXT-X-KEY:METHOD=SAMPLE-AES,URI=)"clearkey.json",KEYFORMAT="org.w3.clearkey".*$/gm, '$1"key",KEYFORMAT="identity"'));
  });
  await player.load(url);
  await video.play();
}

(query.get("player") === "shaka" ? playByShaka : playByHls)(query.get("url"))?.catch?.((error) => state.errors.push(String(error.code ?? error.message)));
`;

// Writes the page into `folder`.
export function writeClearKeyPage(folder) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "index.html"), html);
  writeFileSync(join(folder, "page.js"), script);
  copyFileSync(require.resolve("hls.js/dist/hls.js"), join(folder, "hls.js"));
  copyFileSync(require.resolve("shaka-player/dist/shaka-player.compiled.js"), join(folder, "shaka.js"));
}
