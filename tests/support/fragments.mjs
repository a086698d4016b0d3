// Reads what a test needs of fragmented MP4: when a segment begins, and whose bytes are whole.

// Boxes of a buffer: { type, body }, in order; throws when one does not fit.
export function boxes(bytes) {
  const list = [];
  for (let at = 0; at < bytes.length;) {
    let size = bytes.readUInt32BE(at), header = 8;
    const type = bytes.toString("latin1", at + 4, at + 8);
    if (size === 1) {
      size = Number(bytes.readBigUInt64BE(at + 8));
      header = 16;
    }
    if (size < header || at + size > bytes.length) throw new Error(`box ${type} of ${size} bytes at ${at} of ${bytes.length}`);
    list.push({ type, body: bytes.subarray(at + header, at + size) });
    at += size;
  }
  return list;
}

export function child(bytes, ...path) {
  let body = bytes;
  for (const type of path) {
    const found = boxes(body).find((box) => box.type === type);
    if (!found) return null;
    body = found.body;
  }
  return body;
}

// Of an init segment: ticks a second, where in media time the presentation begins, and for how long it goes on.
export function initFacts(init) {
  const mdhd = child(init, "moov", "trak", "mdia", "mdhd");
  const timescale = mdhd.readUInt32BE(mdhd[0] === 1 ? 20 : 12);
  const elst = child(init, "moov", "trak", "edts", "elst");
  let start = 0n;
  if (elst !== null) start = elst[0] === 1 ? elst.readBigInt64BE(16) : BigInt(elst.readInt32BE(12));
  const mehd = child(init, "moov", "mvex", "mehd");
  const mvhd = child(init, "moov", "mvhd");
  const movieTimescale = mvhd.readUInt32BE(mvhd[0] === 1 ? 20 : 12);
  if (movieTimescale !== timescale) throw new Error("the movie counts otherwise than the track");
  return { timescale, start, duration: mehd[0] === 1 ? mehd.readBigUInt64BE(4) : BigInt(mehd.readUInt32BE(4)) };
}

// Of a segment: decode time of its first sample, and when that is presented, in media time.
export function segmentStart(segment) {
  const traf = child(segment, "moof", "traf");
  const tfdt = child(traf, "tfdt");
  const decode = tfdt[0] === 1 ? tfdt.readBigUInt64BE(4) : BigInt(tfdt.readUInt32BE(4));
  const trun = child(traf, "trun");
  const flags = trun.readUInt32BE(0) & 0xffffff;
  let at = 8;
  if (flags & 0x1) at += 4;
  if (flags & 0x4) at += 4;
  for (const field of [0x100, 0x200, 0x400]) if (flags & field) at += 4;
  return { decode, shown: decode + (flags & 0x800 ? BigInt(trun.readInt32BE(at)) : 0n) };
}
