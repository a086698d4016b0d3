// Apple's authoring rules for HLS (by their numbers) and RFC 8216bis, checked on playlists as they were fetched. Pure:
// whoever calls brings the texts and the lengths of what they list. Each complaint begins with its rule's number.

// "#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"a,b\"" -> { TYPE: "AUDIO", NAME: "a,b" }; values of quoted strings without quotes.
export function attributes(line) {
  const list = {};
  for (const [, name, value] of line.slice(line.indexOf(":") + 1).matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,]*)(?:,|$)/g)) {
    if (name in list) throw new Error(`${name} twice in ${line}`);
    list[name] = value.startsWith("\"") ? value.slice(1, -1) : value;
  }
  return list;
}

const isTag = (line, tag) => line === `#${tag}` || line.startsWith(`#${tag}:`);

export function parseMultivariant(text) {
  const lines = text.split("\n");
  const all = (tag) => lines.filter((line) => isTag(line, tag));
  const variants = lines.flatMap((line, i) => (isTag(line, "EXT-X-STREAM-INF") ? [{ ...attributes(line), URI: lines[i + 1] }] : []));
  return {
    lines,
    variants,
    media: all("EXT-X-MEDIA").map(attributes),
    iframes: all("EXT-X-I-FRAME-STREAM-INF").map(attributes),
    images: all("EXT-X-IMAGE-STREAM-INF").map(attributes),
    steering: all("EXT-X-CONTENT-STEERING").map(attributes),
    independent: all("EXT-X-INDEPENDENT-SEGMENTS").length > 0,
  };
}

// Times are integers of microseconds: what the text says, without rounding.
export function parseMedia(text) {
  const lines = text.trimEnd().split("\n");
  const value = (tag) => lines.find((line) => isTag(line, tag))?.slice(tag.length + 2);
  const segments = [];
  let extinf = null, range = null, map = null, end = 0;
  for (const line of lines) {
    if (isTag(line, "EXT-X-MAP")) map = attributes(line);
    if (isTag(line, "EXTINF")) extinf = line.slice("#EXTINF:".length).split(",")[0];
    if (isTag(line, "EXT-X-BYTERANGE")) range = line.slice("#EXT-X-BYTERANGE:".length).split("@").map(Number);
    if (line.startsWith("#") || line === "") continue;
    const [whole, part = ""] = extinf.split(".");
    const micros = Number(whole) * 1_000_000 + Number(part.padEnd(6, "0").slice(0, 6));
    segments.push({ uri: line, micros, start: end, range: range && { bytes: range[0], offset: range[1] ?? null }, map });
    end += micros;
    range = null;
  }
  return { lines, segments, micros: end, target: Number(value("EXT-X-TARGETDURATION")), type: value("EXT-X-PLAYLIST-TYPE"),
    ended: lines.at(-1) === "#EXT-X-ENDLIST", map, iframesOnly: lines.includes("#EXT-X-I-FRAMES-ONLY"), keys: lines.filter((line) => isTag(line, "EXT-X-KEY")).map(attributes) };
}

// Peak by RFC 8216bis section 4.4.6.2 over runs of segments of half to one and a half targets, and the average; in bits
// per second. `bytes` are the lengths of the segments.
export function measuredRates(media, bytes) {
  const rate = (sum, micros) => (sum * 8 * 1_000_000) / micros;
  const average = rate(bytes.reduce((a, b) => a + b, 0), media.micros);
  let peak = average;
  for (let first = 0; first < media.segments.length; ++first) {
    let sum = 0, micros = 0;
    for (let i = first; i < media.segments.length; ++i) {
      sum += bytes[i];
      micros += media.segments[i].micros;
      if (micros > media.target * 1.5e6) break;
      if (micros >= media.target * 0.5e6) peak = Math.max(peak, rate(sum, micros));
    }
  }
  return { peak, average };
}

const bcp47 = /^[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(-[a-z0-9]+)*$/;
const describesVideo = "public.accessibility.describes-video";
const forTheDeaf = ["public.accessibility.transcribes-spoken-dialog", "public.accessibility.describes-music-and-sound"];

function codecComplaints(variant, where) {
  const found = [];
  for (const codec of variant.CODECS.split(",")) {
    const [name, ...parts] = codec.split(".");
    if (["avc3", "hev1", "dvhe"].includes(name)) found.push(`1.10 ${where}: ${codec} keeps its parameter sets in band`);
    if (name === "avc1" && (Number.parseInt(parts[0].slice(0, 2), 16) > 100 || Number.parseInt(parts[0].slice(4, 6), 16) > 52)) found.push(`1.3b ${where}: ${codec} is above High 5.2`);
    if (name === "hvc1" && (Number(parts[0]) > 2 || Number(parts[2].slice(1)) > 153)) found.push(`1.6b ${where}: ${codec} is above Main10 5.1`);
    if (name === "av01" && Number(parts[1].slice(0, 2)) > 18) found.push(`1.37 ${where}: ${codec} is above 6.2`);
  }
  return found;
}

function groupComplaints(list, group) {
  const found = [];
  const members = list.media.filter((one) => one.TYPE === group.TYPE && one["GROUP-ID"] === group["GROUP-ID"]);
  const where = `${group.TYPE} ${group["GROUP-ID"]}`;
  const defaults = members.filter((one) => one.DEFAULT === "YES");
  if (group.TYPE === "AUDIO" && defaults.length !== 1) found.push(`RFC-4.4.6.1 ${where} has ${defaults.length} defaults`);
  if (defaults.length > 1) found.push(`RFC-4.4.6.1 ${where} has ${defaults.length} defaults`);
  if (new Set(members.map((one) => one.NAME)).size !== members.length) found.push(`RFC-4.4.6.1.1 ${where}: two members have one name`);
  for (const one of members) {
    if (one.DEFAULT === "YES" && one.AUTOSELECT === "NO") found.push(`RFC-4.4.6.1 ${where} ${one.NAME}: a default that is not autoselected`);
  }
  return found;
}

function mediaComplaints(list) {
  const found = [];
  const groups = new Map(list.media.map((one) => [`${one.TYPE} ${one["GROUP-ID"]}`, one]));
  for (const group of groups.values()) found.push(...groupComplaints(list, group));
  for (const one of list.media) {
    const where = `${one.TYPE} ${one.NAME}`;
    const characteristics = (one.CHARACTERISTICS ?? "").split(",");
    if (one.TYPE !== "VIDEO" && !one.LANGUAGE) found.push(`8.10 ${where} has no LANGUAGE`);
    if (one.LANGUAGE && one.LANGUAGE !== "und" && !bcp47.test(one.LANGUAGE)) found.push(`8.10 ${where}: ${one.LANGUAGE} is not BCP 47`);
    if (one.TYPE === "AUDIO" && !/^\d+(\/[A-Z,-]+)?$/.test(one.CHANNELS ?? "")) found.push(`9.6 ${where} has no CHANNELS`);
    if (characteristics.includes(describesVideo) && (one.AUTOSELECT !== "YES" || !one.LANGUAGE)) found.push(`2.13 ${where} describes video and is not autoselected, or has no language`);
    if (/\(description\)|\(AD\)/i.test(one.NAME) && one.TYPE === "AUDIO" && !characteristics.includes(describesVideo)) found.push(`2.12 ${where} has no CHARACTERISTICS`);
    const isSdh = forTheDeaf.some((uti) => characteristics.includes(uti));
    if (isSdh && (!forTheDeaf.every((uti) => characteristics.includes(uti)) || one.AUTOSELECT !== "YES")) found.push(`4.5 ${where} is for the deaf, and does not say so in full`);
    if (one.FORCED === "YES" && one.AUTOSELECT !== "YES") found.push(`5.11 ${where} is forced and not autoselected`);
    if (one.URI === undefined) found.push(`9.7 ${where} has no rendition of its own`);
  }
  return found;
}

export function lintMultivariant(text) {
  const list = parseMultivariant(text);
  const found = [...mediaComplaints(list)];
  if (list.lines[0] !== "#EXTM3U") found.push("RFC-4.4.1.1 the first line is not #EXTM3U");
  if (!list.independent) found.push("9.12 no EXT-X-INDEPENDENT-SEGMENTS");
  const heights = new Set(list.variants.map((variant) => variant.RESOLUTION));
  if (list.variants.length === 0) found.push("9.9 there are no variants");
  for (const stream of [...list.variants, ...list.iframes]) {
    const isVariant = list.variants.includes(stream);
    const where = `${isVariant ? "variant" : "I-frame stream"} ${stream.URI}`;
    for (const name of ["BANDWIDTH", "CODECS", "RESOLUTION"]) {
      if (!stream[name]) found.push(`${name === "BANDWIDTH" ? "9.13" : name === "CODECS" ? "9.1" : "9.3"} ${where} has no ${name}`);
    }
    if (!stream["AVERAGE-BANDWIDTH"]) found.push(`9.14 ${where} has no AVERAGE-BANDWIDTH`);
    if (Number(stream.BANDWIDTH) > 2 * Number(stream["AVERAGE-BANDWIDTH"]) && isVariant) found.push(`1.30 ${where}: its peak is over twice its average`);
    if (!["SDR", "HLG", "PQ"].includes(stream["VIDEO-RANGE"])) found.push(`9.16 ${where} has no VIDEO-RANGE`);
    if (!/^[A-Za-z0-9+/=._-]+$/.test(stream["STABLE-VARIANT-ID"] ?? "")) found.push(`RFC-4.4.6.2 ${where} has no stable id`);
    if (stream.CODECS) found.push(...codecComplaints(stream, where));
    if (list.steering.length > 0 && stream["PATHWAY-ID"] !== list.steering[0]["PATHWAY-ID"]) found.push(`9.18 ${where} is not on the pathway of the steering tag`);
  }
  for (const variant of list.variants) {
    if (!variant["FRAME-RATE"]) found.push(`9.15 variant ${variant.URI} has no FRAME-RATE`);
    for (const type of ["AUDIO", "SUBTITLES"]) {
      const has = list.media.some((one) => one.TYPE === type && one["GROUP-ID"] === variant[type]);
      if (variant[type] && !has) found.push(`RFC-4.4.6.2 variant ${variant.URI}: there is no group ${variant[type]}`);
    }
  }
  if (!list.variants.some((variant) => variant["VIDEO-RANGE"] === "SDR")) found.push("1.24 there is no SDR variant");
  if (list.iframes.length > 0 && !list.iframes.some((stream) => stream["VIDEO-RANGE"] === "SDR")) found.push("6.16 there is no SDR trick play");
  for (const size of heights) {
    if (!list.iframes.some((stream) => stream.RESOLUTION === size)) found.push(`6.1 no I-frame stream of ${size}`);
  }
  const scored = list.variants.filter((variant) => variant.SCORE !== undefined).length;
  if (scored !== 0 && scored !== list.variants.length) found.push(`9.19 ${scored} of ${list.variants.length} variants have a SCORE`);
  const audio = list.media.filter((one) => one.TYPE === "AUDIO");
  if (audio.length > 0 && !list.variants.some((variant) => /mp4a\.40\.(2|5|29)$/.test(variant.CODECS))) found.push("2.3 no variant has stereo AAC");
  if (audio.length > 0 && !audio.some((one) => one.CHANNELS === "2")) found.push("2.3 no rendition is stereo");
  for (const steering of list.steering) {
    if (!steering["PATHWAY-ID"] || !steering["SERVER-URI"]) found.push("9.18 the steering tag has no PATHWAY-ID or no SERVER-URI");
  }
  return found;
}

export function lintMedia(text, { isFmp4, isVideo = false, packsText = false }) {
  const media = parseMedia(text);
  const found = [];
  if (media.lines[0] !== "#EXTM3U") found.push("RFC-4.4.1.1 the first line is not #EXTM3U");
  if (media.type !== "VOD") found.push("8.6 EXT-X-PLAYLIST-TYPE is not VOD");
  if (!media.ended) found.push("RFC-4.4.3.4 no EXT-X-ENDLIST");
  if (isFmp4 && !packsText && media.map === null) found.push("8.20 no EXT-X-MAP");
  if (!isFmp4 && media.map !== null) found.push("8.20 an EXT-X-MAP for transport streams");
  if (isVideo && !media.iframesOnly && !media.lines.includes("#EXT-X-INDEPENDENT-SEGMENTS")) found.push("9.12 no EXT-X-INDEPENDENT-SEGMENTS");
  for (const segment of media.segments) {
    if (Math.round(segment.micros / 1e6) > media.target) found.push(`RFC-4.4.3.1 ${segment.uri} is longer than the target`);
    if (segment.micros > (media.target + 0.5) * 1e6) found.push(`7.7 ${segment.uri} is over the target by more than half a second`);
    if (media.iframesOnly && segment.range === null) found.push(`6.10 ${segment.uri} is no byte range`);
  }
  return found;
}

// Over all media playlists of a packaging, by URI, without those of I-frames.
export function lintTogether(playlists) {
  const found = [];
  const all = [...playlists].map(([uri, text]) => ({ uri, ...parseMedia(text) }));
  const first = all[0];
  for (const one of all.slice(1)) {
    if (one.target !== first.target) found.push(`8.2 ${one.uri} has target ${one.target}, ${first.uri} ${first.target}`);
    if (Math.abs(one.micros - first.micros) > 500_000) found.push(`8.3 ${one.uri} lasts ${one.micros} us, ${first.uri} ${first.micros}`);
    if (one.lines.includes("#EXT-X-DISCONTINUITY") !== first.lines.includes("#EXT-X-DISCONTINUITY")) found.push(`8.15 ${one.uri}`);
  }
  return found;
}

// Whether durations are those of the exact boundaries, which are integers over `timescale`: any run of them, within a
// microsecond, however long (rule 8.1).
export function lintDurations(media, boundaries, timescale) {
  const found = [];
  for (let i = 0; i <= media.segments.length; ++i) {
    const at = i < media.segments.length ? media.segments[i].start : media.micros;
    const exact = (Number(boundaries[i] - boundaries[0]) * 1e6) / timescale;
    if (Math.abs(at - exact) > 0.5 + 1e-6) found.push(`8.1 boundary ${i} is at ${at} us, exactly at ${exact}`);
  }
  return found;
}
